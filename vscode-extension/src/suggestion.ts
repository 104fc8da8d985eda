/**
 * Suggests a retraining when the repository has moved on: once an adapter, a week later again, and never where that is
 * not wanted.
 */

import { commands, window, type Disposable, type Memento } from "vscode";
import { isTimeFor, whatIsDue, type Suggested } from "./due";
import type { State } from "./state";

const NEVER = "acclimate.neverSuggest";
const SUGGESTED = "acclimate.suggested";

/** @param memento Of the workspace. */
export function suggestRetraining(state: State, memento: Memento): Disposable {
  return state.onStatus((status) => {
    const [what, at] = [whatIsDue(status), Date.now()];
    if (what === undefined || memento.get(NEVER, false) || !isTimeFor(what, memento.get<Suggested>(SUGGESTED), at)) {
      return;
    }
    void memento.update(SUGGESTED, { what, at }).then(() => ask(status.drift?.said ?? "", memento));
  });
}

async function ask(said: string, memento: Memento): Promise<void> {
  const answer = await window.showInformationMessage(`acclimate: ${said}`, "Retrain", "Later", "Never Here");
  if (answer === "Retrain") {
    await commands.executeCommand("acclimate.ui.retrain");
  } else if (answer === "Never Here") {
    await memento.update(NEVER, true);
  }
}
