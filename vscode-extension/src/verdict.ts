/** The gate's verdict in a sentence. */

import type { Training } from "./status";

const MEANINGS: Readonly<Record<string, string>> = {
  promoted: "The new adapter is better, and completes from now on.",
  trial: "The new adapter may be better, and completes on trial.",
  rejected: "The new adapter is not better, and is not used.",
};

export function verdictWords(training: Pick<Training, "verdict">): string {
  const state = training.verdict?.state ?? "";
  return ["acclimate:", MEANINGS[state] ?? "the training has ended.", training.verdict?.reason]
    .filter(Boolean)
    .join(" ");
}
