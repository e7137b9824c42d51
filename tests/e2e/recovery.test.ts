import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { IterSummary } from '../../schema/types.gen.js';
import { Collector } from './support/collector.ts';
import { Scope, waitFor } from './support/scope.ts';
import { TestExchange } from './support/test-exchange.ts';

let scope: Scope;
let exchange: TestExchange;
beforeEach(async () => {
  scope = new Scope();
  exchange = await TestExchange.start(scope);
});
afterEach(() => scope.close());

const BTC = { symbol: 'BTCUSDT' };
const ETH = { symbol: 'ETHUSDT' };

async function start(flags: Record<string, string | number> = {}): Promise<Collector> {
  const collector = await Collector.start(scope, exchange, { symbols: 'BTCUSDT,ETHUSDT', duration: 1, ...flags });
  await collector.untilReady();
  return collector;
}

/** Topics asked for after the two subscriptions that every connection begins with. */
const resubscribed = (): readonly string[] => exchange.asked('unsubscribe');

const sum = (windows: readonly IterSummary[], of: (window: IterSummary) => number): number =>
  windows.reduce((total, window) => total + of(window), 0);

/** Nothing that happens to one symbol touches another. */
async function expectUntouched(collector: Collector, labels: Readonly<Record<string, string>>): Promise<void> {
  const metrics = await collector.scrape();
  for (const name of ['gaps', 'bad', 'duplicates', 'crossed', 'silences', 'dropped'].map(
    (event) => `shadow_feed_${event}_total`,
  )) {
    expect([name, metrics.value(name, labels)]).toEqual([name, 0]);
  }
  expect(metrics.value('shadow_book_resyncs_total', labels)).toBe(0);
  expect(metrics.value('shadow_orders_total', { ...labels, event: 'censored' })).toBe(0);
}

test('a lost update is counted, censors the open orders and is mended by a new snapshot of its topic', async () => {
  exchange.stream();
  const collector = await start();
  await collector.untilQuoting('BTCUSDT', 'ETHUSDT');

  exchange.muted.add('orderbook.50.BTCUSDT'); // Holds the new snapshot back, so that the outage lasts.
  exchange.skip('orderbook.50', 'BTCUSDT');
  exchange.muted.delete('orderbook.50.BTCUSDT');
  exchange.touch('BTCUSDT');
  exchange.muted.add('orderbook.50.BTCUSDT');
  await collector.metric('shadow_feed_gaps_total', BTC, (gaps) => gaps === 1);
  expect((await collector.get('/readyz')).body).toBe('waiting for the book of BTCUSDT\n');
  expect((await collector.scrape()).value('shadow_best_bid', BTC)).toBeUndefined();
  await waitFor('the topic to be asked for again', () => exchange.asked('subscribe').length === 7);
  exchange.muted.clear();
  exchange.snapshot('orderbook.50', 'BTCUSDT');

  await collector.untilReady();
  await collector.metric('shadow_orders_total', { ...BTC, event: 'activated' }, (activated) => activated >= 4);
  expect(resubscribed()).toEqual(['orderbook.50.BTCUSDT']);
  expect(exchange.asked('subscribe').slice(6)).toEqual(['orderbook.50.BTCUSDT']);
  await expectUntouched(collector, ETH);
  await collector.stop();

  const windows = collector.windows();
  const own = (window: IterSummary) => window.by_symbol['BTCUSDT']!;
  expect(sum(windows, (window) => own(window).feed.gaps)).toBe(1);
  expect(sum(windows, (window) => own(window).feed.resyncs)).toBe(1);
  // One order a side was open.
  expect(sum(windows, (window) => own(window).orders.censored)).toBe(2);
  expect(sum(windows, (window) => own(window).no_fill_reasons.feed_censored)).toBe(2);
  const broken = windows.find((window) => own(window).feed.gaps === 1)!;
  expect(own(broken).feed.coverage).toBeLessThan(1);
  expect(own(broken).feed.suspect_ms).toBeGreaterThan(0);
  const totals = collector.runSummary()!.totals;
  expect(totals.feed.gaps).toBe(1);
  expect(totals.orders.censored).toBe(2);
  expect(totals.no_fill_reasons.feed_censored).toBe(2);
});

