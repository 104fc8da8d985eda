/** Finds the core that the extension talks to, and gets what is missing. It asks before it downloads anything. */

import { join } from "node:path";
import { commands, env, ProgressLocation, Uri, window, workspace, type Disposable, type ExtensionContext } from "vscode";
import { CORE_BYTES, folderOf, installCore, installedCore, wheelOf, type Place } from "./coreInstall";
import { examine, extentWords, mend, type Findings } from "./doctor";
import { reasonOf, type Log } from "./log";
import { coreOf, coreOnPath, makerOnPath, programsOf, pythonIn, PYTHON_VERSIONS, type Core, type Maker } from "./python";
import { SECTION } from "./settings";
import type { State } from "./state";

const HELP = "https://www.python.org/downloads/";
const NO_RUNTIME_QUESTION = "acclimate.noRuntimeQuestion";

export class Environment {
  private readonly place: Place;
  private isAskingForRuntime = false;

  constructor(
    private readonly context: ExtensionContext,
    private readonly log: Log,
    private readonly flags: () => string[],
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

  /** Lets the user name an interpreter that has the core; it is remembered in the user's settings. */
  async choosePython(): Promise<void> {
    const picked = await window.showOpenDialog({ title: "Python interpreter with acclimate", canSelectMany: false });
    const python = picked?.[0]?.fsPath;
    if (python === undefined) {
      return;
    }
    if ((await coreOf(python, this.storage)) === undefined) {
      const answer = await window.showErrorMessage(`'${python}' has no acclimate.`, "Choose Another");
      return answer === undefined ? undefined : this.choosePython();
    }
    await workspace.getConfiguration(SECTION).update("python", python, true);
  }

  /** Shows what `acclimate doctor` finds, and offers to install what is missing. */
  async showFindings(core: Core): Promise<void> {
    const findings = await this.examined(core);
    const extent = extentWords(findings);
    const fix = { label: "$(cloud-download) Install what is missing", detail: extent };
    const checks = findings.checks.map((check) => ({
      label: `$(${check.ok ? "check" : check.blocking ? "error" : "warning"}) ${check.name}`,
      detail: check.sentence,
    }));
    const title = extent === "" ? "Everything is there" : `${findings.missing.length} findings`;
    const picked = await window.showQuickPick(extent === "" ? checks : [fix, ...checks], {
      title: `Acclimate: Doctor (${title})`,
      placeHolder: `Core ${core.version} at ${core.python}`,
    });
    if (picked === fix) {
      await this.mended(core);
    }
  }

  /** Looks for what is missing as soon as the engine cannot be started. */
  askWhenMissing(state: State, server: { readonly runningCore: Core | undefined }): Disposable {
    return state.onStatus((status) => {
      if (status.engine.state === "failed" && server.runningCore !== undefined) {
        this.askForRuntime(server.runningCore).catch((error: unknown) => this.log.warn(reasonOf(error)));
      }
    });
  }

  /** Asks for the runtime and the base model, if one of them is missing; once, until the window is loaded anew. */
  private async askForRuntime(core: Core): Promise<void> {
    if (this.isAskingForRuntime || this.context.globalState.get(NO_RUNTIME_QUESTION) === true) {
      return;
    }
    this.isAskingForRuntime = true;
    const findings = await this.examined(core);
    const blocking = findings.checks.find((check) => check.blocking && !check.ok);
    const extent = extentWords(findings);
    if (extent === "") {
      return;
    }
    if (blocking !== undefined) {
      void window.showWarningMessage(`acclimate cannot complete on this machine. ${blocking.name}: ${blocking.sentence}`);
      return;
    }
    const question =
      `acclimate needs torch, vLLM and a base model: ${extent}. They come from your package index, from PyTorch's ` +
      "(download.pytorch.org) and from the model hub, and stay on this machine.";
    const answer = await window.showInformationMessage(question, "Install", "Details", "Don't Ask Again");
    if (answer === "Install") {
      await this.mended(core);
    } else if (answer === "Details") {
      await this.showFindings(core);
    } else if (answer === "Don't Ask Again") {
      await this.context.globalState.update(NO_RUNTIME_QUESTION, true);
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
    const size = `about ${CORE_BYTES.download / 1e6} MB to download, ${CORE_BYTES.disk / 1e6} MB on disk`;
    const question =
      `acclimate needs its core, a Python package that came with the extension. Its libraries are ${size}; they come ` +
      `from your package index and go to '${folderOf(this.place)}'.`;
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
        : `acclimate needs Python ${PYTHON_VERSIONS.join(", ")} with venv, and found none on the search path. ` +
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

  private installing(maker: Maker, wheel: string): Thenable<Core | undefined> {
    return this.withProgress("Installing acclimate's core", (say, signal) =>
      installCore(this.place, maker, wheel, { say, log: (line) => this.log.info(line), signal }),
    );
  }

  private async mended(core: Core): Promise<void> {
    const findings = await this.withProgress("Installing what acclimate needs", (say, signal) =>
      mend(core, this.storage, this.flags(), (line) => (this.log.info(line), say(line)), signal),
    );
    if (findings !== undefined) {
      const left = findings.missing.length === 0 ? "Everything is there." : findings.missing.join(" ");
      void window.showInformationMessage(`acclimate: ${left}`);
      await commands.executeCommand("acclimate.ui.startEngine");
    }
  }

  private examined(core: Core): Promise<Findings> {
    return examine(core, this.storage, this.flags());
  }

  /** Runs long work with a notification that can cancel it; a failure is said, and gives undefined. */
  private withProgress<T>(
    title: string,
    work: (say: (message: string) => void, signal: AbortSignal) => Promise<T>,
  ): Thenable<T | undefined> {
    const options = { location: ProgressLocation.Notification, title, cancellable: true };
    return window.withProgress(options, async (progress, token) => {
      const abort = new AbortController();
      token.onCancellationRequested(() => abort.abort(new Error("Cancelled.")));
      try {
        return await work((message) => progress.report({ message }), abort.signal);
      } catch (error) {
        this.log.error(reasonOf(error));
        if (!abort.signal.aborted) {
          void this.tellFailure(title, reasonOf(error));
        }
        return undefined;
      }
    });
  }

  private async tellFailure(title: string, reason: string): Promise<void> {
    if ((await window.showErrorMessage(`${title}: ${reason}`, "Show Log")) !== undefined) {
      this.log.show();
    }
  }

  private warnOfVersion(core: Core): void {
    if (core.version !== this.place.version) {
      const words = `acclimate ${core.version} at '${core.python}' and the extension ${this.place.version} may not fit together.`;
      this.log.warn(words);
      void window.showWarningMessage(`${words} Update the older one, or choose another interpreter.`);
    }
  }
}

