import { BAND_MODELS, HORIZON_NAMES } from '../kpi/pool.ts';
import { DEFAULT_THRESHOLDS } from './gates.ts';
import type { Mark, Plot } from './plot.ts';
import type { Fill, PricePath, PricePaths } from './price-path.ts';
import { modelName } from './report-tables.ts';
import type { PooledKpis, PooledMeanKpi, WindowPoint } from './run-stats.ts';
import { shown } from './table.ts';

/** A plot, and the sentence under it. */
export interface Figure {
  readonly plot: Plot;
  readonly caption: string;
}

/** Every plot of the report, in the order of the page. */
export function reportFigures(pooled: PooledKpis, points: readonly WindowPoint[], paths: PricePaths): Figure[] {
  return [
    markouts(pooled),
    band(pooled),
    ...[...paths.bySymbol].map(([symbol, path]) => fillsOnPrice(symbol, path, paths.windows)),
    edge(points),
    latency(points),
    clock(points),
  ];
}

function meanMark(place: number, name: string, kpi: PooledMeanKpi): Mark[] {
  const { n, mean_bps: mean, lower_95_bps: lower, upper_95_bps: upper } = kpi;
  if (mean === null) return [];
  const bounds = lower === null || upper === null ? '' : `, 95 % within ${shown(lower, 2)} to ${shown(upper, 2)}`;
  return [
    {
      x: place,
      y: mean,
      lower: lower ?? undefined,
      upper: upper ?? undefined,
      title: `${name}: ${shown(mean, 2)} bps of ${n} fills${bounds}`,
    },
  ];
}

const markouts = ({ markouts: by }: PooledKpis): Figure => ({
  plot: {
    title: 'Markouts by horizon',
    yLabel: 'bps, + is good',
    x: HORIZON_NAMES,
    series: [
      { name: 'markout', tone: 'a', marks: HORIZON_NAMES.flatMap((name, place) => meanMark(place, name, by[name])) },
    ],
    reference: { y: 0, label: '' },
    empty: 'No fill has a known markout.',
  },
  caption: 'Mid after the horizon against the price of the fill, before fees; bars are 95 % intervals.',
});

const band = ({ model_band: by }: PooledKpis): Figure => ({
  plot: {
    title: 'Net edge by fill model',
    yLabel: 'net bps',
    x: BAND_MODELS.map((model) => `${modelName(model)} (${by[model].fills})`),
    series: [
      {
        name: 'net edge',
        tone: 'b',
        marks: BAND_MODELS.flatMap((model, place) => meanMark(place, modelName(model), by[model])),
      },
    ],
    reference: { y: DEFAULT_THRESHOLDS.minEdgeBps, label: `gate ${DEFAULT_THRESHOLDS.minEdgeBps} bps` },
    empty: 'No model has a fill with a known markout.',
  },
  caption:
    'The same orders under every model, pessimistic first; fills in brackets. The audit asks for the lower end of the bar.',
});

function fillsOnPrice(symbol: string, { prices, fills }: PricePath, windows: number): Figure {
  const marks = (name: string, tone: 'a' | 'd', side: Fill['side']) => ({
    name: `${name} (${fills.filter((fill) => fill.side === side).length})`,
    tone,
    marks: fills.filter((fill) => fill.side === side).map(fillMark),
  });
  return {
    plot: {
      title: `Fills on price: ${symbol}`,
      yLabel: 'price',
      x: 'time',
      series: [
        { name: 'best ask', tone: 'c', step: true, line: prices.map(({ timeMs, ask }) => [timeMs, ask] as const) },
        { name: 'best bid', tone: 'b', step: true, line: prices.map(({ timeMs, bid }) => [timeMs, bid] as const) },
        marks('our buys', 'a', 'buy'),
        marks('our sells', 'd', 'sell'),
      ],
      empty: 'No price is known: the book was never trusted, or the files of the fills are missing.',
    },
    caption: `The newest ${windows} window${windows === 1 ? '' : 's'}, UTC. Up is a buy, down a sell, a diamond took liquidity. Prices once a second at most, so a fill may lie off the line; where it is interrupted the book was not trusted.`,
  };
}

