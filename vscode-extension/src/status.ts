/** What the server says with `acclimate/status` and `acclimate.overview`, as far as it is shown here. */

export const STATUS_NOTIFICATION = "acclimate/status";

export interface Training {
  run: string;
  repository: string;
  is_automatic: boolean;
  state: "running" | "finished" | "cancelled" | "failed";
  phase: string;
  step: number;
  of: number;
  seconds_left: number | null;
  loss: number | null;
  reason: string;
  adapter: string | null;
  verdict: { state: string; reason?: string } | null;
}

export interface Drift {
  repository: string;
  /** Of the data of the adapter in use. */
  commit: string | null;
  exceeds: boolean;
  said: string;
}

export interface Review {
  state: "off" | "idle" | "waiting" | "reviewing";
  reason: string;
  /** What each reviewer goes by, or why it is silent. */
  reviewers: Record<string, string>;
}

export interface Status {
  engine: { state: "stopped" | "starting" | "ready" | "failed"; reason: string };
  model: { name: string } | null;
  adapter: { repository: string | null; state: string; version: string | null; reason: string };
  training: Training | null;
  drift: Drift | null;
  review: Review;
  completion: string;
  warnings: string[];
}

export interface Contender {
  name: string;
  is_adapter: boolean;
  exact_match: number;
  exact_match_interval: [number, number] | null;
  n: number | null;
}

export interface AdapterVersion {
  version: string;
  tag: string | null;
  created: string;
  state: string;
  reason: string;
  withdrawn: boolean;
  base: string;
  live: boolean;
  contenders: Contender[];
}

export interface Use {
  adapter: string | null;
  n: number;
  accepted: number;
  acceptance: number;
  acceptance_interval: [number, number];
  words: string;
}

export interface CurvePoint {
  step: number;
  of: number;
  loss: number;
}

export interface Overview {
  repository: string;
  folder: string;
  live: string | null;
  adapters: AdapterVersion[];
  completions: Use[];
  dataset: { hash: string; commit: string; pairs: Record<string, Record<string, number>> } | null;
  drift: { said: string; exceeds: boolean } | null;
  run: { id: string; state: string; words: string; curve: CurvePoint[] } | null;
}

/** Before the server has said anything. */
export const NO_STATUS: Status = {
  engine: { state: "stopped", reason: "The server has not started yet." },
  model: null,
  adapter: { repository: null, state: "none", version: null, reason: "" },
  training: null,
  drift: null,
  review: { state: "idle", reason: "", reviewers: {} },
  completion: "",
  warnings: [],
};
