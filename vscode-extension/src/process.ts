/** Starts Python children, as the server starts its own: safe paths, nothing of the open folder's environment. */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const DROPPED = ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", "VIRTUAL_ENV"];
const KEPT_LINES = 30; // of what a child said last: enough to see why it failed

export interface Ended {
  code: number;
  stdout: string;
  /** The last lines of its standard error. */
  said: string[];
}

export interface RunOptions {
  cwd: string;
  /** Hears each line of its standard error. */
  onLine?: (line: string) => void;
  signal?: AbortSignal;
}

/** The environment of a child that runs our code, in which no other code can be slipped in. */
export function childEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !DROPPED.includes(name));
  return { ...Object.fromEntries(kept), PYTHONSAFEPATH: "1", PIP_DISABLE_PIP_VERSION_CHECK: "1" };
}

/** Runs a program to its end. A program that cannot be started gives the code -1 and says why. */
export function run(program: string, programArguments: readonly string[], options: RunOptions): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(program, programArguments, {
      cwd: options.cwd,
      env: childEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32", // in a group of its own, so that what it starts ends with it
    });
    const said: string[] = [];
    let stdout = "";
    const end = () => endGroup(child.pid);
    options.signal?.addEventListener("abort", end, { once: true });
    child.stdout.setEncoding("utf-8").on("data", (text: string) => (stdout += text));
    createInterface({ input: child.stderr }).on("line", (line) => {
      said.push(line);
      said.splice(0, Math.max(0, said.length - KEPT_LINES));
      options.onLine?.(line);
    });
    child.on("error", (error) => resolve({ code: -1, stdout, said: [error.message] }));
    child.on("close", (code) => {
      options.signal?.removeEventListener("abort", end);
      resolve({ code: code ?? -1, stdout, said });
    });
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) {
    return;
  }
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGTERM");
  } catch {
    // It has ended already.
  }
}
