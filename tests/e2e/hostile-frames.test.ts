import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Collector } from './support/collector.ts';
import { Scope } from './support/scope.ts';
import { TestExchange } from './support/test-exchange.ts';

const BTC = { symbol: 'BTCUSDT' };
const ETH = { symbol: 'ETHUSDT' };

let scope: Scope;
let exchange: TestExchange;
let collector: Collector;

beforeAll(async () => {
  scope = new Scope();
  exchange = await TestExchange.start(scope);
  exchange.every(20, () => exchange.touch('ETHUSDT'));
  // Only the cases speak for BTCUSDT: its silence means nothing here.
  const flags = { symbols: 'BTCUSDT,ETHUSDT', duration: 1, silence_ms: 3_600_000 };
  collector = await Collector.start(scope, exchange, flags);
  await collector.untilReady();
  await collector.untilQuoting('ETHUSDT');
});
afterAll(() => scope.close());

/** A good update of the deep book, for a case to spoil. `u` is the one that is due. */
interface BookFrame {
  topic: unknown;
  ts: unknown;
  type: unknown;
  data: unknown;
  cts: unknown;
}

function bookFrame(change: (frame: BookFrame, data: Record<string, unknown>) => void): string {
  const market = exchange.market('BTCUSDT');
  const level = [market.price(market.bidTicks - 1), '1.234'];
  const data: Record<string, unknown> = {
    s: 'BTCUSDT',
    b: [level],
    a: [],
    u: market.sequence('orderbook.50') + 1,
    seq: 1,
  };
  const frame = { topic: 'orderbook.50.BTCUSDT', ts: Date.now(), type: 'delta', data, cts: Date.now() };
  change(frame, data);
  return JSON.stringify(frame);
}

const withLevel = (price: unknown, size: unknown): string => bookFrame((_, data) => (data['b'] = [[price, size]]));

function tradeFrame(change: Record<string, unknown>): string {
  const trade = {
    T: Date.now(),
    s: 'BTCUSDT',
    S: 'Buy',
    v: '0.010',
    p: '65000.0',
    i: 'x',
    BT: false,
    seq: 1,
    ...change,
  };
  return JSON.stringify({ topic: 'publicTrade.BTCUSDT', type: 'snapshot', ts: Date.now(), data: [trade] });
}

/** JSON text with a number that JSON.stringify would not write. */
const withNumber = (frame: string, marker: string, literal: string): string => frame.replace(`"${marker}"`, literal);

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

/** What a case counts: against its symbol, against no symbol, or nowhere, because it is no data at all. */
type Counted = 'symbol' | 'nobody' | 'nowhere';

interface Case {
  readonly name: string;
  readonly frame: () => string | Buffer;
  readonly counted: Counted;
}

const BAD_NUMBERS = [
  'NaN',
  'Infinity',
  '-1',
  '+1',
  '1e5',
  '1E5',
  '0x10',
  '',
  ' ',
  '.',
  '1.2.3',
  '1,5',
  '65000.0 ',
  '٣',
  '1'.repeat(400),
  '9007199254740993',
];
const WRONG_TYPES: readonly unknown[] = [null, 1, true, {}, [], ['1'], [[]]];

const BAD_LEVELS: Case[] = [
  ...BAD_NUMBERS.map((text) => ({
    name: `price ${JSON.stringify(text.slice(0, 20))}`,
    frame: () => withLevel(text, '1.000'),
  })),
  ...BAD_NUMBERS.map((text) => ({
    name: `size ${JSON.stringify(text.slice(0, 20))}`,
    frame: () => withLevel('65000.0', text),
  })),
  ...WRONG_TYPES.map((value) => ({
    name: `price of value ${JSON.stringify(value)}`,
    frame: () => withLevel(value, '1.000'),
  })),
  ...WRONG_TYPES.map((value) => ({
    name: `size of value ${JSON.stringify(value)}`,
    frame: () => withLevel('65000.0', value),
  })),
  { name: 'price 0', frame: () => withLevel('0', '1.000') },
  { name: 'price off the grid', frame: () => withLevel('65000.05', '1.000') },
  { name: 'size off the grid', frame: () => withLevel('65000.0', '1.0005') },
  { name: 'a price of 900 000 digits', frame: () => withLevel('9'.repeat(900_000), '1.000') },
].map((entry) => ({ ...entry, counted: 'symbol' }));

