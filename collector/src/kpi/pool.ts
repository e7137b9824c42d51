import type { IterSummary } from '../../../schema/types.gen.js';
import { quantileOfBuckets } from '../clock/histogram.ts';
import type { Interval, WeightedSum } from './bootstrap.ts';
import { blockBootstrap } from './bootstrap.ts';
import { median } from './quantile.ts';

type Summary = IterSummary['summary'];
export type Horizon = keyof Summary['markouts'];
export type BandModel = keyof Summary['model_band'];

export const HORIZON_NAMES = ['100ms', '1s', '5s', '30s', '60s'] as const satisfies readonly Horizon[];
export const BAND_MODELS = ['trade_through', 'queue', 'touch_dwell', 'touch'] as const satisfies readonly BandModel[];

/** The driving model as the band spells it. */
export const bandModelOf = ({ fill_model }: Summary): BandModel => fill_model.replace('-', '_') as BandModel;

/** The KPIs of windows whose median, least and largest value are told. */
export const WINDOW_KPIS = [
  'maker_taker_ratio',
  'net_bps',
  'p95_latency_ms',
  'risk_ratio',
  'clock_drift_ms',
  'gross_bps',
  'adverse_bps',
  'fees_bps',
  'fill_ratio',
  'slippage_bps_p95',
  'adverse_bps_p95',
  'fills',
  'coverage',
] as const;
export type WindowKpi = (typeof WINDOW_KPIS)[number];

/** Of the windows in which the KPI was known; undefined without one. */
export interface Spread {
  readonly n: number;
  readonly median: number | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** A notional-weighted mean over windows, and its interval; each undefined where the data cannot tell. */
export interface PooledMean {
  /** Fills that it is of. */
  readonly n: number;
  readonly mean: number | undefined;
  readonly interval: Interval | undefined;
}

const FEED_COUNTS = ['messages', 'gaps', 'reconnects', 'late', 'dropped', 'bad', 'suspect_ms'] as const;

/**
 * Puts windows of one run together: counts add up, means are weighted by what they are of, percentiles come from merged histograms. Holds per window a few
 * numbers only. Windows are added in their order.
 */
export class Pool {
  windows = 0;
  fills = 0;
  /** The model whose fills drove quoting; that of the first window. */
  driver: BandModel | undefined;
  readonly notional = { maker: 0, taker: 0, wouldBeTaker: 0 };
  readonly pnl = { realized: 0, fees: 0 };
  readonly feed = Object.fromEntries(FEED_COUNTS.map((name) => [name, 0])) as Record<
    (typeof FEED_COUNTS)[number],
    number
  >;
  /** Fills that each model granted. */
  readonly modelFills = Object.fromEntries(BAND_MODELS.map((model) => [model, 0])) as Record<BandModel, number>;
  /** Messages whose latency is in `latencyMs`, and those left out of it because their offset was not known. */
  readonly latency = { n: 0, corrected: false, uncorrected: 0, negative: 0 };
  readonly #bucketsUs = new Map<number, number>();
  readonly #values = new Map<WindowKpi, number[]>(WINDOW_KPIS.map((kpi) => [kpi, []]));
  readonly #markouts = new Map<Horizon, Means>(HORIZON_NAMES.map((name) => [name, new Means()]));
  readonly #models = new Map<BandModel, Means>(BAND_MODELS.map((model) => [model, new Means()]));
  readonly #gross = new Means();
  #durationS = 0;
  #liveS = 0;
  #inventoryS = 0;

  /** `durationS`: length of the window. */
  add(summary: Summary, durationS: number): void {
    this.windows++;
    this.fills += summary.fills;
    this.driver ??= bandModelOf(summary);
    this.notional.maker += summary.notional_quote.maker;
    this.notional.taker += summary.notional_quote.taker;
    this.notional.wouldBeTaker += summary.notional_quote.would_be_taker;
    this.pnl.realized += summary.pnl.realized;
    this.pnl.fees += summary.pnl.fees;
    for (const name of FEED_COUNTS) this.feed[name] += summary.feed[name];
    this.#addValues(summary);
    this.#addMeans(summary);
    this.#addLatency(summary.latency_ms.feed);
    const liveS = (summary.feed.coverage ?? 0) * durationS;
    this.#durationS += durationS;
    this.#liveS += liveS;
    this.#inventoryS += (summary.inventory.time_weighted ?? 0) * liveS;
  }

  /** maker / (maker + taker + would-be taker) in notional; undefined without any. */
  get makerShare(): number | undefined {
    const { maker, taker, wouldBeTaker } = this.notional;
    return ratio(maker, maker + taker + wouldBeTaker);
  }

