/** What the extension and its dashboard tell each other. */

import type { CurvePoint, Overview, Status } from "../status";

export interface Shown {
  status: Status;
  overview: Overview | null;
  curve: CurvePoint[];
  missing: string;
}

export type Wish =
  | { kind: "ready" }
  | { kind: "use"; version: string }
  | { kind: "promote"; version: string }
  | { kind: "report"; version: string }
  | { kind: "rollback" }
  | { kind: "retrain" }
  | { kind: "cancelRetraining" };
