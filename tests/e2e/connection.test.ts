import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { bybitLinear } from '../../collector/src/feed/bybit.ts';
import type { ConnectionState } from '../../collector/src/feed/connection.ts';
import { Connection } from '../../collector/src/feed/connection.ts';
import type { RawRecord } from '../../collector/src/feed/records.ts';
import { systemClock } from '../../collector/src/system-clock.ts';
import { Collector } from './support/collector.ts';
import { Scope, waitFor } from './support/scope.ts';
import { TestExchange } from './support/test-exchange.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope.close());

const topicsOf = (symbol: string): string[] => [
  `orderbook.50.${symbol}`,
  `orderbook.1.${symbol}`,
  `publicTrade.${symbol}`,
];

/** Asked all the time, for the clock. */
const SERVER_TIME = 'GET /v5/market/time';

test('subscribes each symbol by a request of its own, and is ready when every book is synchronised', async () => {
  const exchange = await TestExchange.start(scope);
  exchange.muted.add('orderbook.50.ETHUSDT');
  exchange.stream();
  const collector = await Collector.start(scope, exchange, { symbols: 'BTCUSDT,ETHUSDT' });

  await collector.metric('shadow_best_bid', { symbol: 'BTCUSDT' }, (bid) => bid === 65_000);
  expect(await collector.get('/readyz')).toEqual({ status: 503, body: 'waiting for the book of ETHUSDT\n' });
  expect(await collector.get('/healthz')).toEqual({ status: 200, body: 'ok\n' });
  expect((await collector.scrape()).value('shadow_best_bid', { symbol: 'ETHUSDT' })).toBeUndefined();

  exchange.muted.clear();
  exchange.snapshot('orderbook.50', 'ETHUSDT');
  await collector.untilReady();
  const metrics = await collector.scrape();
  expect(metrics.value('shadow_best_bid', { symbol: 'ETHUSDT' })).toBe(3_500);
  expect(metrics.value('shadow_best_ask', { symbol: 'ETHUSDT' })).toBe(3_500.01);
  expect(metrics.value('shadow_feed_gaps_total', { symbol: 'ETHUSDT' })).toBe(0);
  expect(metrics.value('shadow_reconnects_total', { exchange: 'bybit' })).toBe(0);

  expect(exchange.frames.map(({ op, args }) => ({ op, args }))).toEqual([
    { op: 'subscribe', args: topicsOf('BTCUSDT') },
    { op: 'subscribe', args: topicsOf('ETHUSDT') },
  ]);
  expect(new Set(exchange.frames.map(({ text }) => (JSON.parse(text) as { req_id: string }).req_id)).size).toBe(2);
  expect(exchange.requests.filter((request) => request !== SERVER_TIME)).toEqual([
    'GET /v5/market/instruments-info?category=linear&symbol=BTCUSDT',
    'GET /v5/market/instruments-info?category=linear&symbol=ETHUSDT',
  ]);
});

test('sends nothing but subscribe, unsubscribe and ping, through a gap and a reconnect', async () => {
  const exchange = await TestExchange.start(scope);
  exchange.stream();
  const collector = await Collector.start(scope, exchange, { symbols: 'BTCUSDT,ETHUSDT' });
  await collector.untilReady();
  exchange.skip('orderbook.50', 'BTCUSDT');
  await waitFor('the gap to be mended', () => exchange.asked('unsubscribe').length === 1);
  exchange.dropConnections();
  await waitFor('a second connection', () => exchange.connections === 2);
  await collector.untilReady();
  await collector.stop();

  const allowed = new Set([...topicsOf('BTCUSDT'), ...topicsOf('ETHUSDT')]);
  for (const { text, op, args } of exchange.frames) {
    const { req_id: requestId, ...rest } = JSON.parse(text) as { req_id?: unknown };
    expect(op === 'ping' ? [] : ['subscribe', 'unsubscribe']).toContain(op);
    expect(rest).toEqual({ op, args });
    expect(typeof requestId).toBe('string');
    expect(args.every((topic) => allowed.has(topic))).toBe(true);
  }
  expect(
    exchange.requests.every(
      (request) => request === SERVER_TIME || request.startsWith('GET /v5/market/instruments-info?'),
    ),
  ).toBe(true);
});

const PING_MS = 50;

function connect(exchange: TestExchange): { records: RawRecord[]; states: ConnectionState[]; connection: Connection } {
  const states: ConnectionState[] = [];
  const connection = new Connection({
    exchange: bybitLinear,
    url: exchange.wsUrl,
    subscriptions: topicsOf('BTCUSDT').map((topic) => ({ symbol: 'BTCUSDT', channel: topic.slice(0, -8) })),
    clock: systemClock(),
    random: () => 0,
    onState: (state) => states.push(state),
    pingIntervalMs: PING_MS,
  });
  const records: RawRecord[] = [];
  const reading = (async () => {
    for await (const batch of connection) records.push(...batch);
  })();
  scope.add(async () => {
    connection.stop();
    await reading;
  });
  return { records, states, connection };
}

test('pings at its interval, by the documented frame', async () => {
  const exchange = await TestExchange.start(scope);
  const { states } = connect(exchange);
  const pings = () => exchange.frames.filter(({ op }) => op === 'ping');
  await waitFor('ten pings', () => pings().length >= 10);
  expect(pings().every(({ text }) => text === '{"op":"ping"}')).toBe(true);
  // A ping may be late on a busy machine; the average cannot be early.
  const spanMs = pings()[9]!.atMs - pings()[0]!.atMs;
  expect(spanMs).toBeGreaterThan(8 * PING_MS);
  // Pongs alone keep the line: nothing else comes from a market without updates.
  expect(exchange.connections).toBe(1);
  expect(states.map(({ state }) => state)).toEqual(['connecting', 'open']);
});

