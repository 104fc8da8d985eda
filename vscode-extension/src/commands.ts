/** The extension's own commands, `acclimate.ui.*`; the server's are registered by the language client. */

import { commands, window, type Disposable } from "vscode";
import type { Dashboard } from "./dashboard";
import type { Environment } from "./environment";
import { reasonOf, type Log } from "./log";
import type { Mending } from "./mending";
import { showMenu } from "./menu";
import type { Pauses } from "./pauses";
import { retrain } from "./retrain";
import { reviewChanges, reviewFile } from "./review";
import type { Server } from "./server";
import { SECTION } from "./settings";
import type { State } from "./state";
import type { StatusBar } from "./statusBar";
import type { Versions } from "./versions";

export interface Parts {
  log: Log;
  state: State;
  pauses: Pauses;
  environment: Environment;
  mending: Mending;
  server: Server;
  versions: Versions;
  dashboard: Dashboard;
  statusBar: StatusBar;
}

type Work = (...given: unknown[]) => unknown;

export function registerCommands(parts: Parts): Disposable[] {
  const { log, state, pauses, environment, mending, server, versions, dashboard, statusBar } = parts;
  const all: Readonly<Record<string, Work>> = {
    menu: () => showMenu(state, pauses, statusBar.words().tooltip),
    complete: () => commands.executeCommand("editor.action.inlineSuggest.trigger"),
    retrain: () => retrain(server, state, log),
    cancelRetraining: () => server.command("acclimate.cancel"),
    dashboard: () => dashboard.show(),
    report: (version) => versions.report(typeof version === "string" ? version : undefined),
    chooseVersion: () => versions.choose(),
    rollback: () => versions.rollback(),
    pauseFile: () => pauses.toggleFile(),
    pauseWorkspace: () => pauses.toggleWorkspace(),
    pauseEverywhere: () => pauses.toggleEverywhere(),
    toggleLanguage: () => pauses.toggleLanguage(),
    toggleReview: () => pauses.toggleReview(),
    review: () => reviewChanges(server),
    reviewFile: () => reviewFile(server),
    freeEngine: () => server.command("acclimate.engine.free"),
    startEngine: () => server.command("acclimate.engine.start"),
    doctor: () => doctor(mending, server),
    choosePython: () => environment.choosePython(),
    restart: () => server.restart(),
    settings: () => commands.executeCommand("workbench.action.openSettings", `@ext:acclimate.${SECTION}`),
    log: () => log.show(),
  };
  return Object.entries(all).map(([name, work]) =>
    commands.registerCommand(`${SECTION}.ui.${name}`, (...given: unknown[]) => told(work, given, log)),
  );
}

/** Examines the core in use; where there is none, it is looked for first, which asks for what is missing. */
async function doctor(mending: Mending, server: Server): Promise<void> {
  if (server.runningCore === undefined) {
    await server.restart();
  }
  if (server.runningCore !== undefined) {
    await mending.showFindings(server.runningCore);
  }
}

/** A command that fails says why in a notification; VS Code would show a dialog. */
async function told(work: Work, given: unknown[], log: Log): Promise<void> {
  try {
    await work(...given);
  } catch (error) {
    log.warn(reasonOf(error));
    void window.showWarningMessage(`acclimate: ${reasonOf(error)}`);
  }
}
