/** Retraining as the user sees it: a notification with phase, step, loss and estimate, and then the verdict. */

import { randomUUID } from "node:crypto";
import { commands, ProgressLocation, window, type CancellationToken, type Progress } from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { currentFolder } from "./folder";
import { reasonOf, type Log } from "./log";
import type { Server } from "./server";
import type { State } from "./state";
import type { Training } from "./status";
import { verdictWords } from "./verdict";

/** Trains on the repository of the active file and returns when that has ended. */
export async function retrain(server: Server, state: State, log: Log): Promise<void> {
  const repository = currentFolder();
  if (repository === undefined) {
    void window.showWarningMessage("acclimate: open a folder with a git repository to train on.");
    return;
  }
  try {
    const client = server.running();
    const options = { location: ProgressLocation.Notification, title: "Acclimatising", cancellable: true };
    const ended = await window.withProgress(options, (progress, token) =>
      followed({ client, server, state, repository }, progress, token),
    );
    log.info(`training ${ended.run}: ${ended.state}. ${ended.verdict?.reason ?? ended.reason}`);
    await server.refresh();
    await tell(ended);
  } catch (error) {
    log.warn(reasonOf(error));
    void window.showWarningMessage(`acclimate: ${reasonOf(error)}`);
  }
}

interface Work {
  client: LanguageClient;
  server: Server;
  state: State;
  repository: string;
}

async function followed(
  work: Work,
  progress: Progress<{ message: string }>,
  cancel: CancellationToken,
): Promise<Training> {
  const { ProgressType, WorkDoneProgressCancelNotification } = await import("./client");
  const token = `acclimate-ui-${randomUUID()}`; // the server refuses one that it has seen
  const words = new ProgressType<{ kind: string; message?: string }>();
  const listening = [
    work.client.onProgress(words, token, ({ message }) => {
      if (message) {
        progress.report({ message });
      }
    }),
    cancel.onCancellationRequested(
      () => void work.client.sendNotification(WorkDoneProgressCancelNotification.type, { token }),
    ),
  ];
  try {
    const argument = { repository: work.repository, workDoneToken: token };
    const { run } = await work.server.command<{ run: string }>("acclimate.retrain", argument);
    return await endOf(run, work.state);
  } finally {
    listening.forEach((one) => one.dispose());
  }
}

/** How a run has ended, once the server says so. */
function endOf(run: string, state: State): Promise<Training> {
  return new Promise((resolve, reject) => {
    const generation = state.generation;
    const look = () => {
      const training = state.status.training;
      if (state.generation !== generation) {
        return stop(() => reject(new Error("The server has ended, and the training with it.")));
      }
      if (training?.run === run && training.state !== "running") {
        stop(() => resolve(training));
      }
    };
    const listening = state.onDidChange(look);
    const stop = (then: () => void) => {
      listening.dispose();
      then();
    };
    look();
  });
}

async function tell(ended: Training): Promise<void> {
  if (ended.state === "failed") {
    return; // the server says so itself
  }
  if (ended.state === "cancelled") {
    void window.showInformationMessage(`acclimate: the training was cancelled. ${ended.reason}`);
    return;
  }
  const answer = await window.showInformationMessage(verdictWords(ended), "Open Report", "Open Dashboard");
  if (answer === "Open Report") {
    await commands.executeCommand("acclimate.ui.report", ended.adapter ?? undefined);
  } else if (answer === "Open Dashboard") {
    await commands.executeCommand("acclimate.ui.dashboard");
  }
}
