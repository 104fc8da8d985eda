/** The two charts. What they show stands beside them as text, for those who do not see them. */

import type { Contender, CurvePoint } from "../status";
import { drawn } from "./elements";

const WIDTH = 640;
const HEIGHT = 180;
const MARGIN = { left: 44, right: 8, top: 10, bottom: 24 };
const BAR = { width: 200, height: 18 };

/** The loss of a training by step. */
export function lossCurve(points: readonly CurvePoint[]): SVGElement {
  const losses = points.map((point) => point.loss);
  const [low, high] = padded(Math.min(...losses), Math.max(...losses));
  const last = points.at(-1) as CurvePoint;
  const of = Math.max(last.of, last.step, 1);
  const x = (step: number) => MARGIN.left + (step / of) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (loss: number) => MARGIN.top + ((high - loss) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const path = points.map((point) => `${x(point.step).toFixed(1)},${y(point.loss).toFixed(1)}`).join(" ");
  const base = HEIGHT - MARGIN.bottom;
  return drawn(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": curveWords(points) },
    drawn("line", { class: "axis", x1: MARGIN.left, x2: MARGIN.left, y1: MARGIN.top, y2: base }),
    drawn("line", { class: "axis", x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: base, y2: base }),
    drawn("text", { x: MARGIN.left - 6, y: y(high) + 10, "text-anchor": "end" }, high.toFixed(2)),
    drawn("text", { x: MARGIN.left - 6, y: y(low), "text-anchor": "end" }, low.toFixed(2)),
    drawn("text", { x: WIDTH - MARGIN.right, y: HEIGHT - 6, "text-anchor": "end" }, `step ${of}`),
    drawn("polyline", { class: "line", points: path }),
  );
}

/** The curve in a sentence. */
export function curveWords(points: readonly CurvePoint[]): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) {
    return "No loss was measured yet.";
  }
  const begins = `${first.loss.toFixed(2)} at step ${first.step}`;
  const ends = `${last.loss.toFixed(2)} at step ${last.step} of ${last.of}`;
  return `Loss of the training, in nats a token: ${begins}, ${ends}.`;
}

/** Exact match of one contender with its interval, on a scale up to `highest`. */
export function bar(contender: Contender, highest: number): SVGElement {
  const x = (share: number) => (share / highest) * BAR.width;
  const parts = [
    drawn("rect", { class: "value", x: 0, y: 3, width: x(contender.exact_match).toFixed(1), height: BAR.height - 6 }),
  ];
  if (contender.exact_match_interval !== null) {
    const [low, high] = contender.exact_match_interval.map(x) as [number, number];
    parts.push(drawn("line", { class: "range", x1: low, x2: high, y1: BAR.height / 2, y2: BAR.height / 2 }));
  }
  const attributes = {
    viewBox: `0 0 ${BAR.width} ${BAR.height}`,
    class: contender.is_adapter ? "own" : "",
    preserveAspectRatio: "none",
    "aria-hidden": "true", // the figures stand in the row
  };
  return drawn("svg", attributes, ...parts);
}

function padded(low: number, high: number): [number, number] {
  const pad = Math.max(0.05 * (high - low), 0.01); // a flat curve still has a scale
  return [low - pad, high + pad];
}