test('a silent book channel is suspect after its limit, is asked for again, and recovers; the rest goes on', async () => {
  exchange.stream();
  const collector = await start({ silence_ms: 6_000 });
  await collector.untilQuoting('BTCUSDT', 'ETHUSDT');
  exchange.muted.add('orderbook.50.BTCUSDT');
  const mutedAtMs = performance.now();
  await collector.metric('shadow_feed_silences_total', BTC, (silences) => silences >= 1);
  expect(performance.now() - mutedAtMs).toBeGreaterThan(5_000);
  expect((await collector.get('/readyz')).body).toBe('waiting for the book of BTCUSDT\n');
  await collector.metric('shadow_orders_total', { ...BTC, event: 'censored' }, (censored) => censored === 2);
  await waitFor('the channel to be asked for again', () => resubscribed().length >= 1);
  expect(new Set(resubscribed())).toEqual(new Set(['orderbook.50.BTCUSDT']));
  await expectUntouched(collector, ETH);

  // The next request for the topic, some seconds later, is answered.
  exchange.muted.clear();
  await collector.untilReady();
  await collector.metric('shadow_orders_total', { ...BTC, event: 'activated' }, (activated) => activated >= 4);
  // Silence is no lost update.
  expect((await collector.scrape()).value('shadow_feed_gaps_total', BTC)).toBe(0);
  await collector.stop();
  const windows = collector.windows();
  expect(sum(windows, (window) => window.by_symbol['BTCUSDT']!.feed.silences)).toBeGreaterThanOrEqual(1);
  expect(Math.min(...windows.map((window) => window.by_symbol['BTCUSDT']!.feed.coverage!))).toBeLessThan(0.9);
});

test('orderbook.1 is suspect after a third of the limit', async () => {
  exchange.stream();
  const collector = await start({ silence_ms: 12_000 });
  exchange.muted.add('orderbook.1.BTCUSDT');
  const mutedAtMs = performance.now();
  await collector.metric('shadow_feed_silences_total', BTC, (silences) => silences >= 1);
  const silentMs = performance.now() - mutedAtMs;
  expect(silentMs).toBeGreaterThan(3_900);
  expect(silentMs).toBeLessThan(11_000);
  expect(resubscribed()).toEqual(['orderbook.1.BTCUSDT']);
  exchange.muted.clear();
  exchange.touch('BTCUSDT');
  await collector.untilReady();
});

test('an orderbook.1 that repeats its last snapshot is neither silent nor broken', async () => {
  exchange.every(50, () => {
    for (const [symbol, market] of exchange.markets) {
      exchange.send(`orderbook.1.${symbol}`, market.snapshot('orderbook.1', { u: market.sequence('orderbook.1') }));
      exchange.send(`orderbook.50.${symbol}`, market.deltaFrom(market.ladder()));
    }
  });
  const collector = await start({ silence_ms: 12_000 });
  await collector.metric('shadow_feed_duplicates_total', BTC, (duplicates) => duplicates >= 100);
  const metrics = await collector.scrape();
  expect(metrics.value('shadow_feed_silences_total', BTC)).toBe(0);
  expect(metrics.value('shadow_feed_gaps_total', BTC)).toBe(0);
  expect(metrics.value('shadow_book_resyncs_total', BTC)).toBe(0);
  expect(resubscribed()).toEqual([]);
});

test('a snapshot in mid-stream, with any update id, overwrites the book and is no gap', async () => {
  const collector = await start();
  const market = exchange.market('BTCUSDT');
  for (const u of [market.sequence('orderbook.50') + 500, 77, 1]) {
    market.setSequence('orderbook.50', u - 1);
    market.bidTicks += 100;
    exchange.snapshot('orderbook.50', 'BTCUSDT');
    exchange.snapshot('orderbook.1', 'BTCUSDT');
    await collector.metric('shadow_best_bid', BTC, (bid) => bid === market.bidTicks / 10);
    exchange.move('BTCUSDT', 10);
    await collector.metric('shadow_best_bid', BTC, (bid) => bid === market.bidTicks / 10);
  }
  // Nothing of the old books is left: one tick between the best prices all the time.
  const metrics = await collector.scrape();
  expect(metrics.value('shadow_best_ask', BTC)).toBe(market.askTicks / 10);
  await expectUntouched(collector, BTC);
  expect(resubscribed()).toEqual([]);
});

