/** Whether a retraining is to be suggested. */

import type { Status } from "./status";

const AGAIN_MS = 7 * 24 * 3_600_000; // put off, it comes back: the repository moves on meanwhile

/** What was suggested last, and when. */
export interface Suggested {
  what: string;
  at: number;
}

/** Whether that is to be suggested now: it never was, or so long ago that it bears repeating. */
export function isTimeFor(what: string, last: Suggested | undefined, now: number): boolean {
  return last?.what !== what || now - last.at >= AGAIN_MS;
}

/** What a suggestion would be about; nothing where none is due, or none could be followed now. */
export function whatIsDue(status: Status): string | undefined {
  const { drift, training, engine } = status;
  const isDue = drift?.exceeds === true && training?.state !== "running" && engine.state === "ready";
  return isDue ? `${drift.repository} ${drift.commit}` : undefined;
}
