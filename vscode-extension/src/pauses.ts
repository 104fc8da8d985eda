/**
 * Where the user wants no completions while typing: in a file, in a workspace, everywhere, or in a language. Asking by
 * hand (`Acclimate: Complete Here`) works in a paused file and workspace all the same.
 */

import { ConfigurationTarget, EventEmitter, window, workspace, type Disposable, type Memento } from "vscode";
import { isOn, LANGUAGES, switched } from "./languages";
import { SECTION } from "./settings";

const FILES = "acclimate.pausedFiles";
const WORKSPACE = "acclimate.isPaused";
const ENABLED = "completion.enabled";
const REVIEW = "review.enabled";
const WANTED = "completion.languages";

export class Pauses implements Disposable {
  private readonly changed = new EventEmitter<void>();
  readonly onDidChange = this.changed.event;

  /** @param memento Of the workspace: nothing is written into the folder itself. */
  constructor(private readonly memento: Memento) {}

  /** Why nothing is completed in a document, or at all where none is meant; empty if it is. */
  whyPaused(uri?: string, languageId?: string): string {
    if (!workspace.getConfiguration(SECTION).get(ENABLED, true)) {
      return "everywhere (acclimate.completion.enabled).";
    }
    if (this.isWorkspacePaused) {
      return "in this workspace.";
    }
    if (uri !== undefined && this.files.includes(uri)) {
      return "in this file.";
    }
    if (languageId !== undefined && LANGUAGES.includes(languageId) && !isOn(wanted(), languageId)) {
      return `in ${languageId} (acclimate.completion.languages).`;
    }
    return "";
  }

  get isWorkspacePaused(): boolean {
    return this.memento.get(WORKSPACE, false);
  }

  isFilePaused(uri: string): boolean {
    return this.files.includes(uri);
  }

  async toggleFile(): Promise<void> {
    const uri = window.activeTextEditor?.document.uri.toString();
    if (uri !== undefined) {
      const others = this.files.filter((file) => file !== uri);
      await this.memento.update(FILES, others.length < this.files.length ? others : [...others, uri]);
      this.changed.fire();
    }
  }

  async toggleWorkspace(): Promise<void> {
    await this.memento.update(WORKSPACE, !this.isWorkspacePaused);
    this.changed.fire();
  }

  async toggleEverywhere(): Promise<void> {
    const configuration = workspace.getConfiguration(SECTION);
    const next = configuration.get(ENABLED, true) ? false : undefined;
    await configuration.update(ENABLED, next, ConfigurationTarget.Global);
    this.changed.fire();
  }

  async toggleLanguage(): Promise<void> {
    const language = window.activeTextEditor?.document.languageId;
    if (language !== undefined && LANGUAGES.includes(language)) {
      const configuration = workspace.getConfiguration(SECTION);
      await configuration.update(WANTED, switched(wanted(), language), ConfigurationTarget.Global);
      this.changed.fire();
    }
  }

  /** Switches the comments on what was saved, which have nothing to do with completions. */
  async toggleReview(): Promise<void> {
    const configuration = workspace.getConfiguration(SECTION);
    await configuration.update(REVIEW, !configuration.get(REVIEW, true), ConfigurationTarget.Global);
  }

  dispose(): void {
    this.changed.dispose();
  }

  private get files(): string[] {
    return this.memento.get<string[]>(FILES, []);
  }
}

function wanted(): string[] {
  return workspace.getConfiguration(SECTION).get<string[]>(WANTED, []);
}