const BAD_BOOKS: Case[] = [
  { name: 'no data', frame: () => bookFrame((frame) => delete (frame as Partial<BookFrame>).data) },
  { name: 'no bids', frame: () => bookFrame((_, data) => delete data['b']) },
  { name: 'no asks', frame: () => bookFrame((_, data) => delete data['a']) },
  { name: 'no update id', frame: () => bookFrame((_, data) => delete data['u']) },
  ...[null, 1, 'x', true, [], [[]]].map((value) => ({
    name: `data ${JSON.stringify(value)}`,
    frame: () => bookFrame((frame) => (frame.data = value)),
  })),
  ...[
    null,
    1,
    'x',
    {},
    [null],
    [1],
    ['65000.0', '1'],
    [[]],
    [['65000.0']],
    [['65000.0', '1', '1']],
    [{ 0: '65000.0', 1: '1' }],
  ].map((value) => ({
    name: `bids ${JSON.stringify(value)}`,
    frame: () => bookFrame((_, data) => (data['b'] = value)),
  })),
  ...[null, 'x', '1', 1.5, -1, {}, [1], 2 ** 53, 1e300].map((value) => ({
    name: `update id ${JSON.stringify(value)}`,
    frame: () => bookFrame((_, data) => (data['u'] = value)),
  })),
  ...['1e400', '-1e400', '9'.repeat(900_000)].map((literal) => ({
    name: `update id ${literal.slice(0, 20)}`,
    frame: () =>
      withNumber(
        bookFrame((_, data) => (data['u'] = '@')),
        '@',
        literal,
      ),
  })),
  ...[null, 'x', 1.5, -1, 0, {}, [1]].map((value) => ({
    name: `matching time ${JSON.stringify(value)}`,
    frame: () => bookFrame((frame) => (frame.cts = value)),
  })),
  { name: 'a matching time of tomorrow', frame: () => bookFrame((frame) => (frame.cts = Date.now() + 86_400_000)) },
  {
    name: 'a matching time of 1e400',
    frame: () =>
      withNumber(
        bookFrame((frame) => (frame.cts = '@')),
        '@',
        '1e400',
      ),
  },
  ...[null, 1, 'other', {}, ['delta']].map((value) => ({
    name: `type ${JSON.stringify(value)}`,
    frame: () => bookFrame((frame) => (frame.type = value)),
  })),
  {
    name: 'more levels than any channel has',
    frame: () =>
      bookFrame((_, data) => (data['b'] = Array.from({ length: 9_000 }, (_value, at) => [`${60_000 + at}.0`, '1']))),
  },
  {
    name: 'levels nested 100 000 deep',
    frame: () =>
      withNumber(
        bookFrame((_, data) => (data['b'] = '@')),
        '@',
        nested(100_000),
      ),
  },
].map((entry) => ({ ...entry, counted: 'symbol' }));

const BAD_TRADES: Case[] = [
  ...BAD_NUMBERS.map((text) => ({
    name: `price ${JSON.stringify(text.slice(0, 20))}`,
    frame: () => tradeFrame({ p: text }),
  })),
  ...['0', ...BAD_NUMBERS].map((text) => ({
    name: `size ${JSON.stringify(text.slice(0, 20))}`,
    frame: () => tradeFrame({ v: text }),
  })),
  ...WRONG_TYPES.map((value) => ({
    name: `price of value ${JSON.stringify(value)}`,
    frame: () => tradeFrame({ p: value }),
  })),
  ...[null, 'buy', 1, ['Buy'], {}].map((value) => ({
    name: `side ${JSON.stringify(value)}`,
    frame: () => tradeFrame({ S: value }),
  })),
  ...[null, 'x', -1, 0, 1.5, 1e300, {}].map((value) => ({
    name: `time ${JSON.stringify(value)}`,
    frame: () => tradeFrame({ T: value }),
  })),
  { name: 'a price off the grid', frame: () => tradeFrame({ p: '65000.05' }) },
  {
    name: 'null in the place of a trade',
    frame: () => '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1,"data":[null]}',
  },
  { name: 'data that is no list', frame: () => '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1,"data":{}}' },
].map((entry) => ({ ...entry, counted: 'symbol' }));

