/** Decides what happens when the server ends by itself: started again once, then left to the user. */

const FORGOTTEN_MS = 10 * 60_000; // a server that ran that long has not ended for the same reason at once

export class Crashes {
  private last = Number.NEGATIVE_INFINITY;

  /** Whether it is to be started again after it ended at `now`. */
  mayRestart(now: number): boolean {
    const isFirst = now - this.last > FORGOTTEN_MS;
    this.last = now;
    return isFirst;
  }
}
