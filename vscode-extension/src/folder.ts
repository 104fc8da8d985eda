/** Which folder a command is about. */

import { dirname } from "node:path";
import { window, workspace } from "vscode";

let last: string | undefined;

/** The folder that is worked in; that of the last file while a page like the dashboard is looked at. */
export function currentFolder(): string | undefined {
  const uri = window.activeTextEditor?.document.uri;
  if (uri?.scheme === "file") {
    last = workspace.getWorkspaceFolder(uri)?.uri.fsPath ?? dirname(uri.fsPath);
  }
  return last ?? workspace.workspaceFolders?.[0]?.uri.fsPath;
}