test('u = 1 is a restart of the service: even as a delta it overwrites the book', async () => {
  const collector = await start();
  const market = exchange.market('BTCUSDT');
  market.bidTicks -= 5_000;
  const bids = [...market.ladder().bids];
  const asks = [...market.ladder().asks];
  exchange.send('orderbook.50.BTCUSDT', market.book('orderbook.50', 'delta', bids, asks, { u: 1 }));
  exchange.snapshot('orderbook.1', 'BTCUSDT');
  await collector.metric('shadow_best_bid', BTC, (bid) => bid === 64_500);
  await expectUntouched(collector, BTC);
  expect(await collector.get('/readyz')).toMatchObject({ status: 200 });
});

test('an update that comes twice is counted, changes nothing, and is no gap', async () => {
  const collector = await start();
  await collector.untilQuoting('BTCUSDT');
  const market = exchange.market('BTCUSDT');
  const repeat = { u: market.sequence('orderbook.50') };
  exchange.send('orderbook.50.BTCUSDT', market.book('orderbook.50', 'delta', [[market.bidTicks, 0]], [], repeat));
  await collector.metric('shadow_feed_duplicates_total', BTC, (duplicates) => duplicates === 1);
  const metrics = await collector.scrape();
  expect(metrics.value('shadow_best_bid', BTC)).toBe(65_000);
  expect(metrics.value('shadow_feed_gaps_total', BTC)).toBe(0);
  expect(metrics.value('shadow_orders_total', { ...BTC, event: 'censored' })).toBe(0);
  expect(resubscribed()).toEqual([]);
});

/** A bid above the ask, or its removal, as an update of orderbook.50. */
function crossingBid(lots: number): void {
  const market = exchange.market('BTCUSDT');
  exchange.send('orderbook.50.BTCUSDT', market.book('orderbook.50', 'delta', [[market.askTicks + 5, lots]], []));
}

test('a book crossed by one update and mended by the next is only counted', async () => {
  const collector = await start();
  await collector.untilQuoting('BTCUSDT');
  crossingBid(3);
  crossingBid(0);
  await collector.metric('shadow_feed_crossed_total', BTC, (crossed) => crossed === 1);
  await collector.metric('shadow_best_bid', BTC, (bid) => bid === 65_000);
  const metrics = await collector.scrape();
  expect(metrics.value('shadow_book_resyncs_total', BTC)).toBe(0);
  expect(metrics.value('shadow_orders_total', { ...BTC, event: 'censored' })).toBe(0);
});

test('crossed updates with good ones between them never add up to a resynchronisation', async () => {
  const collector = await start();
  await collector.untilQuoting('BTCUSDT');
  for (let times = 1; times <= 3; times++) {
    crossingBid(3);
    crossingBid(0);
    await collector.metric('shadow_feed_crossed_total', BTC, (crossed) => crossed === times);
    await collector.metric('shadow_best_bid', BTC, (bid) => bid === 65_000);
  }
  expect((await collector.scrape()).value('shadow_book_resyncs_total', BTC)).toBe(0);
  expect(resubscribed()).toEqual([]);
});

test('a book that stays crossed for a second update is given up, asked for again, and recovers', async () => {
  const collector = await start();
  await collector.untilQuoting('BTCUSDT', 'ETHUSDT');
  crossingBid(3);
  crossingBid(4);
  await collector.metric('shadow_feed_crossed_total', BTC, (crossed) => crossed === 2);
  await collector.metric('shadow_orders_total', { ...BTC, event: 'censored' }, (censored) => censored === 2);
  await waitFor('both channels to be asked for again', () => resubscribed().length === 2);
  expect(resubscribed()).toEqual(['orderbook.50.BTCUSDT', 'orderbook.1.BTCUSDT']);
  await collector.untilReady();
  const metrics = await collector.scrape();
  expect(metrics.value('shadow_best_bid', BTC)).toBe(65_000);
  expect(metrics.value('shadow_feed_gaps_total', BTC)).toBe(0);
  await expectUntouched(collector, ETH);
});

