/** Finds the core that the extension talks to, or installs it. It asks before it downloads anything. */

import { join } from "node:path";
import { commands, env, Uri, window, workspace, type ExtensionContext } from "vscode";
import { CORE_BYTES, folderOf, installCore, installedCore, wheelOf, type Place } from "./coreInstall";
import type { Log } from "./log";
import { install } from "./install";
import { coreOf, coreOnPath, makerOf, makerOnPath, programsOf, pythonIn, PYTHON_VERSIONS } from "./python";
import type { Core, Maker } from "./python";
import { SECTION } from "./settings";
import type { State } from "./state";

const HELP = "https://www.python.org/downloads/";
const VERSION_WORDS = new Intl.ListFormat("en-GB", { type: "disjunction" }).format(PYTHON_VERSIONS);

export class Environment {
  private readonly place: Place;

  constructor(
    private readonly context: ExtensionContext,
    private readonly log: Log,
    private readonly state: State,
  ) {
    const version = (context.extension.packageJSON as { version: string }).version;
    this.place = { storage: context.globalStorageUri.fsPath, extension: context.extensionPath, version };
  }

  /** Where children run. */
  get storage(): string {
    return this.place.storage;
  }

  /** The core to use; undefined if there is none and the user wants none now. The log says which one it is, and why. */
  async core(): Promise<Core | undefined> {
    await workspace.fs.createDirectory(this.context.globalStorageUri);
    const core = (await this.configured()) ?? (await this.found()) ?? (await this.installed());
    if (core !== undefined) {
      this.log.info(`core ${core.version} at ${core.python}`);
      this.warnOfVersion(core);
    }
    return core;
  }

  /** Lets the user name an interpreter: one that has the core is remembered, with another one the core can be made. */
  async choosePython(): Promise<void> {
    const picked = await window.showOpenDialog({ title: "Python interpreter", canSelectMany: false });
    const python = picked?.[0]?.fsPath;
    if (python === undefined) {
      return;
    }
    if ((await coreOf(python, this.storage)) !== undefined) {
      await workspace.getConfiguration(SECTION).update("python", python, true);
      return;
    }
    const [maker, wheel] = [await makerOf(python, this.storage), await wheelOf(this.place)];
    if (maker === undefined || wheel === undefined) {
      const words = `'${python}' has no acclimate, and is no Python ${VERSION_WORDS} with venv either.`;
      const answer = await window.showErrorMessage(words, "Choose Another");
      return answer === undefined ? undefined : this.choosePython();
    }
    const question = `'${python}' has no acclimate. Make the core's environment with it? ${this.coreWords()}`;
    const answer = await window.showInformationMessage(question, "Install");
    if (answer !== undefined && (await this.installing(maker, wheel)) !== undefined) {
      void commands.executeCommand("acclimate.ui.restart"); // not awaited: it may be waiting for us
    }
  }

  private async configured(): Promise<Core | undefined> {
    const python = workspace.getConfiguration(SECTION).get("python", "");
    if (python === "") {
      return undefined;
    }
    const core = await coreOf(python, this.storage);
    if (core === undefined) {
      const words = `The setting acclimate.python names '${python}', which has no acclimate. Another one is used.`;
      void window.showWarningMessage(words, "Choose Python Interpreter").then((answer) => {
        if (answer !== undefined) {
          void this.choosePython();
        }
      });
    }
    return core;
  }

  private async found(): Promise<Core | undefined> {
    return (await installedCore(this.place)) ?? (await coreOnPath(this.storage));
  }

  private async installed(): Promise<Core | undefined> {
    const wheel = await wheelOf(this.place);
    const maker = await makerOnPath(this.storage);
    if (maker === undefined || wheel === undefined) {
      return this.withoutPython(wheel);
    }
    const question = `acclimate needs its core, a Python package that came with the extension. ${this.coreWords()}`;
    const offered = await this.inWorkspace();
    const other = offered === undefined ? "Choose Python Interpreter" : "Use the One in This Folder";
    const answer = await window.showInformationMessage(question, "Install", other);
    if (answer === "Install") {
      return this.installing(maker, wheel);
    }
    if (answer === other && offered !== undefined) {
      await workspace.getConfiguration(SECTION).update("python", offered.python, true);
      return offered;
    }
    if (answer === other) {
      await this.choosePython();
    }
    return undefined;
  }

  /** A way out where no Python can make an environment. */
  private async withoutPython(wheel: string | undefined): Promise<Core | undefined> {
    const words =
      wheel === undefined
        ? "This build of the extension carries no Python package. Choose an interpreter that has acclimate."
        : `acclimate needs Python ${VERSION_WORDS} with venv, and found none on the search path. ` +
          "On Debian and Ubuntu: `sudo apt install python3 python3-venv`.";
    const answer = await window.showErrorMessage(words, "Choose Python Interpreter", "Get Python", "Try Again");
    if (answer === "Choose Python Interpreter") {
      await this.choosePython();
    } else if (answer === "Get Python") {
      await env.openExternal(Uri.parse(HELP));
    } else if (answer === "Try Again") {
      return this.core();
    }
    return undefined;
  }

  /** What `make run` has made in a checkout of acclimate that is open; used only when the user says so. */
  private async inWorkspace(): Promise<Core | undefined> {
    for (const folder of workspace.workspaceFolders ?? []) {
      const python = pythonIn(programsOf(join(folder.uri.fsPath, ".venv")));
      const isThere = await workspace.fs.stat(Uri.file(python)).then(
        () => true,
        () => false,
      );
      const core = isThere ? await coreOf(python, this.storage) : undefined;
      if (core !== undefined) {
        return core;
      }
    }
    return undefined;
  }

  private coreWords(): string {
    const size = `about ${CORE_BYTES.download / 1e6} MB to download, ${CORE_BYTES.disk / 1e6} MB on disk`;
    return `Its libraries are ${size}; they come from your package index and go to '${folderOf(this.place)}'.`;
  }

  private installing(maker: Maker, wheel: string): Thenable<Core | undefined> {
    return install(this.log, this.state, "Installing acclimate's core", (say, signal) =>
      installCore(this.place, maker, wheel, { say, log: (line) => this.log.info(line), signal }),
    );
  }

  private warnOfVersion(core: Core): void {
    if (core.version !== this.place.version) {
      const both = `acclimate ${core.version} at '${core.python}' and the extension ${this.place.version}`;
      const words = `${both} may not fit together.`;
      this.log.warn(words);
      void window.showWarningMessage(`${words} Update the older one, or choose another interpreter.`);
    }
  }
}
