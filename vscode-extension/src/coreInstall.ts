/**
 * The extension's own core: a virtual environment in its storage folder, from the wheel that the .vsix carries. The
 * wheel is installed by its path, never by its name; only the libraries that it needs come from the package index.
 */

import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { coreOf, programsOf, pythonIn, type Core, type Maker } from "./python";
import { run } from "./process";

export const CORE_BYTES = { download: 29e6, disk: 176e6 }; // with all libraries and pip, as in the preflight
const CORE_FOLDER = "core";

export interface Place {
  /** The extension's storage folder of this user. */
  storage: string;
  /** Where the .vsix was unpacked. */
  extension: string;
  version: string;
}

export interface Hearing {
  say: (step: string) => void;
  log: (line: string) => void;
  signal: AbortSignal;
}

/** The core that was installed before for this version of the extension, if it is whole. */
export function installedCore(place: Place): Promise<Core | undefined> {
  return coreOf(pythonIn(programsOf(folderOf(place))), place.storage);
}

export function folderOf(place: Place): string {
  return join(place.storage, CORE_FOLDER, place.version);
}

/** The wheel in the .vsix; undefined where the extension runs from a checkout in which none was built. */
export async function wheelOf(place: Place): Promise<string | undefined> {
  const folder = join(place.extension, "wheel");
  const names = await readdir(folder).catch(() => []);
  const name = names.find((name) => name.startsWith(`acclimate-${place.version}-`) && name.endsWith(".whl"));
  return name === undefined ? undefined : join(folder, name);
}

/** Installs the core, under a name of its own until it is whole: another window may be doing the same. */
export async function installCore(place: Place, maker: Maker, wheel: string, hearing: Hearing): Promise<Core> {
  const folder = folderOf(place);
  const partial = `${folder}.${process.pid}.partial`;
  await mkdir(join(place.storage, CORE_FOLDER), { recursive: true });
  try {
    hearing.say("making the environment");
    await step(maker.python, ["-m", "venv", partial], place, hearing);
    hearing.say("installing the core");
    const pip = ["-P", "-m", "pip", "install", "--no-input", "--progress-bar=off", wheel];
    await step(pythonIn(programsOf(partial)), pip, place, hearing);
    if ((await installedCore(place)) === undefined) {
      await rm(folder, { recursive: true, force: true }); // what is there does not run
      await rename(partial, folder);
    } // else another window was faster
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  const core = await installedCore(place);
  if (core === undefined) {
    throw new Error(`The core was installed in '${folder}' and does not run. See the log.`);
  }
  await removeOthers(place);
  return core;
}

async function step(program: string, programArguments: string[], place: Place, hearing: Hearing): Promise<void> {
  const options = { cwd: place.storage, onLine: hearing.log, signal: hearing.signal };
  const ended = await run(program, programArguments, options);
  hearing.signal.throwIfAborted();
  if (ended.code !== 0) {
    hearing.log(ended.stdout);
    throw new Error(ended.said.findLast((line) => line.trim() !== "") ?? `'${program}' ended with code ${ended.code}.`);
  }
}

/** Cores of earlier versions of the extension are of no use any more. */
async function removeOthers(place: Place): Promise<void> {
  const folder = join(place.storage, CORE_FOLDER);
  for (const name of await readdir(folder)) {
    if (name !== place.version && !name.endsWith(".partial")) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}
