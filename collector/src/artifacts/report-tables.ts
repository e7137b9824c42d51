import type { ShadowSnapshot } from '../../../schema/types.gen.js';
import { BAND_MODELS, HORIZON_NAMES } from '../kpi/pool.ts';
import { DEFAULT_THRESHOLDS } from './gates.ts';
import type { KpiSpreads, PooledKpis, PooledMeanKpi } from './run-stats.ts';
import { shown } from './table.ts';

export interface ReportTable {
  readonly title: string;
  /** What a reader must know of it. */
  readonly note: string;
  /** The first row is the head. */
  readonly rows: readonly (readonly string[])[];
  /** Columns of numbers. */
  readonly right: readonly number[];
}

const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8];

/** Everything a report says in tables; Markdown and HTML show the same. */
export function reportTables(snapshot: ShadowSnapshot): ReportTable[] {
  const { pooled, kpi_last_n: spreads, window_size: windows } = snapshot;
  return [
    {
      title: 'KPIs',
      note: `All ${windows} windows together: shares and means weighted by notional, latency from merged histograms. Median, least and largest are of single windows. n/a: the data cannot tell.`,
      rows: kpiRows(pooled, spreads),
      right: NUMBERS.slice(0, 4),
    },
    {
      title: 'Fill models',
      note: 'The same orders under every model, pessimistic first; the truth lies between the first and the last. The interval is a 95 % block bootstrap over windows, n/a below eight windows with fills.',
      rows: bandRows(pooled),
      right: NUMBERS,
    },
    {
      title: 'Markouts',
      note: 'Mid after the horizon against the price of the fill, + is good for us, before fees.',
      rows: [
        ['horizon', 'fills', 'mean bps', 'lower 95 %', 'upper 95 %'],
        ...HORIZON_NAMES.map((name) => [name, ...meanCells(pooled.markouts[name])]),
      ],
      right: NUMBERS,
    },
    { title: 'Symbols', note: 'Each symbol by itself.', rows: symbolRows(snapshot), right: NUMBERS },
    {
      title: 'Feed',
      note: 'How far the data can be trusted.',
      rows: feedRows(pooled, spreads),
      right: [1],
    },
  ];
}

function kpiRows(pooled: PooledKpis, spreads: KpiSpreads): string[][] {
  const { minMakerTaker, minEdgeBps, maxLatencyMs, maxRisk, maxDriftMs } = DEFAULT_THRESHOLDS;
  const row = (name: keyof KpiSpreads, digits: number, whole: string, gate = ''): string[] => {
    const { median, min, max } = spreads[name];
    return [name, whole, shown(median, digits), shown(min, digits), shown(max, digits), gate];
  };
  const { net_bps: net } = pooled;
  return [
    ['', 'all windows', 'median', 'least', 'largest', 'gate of the audit'],
    row('net_bps', 2, shown(net.mean_bps, 2), `lower bound >= ${minEdgeBps}`),
    row('gross_bps', 2, shown(pooled.gross_bps, 2)),
    row('adverse_bps', 2, ''),
    row('fees_bps', 2, ''),
    row('maker_taker_ratio', 3, shown(pooled.maker_taker_ratio, 3), `>= ${minMakerTaker}`),
    row('fills', 0, String(pooled.fills)),
    row('fill_ratio', 3, ''),
    row('p95_latency_ms', 1, shown(pooled.latency_ms.p95, 1), `<= ${maxLatencyMs}`),
    row('clock_drift_ms', 1, '', `within ± ${maxDriftMs}`),
    row('risk_ratio', 3, shown(pooled.risk_ratio, 3), `<= ${maxRisk}`),
    row('coverage', 3, shown(pooled.coverage, 3), `>= ${DEFAULT_THRESHOLDS.minCoverage}`),
  ];
}

const meanCells = ({ n, mean_bps: mean, lower_95_bps: lower, upper_95_bps: upper }: PooledMeanKpi): string[] => [
  String(n),
  shown(mean, 2),
  shown(lower, 2),
  shown(upper, 2),
];

export const modelName = (model: string): string => model.replace('_', '-');

function bandRows({ model_band: band }: PooledKpis): string[][] {
  return [
    ['model', 'fills', 'known', 'net bps', 'lower 95 %', 'upper 95 %'],
    ...BAND_MODELS.map((model) => [modelName(model), String(band[model].fills), ...meanCells(band[model])]),
  ];
}

function symbolRows({ by_symbol: bySymbol }: ShadowSnapshot): string[][] {
  return [
    ['symbol', 'fills', 'net bps', 'lower 95 %', 'maker share', 'p95 latency ms', 'risk', 'coverage'],
    ...Object.entries(bySymbol).map(([symbol, { pooled }]) => [
      symbol,
      String(pooled.fills),
      shown(pooled.net_bps.mean_bps, 2),
      shown(pooled.net_bps.lower_95_bps, 2),
      shown(pooled.maker_taker_ratio, 3),
      shown(pooled.latency_ms.p95, 1),
      shown(pooled.risk_ratio, 3),
      shown(pooled.coverage, 3),
    ]),
  ];
}

function feedRows({ feed, latency_ms: latency }: PooledKpis, spreads: KpiSpreads): string[][] {
  const corrected = latency.corrected ? 'clock offset taken off' : 'clock offset included';
  return [
    ['', 'value', 'of'],
    ['messages', String(feed.messages), ''],
    [
      'latency',
      `${shown(latency.p50, 1)} / ${shown(latency.p95, 1)} / ${shown(latency.p99, 1)}`,
      `ms, p50 / p95 / p99, ${corrected}`,
    ],
    ['latency not known', String(latency.uncorrected), 'messages before the offset was measured'],
    ['drift', shown(spreads.clock_drift_ms.median, 1), 'ms, median: clock offset plus delay'],
    ['gaps', String(feed.gaps), 'in the sequence of book updates'],
    ['reconnects', String(feed.reconnects), ''],
    ['late, dropped, bad', `${feed.late}, ${feed.dropped}, ${feed.bad}`, 'events'],
    ['book not trusted', shown(feed.suspect_ms / 1_000, 1), 's, summed over symbols'],
  ];
}

/** What the report is of, a line each. */
export function reportScope({ run, ...snapshot }: ShadowSnapshot): string[] {
  const {
    first_iteration: first,
    last_iteration: last,
    started_at: from,
    ended_at: to,
    left_out_total: leftOut,
  } = snapshot;
  const horizon = run.kpi_horizon_s === null ? 'unknown' : `${run.kpi_horizon_s} s`;
  return [
    `run ${run.run_id}, ${run.source}, commit ${run.git_commit.slice(0, 12)}`,
    `${run.exchange} ${run.symbols.join(', ')}, profile ${run.profile}, fill model ${run.fill_model}, markout horizon of the KPIs ${horizon}`,
    `windows ${first} to ${last}, ${snapshot.window_size} of ${snapshot.total_iterations} in the folder, ${from} to ${to}`,
    ...(leftOut > 0 ? [`${leftOut} windows or files left out, see the end`] : []),
    ...snapshot.notes.map((note) => `note: ${note}`),
  ];
}
