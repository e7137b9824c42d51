import type { IntervalHistogram } from 'node:perf_hooks';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { IterSummary } from '../../../schema/types.gen.js';
import { LogLinearHistogram } from '../kpi/quantile.ts';
import type { Build } from '../resources.ts';
import type { Clock } from '../system-clock.ts';
import { US_PER_MS } from '../units.ts';

type ProcessSummary = NonNullable<IterSummary['process']>;

const NS_PER_MS = 1e6;
const LOOP_RESOLUTION_MS = 10;

/** How long this process takes: from a chunk's stamp to the end of its processing, and how late the event loop runs. */
export class ProcessLatency {
  readonly #clock: Clock;
  readonly #build: Build;
  readonly #loop: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  #processing = new LogLinearHistogram();

  constructor(clock: Clock, build: Build) {
    this.#clock = clock;
    this.#build = build;
    this.#loop.enable();
  }

  record(chunkMonoUs: number): void {
    this.#processing.record(Math.max(0, this.#clock.monoUs() - chunkMonoUs));
  }

  /** Of the time since the last call. */
  publish(): ProcessSummary {
    const processing = this.#processing;
    this.#processing = new LogLinearHistogram();
    const quantile = (p: number): number | null => {
      const us = processing.quantile(p);
      return us === undefined ? null : us / US_PER_MS;
    };
    // The histogram of node's own timer: a delay, less the interval it was set to.
    const loop = (percentile: number): number | null =>
      this.#loop.count === 0 ? null : Math.max(0, this.#loop.percentile(percentile) / NS_PER_MS - LOOP_RESOLUTION_MS);
    const summary: ProcessSummary = {
      latency_ms: {
        processing: { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) },
        loop: { p50: loop(50), p95: loop(95), p99: loop(99) },
      },
      build: { version: this.#build.version, node: process.version },
    };
    this.#loop.reset();
    return summary;
  }

  close(): void {
    this.#loop.disable();
  }
}
