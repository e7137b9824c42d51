import type { Us } from '../units.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';
import type { Bound, BoundRing } from './bound-ring.ts';
import { bucketOf, BUCKETS } from './bound-ring.ts';

/** No clock worth correcting gains or loses more. */
const MAX_SKEW_PPM = 200;
/** Golden-section steps: 400 ppm · 0.618^30 is below 0.001 ppm. */
const SEARCH_STEPS = 30;
const GRID_STEPS = 40;
/** Few bounds may all lie on their line by chance: slack is counted as if there were so much more of it. */
const PRIOR_SLACK_US: Us = US_PER_MS;
/** 200 ppm · 2^−20 is below 0.001 ppm. */
const BISECTION_STEPS = 20;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * What upper and lower bounds of the last fifteen minutes leave of the offset, if both clocks ran evenly and their stamps are true. With u, l the
 * bounds at local times x, and slopes b of at most 200 ppm:
 *
 *   f(b) = min_j(u_j − b(x_j − now))   concave, rising      h(b) = max_i(l_i − b(x_i − now))   convex, rising
 *
 * The offset now lies in [h(b), f(b)] for the true b, which is one of those with h(b) ≤ f(b): from the least to the greatest of them, that is
 * in [h(b_least), f(b_most)], proven whatever the delays were.
 */
export interface Band {
  /** Where the bounds hold; elsewhere they go along the slope. */
  readonly atUs: Us;
  /** The likeliest slope, and the supporting lines with it; their middle is the estimate. */
  readonly skewPpm: number;
  readonly lowerUs: Us;
  readonly upperUs: Us;
  /** Slopes that some pair of even clocks could have. */
  readonly leastSkewPpm: number;
  readonly mostSkewPpm: number;
  readonly provenLowerUs: Us;
  readonly provenUpperUs: Us;
}

const along = (band: Band, timeUs: Us): Us => band.skewPpm * 1e-6 * (timeUs - band.atUs);
export const lowerAt = (band: Band, timeUs: Us): Us => band.lowerUs + along(band, timeUs);
export const upperAt = (band: Band, timeUs: Us): Us => band.upperUs + along(band, timeUs);

/** The proven bounds, for what comes after the band was made. */
export const provenLowerAt = (band: Band, timeUs: Us): Us =>
  band.provenLowerUs + band.leastSkewPpm * 1e-6 * (timeUs - band.atUs);
export const provenUpperAt = (band: Band, timeUs: Us): Us =>
  band.provenUpperUs + band.mostSkewPpm * 1e-6 * (timeUs - band.atUs);

/** Buckets from which on a way has been longer than before: bounds stay bounds, but say nothing of the slope. Infinity: none. */
export interface LongerSince {
  readonly in: number;
  readonly out: number;
}

/** The band at `nowUs`. Undefined while one side has no bound. `upperUs` below `lowerUs`: no pair of even clocks explains all bounds. */
export function twoSidedBand(
  upper: readonly BoundRing[],
  lower: BoundRing,
  nowUs: Us,
  longerSince: LongerSince,
): Band | undefined {
  const above = new Hull(1, boundsOf(upper, nowUs), nowUs, longerSince.in);
  const below = new Hull(-1, boundsOf([lower], nowUs), nowUs, longerSince.out);
  if (above.count === 0 || below.count === 0) return undefined;
  const gap = (slopePpm: number): Us => above.support(slopePpm) - below.support(slopePpm);
  const widestPpm = argmax(gap);
  if (gap(widestPpm) < 0) return bandOf(above, below, nowUs, widestPpm, widestPpm, widestPpm);
  const leastPpm = crossing(gap, widestPpm, -MAX_SKEW_PPM);
  const mostPpm = crossing(gap, widestPpm, MAX_SKEW_PPM);
  return bandOf(above, below, nowUs, likeliestSlope(above, below, leastPpm, mostPpm), leastPpm, mostPpm);
}

function bandOf(above: Hull, below: Hull, atUs: Us, skewPpm: number, leastPpm: number, mostPpm: number): Band {
  return {
    atUs,
    skewPpm,
    lowerUs: below.support(skewPpm),
    upperUs: above.support(skewPpm),
    leastSkewPpm: leastPpm,
    mostSkewPpm: mostPpm,
    provenLowerUs: below.support(leastPpm),
    provenUpperUs: above.support(mostPpm),
  };
}

/**
 * The slope under which the bounds are likeliest when their slack, how far each lies outside its line, is exponential with a scale of its own on each side. With
 * the scales at their best, the mean slack, the log-likelihood is −Σ n·ln(mean slack) but for a constant. It may have several maxima: a grid finds the highest.
 */
function likeliestSlope(above: Hull, below: Hull, leastPpm: number, mostPpm: number): number {
  const logLikelihood = (slopePpm: number): number => above.logLikelihood(slopePpm) + below.logLikelihood(slopePpm);
  const stepPpm = (mostPpm - leastPpm) / GRID_STEPS;
  // Without a bound that tells of the slope they are all alike: the middle.
  let [best, highest] = [(leastPpm + mostPpm) / 2, logLikelihood((leastPpm + mostPpm) / 2)];
  for (let step = 0; step <= GRID_STEPS; step++) {
    const slopePpm = leastPpm + step * stepPpm;
    const value = logLikelihood(slopePpm);
    if (value > highest) [best, highest] = [slopePpm, value];
  }
  return argmax(logLikelihood, Math.max(leastPpm, best - stepPpm), Math.min(mostPpm, best + stepPpm));
}

