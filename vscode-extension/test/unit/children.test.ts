import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { extentWords, flagsOf, type Findings } from "../../src/doctor";
import { childEnvironment, run } from "../../src/process";
import { coreOf, makerOnPath, PYTHON_VERSIONS } from "../../src/python";

const CWD = process.cwd();
const NOTHING: Findings = { checks: [], device: "cpu", download_bytes: 0, disk_bytes: 0, seconds: 0, missing: [] };

test("a child gets no paths of the open folder's", () => {
  const environment = childEnvironment({
    PATH: "/bin",
    PYTHONPATH: "/evil",
    VIRTUAL_ENV: "/evil",
    PYTHONHOME: "/evil",
  });

  assert.deepEqual(Object.keys(environment).sort(), ["PATH", "PIP_DISABLE_PIP_VERSION_CHECK", "PYTHONSAFEPATH"]);
});

test("a program that is not there ends with a reason", async () => {
  const ended = await run("/no/such/program", [], { cwd: CWD });

  assert.equal(ended.code, -1);
  assert.match(ended.said.join(), /ENOENT/);
});

test("a cancelled child ends with what it has started", async () => {
  const abort = new AbortController();
  const script = "sleep 60 & echo $! >&2; wait";
  const heard: string[] = [];
  const onLine = (line: string) => (heard.push(line), abort.abort());
  const ended = await run("sh", ["-c", script], { cwd: CWD, signal: abort.signal, onLine });

  assert.notEqual(ended.code, 0);
  const deadline = Date.now() + 5_000; // it has let go of its pipes; to be buried it needs a moment more
  while (isAlive(heard[0] ?? "") && Date.now() < deadline) {
    await setTimeout(10);
  }
  assert.ok(!isAlive(heard[0] ?? ""));
});

test("an interpreter without acclimate is no core", async () => {
  assert.equal(await coreOf("/bin/sh", CWD), undefined);
});

test("the interpreter that makes the environment is one that the runtime is pinned for", async () => {
  const maker = await makerOnPath(CWD);

  assert.ok(maker !== undefined && PYTHON_VERSIONS.includes(maker.version));
});

test("without a search path there is no interpreter", async () => {
  const path = process.env["PATH"];
  try {
    process.env["PATH"] = "";
    assert.equal(await makerOnPath(CWD), undefined);
  } finally {
    process.env["PATH"] = path;
  }
});

test("what an installation takes is said in gigabytes and minutes", () => {
  const findings = { ...NOTHING, download_bytes: 1_385_000_000, disk_bytes: 5_800_000_000, seconds: 240 };

  assert.equal(extentWords(findings), "1.4 GB to download, 5.8 GB on disk, about 4 minutes on a fast line");
  assert.equal(extentWords(NOTHING), "");
});

test("only what decides about runtime and model is told to the doctor", () => {
  const flags = flagsOf({ model: { name: "tiny" }, engine: { key: "secret" } });

  assert.deepEqual(flags, ["--set", "model.name=tiny"]);
});

function isAlive(pid: string): boolean {
  try {
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf-8")); // one that nobody has buried yet is dead, too
  } catch {
    return false;
  }
}