const NO_DATA: Case[] = [
  { name: 'an empty frame', frame: () => '' },
  { name: 'a truncated frame', frame: () => bookFrame(() => undefined).slice(0, -20) },
  { name: 'two frames in one', frame: () => '{"op":"pong"}{"op":"pong"}' },
  { name: 'text that is no JSON', frame: () => 'NaN' },
  ...['null', '1', '"orderbook.50.BTCUSDT"', '[]', '[[]]', '{}', '[{"topic":"orderbook.50.BTCUSDT"}]'].map((text) => ({
    name: `the JSON text ${text}`,
    frame: () => text,
  })),
  { name: 'a topic of null', frame: () => bookFrame((frame) => (frame.topic = null)) },
  { name: 'a topic in a list', frame: () => bookFrame((frame) => (frame.topic = ['orderbook.50.BTCUSDT'])) },
  { name: 'an operation of null', frame: () => '{"success":false,"op":null}' },
  { name: 'lists nested 100 000 deep', frame: () => nested(100_000) },
  { name: 'lists nested 500 000 deep and never closed', frame: () => '['.repeat(500_000) },
  { name: 'a byte order mark', frame: () => `\ufeff${bookFrame(() => undefined)}` },
  { name: 'bytes that are no UTF-8', frame: () => Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0xc0, 0x80, 0x22, 0x7d]) },
  { name: 'a surrogate in UTF-8', frame: () => Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]) },
  { name: 'zero bytes', frame: () => Buffer.alloc(1_000) },
].map((entry) => ({ ...entry, counted: 'nobody' }));

const SIGNS_OF_LIFE: Case[] = [
  { name: 'a topic nobody asked for', frame: () => bookFrame((frame) => (frame.topic = 'tickers.BTCUSDT')) },
  { name: 'a topic of a prototype', frame: () => bookFrame((frame) => (frame.topic = '__proto__')) },
  { name: 'an unknown operation', frame: () => '{"op":"surprise","args":[null]}' },
  { name: 'a pong without a word', frame: () => '{"op":"pong"}' },
].map((entry) => ({ ...entry, counted: 'nowhere' }));

interface Seen {
  readonly bad: number;
  readonly unattributed: number;
  readonly eth: number;
}

async function seen(): Promise<Seen> {
  const metrics = await collector.scrape();
  return {
    bad: metrics.value('shadow_feed_bad_total', BTC)!,
    unattributed: metrics.value('shadow_feed_bad_unattributed_total')!,
    eth: metrics.value('shadow_feed_messages_total', ETH)!,
  };
}

async function expectBothAlive(before: Seen): Promise<void> {
  await collector.untilReady();
  await collector.metric('shadow_feed_messages_total', ETH, (messages) => messages > before.eth);
  const metrics = await collector.scrape();
  for (const event of ['bad', 'gaps', 'crossed', 'duplicates', 'silences', 'dropped']) {
    expect([event, metrics.value(`shadow_feed_${event}_total`, ETH)]).toEqual([event, 0]);
  }
  expect(metrics.value('shadow_book_resyncs_total', ETH)).toBe(0);
  expect(metrics.value('shadow_orders_total', { ...ETH, event: 'censored' })).toBe(0);
  expect(metrics.value('shadow_best_bid', BTC)).toBe(65_000);
  expect(metrics.value('shadow_best_ask', BTC)).toBe(65_000.1);
  expect(metrics.value('shadow_metrics_rejected_total')).toBe(0);
}

async function expectCounted({ frame, counted }: Case): Promise<void> {
  const before = await seen();
  exchange.sendText(frame());
  // Frames are taken in order: once this is known, the case has been dealt with, and it has harmed no later frame.
  exchange.sendText('"fence"');
  const unattributed = before.unattributed + (counted === 'nobody' ? 2 : 1);
  await collector.metric('shadow_feed_bad_unattributed_total', {}, (value) => value >= unattributed);
  const after = await seen();
  expect({ bad: after.bad - before.bad, unattributed: after.unattributed }).toEqual({
    bad: counted === 'symbol' ? 1 : 0,
    unattributed,
  });
  await expectBothAlive(before);
}

describe('a level with', () => {
  test.each(BAD_LEVELS)('$name is counted, and the book is asked for again', expectCounted);
});

describe('a book with', () => {
  test.each(BAD_BOOKS)('$name is counted, and the book is asked for again', expectCounted);
});

describe('a trade with', () => {
  test.each(BAD_TRADES)('$name is counted and harms no book', async (entry) => {
    const resyncs = (await collector.scrape()).value('shadow_book_resyncs_total', BTC);
    await expectCounted(entry);
    expect((await collector.scrape()).value('shadow_book_resyncs_total', BTC)).toBe(resyncs);
  });
});

