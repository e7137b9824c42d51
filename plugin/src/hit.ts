// Which fill is under the cursor, and which lie so close to it that their markers overlap.
import type { Fills } from './fills';
import { countBefore, countUntil } from './lines';

/** A marker is hit within this many CSS pixels of its middle. */
export const REACH_PX = 12;
/** Markers whose middles are closer than this cover each other. */
export const OVERLAP_PX = 4;

/** Where fills stand on the plot, CSS pixels from its left and top edge. */
export interface Placing {
  readonly fills: Fills;
  /** By index into KINDS: whether fills of it are shown. */
  readonly shown: readonly boolean[];
  /** Milliseconds and pixels of the time axis: `left = (ms - fromMs) * pxPerMs`. */
  readonly fromMs: number;
  readonly pxPerMs: number;
  readonly topOf: (price: number) => number;
}

/** Index of the shown fill nearest to a point, the first of those equally near; -1 where none is within reach. */
export function nearestFill(placing: Placing, left: number, top: number, reachPx = REACH_PX): number {
  let best = -1;
  let bestSquare = reachPx * reachPx;
  eachWithin(placing, left, reachPx, (index, dx) => {
    const dy = placing.topOf(placing.fills.prices[index]!) - top;
    const square = dx * dx + dy * dy;
    if (square < bestSquare || (square === bestSquare && best < 0)) {
      [best, bestSquare] = [index, square];
    }
  });
  return best;
}

/** Indices of all shown fills whose markers overlap that of fill `index`, in order of time; itself is among them. */
export function overlapping(placing: Placing, index: number): number[] {
  const { fills, fromMs, pxPerMs, topOf } = placing;
  const left = (fills.times[index]! - fromMs) * pxPerMs;
  const top = topOf(fills.prices[index]!);
  const near: number[] = [];
  eachWithin(placing, left, OVERLAP_PX, (other, dx) => {
    const dy = topOf(fills.prices[other]!) - top;
    if (other === index || dx * dx + dy * dy < OVERLAP_PX * OVERLAP_PX) {
      near.push(other);
    }
  });
  return near;
}

function eachWithin(
  { fills, shown, fromMs, pxPerMs }: Placing,
  left: number,
  reachPx: number,
  visit: (index: number, dx: number) => void
): void {
  const earliestMs = fromMs + (left - reachPx) / pxPerMs;
  for (let index = countBefore(fills.times, earliestMs - 1); index < fills.times.length; index++) {
    const dx = (fills.times[index]! - fromMs) * pxPerMs - left;
    if (dx > reachPx) {
      return;
    }
    if (dx >= -reachPx && shown[fills.kinds[index]!]!) {
      visit(index, dx);
    }
  }
}

/**
 * The next shown fill after `index` in direction `step` (+1 later, -1 earlier) within the time shown; -1 where there is none. From -1: the first, or
 * the last. From a fill outside of the time shown: the one nearest to it inside, if that lies in the direction.
 */
export function nextFill(
  fills: Fills,
  shown: readonly boolean[],
  index: number,
  step: 1 | -1,
  fromMs: number,
  toMs: number
): number {
  const [first, last] = [countBefore(fills.times, fromMs), countUntil(fills.times, toMs) - 1];
  const edge = step === 1 ? first : last;
  const beyond = index >= 0 && (step === 1 ? index < first : index > last);
  for (let at = index < 0 || beyond ? edge : index + step; at >= first && at <= last; at += step) {
    if (shown[fills.kinds[at]!]!) {
      return at;
    }
  }
  return -1;
}
