/** How the dashboard looks: only the editor's colours, so that it follows every theme, high contrast included. */

export const STYLE = `
body {
  --line: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder));
  padding: 1rem 2rem 3rem; max-width: 72rem;
  color: var(--vscode-foreground); font-family: var(--vscode-font-family);
}
h1 { font-size: 1.5em; font-weight: 600; margin: .5rem 0 1rem; }
h2 { font-size: 1.15em; font-weight: 600; margin: 2rem 0 .5rem; }
figure { margin: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: .75rem; margin: 0; }
.tiles > div { border: var(--line); border-radius: 4px; padding: .6rem .8rem; }
dt { color: var(--vscode-descriptionForeground); }
dd { margin: .15rem 0 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--vscode-descriptionForeground); padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: var(--line); }
th { font-weight: 600; }
tbody th { font-weight: 500; overflow-wrap: anywhere; min-width: 12rem; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
td.bar { width: 40%; min-width: 8rem; }
svg { display: block; width: 100%; max-width: 52rem; height: auto; }
svg .range { stroke: var(--vscode-foreground); stroke-width: 2; }
svg .value { fill: var(--vscode-charts-blue); }
svg.own .value { fill: var(--vscode-charts-green); }
svg .line { fill: none; stroke: var(--vscode-charts-blue); stroke-width: 2; }
svg .axis { stroke: var(--vscode-descriptionForeground); stroke-width: 1; }
svg text { fill: var(--vscode-descriptionForeground); font-size: 12px; font-family: var(--vscode-font-family); }
button {
  font: inherit; cursor: pointer; padding: .25rem .7rem; margin: 0 .4rem .3rem 0;
  color: var(--vscode-button-foreground); background: var(--vscode-button-background);
  border: 1px solid var(--vscode-button-border, transparent); border-radius: 2px;
}
button:hover { background: var(--vscode-button-hoverBackground); }
button.second {
  color: var(--vscode-button-secondaryForeground); background: var(--vscode-button-secondaryBackground);
}
button.second:hover { background: var(--vscode-button-secondaryHoverBackground); }
button:focus-visible { outline: 2px solid var(--vscode-focusBorder); outline-offset: 2px; }
.muted { color: var(--vscode-descriptionForeground); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
`;
