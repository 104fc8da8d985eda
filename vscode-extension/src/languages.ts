/** The languages that the server completes, as VS Code calls them; `package.json` activates the extension for them. */

export const LANGUAGES: readonly string[] = [
  "python",
  "javascript",
  "javascriptreact",
  "typescript",
  "typescriptreact",
  "java",
  "go",
  "rust",
  "c",
  "cpp",
  "csharp",
  "kotlin",
  "scala",
  "ruby",
  "php",
  "swift",
  "lua",
  "shellscript",
];

// A file on the disk, one that was never saved, and a cell of a notebook; not the old side of a comparison.
export const SCHEMES: readonly string[] = ["file", "untitled", "vscode-notebook-cell"];

/** The name by which the server knows a language of the editor: it tells a `.jsx` by its JavaScript. */
export function serverName(languageId: string): string {
  return languageId === "javascriptreact" ? "javascript" : languageId;
}

/**
 * `completion.languages` after one language was switched. An empty list completes all, so that it is the list of all
 * but one that switches one off; when all are on again, the setting is taken away.
 */
export function switched(wanted: readonly string[], languageId: string): string[] | undefined {
  const all = [...new Set(LANGUAGES.map(serverName))];
  const language = serverName(languageId);
  const on = wanted.length === 0 ? all : wanted;
  const next = on.includes(language) ? on.filter((name) => name !== language) : [...on, language];
  return all.every((name) => next.includes(name)) ? undefined : next;
}

/** Whether a language is completed with this setting. */
export function isOn(wanted: readonly string[], languageId: string): boolean {
  return wanted.length === 0 || wanted.includes(serverName(languageId));
}
