import type { ClockReading } from '../clock/exchange-clock.ts';
import type { MarketEvent } from '../events.ts';
import { bookPrices } from '../metrics/book-prices.ts';
import { isHeard, isTrusted } from '../metrics/trust.ts';
import type { Pipeline } from '../pipeline.ts';
import type { SymbolShadow } from '../symbol-shadow.ts';
import type { Us } from '../units.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';
import type { Sample } from './sample-ring.ts';

export const SAMPLE_PERIOD_US: Us = 250 * US_PER_MS;
/** A percentile is a walk over a histogram: often enough for eyes. */
const LATENCY_PERIOD_US: Us = US_PER_S;

export type OnSample = (symbol: string, sample: Sample) => void;

/** Looks at a run once in `SAMPLE_PERIOD_US` of the receive clock, as the stamps tell it, however its events are cut into batches. */
export class Sampler {
  readonly #onSample: OnSample;
  readonly #latencies = new Map<string, { readonly p95Ms: number | undefined; readonly dueUs: Us }>();
  #dueUs: Us = -Infinity;

  constructor(onSample: OnSample) {
    this.#onSample = onSample;
  }

  /** Hands events to the pipeline, and samples behind each that a sample is due at: a batch of a replay is seconds long. */
  push(pipeline: Pipeline, events: readonly MarketEvent[]): void {
    let start = 0;
    for (let index = 0; index < events.length; index++) {
      const { monoUs } = events[index]!;
      if (monoUs < this.#dueUs) continue;
      pipeline.push(start === 0 && index === events.length - 1 ? events : events.slice(start, index + 1));
      start = index + 1;
      this.#sample(pipeline, monoUs);
    }
    if (start < events.length) pipeline.push(start === 0 ? events : events.slice(start));
  }

  #sample(pipeline: Pipeline, monoUs: Us): void {
    // The clocks are not known before the first event that counts.
    if (pipeline.startUs === undefined) return;
    this.#dueUs = (Math.floor(monoUs / SAMPLE_PERIOD_US) + 1) * SAMPLE_PERIOD_US;
    const times_ms = pipeline.endUs / US_PER_MS;
    const clock = pipeline.clock.reading(pipeline.monoUs);
    for (const shadow of pipeline.symbols.values()) {
      this.#onSample(shadow.symbol, sampleOf(shadow, times_ms, clock, this.#latencyMs(shadow, monoUs), monoUs));
    }
  }

  #latencyMs({ symbol, stats }: SymbolShadow, monoUs: Us): number | undefined {
    const last = this.#latencies.get(symbol);
    if (last !== undefined && monoUs < last.dueUs) return last.p95Ms;
    const p95Ms = msOf(stats.latency.histogramUs.quantile(0.95));
    // Symbols take turns from the first time on, so that no message waits for the percentiles of all.
    const turn = (this.#latencies.size * SAMPLE_PERIOD_US) % LATENCY_PERIOD_US;
    const dueUs = monoUs + (last === undefined ? turn + SAMPLE_PERIOD_US : LATENCY_PERIOD_US);
    this.#latencies.set(symbol, { p95Ms, dueUs });
    return p95Ms;
  }
}

function sampleOf(
  shadow: SymbolShadow,
  times_ms: number,
  { synced, offsetUs, uncertaintyUs }: ClockReading,
  latencyMs: number | undefined,
  monoUs: Us,
): Sample {
  const prices = isTrusted(shadow, monoUs) ? bookPrices(shadow) : undefined;
  // A last value that is kept for ever would show a dead feed as a healthy one.
  const heard = isHeard(shadow, monoUs);
  return {
    times_ms,
    bid: prices?.bid,
    ask: prices?.ask,
    quote_buy: prices?.quoteBuy,
    quote_sell: prices?.quoteSell,
    drift_ms: heard ? rounded(shadow.simulation.kpi.drift.valueMs) : undefined,
    // An upper bound alone is no offset.
    offset_ms: synced ? msOf(offsetUs) : undefined,
    uncertainty_ms: synced ? msOf(uncertaintyUs) : undefined,
    latency_ms: heard ? latencyMs : undefined,
  };
}

/** To the microsecond, which is what stamps are made of. */
const rounded = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.round(ms * US_PER_MS) / US_PER_MS;

const msOf = (us: Us | undefined): number | undefined => (us === undefined ? undefined : rounded(us / US_PER_MS));
