/** The menu behind the status bar: where things stand, and what can be done about it. */

import { commands, QuickPickItemKind, window, workspace, type QuickPickItem } from "vscode";
import { isOn, LANGUAGES } from "./languages";
import type { Pauses } from "./pauses";
import { SECTION } from "./settings";
import type { State } from "./state";
import { reviewLines } from "./words";

interface Entry extends QuickPickItem {
  command?: string;
}

export async function showMenu(state: State, pauses: Pauses, tooltip: string): Promise<void> {
  const picked = await window.showQuickPick(entries(state, pauses), {
    title: "acclimate",
    placeHolder: tooltip.split("\n\n").slice(0, 2).join(" "),
    matchOnDetail: true,
  });
  if (picked?.command !== undefined) {
    await commands.executeCommand(picked.command);
  }
}

function entries(state: State, pauses: Pauses): Entry[] {
  if (state.missing !== "") {
    return [
      { label: "$(cloud-download) Set up acclimate", detail: state.missing, command: "acclimate.ui.restart" },
      { label: "$(folder) Choose Python interpreter", command: "acclimate.ui.choosePython" },
      { label: "$(output) Show log", command: "acclimate.ui.log" },
    ];
  }
  return [...learning(state), ...pausing(pauses), ...reviewing(state), ...engine(state)];
}

function learning(state: State): Entry[] {
  const isTraining = state.status.training?.state === "running";
  const drift = state.status.drift?.said ?? state.overview?.drift?.said;
  return [
    heading("Your repository"),
    isTraining
      ? { label: "$(debug-stop) Cancel the retraining", command: "acclimate.ui.cancelRetraining" }
      : {
          label: "$(sync) Retrain on this repository",
          ...(drift ? { detail: drift } : {}),
          command: "acclimate.ui.retrain",
        },
    { label: "$(dashboard) Open dashboard", command: "acclimate.ui.dashboard" },
    { label: "$(graph) Open report", command: "acclimate.ui.report" },
    { label: "$(versions) Choose adapter version", command: "acclimate.ui.chooseVersion" },
    { label: "$(discard) Roll back the adapter", command: "acclimate.ui.rollback" },
  ];
}

function pausing(pauses: Pauses): Entry[] {
  const document = window.activeTextEditor?.document;
  const configuration = workspace.getConfiguration(SECTION);
  const isEnabled = configuration.get("completion.enabled", true);
  const found: Entry[] = [heading("Completions")];
  if (document !== undefined) {
    const isPaused = pauses.isFilePaused(document.uri.toString());
    found.push({ label: `${pauseLabel(isPaused)} in this file`, command: "acclimate.ui.pauseFile" });
  }
  found.push(
    { label: `${pauseLabel(pauses.isWorkspacePaused)} in this workspace`, command: "acclimate.ui.pauseWorkspace" },
    { label: `${pauseLabel(!isEnabled)} everywhere`, command: "acclimate.ui.pauseEverywhere" },
  );
  if (document !== undefined && LANGUAGES.includes(document.languageId)) {
    const isOff = !isOn(configuration.get<string[]>("completion.languages", []), document.languageId);
    found.push({ label: `${pauseLabel(isOff)} in ${document.languageId}`, command: "acclimate.ui.toggleLanguage" });
  }
  return found;
}

function reviewing(state: State): Entry[] {
  const isOff = state.status.review.state === "off";
  return [
    heading("Review"),
    {
      label: `${pauseLabel(isOff)} review comments`,
      detail: reviewLines(state.status.review).join(" "),
      command: "acclimate.ui.toggleReview",
    },
    { label: "$(comment-discussion) Review what changed in open files", command: "acclimate.ui.review" },
    { label: "$(comment) Review this file or selection", command: "acclimate.ui.reviewFile" },
  ];
}

function engine(state: State): Entry[] {
  const isUp = state.status.engine.state === "ready" || state.status.engine.state === "starting";
  return [
    heading("Engine"),
    isUp
      ? { label: "$(debug-disconnect) Free the engine's memory", command: "acclimate.ui.freeEngine" }
      : { label: "$(play) Start the engine", command: "acclimate.ui.startEngine" },
    { label: "$(pulse) Doctor", command: "acclimate.ui.doctor" },
    { label: "$(gear) Settings", command: "acclimate.ui.settings" },
    { label: "$(output) Show log", command: "acclimate.ui.log" },
    { label: "$(debug-restart) Restart server", command: "acclimate.ui.restart" },
  ];
}

function heading(label: string): Entry {
  return { label, kind: QuickPickItemKind.Separator };
}

function pauseLabel(isPaused: boolean): string {
  return isPaused ? "$(play) Resume" : "$(debug-pause) Pause";
}
