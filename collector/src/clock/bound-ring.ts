import type { Us } from '../units.ts';
import { US_PER_S } from '../units.ts';

/** Bounds are kept as the best of every so much local time … */
export const BUCKET_US: Us = 5 * US_PER_S;
/** … for so many of these: fifteen minutes. */
export const BUCKETS = 180;

export const bucketOf = (timeUs: Us): number => Math.floor(timeUs / BUCKET_US);

/** One bound on the clock offset: at that local time it was at most (at least) so much. */
export interface Bound {
  readonly bucket: number;
  readonly timeUs: Us;
  readonly boundUs: Us;
}

/**
 * The best bound of every bucket of local time: the lowest of upper bounds (`sign` 1), the highest of lower bounds (−1). A ring: a bucket that is
 * used again forgets what it held fifteen minutes ago. Recording allocates nothing.
 */
export class BoundRing {
  readonly #sign: 1 | -1;
  readonly #timesUs = new Float64Array(BUCKETS);
  readonly #boundsUs = new Float64Array(BUCKETS);
  /** Which bucket of all time a slot holds; −1 none. */
  readonly #buckets = new Float64Array(BUCKETS).fill(-1);
  #newest = -BUCKETS;

  constructor(sign: 1 | -1) {
    this.#sign = sign;
  }

  record(timeUs: Us, boundUs: Us): void {
    const bucket = bucketOf(timeUs);
    const slot = bucket % BUCKETS;
    const held = this.#buckets[slot]!;
    if (held === bucket && (boundUs - this.#boundsUs[slot]!) * this.#sign >= 0) return;
    if (held > bucket) return; // Older than all that is kept.
    this.#buckets[slot] = bucket;
    if (bucket > this.#newest) this.#newest = bucket;
    this.#timesUs[slot] = timeUs;
    this.#boundsUs[slot] = boundUs;
  }

  /** The best bound of a bucket; undefined where there is none, or no longer. */
  at(bucket: number): Bound | undefined {
    const slot = bucket % BUCKETS;
    if (this.#buckets[slot] !== bucket) return undefined;
    return { bucket, timeUs: this.#timesUs[slot]!, boundUs: this.#boundsUs[slot]! };
  }

  /** Bounds of the buckets `from` to `to`, both included, oldest first. */
  range(from: number, to: number): Bound[] {
    const bounds: Bound[] = [];
    for (let bucket = Math.max(from, to - BUCKETS + 1, 0); bucket <= to; bucket++) {
      const bound = this.at(bucket);
      if (bound !== undefined) bounds.push(bound);
    }
    return bounds;
  }

  /** Whether all that it held is forgotten by that bucket. */
  isEmptyAt(bucket: number): boolean {
    return this.#newest <= bucket - BUCKETS;
  }

  /** Forgets the buckets before that one; all of them without it. */
  clear(before = Infinity): void {
    if (this.#newest < before) this.#newest = -BUCKETS;
    for (let slot = 0; slot < BUCKETS; slot++) if (this.#buckets[slot]! < before) this.#buckets[slot] = -1;
  }
}
