/** What is known of the server and the repository; the status bar and the dashboard show it. */

import { EventEmitter, type Disposable } from "vscode";
import { NO_STATUS, type CurvePoint, type Overview, type Status } from "./status";

export class State implements Disposable {
  private readonly changed = new EventEmitter<void>();
  private readonly heard = new EventEmitter<Status>();

  status: Status = NO_STATUS;
  overview: Overview | null = null;
  /** The losses of the training that runs or ran last, as far as they were heard. */
  curve: CurvePoint[] = [];
  inFlight = 0;
  /** Counts servers: a run of one that is gone has ended with it. */
  generation = 0;
  /** Why there is no server; empty if there is one. */
  missing = "";
  /** What is being installed, in words; empty if nothing is. */
  installing = "";

  /** Something of it has changed. */
  readonly onDidChange = this.changed.event;
  /** The server has said where it stands. */
  readonly onStatus = this.heard.event;

  hear(status: Status): void {
    this.note(status);
    this.status = status;
    this.heard.fire(status);
    this.changed.fire();
  }

  know(overview: Overview): void {
    const isOfThisRun = overview.run !== null && overview.run.id === (this.status.training?.run ?? overview.run.id);
    if (isOfThisRun && overview.run !== null && overview.run.curve.length > this.curve.length) {
      this.curve = overview.run.curve;
    }
    this.overview = overview;
    this.changed.fire();
  }

  ask(change: 1 | -1): void {
    this.inFlight = Math.max(0, this.inFlight + change); // what was asked of a server that is gone never came back
    this.changed.fire();
  }

  install(what: string): void {
    this.installing = what;
    this.changed.fire();
  }

  /** There is no server now, for this reason; an empty one says that there is. */
  lack(reason: string): void {
    this.missing = reason;
    this.generation += 1;
    this.status = NO_STATUS;
    this.inFlight = 0;
    this.changed.fire();
  }

  dispose(): void {
    this.changed.dispose();
    this.heard.dispose();
  }

  private note(status: Status): void {
    const training = status.training;
    if (training === null) {
      return;
    }
    if (training.run !== this.status.training?.run) {
      this.curve = [];
    }
    if (training.phase === "train" && training.loss !== null && training.step > (this.curve.at(-1)?.step ?? 0)) {
      this.curve = [...this.curve, { step: training.step, of: training.of, loss: training.loss }];
    }
  }
}
