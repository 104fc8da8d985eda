/** Wires the parts together. Activated by the first file in a language that is completed, in a trusted folder. */

import type { ExtensionContext } from "vscode";
import { registerCommands } from "./commands";
import { Dashboard } from "./dashboard";
import { flagsOf } from "./doctor";
import { Environment } from "./environment";
import { createLog } from "./log";
import { Mending } from "./mending";
import { Pauses } from "./pauses";
import { followRepository, followSettings, Server } from "./server";
import { declaredNames, SECTION, setOptions } from "./settings";
import { State } from "./state";
import { StatusBar } from "./statusBar";
import { suggestRetraining } from "./suggestion";
import { Versions } from "./versions";

let server: Server | undefined;

export function activate(context: ExtensionContext): void {
  const begun = performance.now();
  const names = declaredNames(context.extension.packageJSON);
  const options = () => setOptions(names);
  const log = createLog();
  const state = new State();
  const pauses = new Pauses(context.workspaceState);
  const environment = new Environment(context, log, state);
  const mending = new Mending({
    storage: environment.storage,
    flags: () => flagsOf(options()),
    log,
    state,
    memento: context.globalState,
  });
  server = new Server(environment, state, pauses, options, log);
  const versions = new Versions(server, state);
  const dashboard = new Dashboard(context.extensionUri, server, state, versions);
  const statusBar = new StatusBar(state, pauses);
  const parts = { log, state, pauses, environment, mending, server, versions, dashboard, statusBar };
  context.subscriptions.push(
    log,
    state,
    pauses,
    server,
    dashboard,
    statusBar,
    followSettings(server, SECTION),
    followRepository(server, state),
    suggestRetraining(state, context.workspaceState),
    mending.askWhenMissing(server),
    ...registerCommands(parts),
  );
  void server.restart();
  log.info(`activated in ${(performance.now() - begun).toFixed(1)} ms`);
}

/** Ends the server before the window closes, so that it can give back the engine. */
export function deactivate(): Promise<void> | undefined {
  return server?.stop();
}
