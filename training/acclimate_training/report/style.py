"""How the page looks: one style sheet, light and dark by the reader's own choice, no fonts to fetch.

Text stands out from its ground by at least 4.5 to 1 in both themes, marks and lines that carry a meaning by 3 to 1.
"""

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #fff; --raised: #f5f6f8; --line: #d4d9df; --text: #1b2026; --muted: #56606b;
  --mark: #808b96; --strong: #1f66b0; --good: #17683a; --open: #845300; --bad: #ab2430; --hole: #fff0b8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --raised: #1d2227; --line: #363d45; --text: #e4e8ec; --muted: #a2adb8;
    --mark: #7f8b97; --strong: #6db1f5; --good: #6dd193; --open: #edb64f; --bad: #ff8d8d; --hole: #4c4110;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.55 system-ui, sans-serif; }
header, main, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
main { padding-bottom: 2rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 2rem 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 .5rem; padding-top: .5rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; overflow-wrap: anywhere; }
p, ul { max-width: 46rem; margin: .5rem 0; overflow-wrap: anywhere; }
a { color: var(--strong); }
a:focus-visible, [tabindex]:focus-visible, summary:focus-visible {
  outline: 3px solid var(--strong); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--ground); border: 2px solid var(--strong); }
.muted, footer { color: var(--muted); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; list-style: none; padding: 0; max-width: none; }
.verdict { border: 1px solid var(--line); border-left: 6px solid var(--mark); border-radius: 6px;
  background: var(--raised); padding: .8rem 1.1rem; margin: 1rem 0; }
.verdict p { margin: .2rem 0; }
.verdict strong { font-size: 1.15rem; }
.promoted, .passed { border-left-color: var(--good); } .promoted strong, .passed { color: var(--good); }
.trial { border-left-color: var(--open); } .trial strong { color: var(--open); }
.rejected, .failed { border-left-color: var(--bad); } .rejected strong, .failed { color: var(--bad); }
.passed, .failed { font-weight: 600; white-space: nowrap; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .8rem; margin: 1rem 0; }
.tile { background: var(--raised); border: 1px solid var(--line); border-radius: 6px; padding: .7rem 1rem; }
.tile p { margin: 0; }
.tile .big small { display: inline; font-size: .95rem; font-weight: 400; }
.tile .big { font-size: 1.55rem; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.3; }
.scroll { overflow-x: auto; margin: .9rem 0; max-width: 100%; }
.beside { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 0 3rem; }
table { min-width: 20rem; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
caption { text-align: left; color: var(--muted); padding-bottom: .35rem; }
th, td { text-align: left; vertical-align: top; padding: .32rem .8rem .32rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
tbody th { font-weight: 500; overflow-wrap: anywhere; max-width: 24rem; }
.numbers td, .numbers thead th:not(:first-child) {
  text-align: right; padding: .32rem 0 .32rem 1rem; white-space: nowrap; }
.words td { overflow-wrap: anywhere; max-width: 40rem; }
small { display: block; color: var(--muted); font-size: .82em; }
.missing { color: var(--muted); font-size: .85em; }
figure { margin: 1rem 0; }
figcaption { color: var(--muted); font-size: .92rem; max-width: 46rem; }
svg { display: block; width: 100%; max-width: 52rem; height: auto; }
svg text { fill: var(--text); font-size: 13px; }
svg .axis { fill: var(--muted); font-size: 12px; }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
svg text.strong { font-weight: 700; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .zero { stroke: var(--text); stroke-width: 1.5; }
svg .bar { fill: var(--mark); } svg .bar.strong { fill: var(--strong); }
svg .whisker { stroke: var(--text); stroke-width: 1.5; fill: none; }
svg .halo { stroke: var(--ground); stroke-width: 5; fill: none; }
svg polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .raw { stroke: var(--mark); stroke-width: 1; opacity: .55; }
svg .mean { stroke: var(--mark); stroke-width: 2.5; }
svg polyline.validation { stroke: var(--strong); stroke-width: 2.5; }
svg circle.validation { fill: var(--strong); }
.key { display: inline-block; width: 1.6rem; height: .25rem; border-radius: 2px; vertical-align: middle;
  margin-right: .4rem; background: var(--mark); }
.key.validation { background: var(--strong); }
.example { border: 1px solid var(--line); border-radius: 6px; padding: .3rem 1rem .8rem; margin: 1rem 0; }
.example h4 { font-size: .95rem; margin: .6rem 0; overflow-wrap: anywhere; }
.answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .8rem; }
.answers p { margin: .6rem 0 .2rem; font-size: .9rem; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 4px; padding: .6rem .8rem; margin: 0;
  overflow-x: auto; font: 13px/1.45 ui-monospace, monospace; tab-size: 4; }
pre code { font: inherit; }
code { font-family: ui-monospace, monospace; font-size: .92em; }
mark { background: var(--hole); color: inherit; border-radius: 2px; padding: 0 .25rem; }
.answers pre { white-space: pre-wrap; overflow-wrap: anywhere; }
summary { cursor: pointer; }
footer { border-top: 1px solid var(--line); padding-top: 1rem; padding-bottom: 2rem; font-size: .9rem; }
@media print { .verdict, .tile, .example, figure, tr { break-inside: avoid; } nav { display: none; } }
"""
