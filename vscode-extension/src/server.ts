/** The server's life: started, asked, started again. */

import { Disposable, window, workspace } from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import type { Environment } from "./environment";
import { currentFolder } from "./folder";
import { reasonOf, type Log } from "./log";
import type { Pauses } from "./pauses";
import type { Core } from "./python";
import type { State } from "./state";
import type { Overview } from "./status";

const NOT_RUNNING = "acclimate's server does not run. `Acclimate: Show Log` says why.";
const SETTLED_MS = 3000; // the server writes down what became of completions every two seconds

export class Server implements Disposable {
  private client: LanguageClient | undefined;
  private core: Core | undefined;
  private focus: Disposable | undefined;
  private replacing: Promise<void> | undefined;
  private isWanted = false;
  private refreshing: NodeJS.Timeout | undefined;

  constructor(
    private readonly environment: Environment,
    private readonly state: State,
    private readonly pauses: Pauses,
    private readonly options: () => Record<string, unknown>,
    private readonly log: Log,
  ) {}

  /** The core that the server runs in. */
  get runningCore(): Core | undefined {
    return this.core;
  }

  /** The client of a server that runs. */
  running(): LanguageClient {
    if (this.client === undefined || !this.client.isRunning()) {
      throw new Error(NOT_RUNNING);
    }
    return this.client;
  }

  /** Starts the server, or another one instead; called meanwhile, once more after that. */
  restart(): Promise<void> {
    this.isWanted = true;
    this.replacing ??= this.replace();
    return this.replacing;
  }

  /** Runs a command of the server's. */
  async command<T>(command: string, argument: Record<string, unknown> = {}): Promise<T> {
    const params = { command, arguments: [argument] };
    return (await this.running().sendRequest<T>("workspace/executeCommand", params)) as T;
  }

  /** Tells the server what is set in the editor now. */
  async tellSettings(): Promise<void> {
    if (this.client?.isRunning()) {
      await this.client.sendNotification("workspace/didChangeConfiguration", {
        settings: { acclimate: this.options() },
      });
    }
  }

  /** Asks what is known of the repository; what cannot be asked now is left as it was. */
  async refresh(): Promise<void> {
    const repository = currentFolder();
    if (repository === undefined || !this.client?.isRunning()) {
      return;
    }
    try {
      this.state.know(await this.command<Overview>("acclimate.overview", { repository }));
    } catch (error) {
      this.log.debug(reasonOf(error)); // a folder without git, say
    }
  }

  /** Does that soon, and once for many calls. */
  refreshSoon(): void {
    this.refreshing ??= setTimeout(() => {
      this.refreshing = undefined;
      void this.refresh();
    }, SETTLED_MS);
  }

  async stop(): Promise<void> {
    this.focus?.dispose();
    const client = this.client;
    this.client = undefined;
    await client?.dispose().catch((error: unknown) => this.log.debug(reasonOf(error))); // one that never ran
  }

  dispose(): void {
    clearTimeout(this.refreshing);
    void this.stop();
  }

  private async replace(): Promise<void> {
    while (this.isWanted) {
      this.isWanted = false;
      await this.stop();
      try {
        await this.start();
      } catch (error) {
        this.log.error(reasonOf(error));
        this.state.lack(`The server could not be started: ${reasonOf(error)}`);
      }
    }
    this.replacing = undefined; // nothing was awaited since it was last looked whether another one is wanted
  }

  private async start(): Promise<void> {
    this.state.lack("Looking for acclimate's core.");
    this.core = await this.environment.core();
    if (this.core === undefined) {
      this.state.lack("acclimate's core is not installed. Click here to set it up.");
      return;
    }
    const { createClient, watchFocus } = await import("./client");
    const client = createClient(this.core, {
      log: this.log,
      storage: this.environment.storage,
      options: this.options,
      isPaused: (uri) => this.pauses.whyPaused(uri) !== "",
      onStatus: (status) => this.state.hear(status),
      onAsked: (change) => this.state.ask(change),
      onAccepted: () => this.refreshSoon(),
      onEnded: (isBack) => this.ended(isBack),
    });
    this.client = client;
    await client.start();
    this.focus = watchFocus(client);
    this.state.lack("");
    this.refreshSoon();
  }

  private ended(isBack: boolean): void {
    const what = "acclimate's server has ended unexpectedly";
    this.state.lack(isBack ? "" : `${what}.`);
    if (isBack) {
      this.log.warn(`${what}; it is started again`);
      void window.showWarningMessage(`${what} and was started again. Your text is untouched.`);
      return;
    }
    this.log.error(`${what} again; it is left alone`);
    void window.showErrorMessage(`${what} again. Your text is untouched.`, "Restart", "Show Log").then((answer) => {
      if (answer === "Restart") {
        void this.restart();
      } else if (answer === "Show Log") {
        this.log.show();
      }
    });
  }
}

/** Asks again what is known when another repository is looked at, another adapter completes, or a training ends. */
export function followRepository(server: Server, state: State): Disposable {
  let before = "";
  const look = () => {
    const { adapter, training } = state.status;
    const now = [currentFolder(), adapter.version, training?.run, training?.state].join(" ");
    if (now !== before) {
      before = now;
      server.refreshSoon();
    }
  };
  return Disposable.from(window.onDidChangeActiveTextEditor(look), state.onStatus(look));
}

/** Restarts where another interpreter was named, and passes on every other setting. */
export function followSettings(server: Server, section: string): Disposable {
  return workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration(`${section}.python`)) {
      void server.restart();
    } else if (event.affectsConfiguration(section)) {
      void server.tellSettings();
    }
  });
}
