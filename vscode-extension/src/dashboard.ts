/**
 * The dashboard: a webview that is told all there is to show whenever it changes, and tells which button was pressed.
 * Its policy lets it run its one script and load nothing; it has no text of its own but what stands in that script.
 */

import { randomBytes } from "node:crypto";
import { commands, Disposable, Uri, ViewColumn, window, type WebviewPanel } from "vscode";
import { STYLE } from "./dashboardStyle";
import type { Server } from "./server";
import type { State } from "./state";
import type { Shown, Wish } from "./webview/messages";
import type { Versions } from "./versions";

export class Dashboard implements Disposable {
  private panel: WebviewPanel | undefined;
  private listening: Disposable | undefined;

  constructor(
    private readonly extension: Uri,
    private readonly server: Server,
    private readonly state: State,
    private readonly versions: Versions,
  ) {}

  /** Opens it, or brings it to the front. */
  async show(): Promise<void> {
    await this.server.refresh();
    if (this.panel === undefined) {
      this.open();
    } else {
      this.panel.reveal();
    }
  }

  dispose(): void {
    this.panel?.dispose();
  }

  private open(): void {
    const folder = Uri.joinPath(this.extension, "dist");
    const panel = window.createWebviewPanel("acclimate.dashboard", "acclimate", ViewColumn.Active, {
      enableScripts: true,
      localResourceRoots: [folder],
      retainContextWhenHidden: true, // the curve of a training goes on while another tab is looked at
    });
    this.panel = panel;
    this.listening = Disposable.from(
      this.state.onDidChange(() => this.tell()),
      panel.webview.onDidReceiveMessage((wish: Wish) => this.grant(wish)),
    );
    panel.onDidDispose(() => {
      this.panel = undefined;
      this.listening?.dispose();
    });
    panel.iconPath = Uri.joinPath(this.extension, "media", "icon.png");
    panel.webview.html = page(panel.webview.asWebviewUri(Uri.joinPath(folder, "dashboard.js")).toString());
  }

  private tell(): void {
    const { status, overview, curve, missing } = this.state;
    const shown: Shown = { status, overview, curve, missing };
    void this.panel?.webview.postMessage(shown);
  }

  private grant(wish: Wish): void {
    switch (wish.kind) {
      case "ready":
        return this.tell();
      case "use":
        return this.attempt(this.versions.use(wish.version));
      case "promote":
        return this.attempt(this.versions.promote(wish.version));
      case "rollback":
      case "retrain":
      case "cancelRetraining":
        return void commands.executeCommand(`acclimate.ui.${wish.kind}`);
      case "report":
        return void commands.executeCommand("acclimate.ui.report", wish.version);
    }
  }

  private attempt(work: Promise<void>): void {
    work.catch((error: unknown) => window.showWarningMessage(`acclimate: ${String(error)}`));
  }
}

function page(script: string): string {
  const nonce = randomBytes(16).toString("base64");
  const own = `'nonce-${nonce}'`;
  const policy = `default-src 'none'; script-src ${own}; style-src ${own}; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>acclimate</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<main id="dashboard" aria-busy="true"></main>
<p id="news" role="status" aria-live="polite" class="unseen"></p>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}
