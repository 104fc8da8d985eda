/** An installation, with a notification that says where it stands and can cancel it. A failure is said, and logged. */

import { ProgressLocation, window } from "vscode";
import { reasonOf, type Log } from "./log";
import type { State } from "./state";

type Work<T> = (say: (message: string) => void, signal: AbortSignal) => Promise<T>;

/** Does the work, which the status bar knows of meanwhile; undefined if it failed or was cancelled. */
export function install<T>(log: Log, state: State, title: string, work: Work<T>): Thenable<T | undefined> {
  const options = { location: ProgressLocation.Notification, title, cancellable: true };
  return window.withProgress(options, async (progress, token) => {
    const abort = new AbortController();
    token.onCancellationRequested(() => abort.abort(new Error("Cancelled.")));
    state.install(`${title}.`);
    try {
      return await work((message) => progress.report({ message }), abort.signal);
    } catch (error) {
      log.error(reasonOf(error));
      if (!abort.signal.aborted) {
        void tellFailure(log, `${title}: ${reasonOf(error)}`);
      }
      return undefined;
    } finally {
      state.install("");
    }
  });
}

async function tellFailure(log: Log, words: string): Promise<void> {
  if ((await window.showErrorMessage(words, "Show Log")) !== undefined) {
    log.show();
  }
}
