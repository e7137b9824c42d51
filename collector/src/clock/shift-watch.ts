import type { Us } from '../units.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';
import type { Bound } from './bound-ring.ts';
import { bucketOf } from './bound-ring.ts';
import type { Band } from './envelope.ts';
import { lowerAt, upperAt } from './envelope.ts';

/** A bound that lies so much further in than the band allowed has news: a clock stepped, or a route became shorter. */
const NEWS_US: Us = 5 * US_PER_MS;
/** Both sides have moved alike when they differ by less than this and what the delays explain. */
const ALIKE_US: Us = 2 * US_PER_MS;
/** A step is believed when delays alone would look like it with less than this probability … */
const CHANCE = 1e-6;
/** … while delays behind a step would look like this with more than that. */
const PLAUSIBLE = 1e-3;
const MIN_BUCKETS = 3;
/** What is undecided for so long is kept: the route may have changed, the clock has not been shown to have stepped. */
const EXPIRY_US: Us = 90 * US_PER_S;
/** A route that is longer shows by nothing but late bounds; all those of so many buckets must be late, unless a step has shown before. */
const LONGER_BUCKETS = 11;

/** Which of the ways became shorter or longer; `in` is from the exchange. */
export type Way = 'in' | 'out';
export type Verdict =
  | { readonly kind: 'step'; /** First bucket with nothing of before in it. */ readonly sinceBucket: number }
  | { readonly kind: 'shorter'; readonly way: Way; readonly sinceBucket: number }
  | { readonly kind: 'longer'; readonly way: Way };

interface Watch {
  readonly old: Band;
  /** +1: the offset seems to have gone up, lower bounds moved in; −1: down, upper ones did. */
  readonly direction: 1 | -1;
  /** How far old bounds of the other side lay outside the band's edge, µs. */
  readonly otherSlackUs: readonly Us[];
  /** The same of the side that moved in. */
  readonly tightSlackUs: readonly Us[];
  readonly startedUs: Us;
  readonly newsBucket: number;
}

/** The bounds of both sides, of all that is kept. */
export interface Bounds {
  readonly upper: readonly Bound[];
  readonly lower: readonly Bound[];
}

/**
 * Tells a step of the exchange's clock from a change of the route, where probes still fall into the band. A step moves both bounds by the same; a route
 * moves one. A bound that moves *in* is proof that something changed, since bounds that are true stay true. Then the other side is watched: one bound
 * of it near the old edge refutes a step for certain; bounds that are all late by as much confirm it, once the delays of before would hardly ever be all
 * that late by chance (the likelihood of each explanation from the empirical distribution of the old bounds' slack).
 */
export class ShiftWatch {
  #watch: Watch | undefined;
  /** Whether all last bounds of a way are late. */
  readonly #late = { in: false, out: false };
  /** From which bucket on a way has been longer than before; Infinity when it has not. */
  readonly longerSince: Record<Way, number> = { in: Infinity, out: Infinity };

  /** More probes would tell what it is. */
  get undecided(): boolean {
    const { in: inbound, out: outbound } = this.longerSince;
    return (
      this.#watch !== undefined || (this.#late.in && inbound === Infinity) || (this.#late.out && outbound === Infinity)
    );
  }

  clear(): void {
    this.#late.in = false;
    this.#late.out = false;
    this.#watch = undefined;
    this.longerSince.in = Infinity;
    this.longerSince.out = Infinity;
  }

  /** To be called at every solve with the band of the one before; undefined while there is nothing to tell. */
  look(before: Band, bounds: Bounds, nowUs: Us): Verdict | undefined {
    if (this.#watch === undefined) {
      this.#watch = begun(before, bounds, nowUs);
      return this.#watch === undefined ? this.#lookForLonger(before, bounds, nowUs) : undefined;
    }
    const verdict = judged(this.#watch, bounds, nowUs);
    if (verdict !== undefined) this.#watch = undefined;
    return verdict;
  }

  /** A route that became longer leaves the band as it is; it is told once. */
  #lookForLonger(before: Band, bounds: Bounds, nowUs: Us): Verdict | undefined {
    const inbound = this.#longerOn('in', slacks(bounds.upper, 1, before), bounds.upper, nowUs);
    const outbound = this.#longerOn('out', slacks(bounds.lower, -1, before), bounds.lower, nowUs);
    // Both at once is congestion, or nothing that can be told.
    return inbound === outbound ? undefined : { kind: 'longer', way: inbound ? 'in' : 'out' };
  }

