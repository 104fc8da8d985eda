/**
 * The dashboard: a webview that is told all there is to show whenever it changes, and tells which button was pressed.
 * Its policy lets it run its one script and load nothing; it has no text of its own but what stands in that script.
 */

import { randomBytes } from "node:crypto";
import { commands, Disposable, Uri, ViewColumn, window, type WebviewPanel } from "vscode";
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
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
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

// Only the editor's colours, so that it follows every theme, high contrast included.
const STYLE = `
body { padding: 1rem 2rem 3rem; max-width: 72rem; color: var(--vscode-foreground); font-family: var(--vscode-font-family); }
h1 { font-size: 1.5em; font-weight: 600; margin: .5rem 0 1rem; }
h2 { font-size: 1.15em; font-weight: 600; margin: 2rem 0 .5rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: .75rem; margin: 0; }
.tiles > div { border: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder)); border-radius: 4px; padding: .6rem .8rem; }
dt { color: var(--vscode-descriptionForeground); }
dd { margin: .15rem 0 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--vscode-descriptionForeground); padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder)); }
th { font-weight: 600; } tbody th { font-weight: 500; overflow-wrap: anywhere; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
td.bar { width: 40%; min-width: 8rem; }
svg { display: block; width: 100%; height: auto; }
svg .range { stroke: var(--vscode-foreground); stroke-width: 2; }
svg .value { fill: var(--vscode-charts-blue); } svg .own .value, svg .own { fill: var(--vscode-charts-green); }
svg .line { fill: none; stroke: var(--vscode-charts-blue); stroke-width: 2; }
svg .axis { stroke: var(--vscode-descriptionForeground); stroke-width: 1; }
svg text { fill: var(--vscode-descriptionForeground); font-size: 12px; font-family: var(--vscode-font-family); }
button { font: inherit; color: var(--vscode-button-foreground); background: var(--vscode-button-background); border: 1px solid var(--vscode-button-border, transparent); border-radius: 2px; padding: .25rem .7rem; margin: 0 .4rem .3rem 0; cursor: pointer; }
button:hover { background: var(--vscode-button-hoverBackground); }
button.second { color: var(--vscode-button-secondaryForeground); background: var(--vscode-button-secondaryBackground); }
button.second:hover { background: var(--vscode-button-secondaryHoverBackground); }
button:focus-visible { outline: 2px solid var(--vscode-focusBorder); outline-offset: 2px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.muted { color: var(--vscode-descriptionForeground); }
`;
