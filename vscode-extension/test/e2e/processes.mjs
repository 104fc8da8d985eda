// Finds the processes of this run alone: they carry the home that the test has made for it in their environment.

import { readdirSync, readFileSync } from "node:fs";

const mark = `ACCLIMATE_HOME=${process.env.ACCLIMATE_HOME}\0`;

/** The ids of this run's processes whose command line has these words. */
export function processes(words) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter(
      (pid) => read(pid, "cmdline").replaceAll("\0", " ").includes(words) && `${read(pid, "environ")}\0`.includes(mark),
    )
    .map(Number);
}

function read(pid, what) {
  try {
    return readFileSync(`/proc/${pid}/${what}`, "utf-8");
  } catch {
    return ""; // it has ended
  }
}
