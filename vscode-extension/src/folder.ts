/** Which folder a command is about. */

import { dirname } from "node:path";
import { window, workspace } from "vscode";

/** The workspace folder of the active file, else the file's own folder, else the first one that is open. */
export function currentFolder(): string | undefined {
  const uri = window.activeTextEditor?.document.uri;
  const isFile = uri?.scheme === "file";
  const folder = isFile ? workspace.getWorkspaceFolder(uri) : undefined;
  return folder?.uri.fsPath ?? (isFile ? dirname(uri.fsPath) : workspace.workspaceFolders?.[0]?.uri.fsPath);
}
