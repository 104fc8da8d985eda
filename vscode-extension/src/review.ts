/** Reviews that somebody asks for. What is found comes as diagnostics, as after a save. */

import { window, type Range } from "vscode";
import type { Server } from "./server";

/** Reviews what was changed since the last commit, in all files that are open. */
export async function reviewChanges(server: Server): Promise<void> {
  const { files } = await server.command<{ files: number }>("acclimate.review");
  if (files === 0) {
    throw new Error("No file is open that could be reviewed.");
  }
}

/** Reviews what is selected in the active file; else what was changed in it, or all of it if nothing was. */
export async function reviewFile(server: Server): Promise<void> {
  const editor = window.activeTextEditor;
  if (editor === undefined) {
    throw new Error("Open the file that is to be reviewed.");
  }
  const { document, selection } = editor;
  const part = selection.isEmpty ? {} : { range: places(selection) };
  await server.command("acclimate.review", { uri: document.uri.toString(), ...part });
}

function places({ start, end }: Range): Record<string, { line: number; character: number }> {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}