describe('what names no symbol,', () => {
  test.each(NO_DATA)('$name, is counted and harms no book', expectCounted);
});

describe('what carries no data,', () => {
  test.each(SIGNS_OF_LIFE)('$name, is a sign of life and no more', expectCounted);
});

test('a frame cut off at any byte, or with a byte too many, is counted and harms no book', async () => {
  const before = await seen();
  const good = bookFrame(() => undefined);
  const cut = Array.from({ length: good.length }, (_, length) => good.slice(0, length));
  const longer = ['}', 'x', ',', '\0', '"', ']', '{}'].map((tail) => good + tail);
  const resyncs = (await collector.scrape()).value('shadow_book_resyncs_total', BTC);
  for (const frame of [...cut, ...longer]) exchange.sendText(frame);
  const expected = before.unattributed + cut.length + longer.length;
  await collector.metric('shadow_feed_bad_unattributed_total', {}, (value) => value >= expected);
  expect(await seen()).toMatchObject({ bad: before.bad, unattributed: expected });
  expect((await collector.scrape()).value('shadow_book_resyncs_total', BTC)).toBe(resyncs);
  await expectBothAlive(before);
});

test('a binary frame is decoded like a text one', async () => {
  const before = await seen();
  exchange.sendBinary(Buffer.from([0, 1, 2, 0xff]));
  await collector.metric('shadow_feed_bad_unattributed_total', {}, (value) => value === before.unattributed + 1);
  const market = exchange.market('BTCUSDT');
  const messages = (await collector.scrape()).value('shadow_feed_messages_total', BTC)!;
  exchange.sendBinary(Buffer.from(market.deltaFrom(market.ladder())));
  await collector.metric('shadow_feed_messages_total', BTC, (value) => value === messages + 1);
  await expectBothAlive(before);
});

test('a publish stamp of tomorrow gives no latency and spoils nothing', async () => {
  const before = await seen();
  const market = exchange.market('BTCUSDT');
  exchange.sendText(market.book('orderbook.50', 'delta', [], [], { ts: Date.now() + 86_400_000, cts: Date.now() }));
  await expectBothAlive(before);
  expect((await seen()).bad).toBe(before.bad);
  const drift = (await collector.scrape()).value('shadow_clock_drift_ms', ETH) ?? 0;
  expect(Math.abs(drift)).toBeLessThan(1_000);
});

test.each([
  { name: 'one byte more than the limit', bytes: 1024 * 1024 + 1 },
  { name: 'a number of 2 000 000 digits', bytes: 2_000_000 },
  { name: '10 MB', bytes: 10_000_000 },
])('a frame of $name ends the connection, which comes back', async ({ bytes }) => {
  const before = await seen();
  const { connections } = exchange;
  const reconnects = (await collector.scrape()).value('shadow_reconnects_total')!;
  exchange.sendText('7'.repeat(bytes));
  await collector.metric('shadow_reconnects_total', {}, (value) => value === reconnects + 1);
  await collector.untilReady();
  expect(exchange.connections).toBe(connections + 1);
  await collector.metric('shadow_feed_messages_total', ETH, (messages) => messages > before.eth);
  expect((await seen()).bad).toBe(before.bad);
  expect(collector.running).toBe(true);
});

test('one stamp of 50 s ahead, which a wrong local clock could explain, harms no other symbol', async () => {
  const own = await Collector.start(scope, exchange, { symbols: 'BTCUSDT,ETHUSDT', duration: 1 });
  await own.untilQuoting('BTCUSDT', 'ETHUSDT');
  const windows = (await own.scrape()).value('shadow_windows_total')!;
  const startMs = performance.now();
  const ahead = Date.now() + 50_000;
  exchange.sendText(exchange.market('BTCUSDT').book('orderbook.50', 'delta', [], [], { ts: ahead, cts: ahead }));

  // The other market moves; its quotes have to follow within the usual latencies, not 50 s later.
  exchange.move('ETHUSDT', 5_000);
  const followed = (price: number): boolean => price > 3_530;
  await own.metric('shadow_quote_price', { ...ETH, side: 'buy' }, followed, 5_000);
  const passed = (await own.scrape()).value('shadow_windows_total')! - windows;
  expect(passed).toBeLessThanOrEqual((performance.now() - startMs) / 1_000 + 2);
});
