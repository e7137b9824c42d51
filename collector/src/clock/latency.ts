import type { Us } from '../units.ts';
import { BucketScale, LogLinearHistogram } from './histogram.ts';

/** Bounds of `shadow_feed_latency_seconds` and of the publish delay, µs; 350 ms is the threshold of ShadowLatencyHigh. */
export const FEED_LATENCY_BUCKETS = new BucketScale([
  1_000, 2_500, 5_000, 10_000, 20_000, 35_000, 50_000, 75_000, 100_000, 150_000, 250_000, 350_000, 500_000, 1_000_000,
  2_500_000,
]);

/**
 * Feed latency of one window: of every message that could be corrected by the clock offset; while none could, raw. The two are never mixed: the
 * first that can be corrected pushes out what came before, which is counted as uncorrected. Recording allocates nothing.
 */
export class FeedLatency {
  /** One-way latency (receive − publish − offset, floored at 0) when `corrected`, receive − publish otherwise, µs. */
  readonly histogramUs = new LogLinearHistogram();
  corrected = false;
  /** Messages left out because their latency could not be corrected. */
  uncorrected = 0;
  #floored = 0;

  /** Messages that arrived before they were sent: by the corrected clock the estimate was too high, by the raw one the local clock is behind. */
  get negatives(): number {
    return this.corrected ? this.#floored : this.histogramUs.negatives;
  }

  /** The least value, µs; undefined when there is none. */
  get minUs(): Us | undefined {
    return this.histogramUs.count === 0 ? undefined : this.histogramUs.min;
  }

  /** `oneWayUs`: undefined while the offset has not been measured. */
  record(rawUs: Us, oneWayUs: Us | undefined): void {
    if (oneWayUs === undefined) {
      if (this.corrected) this.uncorrected++;
      else this.histogramUs.record(rawUs);
      return;
    }
    if (!this.corrected) this.#correct();
    if (oneWayUs < 0) this.#floored++;
    this.histogramUs.record(oneWayUs < 0 ? 0 : oneWayUs);
  }

  /** Adds another's. Raw values beside corrected ones are left out, and counted. */
  merge(other: FeedLatency): void {
    if (other.corrected && !this.corrected) this.#correct();
    if (this.corrected && !other.corrected) {
      this.uncorrected += other.histogramUs.count;
      return;
    }
    this.histogramUs.add(other.histogramUs);
    this.uncorrected += other.uncorrected;
    this.#floored += other.#floored;
  }

  #correct(): void {
    this.uncorrected += this.histogramUs.count;
    this.histogramUs.clear();
    this.corrected = true;
  }
}
