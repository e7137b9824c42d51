/** What the collector has told of a symbol, and the data frames that the panel reads it from. Pure. */
import type { Fill, LiveHistory, LiveKpis, LiveSamples, LiveUpdate } from '@shadow-mode/schema';
import type { FieldJson, FrameJson, TimeRangeJson } from '../host/frames';

export interface LiveData {
  readonly symbol: string;
  readonly samples: LiveSamples;
  readonly fills: readonly Fill[];
  readonly kpis: LiveKpis;
  readonly givenUpFills: number;
}

export const dataOf = ({ symbol, samples, fills, kpis, given_up_fills }: LiveHistory): LiveData => ({
  symbol,
  samples,
  fills,
  kpis,
  givenUpFills: given_up_fills,
});

/** What was known with what is new; what is older than `keptMs` before the last sample is forgotten. */
export function withUpdate(data: LiveData, update: LiveUpdate, keptMs: number): LiveData {
  const times = [...data.samples.times_ms, ...update.samples.times_ms];
  const oldestMs = (times.at(-1) ?? -Infinity) - keptMs;
  const from = times.findIndex((ms) => ms >= oldestMs);
  const columns = Object.keys(data.samples) as Array<keyof LiveSamples>;
  const samples = Object.fromEntries(
    columns.map((name) => [name, [...data.samples[name], ...update.samples[name]].slice(Math.max(0, from))])
  ) as unknown as LiveSamples;
  return {
    symbol: data.symbol,
    samples,
    fills: [...data.fills, ...update.fills].filter(({ time_us }) => time_us >= oldestMs * 1_000),
    kpis: update.kpis ?? data.kpis,
    givenUpFills: update.given_up_fills,
  };
}

/** A run that has just begun is not shown at the edge of an empty plot. */
const LEAST_SPAN_MS = 30_000;

/**
 * The time to show, exchange time: the last `spanMs` of what there is, less where there is less, or what of a zoomed time is still known. Nothing of
 * before what is kept: no fill there would be no knowledge of one. Undefined before the first sample.
 */
export function shownRange(data: LiveData, spanMs: number, zoomed?: TimeRangeJson): TimeRangeJson | undefined {
  const { samples, fills, givenUpFills } = data;
  const [first, to] = [samples.times_ms[0], samples.times_ms.at(-1)];
  if (first === undefined || to === undefined) {
    return undefined;
  }
  // Fills that were given up are of before the first one that is kept.
  const known = givenUpFills > 0 && fills.length > 0 ? Math.max(first, fills[0]!.time_us / 1_000) : first;
  if (zoomed !== undefined && zoomed.from < to && zoomed.to > known) {
    return { from: Math.max(known, zoomed.from), to: Math.min(to, zoomed.to) };
  }
  const span = Math.min(spanMs, Math.max(LEAST_SPAN_MS, to - first));
  return { from: givenUpFills > 0 ? Math.max(known, to - span) : to - span, to };
}

/** Samples come a little late at times; six periods apart and more there is a hole (1.5 intervals). */
const LATE = 4;

/** As the queries of the dashboard would give them: by the names of the metrics. `periodMs`: least time between two samples. */
export function framesOf({ symbol, samples, fills, kpis }: LiveData, periodMs: number): FrameJson[] {
  const time = samples.times_ms;
  const line = (metric: string, values: ReadonlyArray<number | null>, labels = {}): FrameJson =>
    series(metric, symbol, time, values, { labels, intervalMs: LATE * periodMs });
  const last = time.slice(-1);
  const kpi = (metric: string, value: number | null, labels = {}): FrameJson =>
    series(
      metric,
      symbol,
      last,
      last.map(() => value),
      { labels, intervalMs: LATE * periodMs }
    );
  return [
    line('shadow_best_bid', samples.bid),
    line('shadow_best_ask', samples.ask),
    line('shadow_quote_price', samples.quote_buy, { side: 'buy' }),
    line('shadow_quote_price', samples.quote_sell, { side: 'sell' }),
    line('shadow_clock_drift_ms', samples.drift_ms),
    line('shadow_clock_offset_ms', samples.offset_ms),
    line('shadow_clock_offset_uncertainty_ms', samples.uncertainty_ms),
    line('shadow_latency_ms', samples.latency_ms),
    kpi('shadow_edge_bps', kpis.edge_bps),
    kpi('shadow_maker_taker_ratio', kpis.maker_taker_ratio),
    ...Object.entries(kpis.markouts_bps).map(([horizon, value]) => kpi('shadow_markout_bps', value, { horizon })),
    tableOf(fills),
  ];
}

function series(
  metric: string,
  symbol: string,
  times: readonly number[],
  values: readonly unknown[],
  { labels, intervalMs }: { readonly labels: object; readonly intervalMs: number }
): FrameJson {
  return {
    refId: metric,
    fields: [
      { name: 'Time', type: 'time', config: { interval: intervalMs }, values: times },
      { name: metric, type: 'number', labels: { __name__: metric, symbol, ...labels }, values },
    ],
  };
}

/** One row a fill, with all that the artifact says of it. */
function tableOf(fills: readonly Fill[]): FrameJson {
  const column = (name: string, type: FieldJson['type'], value: (fill: Fill) => unknown): FieldJson => ({
    name,
    type,
    values: fills.map(value),
  });
  return {
    refId: 'fills',
    fields: [
      column('time', 'time', ({ time_us }) => time_us / 1_000),
      column('price', 'number', ({ price }) => price),
      column('size', 'number', ({ quantity }) => quantity),
      column('side', 'string', ({ side }) => side),
      column('liquidity', 'string', ({ liquidity }) => liquidity),
      column('symbol', 'string', ({ symbol }) => symbol),
      column('cause', 'string', ({ cause }) => cause),
      column('order', 'number', ({ order_id }) => order_id),
    ],
  };
}
