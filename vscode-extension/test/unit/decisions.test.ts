import assert from "node:assert/strict";
import { test } from "node:test";
import { Crashes } from "../../src/crashes";
import { isTimeFor, whatIsDue } from "../../src/due";
import { isOn, LANGUAGES, switched } from "../../src/languages";
import { nested } from "../../src/nested";
import { NO_STATUS, type Status } from "../../src/status";
import { verdictWords } from "../../src/verdict";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

test("a server that ends is started again once", () => {
  const crashes = new Crashes();

  assert.ok(crashes.mayRestart(0));
  assert.ok(!crashes.mayRestart(2 * MINUTE));
  assert.ok(!crashes.mayRestart(4 * MINUTE));
  assert.ok(crashes.mayRestart(60 * MINUTE));
});

test("dotted settings become the tables of a settings file", () => {
  const values = { adapter: "none", "engine.url": "http://one", "engine.port": 1 };

  assert.deepEqual(nested(values), { adapter: "none", engine: { url: "http://one", port: 1 } });
});

test("a language is switched off by naming the others, and on again by naming none", () => {
  const off = switched([], "javascriptreact");

  assert.ok(off !== undefined && !off.includes("javascript") && off.includes("python"));
  assert.ok(!isOn(off, "javascriptreact"));
  assert.equal(switched(off, "javascript"), undefined);
  assert.ok(LANGUAGES.every((language) => isOn([], language)));
});

test("a retraining is suggested only where it could be followed", () => {
  const due = {
    ...NO_STATUS,
    engine: { state: "ready", reason: "" },
    drift: { repository: "/shop", commit: "1a", exceeds: true, said: "" },
  } as Status;

  assert.equal(whatIsDue(due), "/shop 1a");
  assert.equal(whatIsDue({ ...due, engine: { state: "starting", reason: "" } }), undefined);
  assert.equal(whatIsDue({ ...due, training: { state: "running" } as Status["training"] }), undefined);
  assert.equal(whatIsDue({ ...due, drift: { ...due.drift!, exceeds: false } }), undefined);
});

test("a suggestion that was put off comes back a week later, and at once for another adapter", () => {
  const last = { what: "/shop 1a", at: 0 };

  assert.ok(isTimeFor("/shop 1a", undefined, 0));
  assert.ok(!isTimeFor("/shop 1a", last, 6 * DAY));
  assert.ok(isTimeFor("/shop 1a", last, 7 * DAY));
  assert.ok(isTimeFor("/shop 2b", last, MINUTE));
});

test("a verdict is said with what follows from it", () => {
  const words = verdictWords({ verdict: { state: "rejected", reason: "No better than the base." } });

  assert.equal(words, "acclimate: The new adapter is not better, and is not used. No better than the base.");
  assert.equal(verdictWords({ verdict: null }), "acclimate: the training has ended.");
});
