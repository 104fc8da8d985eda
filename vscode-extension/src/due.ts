/** Whether a retraining is to be suggested. */

import type { Status } from "./status";

/** What a suggestion would be about; nothing where none is due, or none could be followed now. */
export function whatIsDue(status: Status): string | undefined {
  const { drift, training, engine, adapter } = status;
  const isDue = drift?.exceeds === true && training?.state !== "running" && engine.state === "ready";
  return isDue ? `${drift.repository} ${adapter.version}` : undefined;
}
