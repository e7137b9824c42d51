// Fifteen minutes of one symbol as Grafana's Prometheus data source would answer the queries of the dashboard: plain JSON.
// Deterministic, and no market: it is there to see that a panel draws.

export const FROM_MS = 1_800_000_000_000;
export const TO_MS = FROM_MS + 15 * 60_000;
export const timeRange = { from: FROM_MS, to: TO_MS };

const STEP_MS = 5_000;
const SYMBOL = 'BTCUSDT';
const steps = Array.from({ length: (TO_MS - FROM_MS) / STEP_MS + 1 }, (_, index) => FROM_MS + index * STEP_MS);
const price = (ms) => 50_000 + 40 * Math.sin((ms - FROM_MS) / 90_000) + 15 * Math.sin((ms - FROM_MS) / 17_000);

function frame(refId, name, labels, times, valueOf, resultType = 'matrix') {
  const type = resultType === 'vector' ? 'numeric-multi' : 'timeseries-multi';
  return {
    refId,
    meta: { type, typeVersion: [0, 1], custom: { resultType } },
    fields: [
      { name: 'Time', type: 'time', config: { interval: STEP_MS }, values: times },
      {
        name,
        type: 'number',
        labels: { __name__: name, symbol: SYMBOL, ...labels },
        config: {},
        values: times.map(valueOf),
      },
    ],
  };
}

const FILLS = [
  { side: 'buy', liquidity: 'maker', every: 23_456, distance: -12 },
  { side: 'sell', liquidity: 'maker', every: 31_234, distance: 12 },
  { side: 'buy', liquidity: 'taker', every: 211_111, distance: 3 },
];
const fillTimes = (every) =>
  Array.from({ length: Math.floor((TO_MS - FROM_MS) / every) }, (_, index) => FROM_MS + (index + 1) * every);
const side = (name, sign) =>
  frame('quotes', 'shadow_quote_price', { side: name }, steps, (ms) => price(ms) + sign * 15);
const now = (refId, name, value) => frame(refId, name, {}, [TO_MS], () => value, 'vector');

export const frames = [
  frame('bid', 'shadow_best_bid', {}, steps, (ms) => price(ms) - 1),
  frame('ask', 'shadow_best_ask', {}, steps, (ms) => price(ms) + 1),
  side('buy', -1),
  side('sell', 1),
  ...FILLS.map(({ every, distance, ...labels }) =>
    frame('fills', 'shadow_fill_price', labels, fillTimes(every), (ms) => price(ms) + distance)
  ),
  ...FILLS.map(({ every, distance: _, ...labels }) =>
    frame('sizes', 'shadow_fill_size', labels, fillTimes(every), (_ms, index) => 0.01 * (1 + (index % 4)))
  ),
  frame('drift', 'shadow_clock_drift_ms', {}, steps, (ms) => 18 + 3 * Math.sin(ms / 40_000)),
  frame('offset', 'shadow_clock_offset_ms', {}, steps, () => 2.5),
  frame('uncertainty', 'shadow_clock_offset_uncertainty_ms', {}, steps, () => 6),
  frame('latency', 'shadow_latency_ms', {}, steps, (ms) => 20 + 5 * Math.cos(ms / 60_000)),
  now('edge', 'shadow_edge_bps', 5.2),
  now('maker', 'shadow_maker_taker_ratio', 0.94),
];
