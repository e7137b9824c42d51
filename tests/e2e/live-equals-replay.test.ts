import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { IterSummary, ShadowRunSummary } from '../../schema/types.gen.js';
import { canonicalJson } from '../../collector/src/artifacts/canonical-json.ts';
import { argumentsOf, Collector, readRunSummary, readWindows, runCli } from './support/collector.ts';
import { Scope, waitFor } from './support/scope.ts';
import { TestExchange } from './support/test-exchange.ts';

let scope: Scope;
let exchange: TestExchange;
beforeEach(async () => {
  scope = new Scope();
  exchange = await TestExchange.start(scope);
});
afterEach(() => scope.close());

const RUN = {
  symbols: 'BTCUSDT,ETHUSDT',
  iterations: 2,
  duration: 2,
  // At the best price, with a short horizon: fills, and markouts that become known within the run.
  spread_bps: 0,
  kpi_horizon_s: '1',
  min_requote_interval_ms: 50,
};

/** A lively market: sizes change, prices walk, prints hit the quotes. The same walk every time, at times of its own. */
function walk(): void {
  let state = 1;
  const next = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
  exchange.every(15, () => {
    for (const [symbol, market] of exchange.markets) {
      switch (next(6)) {
        case 0:
          return exchange.move(symbol, next(7) - 3);
        case 1:
          return exchange.trade(symbol, 'Sell', market.bidTicks - next(2), 1 + next(3_000));
        case 2:
          return exchange.trade(symbol, 'Buy', market.askTicks + next(2), 1 + next(3_000));
        default:
          exchange.touch(symbol);
      }
    }
  });
}

interface Results {
  readonly windows: IterSummary[];
  readonly run: ShadowRunSummary;
}

const resultsIn = (folder: string): Results => ({ windows: readWindows(folder), run: readRunSummary(folder)! });

/** What is of the market and not of the process that looked at it. */
const ofMarket = ({ windows, run }: Results): string[] => [
  ...windows.map((window) => canonicalJson({ ...window, source: null, process: null })),
  canonicalJson({ ...run, source: null, completed_at: null }),
];

async function replay(recording: string): Promise<Results> {
  const output = scope.folder();
  const { code, stderr } = await runCli(scope, [
    'run',
    ...argumentsOf({ ...RUN, replay: recording, output, metrics_port: 0 }),
  ]);
  expect({ code, errors: /"level":50/.test(stderr) }).toEqual({ code: 0, errors: false });
  return resultsIn(output);
}

/** Runs live, letting things happen to the feed, and replays the recording. */
async function liveAndReplay(happens: (collector: Collector) => Promise<void>): Promise<Results> {
  const recording = join(scope.folder(), 'live.jsonl.br');
  walk();
  const collector = await Collector.start(scope, exchange, { ...RUN, record: recording });
  await collector.untilReady();
  await happens(collector);
  expect((await collector.end()).code).toBe(0);
  const live = resultsIn(collector.output);
  const again = await replay(recording);
  expect(live.windows.map(({ source }) => source)).toEqual(['live', 'live']);
  expect(again.windows.map(({ source, process }) => ({ source, process }))).toEqual([
    { source: 'replay', process: null },
    { source: 'replay', process: null },
  ]);
  // Parsed first, for a readable difference; then as bytes.
  expect(ofMarket(again).map((text): unknown => JSON.parse(text))).toEqual(
    ofMarket(live).map((text): unknown => JSON.parse(text)),
  );
  expect(ofMarket(again)).toEqual(ofMarket(live));
  return live;
}

test('the replay of a live run gives the same windows but for source and process', async () => {
  const { windows, run } = await liveAndReplay(async () => Promise.resolve());
  expect(run.totals.fills).toBeGreaterThan(0);
  expect(windows[0]!.summary.markouts['1s'].n).toBeGreaterThan(0);
  expect(windows.every(({ summary }) => summary.feed.messages > 50)).toBe(true);
});

test('also with a gap, bad data, bytes that are no UTF-8 and a lost connection in the middle', async () => {
  const { run } = await liveAndReplay(async (collector) => {
    exchange.skip('orderbook.50', 'BTCUSDT');
    exchange.sendText('{"topic":"orderbook.50.ETHUSDT","type":"delta","data":{"b":[["1e5","1"]],"a":[],"u":1}}');
    exchange.sendText(Buffer.from([0x7b, 0xff, 0xfe]));
    await collector.metric('shadow_feed_gaps_total', { symbol: 'BTCUSDT' }, (gaps) => gaps === 1);
    await collector.untilReady();
    exchange.dropConnections();
    await waitFor('a second connection', () => exchange.connections === 2);
    await collector.untilReady();
  });
  expect(run.totals.feed).toMatchObject({ gaps: 1, reconnects: 2 });
  expect(run.totals.feed.bad).toBeGreaterThanOrEqual(1);
  expect(run.totals.orders.censored).toBeGreaterThan(0);
});

test('also when the market falls silent before the run ends', async () => {
  const { run } = await liveAndReplay(async (collector) => {
    await collector.until('the first window', () => collector.windows().length >= 1);
    exchange.pause();
  });
  expect(run.totals.fills).toBeGreaterThan(0);
});

test('also when the exchange goes away before the run ends and does not come back', async () => {
  const { run } = await liveAndReplay(async (collector) => {
    await collector.until('the first window', () => collector.windows().length >= 1);
    await exchange.stop();
  });
  expect(run.totals.feed.reconnects).toBeGreaterThanOrEqual(2);
});

test('a replay made again gives the same bytes under the same numbers', async () => {
  const recording = join(scope.folder(), 'live.jsonl.br');
  walk();
  const collector = await Collector.start(scope, exchange, { ...RUN, duration: 1, record: recording });
  await collector.until('the second window', () => collector.windows().length >= 2);
  // A recording that ends with the process: what had been flushed is there.
  expect((await collector.stop()).code).toBe(0);
  const [first, second] = [await replay(recording), await replay(recording)];
  expect(second.windows.map(canonicalJson)).toEqual(first.windows.map(canonicalJson));
  expect(canonicalJson(second.run)).toBe(canonicalJson(first.run));
});
