import { uniformDraw } from '../../collector/src/fills/random.ts';

/** 2026-01-02T03:04:05Z, so that nothing depends on today. */
export const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

const SUBSCRIPTIONS = [
  ['BTCUSDT', 'orderbook.50'],
  ['BTCUSDT', 'orderbook.1'],
  ['BTCUSDT', 'publicTrade'],
];
export const INSTRUMENTS = JSON.stringify({
  retCode: 0,
  retMsg: 'OK',
  result: {
    category: 'linear',
    list: [
      {
        symbol: 'BTCUSDT',
        priceFilter: { tickSize: '0.10' },
        lotSizeFilter: { qtyStep: '0.001', minOrderQty: '0.001', minNotionalValue: '5' },
      },
    ],
  },
});

export const SYNTHETIC_SUBSCRIPTIONS = SUBSCRIPTIONS.map(([symbol, channel]) => ({
  symbol: symbol!,
  channel: channel!,
}));

type Level = [price: string, size: string];

/** The levels of a delta: what is there now, and a zero for what no longer is. */
const withDeletes = (now: Level[], before: Level[]): Level[] => [
  ...before.filter(([price]) => !now.some(([other]) => other === price)).map(([price]): Level => [price, '0']),
  ...now,
];

/**
 * A recording of our own format, made of frames in Bybit's documented layout: a book of ten levels a side around a mid that wanders by
 * the seed, with trades at the touch. For goldens: small, fixed, and nobody's data.
 */
export function syntheticRecording(seconds: number, seed: number): string {
  const lines: object[] = [
    { t: 'header', format: 'shadow-recording', version: 1, exchange: 'bybit', subscriptions: SUBSCRIPTIONS },
    { t: 'http', url: 'http://127.0.0.1/v5/market/instruments-info?category=linear&symbol=BTCUSDT', data: INSTRUMENTS },
  ];
  const stamp = (ms: number): { c: string; w: number; m: number } => ({
    c: '1',
    w: (START_MS + ms) * 1_000,
    m: 5_000_000 + ms * 1_000,
  });
  lines.push({ t: 'connect', ...stamp(0), url: 'ws://127.0.0.1/v5/public/linear' });
  let mid = 500_000;
  const price = (ticks: number): string => (ticks / 10).toFixed(2);
  const size = (lots: number): string => (lots / 1_000).toFixed(3);
  let before: { bids: Level[]; asks: Level[] } = { bids: [], asks: [] };
  let draws = 0;
  const draw = (): number => uniformDraw(seed, draws++, 0);
  for (let index = 0, ms = 20; ms < seconds * 1_000; index++, ms += 20) {
    if (draw() < 0.3) mid += draw() < 0.5 ? -1 : 1;
    const level = (side: number, depth: number): Level => [
      price(mid + side * (1 + depth)),
      size(50 + Math.floor(draw() * 400)),
    ];
    const levels = (side: number): Level[] => Array.from({ length: 10 }, (_, depth) => level(side, depth));
    const bids = levels(-1);
    const asks = levels(1);
    const cts = START_MS + ms;
    const book = {
      s: 'BTCUSDT',
      b: withDeletes(bids, before.bids),
      a: withDeletes(asks, before.asks),
      u: index + 2,
      seq: 1_000 + index,
    };
    before = { bids, asks };
    const frame = {
      topic: 'orderbook.50.BTCUSDT',
      type: index === 0 ? 'snapshot' : 'delta',
      ts: cts + 1,
      data: book,
      cts,
    };
    lines.push({ t: 'recv', ...stamp(ms + 4 + Math.floor(draw() * 5)), d: JSON.stringify(frame) });
    const top = { ...book, b: [bids[0]], a: [asks[0]] };
    const best = { topic: 'orderbook.1.BTCUSDT', type: 'snapshot', ts: cts + 1, data: top, cts };
    lines.push({ t: 'recv', ...stamp(ms + 9), d: JSON.stringify(best) });
    if (draw() < 0.4) {
      const buys = draw() < 0.5;
      const trade = {
        ...{ T: cts + 7, s: 'BTCUSDT', S: buys ? 'Buy' : 'Sell', v: size(1 + Math.floor(draw() * 300)) },
        ...{
          p: price(mid + (buys ? 1 : -1)),
          L: 'PlusTick',
          i: `t${index}`,
          BT: false,
          RPI: false,
          seq: 1_000 + index,
        },
      };
      const trades = { topic: 'publicTrade.BTCUSDT', type: 'snapshot', ts: cts + 8, data: [trade] };
      lines.push({ t: 'recv', ...stamp(ms + 14), d: JSON.stringify(trades) });
    }
  }
  lines.push({ t: 'end', ...stamp(seconds * 1_000 + 200) });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
