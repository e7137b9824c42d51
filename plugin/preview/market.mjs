// Twenty-five minutes of a made-up market with our quotes around it, as Grafana's Prometheus data source would tell them. The same each time.

const POINTS = 300;
const FILLS = 120;
const STEP_MS = 5_000;
const TICK = 0.1;
const FROM_MS = 1_800_000_000_000;
const TO_MS = FROM_MS + (POINTS - 1) * STEP_MS;
export const timeRange = { from: FROM_MS, to: TO_MS };

/** Numbers from 0 to 1 that look drawn and are not: the same for the same index and purpose. */
function draw(index, purpose) {
  let bits = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(purpose + 1, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
  return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
}

const onTick = (price) => Math.round(price / TICK) / (1 / TICK);

function series(metric, labels, times, values) {
  return {
    refId: metric,
    fields: [
      { name: 'Time', type: 'time', config: { interval: STEP_MS }, values: times },
      { name: metric, type: 'number', labels: { __name__: metric, symbol: 'BTCUSDT', ...labels }, config: {}, values },
    ],
  };
}

const steps = Array.from({ length: POINTS }, (_, index) => FROM_MS + index * STEP_MS);

/** A walk, with a wave below it so that it goes somewhere. */
function bidsOf() {
  let walk = 0;
  return steps.map((_, index) => {
    walk += 9 * (draw(index, 0) - 0.5);
    return onTick(64_000 + walk + 28 * Math.sin(index / 47));
  });
}

function fillsOf(bids) {
  return Array.from({ length: FILLS }, (_, index) => {
    const at = Math.floor(draw(index, 1) * (POINTS - 1));
    const isBuy = draw(index, 2) < 0.5;
    const isTaker = draw(index, 3) < 0.06;
    const distance = isTaker ? (isBuy ? 0.5 : 0) : isBuy ? -16 : 16.5;
    return {
      side: isBuy ? 'buy' : 'sell',
      liquidity: isTaker ? 'taker' : 'maker',
      ms: steps[at] + 1 + Math.floor(draw(index, 4) * (STEP_MS - 2)),
      price: onTick(bids[at] + distance),
      size: Math.ceil(400 * draw(index, 5) ** 2) / 10_000,
    };
  }).sort((a, b) => a.ms - b.ms);
}

/** One series of prices and one of sizes for each side and liquidity. */
function fillFrames(fills) {
  return ['buy', 'sell'].flatMap((side) =>
    ['maker', 'taker'].flatMap((liquidity) => {
      const group = fills.filter((fill) => fill.side === side && fill.liquidity === liquidity);
      const column = (name) => group.map((fill) => fill[name]);
      const of = (metric, name) => series(metric, { side, liquidity }, column('ms'), column(name));
      return group.length === 0 ? [] : [of('shadow_fill_price', 'price'), of('shadow_fill_size', 'size')];
    })
  );
}

export function marketFrames() {
  const bids = bidsOf();
  const line = (metric, valueOf, labels = {}) =>
    series(
      metric,
      labels,
      steps,
      steps.map((_, index) => valueOf(index))
    );
  const now = (metric, value, labels = {}) => series(metric, labels, [TO_MS], [value]);
  const fills = fillsOf(bids);
  const makers = fills.filter(({ liquidity }) => liquidity === 'maker').length;
  return [
    line('shadow_best_bid', (index) => bids[index]),
    line('shadow_best_ask', (index) => onTick(bids[index] + 0.5)),
    line('shadow_quote_price', (index) => onTick(bids[index] - 16), { side: 'buy' }),
    line('shadow_quote_price', (index) => onTick(bids[index] + 16.5), { side: 'sell' }),
    ...fillFrames(fills),
    line('shadow_clock_drift_ms', (index) => 22 + 5 * draw(index, 6) + 3 * Math.sin(index / 40)),
    line('shadow_clock_offset_ms', (index) => 3 + Math.sin(index / 40)),
    line('shadow_clock_offset_uncertainty_ms', (index) => 1.6 + 0.2 * draw(index, 7)),
    line('shadow_latency_ms', (index) => 19 + 6 * draw(index, 8)),
    now('shadow_edge_bps', 3.21),
    now('shadow_maker_taker_ratio', makers / fills.length),
    now('shadow_markout_bps', 0.84, { horizon: '1s' }),
  ];
}
