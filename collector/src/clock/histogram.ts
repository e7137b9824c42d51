import { MIN_QUANTILE_COUNT } from '../kpi/quantile.ts';
import type { Us } from '../units.ts';

/** Sub-buckets per power of two: a bucket is at most 1/64 of its value wide, its middle at most 0.8 % off. */
const SUB_BITS = 6;
const SUB_COUNT = 1 << SUB_BITS;
/** Largest value told apart: 2^36 µs is 19 hours. Above it everything counts in the last bucket. */
const MAX_EXPONENT = 36;
const BUCKETS = (MAX_EXPONENT - SUB_BITS + 1) * SUB_COUNT + SUB_COUNT;

/**
 * Counts of non-negative integers in log-linear buckets, exact below 64. Recording is a few integer operations and allocates
 * nothing; histograms of several windows add up, so a percentile over windows is a percentile and not a mean of some.
 * Negative values cannot be placed; they are counted apart and rank below all others.
 */
export class LogLinearHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  count = 0;
  negatives = 0;
  /** The smallest value, exactly; Infinity when empty. */
  min = Infinity;

  record(value: number): void {
    this.count++;
    if (value < this.min) this.min = value;
    if (value < 0) {
      this.negatives++;
      return;
    }
    this.#counts[bucketOf(value)]!++;
  }

  add(other: LogLinearHistogram): void {
    this.count += other.count;
    this.negatives += other.negatives;
    this.min = Math.min(this.min, other.min);
    for (let index = 0; index < BUCKETS; index++) this.#counts[index]! += other.#counts[index]!;
  }

  /**
   * Nearest-rank quantile, as the middle of its bucket. Undefined below `MIN_QUANTILE_COUNT` values, and where the rank
   * falls among the negatives: of those only the count is known.
   */
  quantile(p: number): number | undefined {
    if (this.count < MIN_QUANTILE_COUNT) return undefined;
    let left = Math.ceil(p * this.count) - this.negatives;
    if (left <= 0) return undefined;
    for (let index = 0; index < BUCKETS; index++) {
      left -= this.#counts[index]!;
      if (left <= 0) return middleOf(index);
    }
    return undefined;
  }

  /** Empties it; what it has allocated stays. */
  clear(): void {
    this.#counts.fill(0);
    this.count = 0;
    this.negatives = 0;
    this.min = Infinity;
  }

  /** Non-empty buckets as [lower bound, count], ascending: what an artifact keeps to be merged later. */
  buckets(): [number, number][] {
    const result: [number, number][] = [];
    for (let index = 0; index < BUCKETS; index++) {
      if (this.#counts[index]! > 0) result.push([lowerBoundOf(index), this.#counts[index]!]);
    }
    return result;
  }
}

/**
 * The same quantile from buckets as artifacts keep them, lower bound → count. `count`: all values, `negatives` of them, which rank below every
 * bucket, included. Undefined also where the buckets hold fewer values than they should.
 */
export function quantileOfBuckets(
  buckets: ReadonlyMap<number, number>,
  count: number,
  negatives: number,
  p: number,
): number | undefined {
  if (count < MIN_QUANTILE_COUNT) return undefined;
  let left = Math.ceil(p * count) - negatives;
  if (left <= 0) return undefined;
  for (const [lower, inBucket] of [...buckets].sort(([a], [b]) => a - b)) {
    left -= inBucket;
    if (left <= 0) return middleOf(bucketOf(lower));
  }
  return undefined;
}

/** Whether a value is the lower bound of a bucket. */
export const isBucketBound = (value: number): boolean => lowerBoundOf(bucketOf(value)) === value;

/** Bounds of the buckets of a Prometheus histogram, and a table that finds the bucket of a duration without a search. */
export class BucketScale {
  /** Upper bounds, µs, ascending; above the last there is one more bucket. */
  readonly boundsUs: readonly Us[];
  /** By log-linear bucket: the first bound that a value in it may lie below. */
  readonly #first: Uint8Array;

  constructor(boundsUs: readonly Us[]) {
    this.boundsUs = boundsUs;
    this.#first = Uint8Array.from({ length: BUCKETS }, (_, index) => {
      const first = boundsUs.findIndex((bound) => bound >= lowerBoundOf(index));
      return first === -1 ? boundsUs.length : first;
    });
  }

  /** A duration on a bound lies below it, as `le` says. */
  bucketOf(us: Us): number {
    let bucket = this.#first[bucketOf(us)]!;
    while (bucket < this.boundsUs.length && us > this.boundsUs[bucket]!) bucket++;
    return bucket;
  }
}

/** Counts of durations in such buckets for the whole run. Recording is a few operations and allocates nothing; a scrape reads it. */
export class BucketHistogram {
  readonly scale: BucketScale;
  /** Not cumulative; one more than there are bounds. */
  readonly counts: Float64Array;
  sumUs: Us = 0;

  constructor(scale: BucketScale) {
    this.scale = scale;
    this.counts = new Float64Array(scale.boundsUs.length + 1);
  }

  /** `us` ≥ 0. */
  record(us: Us): void {
    this.counts[this.scale.bucketOf(us)]!++;
    this.sumUs += us;
  }

  get count(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }
}

function bucketOf(value: number): number {
  if (value >= 2 ** 31) return value >= 2 ** MAX_EXPONENT ? BUCKETS - 1 : bucketOfLarge(value);
  const whole = value | 0;
  if (whole < SUB_COUNT) return whole;
  const shift = 31 - Math.clz32(whole) - SUB_BITS;
  return (shift << SUB_BITS) + (whole >> shift);
}

function bucketOfLarge(value: number): number {
  const shift = 62 - Math.clz32(value / 2 ** 31) - SUB_BITS;
  return shift * SUB_COUNT + Math.floor(value / 2 ** shift);
}

function lowerBoundOf(index: number): number {
  if (index < SUB_COUNT) return index;
  const shift = Math.floor(index / SUB_COUNT) - 1;
  return ((index % SUB_COUNT) + SUB_COUNT) * 2 ** shift;
}

function middleOf(index: number): number {
  if (index < SUB_COUNT) return index;
  const width = 2 ** (Math.floor(index / SUB_COUNT) - 1);
  return lowerBoundOf(index) + Math.floor(width / 2);
}