function fillMark({ time_us: timeUs, side, liquidity, price, quantity, cause }: Fill): Mark {
  const when = new Date(timeUs / 1_000).toISOString();
  const shape = liquidity === 'taker' ? 'diamond' : side === 'buy' ? 'up' : 'down';
  return {
    x: timeUs / 1_000,
    y: price,
    shape,
    title: `${when} ${side} ${quantity} at ${price}, ${liquidity}, ${cause}`,
  };
}

const edge = (points: readonly WindowPoint[]): Figure => ({
  plot: {
    title: 'Net edge by window',
    yLabel: 'net bps',
    x: 'time',
    series: [
      {
        name: 'net edge',
        tone: 'b',
        marks: points.flatMap(({ iteration, endMs, netBps, fills }) =>
          netBps === null
            ? []
            : [{ x: endMs, y: netBps, title: `window ${iteration}: ${shown(netBps, 2)} bps of ${fills} fills` }],
        ),
      },
    ],
    reference: { y: 0, label: '' },
    empty: 'No window has a fill with a known markout.',
  },
  caption: 'Windows without fills have no edge and are not drawn. Windows count by their notional, not alike.',
});

function latency(points: readonly WindowPoint[]): Figure {
  const largest = points.reduce((most, { latencyP95Ms }) => Math.max(most, latencyP95Ms ?? 0), 0);
  const { maxLatencyMs } = DEFAULT_THRESHOLDS;
  return {
    plot: {
      title: 'Feed latency by window',
      yLabel: 'ms',
      x: 'time',
      series: [
        {
          name: 'p95',
          tone: 'c',
          dots: true,
          line: points.map(({ endMs, latencyP95Ms }) => [endMs, latencyP95Ms ?? undefined]),
        },
        {
          name: 'p50',
          tone: 'b',
          dots: true,
          line: points.map(({ endMs, latencyP50Ms }) => [endMs, latencyP50Ms ?? undefined]),
        },
      ],
      // Far above the data it would only flatten them.
      ...(largest * 2 >= maxLatencyMs ? { reference: { y: maxLatencyMs, label: `gate ${maxLatencyMs} ms` } } : {}),
      empty: 'Latency is not known in any window.',
    },
    caption: latencyCaption(points),
  };
}

function latencyCaption(points: readonly WindowPoint[]): string {
  const raw = points.filter(({ corrected }) => !corrected).length;
  if (raw === 0) return 'One way, the clock offset taken off.';
  const of = raw === points.length ? 'all windows' : `${raw} of ${points.length} windows`;
  return `One way. In ${of} the clock offset had not been measured: there it is in the latency.`;
}

const clock = (points: readonly WindowPoint[]): Figure => ({
  plot: {
    title: 'Clock drift and offset by window',
    yLabel: 'ms, + local ahead',
    x: 'time',
    series: [
      {
        name: 'band of the offset',
        tone: 'muted',
        band: points.map(({ endMs, offsetMs, uncertaintyMs }) =>
          offsetMs === null || uncertaintyMs === null
            ? undefined
            : [endMs, offsetMs - uncertaintyMs, offsetMs + uncertaintyMs],
        ),
      },
      { name: 'offset', tone: 'b', line: points.map(({ endMs, offsetMs }) => [endMs, offsetMs ?? undefined]) },
      { name: 'drift', tone: 'a', dots: true, line: points.map(({ endMs, driftMs }) => [endMs, driftMs ?? undefined]) },
    ],
    empty: 'Neither is known in any window.',
  },
  caption:
    'Drift is the mean of receive minus exchange stamps: clock offset plus delay. The band certainly holds the offset.',
});
