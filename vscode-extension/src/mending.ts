/** The runtime and the base model: what `acclimate doctor` misses here, and its installation when asked for. */

import { commands, window, type Disposable, type Memento } from "vscode";
import { examine, extentWords, mend } from "./doctor";
import { reasonOf, type Log } from "./log";
import { install } from "./install";
import type { Core } from "./python";
import type { State } from "./state";

const NO_QUESTION = "acclimate.noRuntimeQuestion";

export interface Workplace {
  /** Where children run. */
  storage: string;
  /** Settings of the editor that decide what is wanted, as flags. */
  flags: () => string[];
  log: Log;
  state: State;
  /** Of the user, for all windows. */
  memento: Memento;
}

export class Mending {
  private isAsking = false;

  constructor(private readonly workplace: Workplace) {}

  /** Looks for what is missing as soon as the engine cannot be started. */
  askWhenMissing(server: { readonly runningCore: Core | undefined }): Disposable {
    return this.workplace.state.onStatus((status) => {
      if (status.engine.state === "failed" && server.runningCore !== undefined) {
        this.ask(server.runningCore).catch((error: unknown) => this.workplace.log.warn(reasonOf(error)));
      }
    });
  }

  /** Shows what the doctor finds, and offers to install what is missing. */
  async showFindings(core: Core): Promise<void> {
    const { storage, flags } = this.workplace;
    const findings = await examine(core, storage, flags());
    const extent = extentWords(findings);
    const fix = { label: "$(cloud-download) Install what is missing", detail: extent };
    const byNeed = findings.checks.toSorted((one, other) => Number(one.ok) - Number(other.ok));
    const checks = byNeed.map((check) => ({
      label: `$(${check.ok ? "check" : check.blocking ? "error" : "warning"}) ${check.name}`,
      detail: check.sentence,
    }));
    const picked = await window.showQuickPick(extent === "" ? checks : [fix, ...checks], {
      title: `Acclimate: Doctor (${extent === "" ? "everything is there" : `${findings.missing.length} findings`})`,
      placeHolder: `Core ${core.version} at ${core.python}`,
    });
    if (picked === fix) {
      await this.install(core);
    }
  }

  /** Asks for what is missing; once, until the window is loaded anew. */
  private async ask(core: Core): Promise<void> {
    const { storage, flags, memento } = this.workplace;
    if (this.isAsking || memento.get(NO_QUESTION) === true) {
      return;
    }
    this.isAsking = true;
    const findings = await examine(core, storage, flags());
    const blocking = findings.checks.find((check) => check.blocking && !check.ok);
    const extent = extentWords(findings);
    if (extent === "") {
      return; // it has failed for another reason, which the status bar says
    }
    if (blocking !== undefined) {
      void window.showWarningMessage(`acclimate cannot complete here. ${blocking.name}: ${blocking.sentence}`);
      return;
    }
    const question =
      `acclimate needs torch, vLLM and a base model: ${extent}. They come from your package index, from PyTorch's ` +
      "(download.pytorch.org) and from the model hub, and stay on this machine.";
    const answer = await window.showInformationMessage(question, "Install", "Details", "Don't Ask Again");
    if (answer === "Install") {
      await this.install(core);
    } else if (answer === "Details") {
      await this.showFindings(core);
    } else if (answer === "Don't Ask Again") {
      await memento.update(NO_QUESTION, true);
    }
  }

  private async install(core: Core): Promise<void> {
    const { storage, flags, log, state } = this.workplace;
    const findings = await install(log, state, "Installing what acclimate needs", (say, signal) => {
      const hear = (line: string) => (log.info(line), say(line));
      return mend(core, storage, flags(), hear, signal);
    });
    if (findings !== undefined) {
      const left = findings.missing.length === 0 ? "Everything is there." : findings.missing.join(" ");
      void window.showInformationMessage(`acclimate: ${left}`);
      await commands.executeCommand("acclimate.ui.startEngine");
    }
  }
}