test('gives up a line that has fallen silent, pongs included, and comes back', async () => {
  const exchange = await TestExchange.start(scope);
  const { records, states } = connect(exchange);
  await waitFor('both snapshots', () => records.filter(({ type }) => type === 'receive').length >= 3);
  exchange.deaf = true;
  const silentSinceMs = performance.now();
  await waitFor('a second connection', () => exchange.connections >= 2);
  expect(performance.now() - silentSinceMs).toBeGreaterThan(2 * PING_MS);
  exchange.deaf = false;
  await waitFor('the subscriptions of a later connection', () =>
    exchange.frames.some(({ op, connection }) => op === 'subscribe' && connection >= 2),
  );
  await waitFor('a frame of a later connection', () => {
    const lost = records.findIndex(({ type }) => type === 'disconnect');
    return lost >= 0 && records.slice(lost).some(({ type }) => type === 'receive');
  });
  expect(states.map(({ state }) => state).slice(0, 4)).toEqual(['connecting', 'open', 'closed', 'connecting']);
});

test('stamps frames with a monotonic clock that never runs back, and the last record is the end', async () => {
  const exchange = await TestExchange.start(scope);
  const { records, connection } = connect(exchange);
  exchange.stream(1);
  await waitFor('a hundred frames', () => records.filter(({ type }) => type === 'receive').length >= 100);
  connection.stop();
  await waitFor('the end', () => records.at(-1)?.type === 'end');
  expect(records[0]?.type).toBe('connect');
  for (let index = 1; index < records.length; index++) {
    expect(records[index]!.monoUs).toBeGreaterThanOrEqual(records[index - 1]!.monoUs);
  }
});

test('a refused subscription never stops another symbol', async () => {
  const exchange = await TestExchange.start(scope, { symbols: ['BTCUSDT'], rejected: ['NOSUCH'] });
  exchange.stream();
  const collector = await Collector.start(scope, exchange, { symbols: 'NOSUCH,BTCUSDT', duration: 1 });
  await collector.metric('shadow_subscriptions_rejected_total', { exchange: 'bybit' }, (value) => value === 1);
  const before = (await collector.scrape()).value('shadow_feed_messages_total', { symbol: 'BTCUSDT' }) ?? 0;
  await collector.metric('shadow_feed_messages_total', { symbol: 'BTCUSDT' }, (value) => value > before + 20);
  expect(await collector.get('/readyz')).toEqual({ status: 503, body: 'waiting for the book of NOSUCH\n' });
  await collector.until('a second window', () => collector.windows().length >= 2);
  expect((await collector.stop()).code).toBe(0);

  const window = collector.windows()[1]!;
  expect(window.symbols).toEqual(['NOSUCH', 'BTCUSDT']);
  expect(window.by_symbol['BTCUSDT']!.feed.coverage).toBe(1);
  expect(window.by_symbol['NOSUCH']!.feed).toMatchObject({ messages: 0, coverage: 0 });
  expect(window.by_symbol['NOSUCH']).toMatchObject({ net_bps: null, p95_latency_ms: null, risk_ratio: null });
});

test('an unknown symbol is left out and noted, and the others run', async () => {
  const exchange = await TestExchange.start(scope, { symbols: ['BTCUSDT'] });
  exchange.stream();
  const collector = await Collector.start(scope, exchange, { symbols: 'NOSUCH,BTCUSDT', duration: 1 });
  await collector.untilQuoting('BTCUSDT');
  expect(await collector.get('/readyz')).toEqual({ status: 503, body: 'waiting for the book of NOSUCH\n' });
  const metrics = await collector.scrape();
  expect(metrics.value('shadow_symbol_configured', { symbol: 'NOSUCH' })).toBe(1);
  expect(metrics.value('shadow_feed_messages_total', { symbol: 'NOSUCH' })).toBeUndefined();
  await collector.until('a window', () => collector.windows().length >= 1);
  await collector.stop();

  expect(exchange.asked('subscribe')).toEqual(topicsOf('BTCUSDT'));
  const [window] = collector.windows();
  expect(window!.symbols).toEqual(['BTCUSDT']);
  expect(window!.notes).toEqual([
    expect.stringContaining('feed from 127.0.0.1'),
    expect.stringContaining('tick and lot sizes from 127.0.0.1'),
    expect.stringContaining('NOSUCH'),
  ]);
});

test('a run of unknown symbols alone ends with exit code 3 and says so', async () => {
  const exchange = await TestExchange.start(scope, { symbols: ['BTCUSDT'] });
  const collector = await Collector.start(scope, exchange, { symbols: 'NOSUCH' });
  const { code, stderr } = await collector.end();
  expect(code).toBe(3);
  expect(stderr).toContain('SHADOW_ERR_INSTRUMENTS: bybit trades none of NOSUCH');
  expect(exchange.connections).toBe(0);
});

test.each([
  { name: 'a rate limit', body: '{"retCode":10006,"retMsg":"Too many visits!","result":{}}' },
  { name: 'an internal error', body: '{"retCode":10016,"retMsg":"Server error.","result":{}}' },
  { name: 'a page of a proxy', body: '<html><body>502 Bad Gateway</body></html>' },
])('asks for tick and lot sizes again after $name', async ({ body }) => {
  const exchange = await TestExchange.start(scope);
  exchange.restAnswers.push(body);
  const collector = await Collector.start(scope, exchange, { symbols: 'BTCUSDT,ETHUSDT' });
  await collector.untilReady(5_000);
});