  /** Share of time with a trusted book. */
  get coverage(): number | undefined {
    return ratio(this.#liveS, this.#durationS);
  }

  /** Time-weighted |inventory| over its limit, at most 1. */
  get risk(): number | undefined {
    const use = ratio(this.#inventoryS, this.#liveS);
    return use === undefined ? undefined : Math.min(1, use);
  }

  get grossBps(): number | undefined {
    return this.#gross.pooled.mean;
  }

  spread(kpi: WindowKpi): Spread {
    const values = this.#values.get(kpi)!;
    const sorted = [...values].sort((a, b) => a - b);
    return { n: values.length, median: median(sorted), min: sorted[0], max: sorted.at(-1) };
  }

  /** The values of a KPI in the windows where it was known, in their order. */
  values(kpi: WindowKpi): readonly number[] {
    return this.#values.get(kpi)!;
  }

  /** Net edge at the KPI horizon, by the fills of a model; without one, of the driving model. */
  net(model: BandModel | undefined = this.driver): PooledMean {
    return model === undefined ? { n: 0, mean: undefined, interval: undefined } : this.#models.get(model)!.pooled;
  }

  /** What each window adds to that of the driving model. */
  get netSums(): readonly WeightedSum[] {
    return this.driver === undefined ? [] : this.#models.get(this.driver)!.windows;
  }

  markout(horizon: Horizon): PooledMean {
    return this.#markouts.get(horizon)!.pooled;
  }

  /** A percentile of feed latency over all messages, ms; undefined where it cannot be told (see `quantileOfBuckets`). */
  latencyMs(p: number): number | undefined {
    const { n, corrected, negative } = this.latency;
    const us = quantileOfBuckets(this.#bucketsUs, n, corrected ? 0 : negative, p);
    return us === undefined ? undefined : us / 1_000;
  }

  #addValues(summary: Summary): void {
    const { corrected } = summary.latency_ms.feed;
    // Raw percentiles beside corrected ones are of something else.
    if (corrected && !this.latency.corrected) this.#values.set('p95_latency_ms', []);
    for (const kpi of WINDOW_KPIS) {
      if (kpi === 'p95_latency_ms' && this.latency.corrected && !corrected) continue;
      const value = kpi === 'coverage' ? summary.feed.coverage : summary[kpi];
      if (value !== null) this.#values.get(kpi)!.push(value);
    }
  }

  #addMeans(summary: Summary): void {
    for (const [name, means] of this.#markouts) {
      const { n, weight_quote: weight, mean_bps: mean } = summary.markouts[name];
      means.add(n, weight, mean);
    }
    for (const [model, means] of this.#models) {
      const { fills, n, weight_quote: weight, net_bps: mean } = summary.model_band[model];
      this.modelFills[model] += fills;
      means.add(n, weight, mean);
    }
    const { maker, taker } = summary.notional_quote;
    this.#gross.add(summary.fills, maker + taker, summary.gross_bps);
  }

  /** Raw values are latencies only as far as clocks agree: beside corrected ones they are left out, and counted. */
  #addLatency(feed: Summary['latency_ms']['feed']): void {
    const { latency } = this;
    if (feed.corrected && !latency.corrected) {
      latency.uncorrected += latency.n;
      Object.assign(latency, { n: 0, corrected: true, negative: 0 });
      this.#bucketsUs.clear();
    }
    latency.uncorrected += feed.uncorrected;
    if (latency.corrected && !feed.corrected) {
      latency.uncorrected += feed.n;
      return;
    }
    latency.n += feed.n;
    latency.negative += feed.negative;
    for (const [lowerUs, count] of feed.histogram_us) {
      this.#bucketsUs.set(lowerUs, (this.#bucketsUs.get(lowerUs) ?? 0) + count);
    }
  }
}

/** Weighted means, one a window, and their mean. */
class Means {
  readonly windows: WeightedSum[] = [];
  #n = 0;
  #pooled: PooledMean | undefined;

  add(n: number, weight: number, mean: number | null): void {
    this.#n += n;
    this.windows.push(mean === null ? { weight: 0, sum: 0 } : { weight, sum: weight * mean });
    this.#pooled = undefined;
  }

  get pooled(): PooledMean {
    if (this.#pooled !== undefined) return this.#pooled;
    const weight = this.windows.reduce((total, window) => total + window.weight, 0);
    const sum = this.windows.reduce((total, window) => total + window.sum, 0);
    this.#pooled = { n: this.#n, mean: ratio(sum, weight), interval: blockBootstrap(this.windows) };
    return this.#pooled;
  }
}

const ratio = (part: number, whole: number): number | undefined => (whole > 0 ? part / whole : undefined);