  /** Whether the way has just turned out to be longer: all its last bounds are late, as delays alone would hardly make them. */
  #longerOn(way: Way, slackUs: readonly Us[], bounds: readonly Bound[], nowUs: Us): boolean {
    let late = slackUs.length;
    while (late > 0 && slackUs[late - 1]! >= NEWS_US) late--;
    const run = slackUs.slice(late);
    this.#late[way] =
      run.length >= MIN_BUCKETS && chance(slackUs.slice(0, late), Math.min(...run), run.length) <= CHANCE;
    if (!this.#late[way]) this.longerSince[way] = Infinity;
    if (!this.#late[way] || this.longerSince[way] < Infinity) return false;
    if (bucketOf(nowUs) - bounds[late]!.bucket < LONGER_BUCKETS) return false;
    this.longerSince[way] = bounds[late]!.bucket;
    return true;
  }
}

function begun(before: Band, { upper, lower }: Bounds, nowUs: Us): Watch | undefined {
  const current = bucketOf(nowUs);
  const sides = [
    { direction: -1, tight: upper, other: lower },
    { direction: 1, tight: lower, other: upper },
  ] as const;
  for (const { direction, tight, other } of sides) {
    const news = tight.findLast((bound) => bound.bucket >= current - 1 && movedIn(bound, direction, before) > NEWS_US);
    if (news === undefined) continue;
    const newsBucket = news.bucket;
    const isOld = ({ bucket }: Bound): boolean => bucket < newsBucket;
    const otherSlackUs = slacks(other.filter(isOld), direction, before);
    const tightSlackUs = slacks(tight.filter(isOld), direction === 1 ? -1 : 1, before);
    return { old: before, direction, otherSlackUs, tightSlackUs, startedUs: nowUs, newsBucket };
  }
  return undefined;
}

function judged(watch: Watch, { upper, lower }: Bounds, nowUs: Us): Verdict | undefined {
  const { direction, old, newsBucket, otherSlackUs, tightSlackUs } = watch;
  const [tight, other] = direction === 1 ? [lower, upper] : [upper, lower];
  const since = (from: number, bounds: readonly Bound[]): readonly Bound[] =>
    bounds.filter(({ bucket }) => bucket >= from);
  const moved = since(newsBucket, tight).map((bound) => movedIn(bound, direction, old));
  const shiftUs = Math.max(...moved);
  const others = since(newsBucket + 1, other);
  const late = slacks(others, direction, old).map((slackUs, at) => slackUs - doubtUs(old, others[at]!.timeUs));
  const leastLateUs = Math.min(...late);
  const shorter = { kind: 'shorter', way: direction === -1 ? 'in' : 'out', sinceBucket: newsBucket } as const;
  if (moved.length === 0 || leastLateUs < Math.max(shiftUs / 2, 0.75 * shiftUs - ALIKE_US)) return shorter;
  if (nowUs - watch.startedUs > EXPIRY_US) return shorter;
  if (late.length < MIN_BUCKETS) return undefined;
  const byChance = chance(otherSlackUs, leastLateUs, late.length);
  // What the sides differ by is the least delay of one or the other.
  const differenceUs = leastLateUs - shiftUs - ALIKE_US;
  const behindStep = Math.max(
    chance(otherSlackUs, differenceUs, late.length),
    chance(tightSlackUs, differenceUs, moved.length),
  );
  const isStep = byChance <= CHANCE && behindStep >= PLAUSIBLE;
  return isStep ? { kind: 'step', sinceBucket: newsBucket + 1 } : undefined;
}

/** How far a bound certainly lies inside the old edge of its side, µs: upper bounds move in downwards, lower ones upwards. */
function movedIn({ boundUs, timeUs }: Bound, direction: 1 | -1, band: Band): Us {
  const insideUs = direction === 1 ? boundUs - lowerAt(band, timeUs) : upperAt(band, timeUs) - boundUs;
  return insideUs - doubtUs(band, timeUs);
}

/** How far off a line of the band may be by another time, for want of a known slope. */
const doubtUs = (band: Band, timeUs: Us): Us =>
  ((band.mostSkewPpm - band.leastSkewPpm) / 2) * 1e-6 * Math.max(0, timeUs - band.atUs);

/** How far bounds lie outside the edge of their side, µs; `sign` 1 for upper bounds, −1 for lower ones. */
const slacks = (bounds: readonly Bound[], sign: 1 | -1, band: Band): Us[] =>
  bounds.map(({ timeUs, boundUs }) => (sign === 1 ? boundUs - upperAt(band, timeUs) : lowerAt(band, timeUs) - boundUs));

/** Probability that `count` bounds all lie that far outside, if they were drawn from the old ones (rule of succession for what was never seen). */
function chance(old: readonly Us[], leastUs: Us, count: number): number {
  const beyond = old.filter((slack) => slack >= leastUs).length;
  return ((beyond + 1) / (old.length + 1)) ** count;
}
