import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_STATUS, type Overview, type Status, type Training } from "../../src/status";
import { acceptanceWords, ageWords, barWords, type Known } from "../../src/words";

const NOW = new Date("2026-11-26T12:00:00Z");
const TRAINING: Training = {
  run: "r",
  repository: "/shop",
  is_automatic: false,
  state: "running",
  phase: "train",
  step: 9,
  of: 20,
  seconds_left: 60,
  loss: 1.2,
  reason: "",
  adapter: null,
  verdict: null,
};
const USE = {
  adapter: "shop-1",
  n: 40,
  accepted: 10,
  acceptance: 0.25,
  acceptance_interval: [0.14, 0.4],
  words: "",
} as const;
const OVERVIEW = {
  adapters: [{ version: "shop-1", tag: "v3", created: "2026-11-24T11:00:00Z" }],
  completions: [{ ...USE, adapter: null }, USE],
  drift: null,
} as unknown as Overview;

function known(changes: Partial<Status> = {}, more: Partial<Known> = {}): Known {
  const status = { ...NO_STATUS, engine: { state: "ready", reason: "" }, ...changes } as Status;
  return { status, overview: null, paused: "", inFlight: 0, missing: "", installing: "", now: NOW, ...more };
}

test("the bar says what the engine does", () => {
  const said = (state: string) => barWords(known({ engine: { state, reason: "" } as Status["engine"] })).spoken;

  assert.match(said("ready"), /^acclimate: ready\./);
  assert.match(said("starting"), /^acclimate: starting\./);
  assert.match(said("stopped"), /^acclimate: asleep\./);
  assert.match(said("failed"), /^acclimate: failed\./);
});

test("while something is installed that goes before what is missing for want of it", () => {
  const words = barWords(
    known({ engine: { state: "failed", reason: "" } }, { missing: "x", installing: "Installing." }),
  );

  assert.match(words.text, /installing/);
  assert.equal(words.tooltip, "Installing.");
  assert.ok(!words.isWrong);
});

test("an engine that is waited for is busy", () => {
  assert.match(barWords(known({}, { inFlight: 1 })).text, /busy/);
});

test("a training goes before all else but a missing server", () => {
  assert.match(barWords(known({ training: TRAINING }, { paused: "in this file." })).text, /training 45%/);
  assert.match(barWords(known({ training: { ...TRAINING, of: 0 } })).text, /training$/);
  assert.match(barWords(known({ training: TRAINING }, { missing: "No core." })).text, /not set up/);
});

test("a training that is over is no longer said", () => {
  assert.match(barWords(known({ training: { ...TRAINING, state: "finished" } })).text, /ready/);
});

test("why an engine has failed stands in the tooltip", () => {
  const words = barWords(known({ engine: { state: "failed", reason: "The runtime is not installed." } }));

  assert.ok(words.isWrong);
  assert.match(words.tooltip, /The runtime is not installed\./);
});

test("the adapter in use is said with its tag and age, and how its completions were received", () => {
  const adapter = { repository: "/shop", state: "in use", version: "shop-1", reason: "" };
  const { tooltip } = barWords(known({ adapter }, { overview: OVERVIEW }));

  assert.match(tooltip, /Adapter: shop-1 \(v3\), made 2 days ago\./);
  assert.match(tooltip, /Accepted: 10 of 40, 25% \(14% to 40%\)/);
});

test("before the first completion it is the adapter in use that will complete", () => {
  const overview = { ...OVERVIEW, live: "shop-1" };

  assert.match(barWords(known({}, { overview })).spoken, /Adapter: shop-1 \(v3\)/);
  const adapter = { repository: "/shop", state: "none", version: null, reason: "" };
  assert.match(barWords(known({ adapter }, { overview })).spoken, /Adapter: none, the base model completes\./);
});

test("the share of a few completions is not said: it is mostly chance", () => {
  assert.equal(acceptanceWords({ ...USE, n: 4, accepted: 1, acceptance_interval: [0, 1] }), "1 of 4");
});

test("who speaks in reviews is said, and why the others do not", () => {
  const reviewers = { conventions: "12 replacements known", model: "off: No adapter was proven to help." };
  const said = (changes: Partial<Status["review"]>) =>
    barWords(known({ review: { state: "idle", reason: "", reviewers, ...changes } })).tooltip;

  assert.match(said({}), /Review: on each save\.\nconventions: 12 replacements known\.\nmodel: off: No adapter was/);
  assert.match(said({ reason: "The file does not parse." }), /on each save\. The file does not parse\.\nconventions/);
  assert.match(said({ state: "off", reason: "Switched off.", reviewers: {} }), /Review: off \(acclimate\S+\)\.$/);
});

test("an age is said in the unit that tells most", () => {
  assert.equal(ageWords("2026-11-26T11:18:00Z", NOW), "42 minutes ago");
  assert.equal(ageWords("2026-11-26T07:30:00Z", NOW), "4 hours ago");
  assert.equal(ageWords("2026-11-01T12:00:00Z", NOW), "25 days ago");
  assert.equal(ageWords("", NOW), "");
});
