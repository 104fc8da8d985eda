/** The one output channel: what the extension does, and what the server says on its standard error. */

import { window, type LogOutputChannel } from "vscode";

export type Log = LogOutputChannel;

export function createLog(): Log {
  return window.createOutputChannel("acclimate", { log: true });
}

/** What went wrong, as a sentence for a person. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
