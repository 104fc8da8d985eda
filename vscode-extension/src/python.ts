/** Looks at Python interpreters: which one has our core, and which one could make an environment for it. */

import { access } from "node:fs/promises";
import { constants } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { run } from "./process";

/** An interpreter that has the package `acclimate`. */
export interface Core {
  python: string;
  version: string;
}

/** An interpreter that can make a virtual environment. */
export interface Maker {
  python: string;
  version: string;
}

// The versions that the runtime's list of packages is pinned for; the first is the one that everything was tested with.
export const PYTHON_VERSIONS = ["3.11", "3.12", "3.13"];
const NAMES = [...PYTHON_VERSIONS.map((version) => `python${version}`), "python3", "python"];

const ASK_CORE = "import importlib.metadata as metadata; print(metadata.version('acclimate'))";
const ASK_MAKER = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])";

/** The core of an interpreter; undefined if it has none, is older than 3.11, or does not run. */
export async function coreOf(python: string, cwd: string): Promise<Core | undefined> {
  const answer = await run(python, ["-P", "-c", ASK_CORE], { cwd });
  return answer.code === 0 ? { python, version: answer.stdout.trim() } : undefined;
}

/** The interpreter beside a command `acclimate` on the search path. */
export async function coreOnPath(cwd: string): Promise<Core | undefined> {
  const command = await onPath("acclimate");
  return command === undefined ? undefined : coreOf(pythonIn(dirname(command)), cwd);
}

/** The best interpreter on the search path to make an environment with. */
export async function makerOnPath(cwd: string): Promise<Maker | undefined> {
  for (const name of NAMES) {
    const python = await onPath(name);
    const maker = python === undefined ? undefined : await makerOf(python, cwd);
    if (maker !== undefined) {
      return maker;
    }
  }
  return undefined;
}

/** Whether an interpreter can make an environment for the core. */
export async function makerOf(python: string, cwd: string): Promise<Maker | undefined> {
  const answer = await run(python, ["-c", ASK_MAKER], { cwd });
  const version = answer.stdout.trim();
  return answer.code === 0 && PYTHON_VERSIONS.includes(version) ? { python, version } : undefined;
}

/** The interpreter in a folder of programs. */
export function pythonIn(folder: string): string {
  return join(folder, process.platform === "win32" ? "python.exe" : "python");
}

/** The folder of programs of a virtual environment. */
export function programsOf(environment: string): string {
  return join(environment, process.platform === "win32" ? "Scripts" : "bin");
}

async function onPath(name: string): Promise<string | undefined> {
  const suffix = process.platform === "win32" ? ".exe" : "";
  for (const folder of (process.env["PATH"] ?? "").split(delimiter).filter(Boolean)) {
    const candidate = join(folder, name + suffix);
    try {
      await access(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not there: the next folder.
    }
  }
  return undefined;
}
