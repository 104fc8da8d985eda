/** The dashboard's one script: shows what it is told, tells what is wished. */

import type { AdapterVersion, Contender, Overview } from "../status";
import { adapterWords, ageWords, percent } from "../words";
import { bar, curveWords, lossCurve } from "./charts";
import { button, element } from "./elements";
import type { Shown, Wish } from "./messages";

interface Editor {
  postMessage(wish: Wish): void;
}
declare function acquireVsCodeApi(): Editor;

const editor = acquireVsCodeApi();
const main = document.getElementById("dashboard") as HTMLElement;
const news = document.getElementById("news") as HTMLElement;
let before = "";

window.addEventListener("message", (event: MessageEvent<Shown>) => show(event.data));
editor.postMessage({ kind: "ready" });

function show(shown: Shown): void {
  const text = JSON.stringify(shown);
  if (text === before) {
    return; // nothing new: the focus stays where it is
  }
  before = text;
  const focused = document.activeElement?.id;
  main.setAttribute("aria-busy", "false");
  main.replaceChildren(...sections(shown));
  if (focused) {
    document.getElementById(focused)?.focus();
  }
  const state = shown.status.training?.state;
  const said = state === undefined ? "" : state === "running" ? "A training runs." : `The training is over: ${state}.`;
  if (news.textContent !== said) {
    news.textContent = said; // read aloud when it changes, not with every step
  }
}

function sections(shown: Shown): HTMLElement[] {
  const { overview, missing } = shown;
  const title = element("h1", {}, overview?.repository ?? "acclimate");
  if (missing !== "") {
    return [title, element("p", {}, missing)];
  }
  if (overview === null) {
    return [title, element("p", {}, "Open a file of a git repository to see what is known of it.")];
  }
  return [title, tiles(shown, overview), training(shown), contenders(overview), versions(overview), data(overview)];
}

function tiles(shown: Shown, overview: Overview): HTMLElement {
  const { status } = shown;
  const known = { status, overview, now: new Date() };
  const use = overview.completions.at(-1);
  const facts: [string, string][] = [
    ["Engine", `${status.engine.state === "stopped" ? "asleep" : status.engine.state}. ${status.engine.reason}`],
    ["Completes", adapterWords(known).replace("Adapter: ", "")],
    ["Received", use?.words ?? "Nothing was offered here yet."],
    ["Drift", status.drift?.said ?? overview.drift?.said ?? "Not counted: there is no adapter."],
  ];
  return element(
    "dl",
    { class: "tiles" },
    ...facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))),
  );
}

function training({ status, overview, curve }: Shown): HTMLElement {
  const isRunning = status.training?.state === "running";
  const wish = isRunning
    ? button("Cancel the retraining", () => editor.postMessage({ kind: "cancelRetraining" }), { id: "cancel" })
    : button("Retrain on this repository", () => editor.postMessage({ kind: "retrain" }), { id: "retrain" });
  const parts = [heading("Training"), element("p", {}, wish)];
  if (curve.length > 1) {
    parts.push(element("figure", {}, lossCurve(curve), element("figcaption", { class: "muted" }, curveWords(curve))));
  }
  const words = isRunning ? runningWords(status.training) : overview?.run?.words;
  parts.push(element("p", { class: "muted" }, words ?? "Nothing was trained here yet."));
  return element("section", {}, ...parts);
}

function runningWords(training: Shown["status"]["training"]): string {
  const steps = training && training.of > 0 ? `, ${training.step} of ${training.of}` : "";
  return training === null ? "" : `Now: ${training.phase || "starting"}${steps}.`;
}

function contenders(overview: Overview): HTMLElement {
  const measured = overview.adapters.find((adapter) => adapter.contenders.length > 0);
  if (measured === undefined) {
    return element("section", {}, heading("Comparison"), element("p", { class: "muted" }, "Nothing was compared yet."));
  }
  const highest = Math.max(...measured.contenders.map((one) => one.exact_match_interval?.[1] ?? one.exact_match), 0.01);
  const rows = measured.contenders.map((one) => contenderRow(one, highest));
  const caption = `${measured.version}: holes of held-out code filled exactly as they were written, with 95% intervals`;
  return element(
    "section",
    {},
    heading("Comparison"),
    table(caption, ["contender", "exact match", "", "n"], rows),
    element(
      "p",
      {},
      button("Open the report", () => editor.postMessage({ kind: "report", version: measured.version }), {
        id: "report",
      }),
    ),
  );
}

function contenderRow(one: Contender, highest: number): HTMLElement {
  const range = one.exact_match_interval?.map(percent).join(" to ");
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, one.name),
    element(
      "td",
      { class: "number" },
      range === undefined ? percent(one.exact_match) : `${percent(one.exact_match)} (${range})`,
    ),
    element("td", { class: "bar" }, bar(one, highest)),
    element("td", { class: "number" }, String(one.n ?? "")),
  );
}

function versions(overview: Overview): HTMLElement {
  if (overview.adapters.length === 0) {
    return element("section", {}, heading("Versions"), element("p", { class: "muted" }, "There is no adapter yet."));
  }
  const rows = overview.adapters.map(versionRow);
  const parts = [
    heading("Versions"),
    table("Adapters of this repository, the newest first", ["version", "state", "made", "why", ""], rows),
  ];
  if (overview.live !== null) {
    const attributes = { id: "rollback", class: "second" };
    parts.push(
      element(
        "p",
        {},
        button("Roll back", () => editor.postMessage({ kind: "rollback" }), attributes),
      ),
    );
  }
  return element("section", {}, ...parts);
}

function versionRow(adapter: AdapterVersion): HTMLElement {
  const { version } = adapter;
  const act = (kind: "use" | "promote" | "report", label: string) =>
    button(label, () => editor.postMessage({ kind, version }), {
      id: `${kind}-${version}`,
      class: "second",
      "aria-label": `${label} ${version}`,
    });
  const actions = [act("report", "Report"), ...(adapter.live ? [] : [act("use", "Use")])];
  if (adapter.state !== "promoted" || adapter.withdrawn) {
    actions.push(act("promote", "Promote"));
  }
  const state = `${adapter.withdrawn ? "withdrawn" : adapter.state}${adapter.live ? ", in use" : ""}`;
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, adapter.tag ? `${version} (${adapter.tag})` : version),
    element("td", {}, state),
    element("td", {}, ageWords(adapter.created, new Date())),
    element("td", {}, adapter.reason),
    element("td", {}, ...actions),
  );
}

function data(overview: Overview): HTMLElement {
  if (overview.dataset === null) {
    return element("section", {}, heading("Data"), element("p", { class: "muted" }, "Nothing was mined here yet."));
  }
  const { pairs, hash, commit } = overview.dataset;
  const parts = [...new Set(Object.values(pairs).flatMap((counts) => Object.keys(counts)))];
  const rows = Object.entries(pairs).map(([kind, counts]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, kind),
      ...parts.map((part) => element("td", { class: "number" }, String(counts[part] ?? 0))),
    ),
  );
  const caption = `Pairs of data set ${hash}, mined at commit ${commit.slice(0, 12)}`;
  return element("section", {}, heading("Data"), table(caption, ["kind", ...parts], rows));
}

function table(caption: string, columns: readonly string[], rows: readonly HTMLElement[]): HTMLElement {
  const heads = columns.map((column) => (column === "" ? element("td") : element("th", { scope: "col" }, column)));
  return element(
    "table",
    {},
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...rows),
  );
}

function heading(text: string): HTMLElement {
  return element("h2", {}, text);
}
