// Finds the processes of this run alone: they carry the home that the test has made for it in their environment, or, as
// an engine does, work in it.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const home = process.env.ACCLIMATE_HOME;
const mark = `ACCLIMATE_HOME=${home}\0`;

/** The ids of this run's processes whose command line has these words. */
export function processes(words) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => look(pid, "cmdline").replaceAll("\0", " ").includes(words) && isOurs(pid))
    .map(Number);
}

function isOurs(pid) {
  return `${look(pid, "environ")}\0`.includes(mark) || look(pid, "cwd", readlinkSync).startsWith(`${home}/`);
}

function look(pid, what, how = readFileSync) {
  try {
    return how(`/proc/${pid}/${what}`, "utf-8");
  } catch {
    return ""; // it has ended
  }
}