/** An upper line alone, for a feed without probes. */
export interface UpperLine {
  readonly atUs: Us;
  readonly upperUs: Us;
  /** Undefined through less time than a slope needs to be more than noise; the line is level then. */
  readonly skewPpm: number | undefined;
}

const MIN_LINE_SPAN_US: Us = 60 * US_PER_S;

/**
 * The line below all upper bounds with the least total distance to them (Moon, Skelly & Towsley 1999, "Estimation and removal of clock skew from
 * network delay measurements"): the supporting line that is highest at the mean time. Undefined without a bound.
 */
export function oneSidedLine(upper: readonly BoundRing[], nowUs: Us): UpperLine | undefined {
  const bounds = boundsOf(upper, nowUs);
  const hull = new Hull(1, bounds, nowUs);
  if (hull.count === 0) return undefined;
  if (nowUs - bounds[0]!.timeUs < MIN_LINE_SPAN_US)
    return { atUs: nowUs, upperUs: hull.support(0), skewPpm: undefined };
  const skewPpm = argmax((slopePpm) => hull.support(slopePpm, hull.meanX));
  return { atUs: nowUs, upperUs: hull.support(skewPpm), skewPpm };
}

/** The best bound of each bucket over the rings, oldest first. */
export function boundsOf(rings: readonly BoundRing[], nowUs: Us): Bound[] {
  const last = bucketOf(nowUs);
  const [first, ...others] = rings;
  if (others.length === 0) return first!.range(last - BUCKETS + 1, last);
  const bounds: Bound[] = [];
  for (let bucket = Math.max(0, last - BUCKETS + 1); bucket <= last; bucket++) {
    let best: Bound | undefined;
    for (const ring of rings) {
      const bound = ring.at(bucket);
      if (bound !== undefined && (best === undefined || bound.boundUs < best.boundUs)) best = bound;
    }
    if (best !== undefined) bounds.push(best);
  }
  return bounds;
}

/** Where a concave function of the slope is greatest. Golden-section search (Kiefer 1953). */
function argmax(concave: (slopePpm: number) => number, from = -MAX_SKEW_PPM, to = MAX_SKEW_PPM): number {
  let [low, high] = [from, to];
  let [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
  let [atLeft, atRight] = [concave(left), concave(right)];
  for (let step = 0; step < SEARCH_STEPS; step++) {
    if (atLeft < atRight) {
      low = left;
      [left, atLeft] = [right, atRight];
      right = low + GOLDEN * (high - low);
      atRight = concave(right);
    } else {
      high = right;
      [right, atRight] = [left, atLeft];
      left = high - GOLDEN * (high - low);
      atLeft = concave(left);
    }
  }
  return (low + high) / 2;
}

/** Where a concave function that is not negative at `inside` becomes so on the way to `end`; `end` if it does not. Bisection, to the outside. */
function crossing(concave: (slopePpm: number) => number, inside: number, end: number): number {
  if (concave(end) >= 0) return end;
  let [good, bad] = [inside, end];
  for (let step = 0; step < BISECTION_STEPS; step++) {
    const middle = (good + bad) / 2;
    if (concave(middle) >= 0) good = middle;
    else bad = middle;
  }
  return bad;
}

/**
 * The hull of bounds on their inner side, the only points that a supporting line of any slope touches: the lower hull of upper bounds (`sign` 1), the
 * upper hull of lower ones (−1). Andrew's monotone chain; bounds come in order of time.
 */
class Hull {
  readonly #sign: 1 | -1;
  /** Seconds from the time of the solve, ≤ 0; µs times the sign. */
  readonly #x: number[] = [];
  readonly #y: number[] = [];
  /** Bounds that tell of the slope, of the hull or not, and where they lie in the mean. */
  readonly size: number;
  readonly meanX: number;
  readonly #meanUs: Us;

  constructor(sign: 1 | -1, bounds: readonly Bound[], nowUs: Us, lateFrom = Infinity) {
    this.#sign = sign;
    let [size, sumX, sumUs] = [0, 0, 0];
    for (const { bucket, timeUs, boundUs } of bounds) {
      const x = (timeUs - nowUs) / US_PER_S;
      this.#add(x, boundUs * sign);
      if (bucket >= lateFrom) continue;
      size++;
      sumX += x;
      sumUs += boundUs;
    }
    this.size = size;
    this.meanX = size === 0 ? 0 : sumX / size;
    this.#meanUs = size === 0 ? 0 : sumUs / size;
  }

  /** Of the slack of those bounds; summed, it is that at their mean time. */
  logLikelihood(slopePpm: number): number {
    if (this.size === 0) return 0;
    const slackUs = (this.#meanUs - this.support(slopePpm, this.meanX)) * this.#sign;
    return -this.size * Math.log(Math.max(0, slackUs) + PRIOR_SLACK_US / this.size);
  }

  get count(): number {
    return this.#x.length;
  }

  /** Where the supporting line of that slope (ppm is µs/s) passes the time `x`, seconds from that of the solve. */
  support(slopePpm: number, x = 0): Us {
    const slope = slopePpm * this.#sign;
    let least = Infinity;
    for (let index = 0; index < this.#x.length; index++) {
      const value = this.#y[index]! - slope * (this.#x[index]! - x);
      if (value < least) least = value;
    }
    return least * this.#sign;
  }

  #add(x: number, y: number): void {
    const [xs, ys] = [this.#x, this.#y];
    for (; xs.length >= 2; xs.pop(), ys.pop()) {
      const [ax, ay, bx, by] = [xs.at(-2)!, ys.at(-2)!, xs.at(-1)!, ys.at(-1)!];
      if ((bx - ax) * (y - ay) > (by - ay) * (x - ax)) break;
    }
    xs.push(x);
    ys.push(y);
  }
}
