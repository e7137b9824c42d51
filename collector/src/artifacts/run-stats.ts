import type { IterSummary, ShadowSnapshot } from '../../../schema/types.gen.js';
import type { PooledMean } from '../kpi/pool.ts';
import { BAND_MODELS, HORIZON_NAMES, Pool, WINDOW_KPIS } from '../kpi/pool.ts';

export type PooledKpis = ShadowSnapshot['pooled'];
export type PooledMeanKpi = PooledKpis['net_bps'];
export type KpiSpreads = ShadowSnapshot['kpi_last_n'];
export type SnapshotKpis = ShadowSnapshot['snapshot_kpis'];
export type RunReference = ShadowSnapshot['run'];

/** What is the same in all windows and in the summary of a run, in the order in which a difference is told. */
export const OF_A_RUN = ['run_id', 'config_hash', 'exchange', 'symbols', 'profile', 'source', 'git_commit'] as const;
export type RunField = (typeof OF_A_RUN)[number] | 'summary/fill_model';

/** A window in a few numbers, for plots over time. Null is 'the data cannot tell'. */
export interface WindowPoint {
  readonly iteration: number;
  readonly endMs: number;
  readonly fills: number;
  readonly netBps: number | null;
  readonly latencyP50Ms: number | null;
  readonly latencyP95Ms: number | null;
  /** Whether the clock offset has been taken off the latencies. */
  readonly corrected: boolean;
  readonly driftMs: number | null;
  readonly offsetMs: number | null;
  readonly uncertaintyMs: number | null;
}

/** The windows of one run put together, all symbols and each. Windows are added in their order; none is kept. */
export class RunStats {
  readonly total = new Pool();
  readonly bySymbol = new Map<string, Pool>();
  readonly points: WindowPoint[] = [];
  readonly notes = new Set<string>();
  readonly first: IterSummary;
  #durationSeconds = 0;

  constructor(first: IterSummary) {
    this.first = first;
  }

  /** The first field in which a window is of another run; undefined for one of this run. */
  differs(window: IterSummary): RunField | undefined {
    const field = OF_A_RUN.find((each) => JSON.stringify(window[each]) !== JSON.stringify(this.first[each]));
    if (field !== undefined) return field;
    return window.summary.fill_model === this.first.summary.fill_model ? undefined : 'summary/fill_model';
  }

  /** The value of such a field. */
  static fieldOf(window: IterSummary, field: RunField): unknown {
    return field === 'summary/fill_model' ? window.summary.fill_model : window[field];
  }

  add(window: IterSummary): void {
    this.total.add(window.summary, window.duration_seconds);
    for (const [symbol, summary] of Object.entries(window.by_symbol)) {
      let pool = this.bySymbol.get(symbol);
      if (pool === undefined) this.bySymbol.set(symbol, (pool = new Pool()));
      pool.add(summary, window.duration_seconds);
    }
    this.points.push(pointOf(window));
    for (const note of window.notes) this.notes.add(note);
    this.#durationSeconds += window.duration_seconds;
  }

  get durationSeconds(): number {
    return this.#durationSeconds;
  }

  /** `kpiHorizonS`: from the run's summary; null where that is not to be had. */
  reference(kpiHorizonS: number | null): RunReference {
    const { run_id, config_hash, exchange, symbols, profile, source, git_commit, summary } = this.first;
    const fill_model = summary.fill_model;
    return {
      ...{ run_id, config_hash, exchange, symbols, profile, source, git_commit, fill_model },
      kpi_horizon_s: kpiHorizonS,
    };
  }
}

function pointOf({ iteration, timestamp, summary }: IterSummary): WindowPoint {
  const { feed } = summary.latency_ms;
  return {
    iteration,
    endMs: Date.parse(timestamp),
    fills: summary.fills,
    netBps: summary.net_bps,
    latencyP50Ms: feed.p50,
    latencyP95Ms: feed.p95,
    corrected: feed.corrected,
    driftMs: summary.clock_drift_ms,
    offsetMs: summary.clock.offset_ms,
    uncertaintyMs: summary.clock.uncertainty_ms,
  };
}

/** What is not known is null, never 0; numbers carry six decimals, as in the windows. */
export const known = (value: number | undefined): number | null =>
  value === undefined || !Number.isFinite(value) ? null : Math.round(value * 1e6) / 1e6 + 0;

const money = (value: number): number => Math.round(value * 1e6) / 1e6 + 0;

/** The KPIs of pooled windows as they are published. */
export function pooledKpis(pool: Pool): PooledKpis {
  const { maker, taker, wouldBeTaker } = pool.notional;
  return {
    windows: pool.windows,
    fills: pool.fills,
    notional_quote: { maker: money(maker), taker: money(taker), would_be_taker: money(wouldBeTaker) },
    maker_taker_ratio: known(pool.makerShare),
    net_bps: meanKpi(pool.net()),
    gross_bps: known(pool.grossBps),
    risk_ratio: known(pool.risk),
    coverage: known(pool.coverage),
    markouts: Object.fromEntries(
      HORIZON_NAMES.map((name) => [name, meanKpi(pool.markout(name))]),
    ) as unknown as PooledKpis['markouts'],
    model_band: Object.fromEntries(
      BAND_MODELS.map((model) => [model, { fills: pool.modelFills[model], ...meanKpi(pool.net(model)) }]),
    ) as unknown as PooledKpis['model_band'],
    latency_ms: {
      ...pool.latency,
      p50: known(pool.latencyMs(0.5)),
      p95: known(pool.latencyMs(0.95)),
      p99: known(pool.latencyMs(0.99)),
    },
    pnl: { realized: money(pool.pnl.realized), fees: money(pool.pnl.fees) },
    feed: { ...pool.feed, suspect_ms: money(pool.feed.suspect_ms) },
  };
}

/** The four numbers of the whole that other tools read. */
export function snapshotKpis(pooled: PooledKpis): SnapshotKpis {
  const { maker_taker_ratio, net_bps, latency_ms, risk_ratio } = pooled;
  return { maker_taker_ratio, net_bps: net_bps.mean_bps, p95_latency_ms: latency_ms.p95, risk_ratio };
}

export const kpiSpreads = (pool: Pool): KpiSpreads =>
  Object.fromEntries(
    WINDOW_KPIS.map((kpi) => {
      const { n, median, min, max } = pool.spread(kpi);
      return [kpi, { n, median: known(median), min: known(min), max: known(max) }];
    }),
  ) as unknown as KpiSpreads;

export const meanKpi = ({ n, mean, interval }: PooledMean): PooledMeanKpi => ({
  n,
  mean_bps: known(mean),
  lower_95_bps: known(interval?.lower),
  upper_95_bps: known(interval?.upper),
});
