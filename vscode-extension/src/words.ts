/** What the status bar says, as plain functions of what is known. */

import type { Overview, Review, Status, Training, Use } from "./status";

export interface Known {
  status: Status;
  overview: Overview | null;
  /** Why nothing is completed here by the user's own wish; empty if it is. */
  paused: string;
  /** Completions that are being waited for. */
  inFlight: number;
  /** Why there is no server; empty if there is one. */
  missing: string;
  /** What is being installed, in words; empty if nothing is. */
  installing: string;
  now: Date;
}

export interface BarWords {
  text: string;
  /** For a screen reader, without icons. */
  spoken: string;
  tooltip: string;
  isWrong: boolean;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const REVIEWING: Readonly<Record<Review["state"], string>> = {
  off: "off (acclimate.review.enabled).",
  idle: "on each save.",
  waiting: "soon.",
  reviewing: "running.",
};
const FEW = 20; // offers: the share of fewer is mostly chance, and is not shown in the bar

export function barWords(known: Known): BarWords {
  const [icon, word] = stateOf(known);
  return {
    text: `$(${icon}) acclimate: ${word}`,
    spoken: `acclimate: ${word}. ${adapterWords(known)}`,
    tooltip: tooltipLines(known).join("\n\n"),
    isWrong: known.installing === "" && (known.missing !== "" || known.status.engine.state === "failed"),
  };
}

function stateOf(known: Known): [icon: string, word: string] {
  const { status, paused, inFlight, missing, installing } = known;
  if (installing !== "") {
    return ["sync~spin", "installing"];
  }
  if (missing !== "") {
    return ["warning", "not set up"];
  }
  if (status.training?.state === "running") {
    return ["sync~spin", trainingWord(status.training)];
  }
  if (paused !== "") {
    return ["debug-pause", "paused"];
  }
  switch (status.engine.state) {
    case "failed":
      return ["error", "failed"];
    case "starting":
      return ["loading~spin", "starting"];
    case "stopped":
      return ["moon", "asleep"];
    case "ready":
      return inFlight > 0 ? ["loading~spin", "busy"] : ["check", "ready"];
  }
}

function trainingWord(training: Training): string {
  return training.of > 0 ? `training ${Math.floor((100 * training.step) / training.of)}%` : "training";
}

function tooltipLines(known: Known): string[] {
  const { status, overview, paused, missing, installing } = known;
  if (missing !== "" || installing !== "") {
    return [installing || missing];
  }
  const drift = status.drift?.said ?? overview?.drift?.said ?? "";
  const use = currentUse(known);
  return [
    `Engine: ${engineWords(status)}`,
    adapterWords(known),
    drift && `Drift: ${drift}`,
    use && `Accepted: ${acceptanceWords(use)}`,
    paused && `Paused: ${paused}`,
    status.completion && `No completion: ${status.completion}`,
    `Review: ${reviewLines(status.review).join("\n")}`,
    ...status.warnings.map((warning) => `Note: ${warning}`),
  ].filter((line): line is string => Boolean(line));
}

function engineWords(status: Status): string {
  const word = status.engine.state === "stopped" ? "asleep" : status.engine.state;
  const model = status.model === null ? "" : ` (${status.model.name})`;
  return `${word}${model}. ${status.engine.reason}`.trim();
}

export function adapterWords(known: Pick<Known, "status" | "overview" | "now">): string {
  const { repository, state, reason } = known.status.adapter;
  // Before the first completion the server has loaded none, and the one in use completes from then on.
  const version = known.status.adapter.version ?? (repository === null ? (known.overview?.live ?? null) : null);
  if (state === "failed") {
    return `Adapter: not in use. ${reason}`;
  }
  if (version === null) {
    return state === "loading" ? "Adapter: loading." : "Adapter: none, the base model completes.";
  }
  const about = known.overview?.adapters.find((adapter) => adapter.version === version);
  const name = about?.tag ? `${version} (${about.tag})` : version;
  const age = about === undefined ? "" : ageWords(about.created, known.now);
  return age === "" ? `Adapter: ${name}.` : `Adapter: ${name}, made ${age}.`;
}

/** How a version that completes now was received so far; nothing while that is not known. */
export function currentUse(known: Known): Use | undefined {
  return known.overview?.completions.findLast((use) => use.adapter === known.status.adapter.version);
}

export function acceptanceWords(use: Use): string {
  const [low, high] = use.acceptance_interval.map(percent);
  const share = use.n < FEW ? "" : `, ${percent(use.acceptance)} (${low} to ${high})`;
  return `${use.accepted} of ${use.n}${share}`;
}

/** What reviews do now, why the last one said nothing, and who speaks in them: a line each. */
export function reviewLines({ state, reason, reviewers }: Review): string[] {
  const now = state === "off" || reason === "" ? REVIEWING[state] : `${REVIEWING[state]} ${reason}`;
  return [now, ...Object.entries(reviewers).map(([name, words]) => `${name}: ${words.replace(/\.$/, "")}.`)];
}

export function ageWords(created: string, now: Date): string {
  const age = now.getTime() - Date.parse(created);
  if (Number.isNaN(age)) {
    return "";
  }
  const [count, unit] =
    age >= 2 * DAY
      ? [age / DAY, "days"]
      : age >= 2 * HOUR
        ? [age / HOUR, "hours"]
        : [Math.max(age, 0) / MINUTE, "minutes"];
  return `${Math.floor(count)} ${unit} ago`;
}

export function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}