test('data that stays bad does not become a storm of requests', async () => {
  exchange.stream();
  const collector = await start();
  exchange.muted.add('orderbook.50.BTCUSDT');
  const sent = 200;
  for (let times = 0; times < sent; times++) {
    exchange.sendText('{"topic":"orderbook.50.BTCUSDT","type":"delta","data":null}');
  }
  await collector.metric('shadow_feed_bad_total', BTC, (bad) => bad === sent);
  // The topic is asked for once, and again only when that has brought nothing for seconds.
  expect(resubscribed().length).toBeLessThanOrEqual(2);
});

test('snapshots that are crossed themselves do not become a storm of requests', async () => {
  const collector = await start();
  const market = exchange.market('BTCUSDT');
  // Every book the exchange sends from here on is crossed, new snapshots included.
  market.ladder = () => ({ bids: new Map([[market.askTicks + 5, 10]]), asks: new Map([[market.askTicks, 10]]) });
  exchange.snapshot('orderbook.50', 'BTCUSDT');
  exchange.snapshot('orderbook.1', 'BTCUSDT');
  exchange.every(40, () => exchange.touch('ETHUSDT'));
  // Two seconds of the other symbol.
  await collector.metric('shadow_feed_messages_total', ETH, (messages) => messages > 100);
  // Two channels, asked for once and once more at most.
  expect(resubscribed().length).toBeLessThanOrEqual(4);
  await expectUntouched(collector, ETH);
});

test('a restart of the exchange is a lost connection: the run backs off, subscribes anew and is ready again', async () => {
  exchange.stream();
  const collector = await start();
  await collector.untilQuoting('BTCUSDT', 'ETHUSDT');
  await exchange.stop();
  await collector.metric('shadow_reconnects_total', { exchange: 'bybit' }, (count) => count >= 1);
  expect(await collector.get('/readyz')).toEqual({ status: 503, body: 'waiting for the book of BTCUSDT, ETHUSDT\n' });
  expect(await collector.get('/healthz')).toMatchObject({ status: 200 });
  // Connections are refused for a while: tried again each time, with a growing wait.
  await collector.until('five attempts', () => collector.stderr.split('"connection lost"').length > 5);
  const waits = [...collector.stderr.matchAll(/"retryInMs":(\d+)/g)].map((match) => Number(match[1]));
  waits.forEach((waitMs, attempt) => expect(waitMs).toBeLessThanOrEqual(250 * 2 ** attempt));
  expect(exchange.connections).toBe(1);
  expect(collector.running).toBe(true);

  await exchange.listen();
  exchange.stream();
  await collector.untilReady(20_000);
  expect(exchange.connections).toBe(2);
  const again = exchange.frames.filter(({ connection }) => connection === 2);
  expect(again.map(({ op }) => op)).toEqual(['subscribe', 'subscribe']);
  await collector.metric('shadow_orders_total', { ...ETH, event: 'activated' }, (activated) => activated >= 4);
  await collector.stop();
  const totals = collector.runSummary()!.totals;
  expect(totals.orders.censored).toBe(4);
  expect(totals.feed.gaps).toBe(0);
  expect(totals.feed.reconnects).toBeGreaterThanOrEqual(2);
  const covered = collector.windows().map((window) => window.summary.feed.coverage!);
  expect(Math.min(...covered)).toBeLessThan(0.9);
});

test('one lost connection counts once, and attempts that were refused do not count', async () => {
  exchange.stream();
  const collector = await start();
  await exchange.stop();
  await collector.until('three attempts', () => collector.stderr.split('"connection lost"').length > 3);
  await exchange.listen();
  await collector.untilReady();
  expect((await collector.scrape()).value('shadow_reconnects_total', { exchange: 'bybit' })).toBe(1);
});

test('an exchange that is not there at the start is waited for', async () => {
  const { wsUrl, restUrl } = exchange;
  await exchange.stop();
  const collector = await Collector.start(scope, exchange, { symbols: 'BTCUSDT', ws_url: wsUrl, rest_url: restUrl });
  await collector.until('two attempts', () => collector.stderr.split('not to be had yet').length > 2);
  expect(await collector.get('/readyz')).toEqual({ status: 503, body: 'waiting for the book of BTCUSDT\n' });
  await exchange.listen();
  await collector.untilReady(20_000);
});
