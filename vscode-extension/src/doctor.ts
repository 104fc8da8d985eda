/** What `acclimate doctor` finds on this machine, and its mending: the runtime and the base model. */

import { run, type Ended } from "./process";
import type { Core } from "./python";

export interface Check {
  name: string;
  ok: boolean;
  sentence: string;
  blocking: boolean;
}

export interface Findings {
  checks: Check[];
  device: string;
  download_bytes: number;
  disk_bytes: number;
  seconds: number;
  missing: string[];
}

/** Looks; changes nothing. */
export async function examine(core: Core, cwd: string, flags: readonly string[]): Promise<Findings> {
  return findingsOf(await run(core.python, ["-P", "-m", "acclimate_server", "doctor", "--json", ...flags], { cwd }));
}

/** Installs what is missing. `say` hears each step. */
export async function mend(
  core: Core,
  cwd: string,
  flags: readonly string[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Findings> {
  const programArguments = ["-P", "-m", "acclimate_server", "doctor", "--fix", "--json", ...flags];
  const ended = await run(core.python, programArguments, { cwd, onLine: say, signal });
  signal.throwIfAborted();
  return findingsOf(ended);
}

function findingsOf(ended: Ended): Findings {
  const last = ended.stdout.trimEnd().split("\n").at(-1) ?? "";
  if (!last.startsWith("{")) {
    const words = ended.said.findLast((line) => line.trim() !== "");
    throw new Error(words?.replace(/^acclimate: /, "") ?? `acclimate doctor ended with code ${ended.code}.`);
  }
  return JSON.parse(last) as Findings;
}

/** What an installation would take, in words; empty if all is there. */
export function extentWords(findings: Findings): string {
  if (findings.download_bytes === 0) {
    return "";
  }
  const time = findings.seconds >= 90 ? `${Math.round(findings.seconds / 60)} minutes` : `${findings.seconds} seconds`;
  const sizes = `${gigabytes(findings.download_bytes)} to download, ${gigabytes(findings.disk_bytes)} on disk`;
  return `${sizes}, about ${time} on a fast line`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Settings of the editor as flags of the command line: what decides which runtime and model are wanted. */
export function flagsOf(options: Readonly<Record<string, unknown>>): string[] {
  return ["model", "runtime"].flatMap((group) =>
    Object.entries((options[group] ?? {}) as Record<string, unknown>).flatMap(([name, value]) => [
      "--set",
      `${group}.${name}=${String(value)}`,
    ]),
  );
}
