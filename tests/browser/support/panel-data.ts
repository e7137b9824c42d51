// Frames as Prometheus' data source of Grafana gives them to the panel, of a market that is made up.
import { uniformDraw } from '../../../collector/src/fills/random.ts';

export interface FieldJson {
  readonly name: string;
  readonly type: 'time' | 'number' | 'string';
  readonly labels?: Readonly<Record<string, string>>;
  readonly config?: object;
  readonly values: readonly unknown[];
}

export interface FrameJson {
  readonly refId: string;
  readonly fields: readonly FieldJson[];
}

export interface PanelJson {
  readonly frames: readonly FrameJson[];
  readonly timeRange: { readonly from: number; readonly to: number };
}

export interface FillJson {
  readonly ms: number;
  readonly price: number;
  readonly size: number;
  readonly side: 'buy' | 'sell';
  readonly liquidity: 'maker' | 'taker';
  readonly nth?: string;
}

/** 2027-01-15 08:00:00 UTC. */
export const START_MS = 1_800_000_000_000;
export const STEP_MS = 5_000;
const SYMBOL = 'BTCUSDT';

export function series(
  metric: string,
  times: readonly number[],
  values: readonly unknown[],
  labels: Readonly<Record<string, string>> = {},
  config: object = {},
): FrameJson {
  return {
    refId: metric,
    fields: [
      { name: 'Time', type: 'time', config, values: times },
      { name: metric, type: 'number', labels: { __name__: metric, symbol: SYMBOL, ...labels }, values },
    ],
  };
}

/** Grafana tells a step with instant queries too. */
const STEP = { interval: STEP_MS };

/** Price and size of fills, as instant queries over their stored samples give them: one series for each set of labels. */
export function fillFrames(fills: readonly FillJson[]): FrameJson[] {
  const groups = new Map<string, FillJson[]>();
  for (const fill of fills) {
    const key = `${fill.side} ${fill.liquidity} ${fill.nth ?? ''}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [fill]);
    else group.push(fill);
  }
  return [...groups.values()].flatMap((unsorted) => {
    const group = [...unsorted].sort((a, b) => a.ms - b.ms);
    const { side, liquidity, nth } = group[0]!;
    const labels = { side, liquidity, ...(nth === undefined ? {} : { nth }) };
    const times = group.map(({ ms }) => ms);
    return [
      series(
        'shadow_fill_price',
        times,
        group.map(({ price }) => price),
        labels,
        STEP,
      ),
      series(
        'shadow_fill_size',
        times,
        group.map(({ size }) => size),
        labels,
        STEP,
      ),
    ];
  });
}

const draw = (index: number, of: number): number => uniformDraw(24, index, of);

/** A market with quotes on both sides of it and so many fills at random times at our prices; the same each time. */
export function market(points: number, fillCount: number): PanelJson & { readonly fills: readonly FillJson[] } {
  const times = Array.from({ length: points }, (_, index) => START_MS + index * STEP_MS);
  let price = 64_000;
  const bids = times.map((_, index) => (price = Math.round((price + 12 * (draw(index, 1) - 0.5)) * 10) / 10));
  const moved = (bid: number, by: number) => Math.round((bid + by) * 10) / 10;
  const off = (by: number) => bids.map((bid) => moved(bid, by));
  const fills = Array.from({ length: fillCount }, (_, index): FillJson => {
    const at = Math.floor(draw(index, 2) * points);
    const side = draw(index, 3) < 0.5 ? 'buy' : 'sell';
    const liquidity = draw(index, 4) < 0.92 ? 'maker' : 'taker';
    const distance = liquidity === 'taker' ? 0 : side === 'buy' ? -20 : 20.5;
    const size = Math.round(400 * draw(index, 5) ** 2 + 1) / 10_000;
    return {
      ms: times[at]! + Math.floor(draw(index, 6) * STEP_MS),
      price: moved(bids[at]!, distance),
      size,
      side,
      liquidity,
    };
  });
  const line = (metric: string, values: readonly number[], labels = {}) => series(metric, times, values, labels, STEP);
  const end = times.at(-1)!;
  const frames = [
    line('shadow_best_bid', bids),
    line('shadow_best_ask', off(0.5)),
    line('shadow_quote_price', off(-20), { side: 'buy' }),
    line('shadow_quote_price', off(20.5), { side: 'sell' }),
    line(
      'shadow_clock_drift_ms',
      times.map((_, index) => 14 + 6 * draw(index, 7)),
    ),
    line(
      'shadow_clock_offset_ms',
      times.map((_, index) => 3 + Math.sin(index / 40)),
    ),
    line(
      'shadow_clock_offset_uncertainty_ms',
      times.map((_, index) => 1.5 + 0.2 * draw(index, 8)),
    ),
    line(
      'shadow_latency_ms',
      times.map((_, index) => 18 + 9 * draw(index, 9)),
    ),
    series('shadow_edge_bps', [end], [3.21]),
    series('shadow_maker_taker_ratio', [end], [0.81]),
    series('shadow_markout_bps', [end], [-0.42], { horizon: '1s' }),
    ...fillFrames(fills),
  ];
  return { frames, fills, timeRange: { from: START_MS, to: end } };
}
