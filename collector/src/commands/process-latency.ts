import type { IntervalHistogram } from 'node:perf_hooks';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { IterSummary } from '../../../schema/types.gen.js';
import { BucketHistogram, BucketScale, LogLinearHistogram } from '../clock/histogram.ts';
import type { MarketEvent } from '../events.ts';
import type { Build } from '../resources.ts';
import type { Clock } from '../system-clock.ts';
import type { Us } from '../units.ts';
import { US_PER_MS } from '../units.ts';

type ProcessSummary = NonNullable<IterSummary['process']>;
type Quantiles = ProcessSummary['latency_ms']['loop'];

const NS_PER_MS = 1e6;
const LOOP_RESOLUTION_MS = 10;
/** Bounds of `shadow_ingest_queue_seconds` and `shadow_processing_seconds`, µs. */
const PROCESS_BUCKETS = new BucketScale([
  50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
]);

/**
 * How long this process takes, by event: from the bytes leaving the socket to the start of their processing, and to its end; and how late the event loop runs. A
 * timer's tick is no event.
 */
export class ProcessLatency {
  /** Since the start of the run. */
  readonly ingestQueueTotal = new BucketHistogram(PROCESS_BUCKETS);
  readonly processingTotal = new BucketHistogram(PROCESS_BUCKETS);
  readonly #clock: Clock;
  readonly #build: Build;
  readonly #loop: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  readonly #ingestQueue = new LogLinearHistogram();
  readonly #processing = new LogLinearHistogram();

  constructor(clock: Clock, build: Build) {
    this.#clock = clock;
    this.#build = build;
    this.#loop.enable();
  }

  /** A batch is about to be processed. */
  begin(events: readonly MarketEvent[]): void {
    record(events, this.#clock.monoUs(), this.#ingestQueue, this.ingestQueueTotal);
  }

  /** It has been. */
  end(events: readonly MarketEvent[]): void {
    record(events, this.#clock.monoUs(), this.#processing, this.processingTotal);
  }

  /** Of the time since the last call. */
  publish(): ProcessSummary {
    // The histogram of node's own timer: a delay, less the interval it was set to.
    const loop = (percentile: number): number | null =>
      this.#loop.count === 0 ? null : Math.max(0, this.#loop.percentile(percentile) / NS_PER_MS - LOOP_RESOLUTION_MS);
    const summary: ProcessSummary = {
      latency_ms: {
        ingest_queue: quantilesOf(this.#ingestQueue),
        processing: quantilesOf(this.#processing),
        loop: { p50: loop(50), p95: loop(95), p99: loop(99) },
      },
      build: { version: this.#build.version, node: process.version },
    };
    this.#ingestQueue.clear();
    this.#processing.clear();
    this.#loop.reset();
    return summary;
  }

  close(): void {
    this.#loop.disable();
  }
}

function record(events: readonly MarketEvent[], nowUs: Us, window: LogLinearHistogram, total: BucketHistogram): void {
  for (const { kind, monoUs } of events) {
    if (kind === 'heartbeat') continue;
    const us = Math.max(0, nowUs - monoUs);
    window.record(us);
    total.record(us);
  }
}

function quantilesOf(histogram: LogLinearHistogram): Quantiles {
  const quantile = (p: number): number | null => {
    const us = histogram.quantile(p);
    return us === undefined ? null : us / US_PER_MS;
  };
  return { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) };
}
