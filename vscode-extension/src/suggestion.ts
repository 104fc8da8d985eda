/** Suggests a retraining when the repository has moved on: once an adapter, and never where that is not wanted. */

import { commands, window, type Disposable, type Memento } from "vscode";
import { whatIsDue } from "./due";
import type { State } from "./state";

const NEVER = "acclimate.neverSuggest";
const SUGGESTED = "acclimate.suggestedFor";

/** @param memento Of the workspace. */
export function suggestRetraining(state: State, memento: Memento): Disposable {
  return state.onStatus((status) => {
    const key = whatIsDue(status);
    if (key === undefined || memento.get(NEVER, false) || memento.get(SUGGESTED) === key) {
      return;
    }
    void memento.update(SUGGESTED, key).then(() => ask(status.drift?.said ?? "", memento));
  });
}

async function ask(said: string, memento: Memento): Promise<void> {
  const answer = await window.showInformationMessage(`acclimate: ${said}`, "Retrain", "Not Now", "Never Here");
  if (answer === "Retrain") {
    await commands.executeCommand("acclimate.ui.retrain");
  } else if (answer === "Never Here") {
    await memento.update(NEVER, true);
  }
}
