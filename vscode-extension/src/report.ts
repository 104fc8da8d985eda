/**
 * Our report page in the colours of the editor. The page runs no script and loads nothing, in a browser by its own
 * policy, which names its one style sheet by its hash. Here there is a second one, so that both are named.
 */

import { createHash } from "node:crypto";

const POLICY = /<meta http-equiv="Content-Security-Policy" content="[^"]*">/;
const STYLE = /<style>([\s\S]*?)<\/style>/;

// The page's own variables. Strong colours come from the editor, too, or they would not stand out from its ground.
const THEME = `
:root, body {
  --ground: var(--vscode-editor-background); --raised: var(--vscode-editorWidget-background);
  --line: var(--vscode-panel-border, var(--vscode-contrastBorder)); --text: var(--vscode-editor-foreground);
  --muted: var(--vscode-descriptionForeground); --strong: var(--vscode-textLink-foreground);
  --good: var(--vscode-testing-iconPassed); --bad: var(--vscode-errorForeground);
  --open: var(--vscode-editorWarning-foreground);
}
body { font-family: var(--vscode-font-family); background: var(--ground); color: var(--text); }
body.vscode-dark, body.vscode-high-contrast { color-scheme: dark; }
body.vscode-light, body.vscode-high-contrast-light { color-scheme: light; }
`;

/** The page with the editor's colours. A page of another shape stays as it is: then it has its own. */
export function themed(page: string): string {
  const own = STYLE.exec(page);
  if (own?.[1] === undefined || !POLICY.test(page)) {
    return page;
  }
  const styles = [own[1], THEME].map((style) => `'sha256-${createHash("sha256").update(style).digest("base64")}'`);
  const policy = `default-src 'none'; style-src ${styles.join(" ")}; base-uri 'none'; form-action 'none'`;
  return page
    .replace(POLICY, `<meta http-equiv="Content-Security-Policy" content="${policy}">`)
    .replace(own[0], () => `${own[0]}<style>${THEME}</style>`);
}
