/** The status bar's item. */

import { Disposable, StatusBarAlignment, ThemeColor, window } from "vscode";
import type { Pauses } from "./pauses";
import type { State } from "./state";
import { barWords, type BarWords } from "./words";

const PRIORITY = 100; // beside the language mode
const MINUTE_MS = 60_000; // the age of an adapter is said in minutes

export class StatusBar implements Disposable {
  private readonly item = window.createStatusBarItem("acclimate.status", StatusBarAlignment.Right, PRIORITY);
  private readonly parts: Disposable;

  constructor(
    private readonly state: State,
    private readonly pauses: Pauses,
  ) {
    this.item.name = "acclimate";
    this.item.command = "acclimate.ui.menu";
    const timer = setInterval(() => this.show(), MINUTE_MS);
    this.parts = Disposable.from(
      this.item,
      new Disposable(() => clearInterval(timer)),
      state.onDidChange(() => this.show()),
      pauses.onDidChange(() => this.show()),
      window.onDidChangeActiveTextEditor(() => this.show()),
    );
    this.show();
    this.item.show();
  }

  /** What it says now. */
  words(): BarWords {
    const document = window.activeTextEditor?.document;
    return barWords({
      status: this.state.status,
      overview: this.state.overview,
      paused: this.pauses.whyPaused(document?.uri.toString(), document?.languageId),
      inFlight: this.state.inFlight,
      missing: this.state.missing,
      installing: this.state.installing,
      now: new Date(),
    });
  }

  dispose(): void {
    this.parts.dispose();
  }

  private show(): void {
    const words = this.words();
    this.item.text = words.text;
    this.item.tooltip = words.tooltip;
    this.item.accessibilityInformation = { label: words.spoken, role: "button" };
    this.item.backgroundColor = words.isWrong ? new ThemeColor("statusBarItem.warningBackground") : undefined;
  }
}
