/**
 * The settings as the server gets them: only those that somebody set. A default of the editor's would win over the
 * user's own `config.toml`, since the editor's settings go before files.
 */

import { workspace } from "vscode";
import { nested } from "./nested";

export const SECTION = "acclimate";
const OURS: ReadonlySet<string> = new Set(["python"]); // the extension's own, unknown to the server

/** All settings that were set in the editor, as nested objects. */
export function setOptions(names: readonly string[]): Record<string, unknown> {
  const configuration = workspace.getConfiguration(SECTION);
  const values: Record<string, unknown> = {};
  for (const name of names.filter((name) => !OURS.has(name))) {
    const found = configuration.inspect(name);
    const isSet = [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue].some(
      (one) => one !== undefined,
    );
    if (isSet) {
      values[name] = configuration.get(name); // what wins; a workspace cannot set what is machine-scoped
    }
  }
  return nested(values);
}

/** The names of all settings that the manifest declares, without the section. */
export function declaredNames(manifest: unknown): string[] {
  const declared = manifest as { contributes?: { configuration?: { properties?: Record<string, unknown> }[] } };
  const groups = declared.contributes?.configuration ?? [];
  return groups.flatMap((group) => Object.keys(group.properties ?? {})).map((name) => name.slice(SECTION.length + 1));
}
