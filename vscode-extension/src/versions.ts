/** The versions of a repository's adapter: chosen, promoted, rolled back, and the page about one. */

import { readFile } from "node:fs/promises";
import { ViewColumn, window, type QuickPickItem } from "vscode";
import { currentFolder } from "./folder";
import { themed } from "./report";
import type { Server } from "./server";
import type { State } from "./state";
import type { AdapterVersion } from "./status";
import { ageWords } from "./words";

const NO_ADAPTER = "none";

export class Versions {
  constructor(
    private readonly server: Server,
    private readonly state: State,
  ) {}

  /** Lets the user pick the version that completes. */
  async choose(): Promise<void> {
    await this.server.refresh();
    const known = this.state.overview;
    const items = [...(known?.adapters ?? []).map(itemOf), baseItem(known?.live ?? null)];
    const picked = await window.showQuickPick(items, {
      title: "Which adapter completes?",
      placeHolder: known?.adapters.length ? "The choice holds for all editors of this repository" : "No adapter yet",
      matchOnDetail: true,
    });
    if (picked !== undefined) {
      await this.use(picked.version);
    }
  }

  async use(version: string): Promise<void> {
    await this.command("acclimate.adapters.use", { version });
  }

  /** Takes a version into use as proven; the user says why, for the history. */
  async promote(version: string): Promise<void> {
    const reason = await window.showInputBox({
      title: `Promote ${version}`,
      prompt: "Why? The reason is kept in the history.",
      validateInput: (text) => (text.trim() === "" ? "A word or two, for whoever looks at the history." : undefined),
    });
    if (reason !== undefined) {
      await this.command("acclimate.adapters.promote", { version, reason });
    }
  }

  async rollback(): Promise<void> {
    const reason = await window.showInputBox({
      title: "Roll back the adapter in use",
      prompt: "What is wrong with it? It is withdrawn with this reason, and the one before completes again.",
      value: "It does worse in use.",
    });
    if (reason) {
      const { live } = await this.command("acclimate.adapters.rollback", { reason });
      void window.showInformationMessage(`acclimate: ${live ?? "the base model"} completes now.`);
    }
  }

  /** Writes the page about a version, that in use if none is named, and shows it in the colours of the editor. */
  async report(version?: string): Promise<void> {
    const argument = { repository: currentFolder(), ...(version === undefined ? {} : { version }) };
    const written = await this.server.command<{ report: string; version: string }>("acclimate.report", argument);
    const page = await readFile(written.report, "utf-8");
    const panel = window.createWebviewPanel("acclimate.report", `Adapter ${written.version}`, ViewColumn.Active, {
      enableScripts: false,
      localResourceRoots: [],
      enableFindWidget: true,
    });
    panel.webview.html = themed(page);
  }

  private async command(command: string, argument: Record<string, unknown>): Promise<{ live: string | null }> {
    const answer = await this.server.command<{ live: string | null }>(command, {
      repository: currentFolder(),
      ...argument,
    });
    await this.server.refresh();
    return answer;
  }
}

interface VersionItem extends QuickPickItem {
  version: string;
}

function itemOf(adapter: AdapterVersion): VersionItem {
  const state = adapter.withdrawn ? "withdrawn" : adapter.state;
  return {
    label: `${adapter.live ? "$(check) " : ""}${adapter.version}`,
    description: [adapter.tag, state, ageWords(adapter.created, new Date())].filter(Boolean).join(", "),
    detail: adapter.reason,
    version: adapter.version,
  };
}

function baseItem(live: string | null): VersionItem {
  return {
    label: `${live === null ? "$(check) " : ""}No adapter`,
    description: "the bare base model",
    version: NO_ADAPTER,
  };
}
