import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessLatency } from '../../collector/src/commands/process-latency.ts';
import type { IterSummary } from '../../schema/types.gen.js';
import { canonicalJson } from '../../collector/src/artifacts/canonical-json.ts';
import type { RunIdentity } from '../../collector/src/artifacts/run-artifacts.ts';
import { iterSummary, runSummary, RunTotals } from '../../collector/src/artifacts/run-artifacts.ts';
import { ArtifactStore } from '../../collector/src/artifacts/store.ts';
import { iterFileName } from '../../collector/src/artifacts/window-files.ts';
import { iterSummaryValidator, validated } from '../../collector/src/artifacts/validate.ts';
import { DriftEwma } from '../../collector/src/clock/drift.ts';
import type { RunConfig } from '../../collector/src/config.ts';
import { resolveRunConfig } from '../../collector/src/config.ts';
import type { MarketEvent } from '../../collector/src/events.ts';
import { bybitLinear } from '../../collector/src/feed/bybit.ts';
import type { RawRecord } from '../../collector/src/feed/records.ts';
import { decodeRecords } from '../../collector/src/feed/records.ts';
import { ReorderBuffer } from '../../collector/src/book/reorder.ts';
import { ExchangeClock } from '../../collector/src/clock/exchange-clock.ts';
import { LogLinearHistogram } from '../../collector/src/clock/histogram.ts';
import { nearestRank, quantileOf } from '../../collector/src/kpi/quantile.ts';
import { summarize } from '../../collector/src/kpi/summary.ts';
import { WindowStats } from '../../collector/src/kpi/window.ts';
import type { Metric, MetricName } from '../../collector/src/metrics/catalog.ts';
import { CATALOG } from '../../collector/src/metrics/catalog.ts';
import { RunMetrics } from '../../collector/src/metrics/collect.ts';
import { STALE_AFTER_US } from '../../collector/src/metrics/trust.ts';
import type { Put } from '../../collector/src/metrics/registry.ts';
import { MetricsRegistry } from '../../collector/src/metrics/registry.ts';
import { builtInProfiles } from '../../collector/src/resources.ts';
import type { MarketRun, MarketSetup, SymbolFill } from '../support/market.ts';
import {
  BookFeed,
  connectAt,
  DEEP,
  DESK,
  DeskRun,
  disconnectAt,
  probeAt,
  heartbeatAt,
  HORIZONS,
  instrument,
  MS,
  pipelineParameters,
  quote,
  received,
  runBatches,
  runMarket,
  S,
  stampsAt,
  SYMBOL,
  T0,
  tradeEvent,
} from '../support/market.ts';

const BID = 9_999;
const ASK = 10_001;

/** One order of 50 lots a side at 10 ticks (10 basis points of 10,000) behind the best, kept for an hour. */
const still = (own: MarketSetup = {}): MarketSetup => ({
  windowUs: 600 * S,
  ...own,
  quoter: {
    spreadBps: 10,
    quoteNotional: 50,
    inventoryLimitQuote: 100_000,
    requoteTicks: 1e6,
    maxAgeUs: 3_600 * S,
    minRequoteIntervalUs: 3_600 * S,
    ...own.quoter,
  },
});
const QUOTE_BUY = BID - 10;
const QUOTE_SELL = ASK + 10;

const ofModel = (run: MarketRun, model: SymbolFill['model']): SymbolFill[] =>
  run.fills.filter((fill) => fill.model === model);
const total = ({ reports }: MarketRun) => reports.at(-1)!.total;

/** A book that is quoted in, and after 100 ms comes down so far that its ask is at the buy quote, for `stayUs`. */
function fallingMarket(stayUs: number, endUs = T0 + S): MarketEvent[] {
  const feed = new BookFeed();
  const start = T0 + 100 * MS;
  return received([
    feed.snapshot(T0, [BID, 10], [ASK, 10]),
    feed.snapshot(start, [QUOTE_BUY - 2, 10], [QUOTE_BUY, 10]),
    feed.snapshot(start + stayUs, [BID, 10], [ASK, 10]),
    feed.snapshot(endUs, [BID, 11], [ASK, 10]),
  ]);
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('quotes and fills', () => {
  test('trap 1: a quote rests with its own price and fills when the market comes to it', () => {
    const { fills } = runMarket(fallingMarket(100 * MS), still());
    // A quote made anew from the fallen book would be 10 ticks below its bid, and never be met by the ask of the same tick.
    expect(fills.filter(({ side }) => side === 1).map(({ model }) => model)).toEqual(['queue', 'touch', 'touch-dwell']);
    expect(fills.every(({ priceTicks }) => priceTicks === QUOTE_BUY)).toBe(true);
  });

  test('trap 2: dwell is exchange time, with a timer of its own, however the events were batched or received', () => {
    for (const stayUs of [24_999, 25_000, 25_001, 300 * MS]) {
      // At 25 ms sharp the book of that instant comes before the timer, and ends the touch.
      const expected = stayUs > 25_000 ? [T0 + 125 * MS] : [];
      const dwelled = (events: readonly MarketEvent[]): number[] =>
        ofModel(runMarket(events, still()), 'touch-dwell').map(({ timeUs }) => timeUs);
      expect(dwelled(fallingMarket(stayUs))).toEqual(expected);
      // All but the first received in the same microsecond: by any local clock the touch lasts no time at all.
      const together = fallingMarket(stayUs).map((event, at) =>
        at < 2 ? event : { ...event, ...stampsAt(T0 + 2 * S) },
      );
      expect(dwelled(together)).toEqual(expected);
      // A slow line: each message takes longer than the dwell, and longer than the one before it.
      const slow = fallingMarket(stayUs).map((event, at) => ({
        ...event,
        ...stampsAt(event.receiveTimeUs + at * 7 * MS),
      }));
      expect(dwelled(slow)).toEqual(expected);
    }
  });

  test('trap 3: every symbol has its own book, orders and position', () => {
    const other = 'ETHUSDT';
    const feed = new BookFeed(DEEP, other);
    const far = received([feed.snapshot(T0, [499, 10], [501, 10]), feed.snapshot(T0 + S, [499, 11], [501, 10])]);
    const instruments = [instrument(), instrument({ symbol: other })];
    const run = runMarket(
      [...fallingMarket(100 * MS), ...far].sort((a, b) => a.monoUs - b.monoUs),
      still({ instruments }),
    );
    expect(new Set(run.fills.map(({ symbol }) => symbol))).toEqual(new Set([SYMBOL]));
    const books = [...run.pipeline.symbols.values()].map(({ book, simulation }) => [
      book.bestTicks(1),
      simulation.kpi.inventory.positionLots,
    ]);
    expect(books).toEqual([
      [BID, 50],
      [499, 0],
    ]);
  });

  test('trap 4: takers are counted, and no fills give null, not a ratio of 0 or 1 or what follows from it', () => {
    const crossing: MarketSetup['quoter'] = { spreadBps: -5 };
    const taking = runMarket(fallingMarket(100 * MS), still({ postOnly: false, quoter: crossing }));
    expect(total(taking).taker_count).toBeGreaterThan(0);
    expect(total(taking).by_cause.taker.fills).toBe(total(taking).taker_count);
    const refused = total(runMarket(fallingMarket(100 * MS), still({ quoter: crossing, kpi: { driver: 0 } })));
    expect(refused.taker_count).toBe(0);
    expect(refused.would_be_taker).toBeGreaterThan(0);
    expect(refused.notional_quote.would_be_taker).toBeGreaterThan(0);
    // What would have been taken counts against the maker share: with nothing made, it is 0 of something.
    expect(refused.maker_taker_ratio).toBe(0);
    const feed = new BookFeed();
    const quiet = received([0, 400, 800].map((ms) => feed.snapshot(T0 + ms * MS, [BID, 10], [ASK, 10])));
    expect(total(runMarket(quiet, still()))).toMatchObject({
      fills: 0,
      maker_taker_ratio: null,
      net_bps: null,
      slippage_bps_p95: null,
      adverse_bps_p95: null,
      toxicity: null,
      loss_share: null,
      risk_ratio: 0,
    });
  });

  test('trap 5: slippage and adverse selection come from prices; no random number is drawn', () => {
    jest.spyOn(Math, 'random').mockImplementation(() => {
      throw new Error('drawn');
    });
    const feed = new BookFeed();
    const events = received([
      feed.snapshot(T0, [BID, 10], [ASK, 10]),
      tradeEvent(T0 + 100 * MS, { priceTicks: QUOTE_BUY - 1, sizeLots: 500 }),
      // 100 ms after the fill the mid has gone from 10,000 to 9,980.
      feed.snapshot(T0 + 150 * MS, [9_979, 10], [9_981, 10]),
      feed.snapshot(T0 + 3 * S, [9_979, 11], [9_981, 10]),
    ]);
    const summary = total(runMarket(events, still({ kpi: { driver: 0, kpiHorizon: 0 } })));
    expect(summary.fills).toBe(1);
    expect(summary.gross_bps).toBe(11);
    expect(summary.adverse_bps).toBe(20);
    expect(summary.markouts['100ms']).toMatchObject({ n: 1, mean_bps: -9 });
    // The quote is where the rule would put it from the book before the fill: no slippage. One fill gives no percentile.
    expect(summary.slippage_bps_p95).toBeNull();
  });

  test('trap 6: the volume that a touch asks for is of the other side, in the book, and not older than the touch', () => {
    const trades: Record<string, Parameters<typeof tradeEvent>> = {
      none: [T0 - S, { sizeLots: 1 }],
      'our own side': [T0 + 12 * MS, { takerSign: 1, sizeLots: 99 }],
      'before the touch': [T0 + 9 * MS, { sizeLots: 99 }],
      'too small': [T0 + 12 * MS, { sizeLots: 4 }],
      'in time': [T0 + 12 * MS, { sizeLots: 5 }],
      'after the dwell': [T0 + 50 * MS, { sizeLots: 5 }],
      'outside the book': [T0 + 12 * MS, { sizeLots: 99, offBook: true }],
    };
    const filledAt = Object.entries(trades).map(([name, [timeUs, trade]]) => {
      const run = new DeskRun({ ...DESK, volume: { minLots: 5, mode: 'last' } });
      const feed = new BookFeed();
      run.push(feed.snapshot(T0 - 2 * S, [BID, 10], [ASK, 10]));
      const order = quote(1, 1, BID, 3);
      run.rest(order);
      const events = [
        feed.delta(T0 + 10 * MS, [BID, 0, BID - 3, 5], [BID, 2]),
        tradeEvent(timeUs, { priceTicks: BID, ...trade }),
      ];
      for (const event of events.sort((a, b) => a.exchangeTimeUs - b.exchangeTimeUs)) run.push(event);
      run.advance(T0 + S);
      return [name, run.fills.find(({ fill }) => fill.cause === 'dwell')?.fill.timeUs];
    });
    expect(Object.fromEntries(filledAt)).toEqual({
      none: undefined,
      'our own side': undefined,
      'before the touch': undefined,
      'too small': undefined,
      'in time': T0 + 35 * MS,
      'after the dwell': T0 + 50 * MS,
      'outside the book': undefined,
    });
  });

  test('trap 6: trades outside the book consume no queue and fill nothing', () => {
    const feed = new BookFeed();
    const block = tradeEvent(T0 + 100 * MS, { priceTicks: QUOTE_BUY - 5, sizeLots: 500, offBook: true });
    const events = [feed.snapshot(T0, [BID, 10], [ASK, 10]), block, feed.snapshot(T0 + S, [BID, 11], [ASK, 10])];
    expect(runMarket(received(events), still()).fills).toEqual([]);
  });

  test('trap 7: an order is filled once, up to its size, and lives on over the border of a window', () => {
    const feed = new BookFeed();
    // The quote of the first window is met again and again in the second, and no other is sent.
    const events: MarketEvent[] = [feed.snapshot(T0, [BID, 10], [ASK, 10])];
    for (let at = 0; at < 20; at++) {
      const timeUs = T0 + 1_500 * MS + at * 20 * MS;
      events.push(feed.snapshot(timeUs, [QUOTE_BUY - 3, 10], [QUOTE_BUY - 1, 500]));
      events.push(tradeEvent(timeUs + MS, { priceTicks: QUOTE_BUY - 3, sizeLots: 500, sequence: at }));
    }
    events.push(feed.snapshot(T0 + 2_500 * MS, [QUOTE_BUY - 3, 10], [QUOTE_BUY - 1, 10]));
    const run = runMarket(received(events), still({ windowUs: S }));
    for (const model of ['trade-through', 'queue', 'touch', 'touch-dwell'] as const) {
      const fills = ofModel(run, model);
      expect(fills.reduce((sum, { lots }) => sum + lots, 0)).toBe(50);
      expect(new Set(fills.map(({ orderId, priceTicks }) => `${orderId} ${priceTicks}`))).toEqual(
        new Set([`1 ${QUOTE_BUY}`]),
      );
      expect(fills.every(({ timeUs }) => timeUs > T0 + S)).toBe(true);
    }
    // The position is the run's: what the second window bought the third one holds.
    const held = run.reports.filter(({ index }) => index === 2).at(-1)!.total;
    expect(held.fills).toBe(0);
    expect(held.inventory.time_weighted).toBeGreaterThan(0);
  });

  /** A quote, and the ask that comes down to it at 100 ms. */
  const touching = (feed: BookFeed): MarketEvent[] => [
    feed.snapshot(T0, [BID, 10], [ASK, 10]),
    feed.snapshot(T0 + 100 * MS, [QUOTE_BUY - 2, 10], [QUOTE_BUY, 10]),
  ];

  test('trap 7: a censored order is not filled by a dwell that would have ended after the line was lost', () => {
    // Lost 5 ms after the touch began.
    const line = [disconnectAt(T0 + 105 * MS), heartbeatAt(T0 + 10 * S)];
    const run = runMarket([...received(touching(new BookFeed())), ...line], still({ reorderWindowUs: 0 }));
    expect(ofModel(run, 'touch-dwell')).toEqual([]);
    expect(total(run).orders).toMatchObject({ new: 2, activated: 2, filled: 0, censored: 2 });
  });

  test('trap 7: a canceled order is not filled by a dwell that ends after its cancel', () => {
    // Live from 12.2 ms on, 100 ms old at 112.2: canceled at 122.4 ms, and the dwell would have ended at 125.
    const feed = new BookFeed();
    const market = touching(feed);
    for (const ms of [150, 200, 250]) market.push(feed.snapshot(T0 + ms * MS, [QUOTE_BUY - 2, ms], [QUOTE_BUY, 10]));
    const aging = still({ quoter: { maxAgeUs: 100 * MS, minRequoteIntervalUs: 0 } });
    const fills = ofModel(runMarket(received(market), aging), 'touch-dwell');
    expect(fills.filter(({ orderId }) => orderId === 1)).toEqual([]);
  });

  test('trap 24: a resting order is filled at its own price, however far the other side came through it', () => {
    const feed = new BookFeed();
    const events = received([
      feed.snapshot(T0, [BID, 10], [ASK, 10]),
      feed.snapshot(T0 + 100 * MS, [QUOTE_BUY - 9, 10], [QUOTE_BUY - 7, 100]),
      tradeEvent(T0 + 110 * MS, { priceTicks: QUOTE_BUY - 9, sizeLots: 100 }),
      feed.snapshot(T0 + S, [QUOTE_SELL + 7, 100], [QUOTE_SELL + 9, 10]),
      tradeEvent(T0 + 1_010 * MS, { priceTicks: QUOTE_SELL + 9, sizeLots: 100, takerSign: 1 }),
      feed.snapshot(T0 + 2 * S, [BID, 10], [ASK, 10]),
    ]);
    const { fills } = runMarket(events, still());
    expect(new Set(fills.map(({ model }) => model)).size).toBe(4);
    for (const { side, priceTicks, liquidity } of fills) {
      expect([side, priceTicks, liquidity]).toEqual([side, side === 1 ? QUOTE_BUY : QUOTE_SELL, 'maker']);
    }
  });
});

describe('clocks and latency', () => {
  const decode = (frame: Record<string, unknown>, receiveTimeUs = T0): MarketEvent[] => {
    const out: MarketEvent[] = [];
    const decoder = bybitLinear.createDecoder(new Map([[SYMBOL, instrument()]]), [DEEP]);
    decoder.decode(Buffer.from(JSON.stringify(frame)), stampsAt(receiveTimeUs), out);
    return out;
  };
  const frame = (own: Record<string, unknown> = {}): Record<string, unknown> => ({
    topic: `orderbook.50.${SYMBOL}`,
    type: 'snapshot',
    ts: T0 / 1_000 - 7,
    cts: T0 / 1_000 - 9,
    data: { s: SYMBOL, b: [['999.9', '1']], a: [['1000.1', '1']], u: 5, seq: 1 },
    ...own,
  });

  test('trap 8: a message without the exchange’s stamp gives no latency, and is not stamped “now”', () => {
    const [event] = decode(frame({ ts: undefined }));
    expect(event).toMatchObject({ kind: 'book', publishTimeUs: undefined, exchangeTimeUs: T0 - 9 * MS });
    expect(decode(frame({ ts: undefined, cts: undefined }))).toMatchObject([{ kind: 'bad', reason: 'time' }]);
    const feed = new BookFeed();
    const unstamped = Array.from({ length: 30 }, (_, at) => ({
      ...feed.snapshot(T0 + at * 20 * MS, [BID, 10], [ASK, 10]),
      publishTimeUs: undefined,
    }));
    const summary = total(runMarket(received(unstamped), still()));
    expect(summary).toMatchObject({
      p95_latency_ms: null,
      clock_drift_ms: null,
      latency_ms: { feed: { n: 0, p50: null } },
    });
  });

  test('trap 9: every message has the stamp of its own reception, whenever its batch was handed over', () => {
    const records: RawRecord[] = Array.from({ length: 40 }, (_, at) => ({
      type: 'receive',
      connectionId: '1',
      ...stampsAt(T0 + at * 50 * MS),
      frame: Buffer.from(JSON.stringify(frame({ ts: T0 / 1_000 + at * 50 - 7, cts: T0 / 1_000 + at * 50 - 9 }))),
    }));
    const decoder = bybitLinear.createDecoder(new Map([[SYMBOL, instrument()]]), [DEEP]);
    const events = decodeRecords(records, decoder, []);
    expect(events.map(({ receiveTimeUs }) => receiveTimeUs)).toEqual(records.map(({ receiveTimeUs }) => receiveTimeUs));
    const summary = total(runMarket([connectAt(T0), ...events], still()));
    // 7 ms each: a stamp taken when the batch was complete would make it up to two seconds.
    expect(summary.latency_ms.feed).toMatchObject({ n: 40, negative: 0 });
    for (const value of [summary.latency_ms.feed.p50, summary.p95_latency_ms])
      expect(Math.abs(value! - 7)).toBeLessThan(0.07);
    expect(summary.clock_drift_ms).toBe(7);
  });

  test('trap 10: the first sample initialises the drift', () => {
    const drift = new DriftEwma();
    expect(drift.valueMs).toBeUndefined();
    for (let tick = 0; tick < 20; tick++) drift.record(500);
    expect(drift.valueMs).toBe(500);
    drift.record(600);
    expect(drift.valueMs).toBeCloseTo(505, 9);
  });

  test('trap 11: a local clock behind the exchange gives negative drift and counted negatives, nothing clipped to 0', () => {
    const feed = new BookFeed();
    const behind = Array.from({ length: 30 }, (_, at) =>
      feed.snapshot(T0 + at * 20 * MS, [BID, 10], [ASK, 10], -80 * MS),
    );
    const run = runMarket([connectAt(T0 - 80 * MS), ...behind], still());
    const summary = total(run);
    expect(summary.clock_drift_ms).toBe(-80);
    expect(summary.latency_ms.feed).toMatchObject({ n: 30, negative: 30, p50: null, p95: null });
    expect(summary.p95_latency_ms).toBeNull();
    expect(run.pipeline.clock.localUs(0) - run.pipeline.clock.exchangeUs(0)).toBe(-80 * MS);
  });
});

describe('statistics', () => {
  test('trap 12: the 95th percentile is nearest rank, and unknown below 20 values', () => {
    const values = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);
    // int(n·0.95) as an index gives 20 of 20 and 96 of 100.
    expect(nearestRank(values(20), 0.95)).toBe(19);
    expect(nearestRank(values(100), 0.95)).toBe(95);
    expect(nearestRank([], 0.95)).toBeUndefined();
    expect(quantileOf(values(19), 0.95)).toBeUndefined();
    expect(quantileOf(values(20), 0.95)).toBe(19);
    expect(quantileOf([], 0.95)).toBeUndefined();
    const histogram = new LogLinearHistogram();
    for (const value of values(20)) histogram.record(value);
    expect(histogram.quantile(0.95)).toBe(19);
    expect(summaryOf(new WindowStats(HORIZONS.length))).toMatchObject({
      p95_latency_ms: null,
      slippage_bps_p95: null,
      adverse_bps_p95: null,
    });
  });

  test('trap 13: the median is nearest rank, and percentiles over windows come from merged counts', () => {
    expect(nearestRank([1, 2, 3, 4], 0.5)).toBe(2);
    expect(nearestRank([1, 2, 3], 0.5)).toBe(2);
    const quiet = new LogLinearHistogram();
    const busy = new LogLinearHistogram();
    for (let count = 0; count < 20; count++) quiet.record(60);
    for (let count = 0; count < 2_000; count++) busy.record(2);
    // The mean of the two would be 31.
    quiet.add(busy);
    expect(quiet.quantile(0.95)).toBe(2);
    const [one, other] = [new WindowStats(HORIZONS.length), new WindowStats(HORIZONS.length)];
    one.adverseBps.push(...Array<number>(20).fill(60));
    other.adverseBps.push(...Array<number>(2_000).fill(2));
    one.merge(other);
    expect(summaryOf(one).adverse_bps_p95).toBe(2);
  });

  test('trap 14: a 0 is a 0: in flags, in environment, in profiles, and in what is published', () => {
    const zeros = [
      'maker_fee_bps',
      'taker_fee_bps',
      'spread_bps',
      'touch_dwell_ms',
      'trade_ttl_ms',
      'inventory_limit',
    ] as const;
    const flags = configOf(zeros.flatMap((name) => [`--${name}`, '0']));
    const env = configOf([], Object.fromEntries(zeros.map((name) => [`SHADOW_${name.toUpperCase()}`, '0'])));
    const profile = configOf(
      ['--profiles', 'own.json', '--profile', 'own'],
      {},
      {
        'own.json': JSON.stringify({ own: Object.fromEntries(zeros.map((name) => [name, 0])) }),
      },
    );
    for (const config of [flags, env, profile]) {
      for (const name of zeros) expect([name, config.bySymbol.get('BTCUSDT')![name]]).toEqual([name, 0]);
    }
    expect(configOf(['--drain', '0', '--reorder_window_ms', '0', '--seed', '0', '--iterations', '0'])).toMatchObject({
      drain: 0,
      reorder_window_ms: 0,
      seed: 0,
      iterations: 0,
    });
    // A fill at the mid that then does not move: gross, adverse and net are 0, which is known.
    const stats = new WindowStats(HORIZONS.length);
    stats.halfSpread.add(T0, 10, 0);
    stats.adverse.add(T0, 10, 0);
    stats.byModel[3].net.add(T0, 10, 0);
    stats.byLiquidity.maker.notionalQuote = 10;
    expect(summaryOf(stats, 0)).toMatchObject({
      net_bps: 0,
      gross_bps: 0,
      adverse_bps: 0,
      fees_bps: 0,
      clock_drift_ms: 0,
    });
  });

  test('trap 23: a rebate adds to net, a fee and adverse selection take from it', () => {
    const feed = new BookFeed();
    const events = received([
      feed.snapshot(T0, [BID, 10], [ASK, 10]),
      tradeEvent(T0 + 100 * MS, { priceTicks: QUOTE_BUY - 1, sizeLots: 500 }),
      feed.snapshot(T0 + 150 * MS, [9_991, 10], [9_993, 10]),
      feed.snapshot(T0 + 3 * S, [9_991, 11], [9_993, 10]),
    ]);
    const net = (maker: number) => {
      const summary = total(runMarket(events, still({ kpi: { driver: 0, kpiHorizon: 0, fees: { maker, taker: 5 } } })));
      return [summary.gross_bps, summary.adverse_bps, summary.fees_bps, summary.net_bps, Math.sign(summary.pnl.fees)];
    };
    expect(net(2)).toEqual([11, 8, 2, 1, 1]);
    expect(net(0)).toEqual([11, 8, 0, 3, 0]);
    expect(net(-1.5)).toEqual([11, 8, -1.5, 4.5, -1]);
  });

  test('trap 22: the reorder buffer gives events back as time passes, and all of them', () => {
    const buffer = new ReorderBuffer(50 * MS);
    const events = Array.from({ length: 3_000 }, (_, at) => tradeEvent(T0 + at * MS, { sequence: at }, (at % 7) * MS));
    let released = 0;
    let most = 0;
    for (const event of events) {
      while (buffer.release(event.monoUs) !== undefined) released++;
      expect(buffer.push(event)).toBe('held');
      most = Math.max(most, buffer.size);
    }
    // A window's worth is held and no more: not the whole of what came.
    expect(most).toBeLessThan(70);
    while (buffer.flush() !== undefined) released++;
    expect(released).toBe(events.length);
    const feed = new BookFeed();
    const books = Array.from({ length: 600 }, (_, at) => feed.snapshot(T0 + at * 5 * MS, [BID, 10], [ASK, 10]));
    const counts: number[] = [];
    const batches = received(books).map((event) => [event]);
    const run = runBatches(batches, pipelineParameters(still()), ({ symbols }) => {
      counts.push(symbols.get(SYMBOL)!.stats.feed.book_updates);
    });
    expect(counts.every((count, at) => at - count < 15)).toBe(true);
    expect(total(run).feed).toMatchObject({ book_updates: 600, late: 0, dropped: 0 });
  });
});

const summaryOf = (stats: WindowStats, driftMs?: number) =>
  summarize(
    stats,
    { driftMs, clock: new ExchangeClock({ feedUs: MS, probeUs: 1 }).reading(0) },
    {
      driver: 'touch-dwell',
      horizons: HORIZONS,
      inventoryLimitQuote: 10_000,
      windowUs: 60 * S,
      symbols: 1,
    },
  );

function configOf(
  argv: readonly string[],
  env: Record<string, string> = {},
  files: Record<string, string> = {},
): RunConfig {
  return resolveRunConfig({ argv, env, readText: (path) => files[path]!, builtInProfiles: builtInProfiles() });
}

const identity: RunIdentity = {
  source: 'replay',
  exchange: 'bybit',
  symbols: [SYMBOL],
  profile: 'moderate',
  gitCommit: 'unknown',
  config: { seed: 1 },
  durationSeconds: 60,
  notes: [],
  summary: { driver: 'touch-dwell', horizons: HORIZONS },
  inventoryLimits: new Map([[SYMBOL, 100_000]]),
};

/** An artifact as a run makes it. */
function artifact(iteration = 1, own: Partial<RunIdentity> = {}): IterSummary {
  const run = runMarket(fallingMarket(100 * MS, T0 + 8 * S), still());
  return iterSummary({ ...identity, ...own }, run.last[0]!, T0, iteration, null);
}

describe('artifacts', () => {
  test('trap 15: the schema takes every field of the artifact, refuses others, and checks date-time', () => {
    const summary = artifact();
    expect(validated(iterSummaryValidator, JSON.parse(canonicalJson(summary)), 'it')).toEqual(summary);
    for (const timestamp of ['yesterday', '2026-13-01T00:00:00Z', '2026-01-01', 1]) {
      expect(() => validated(iterSummaryValidator, { ...summary, timestamp }, 'it')).toThrow('timestamp');
    }
    expect(() => validated(iterSummaryValidator, { ...summary, surprise: 1 }, 'it')).toThrow('surprise');
    const inner = { ...summary, summary: { ...summary.summary, surprise: 1 } };
    expect(() => validated(iterSummaryValidator, inner, 'it')).toThrow('surprise');
    const totals = new RunTotals();
    totals.add(summary.summary, new WindowStats(HORIZONS.length));
    const run = runSummary(identity, totals, T0, T0 + 60 * S, { written: 1, first: 1, last: 1 });
    expect(run.totals.fills).toBe(summary.summary.fills);
  });

  const withFolder = async (use: (folder: string) => Promise<void>): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), 'shadow-traps-'));
    try {
      await use(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  const errors: string[] = [];
  const openStore = (folder: string): Promise<ArtifactStore> =>
    ArtifactStore.open(folder, { onError: (file) => errors.push(file) });

  test('trap 16: iterations are in order of number, 2 before 10, and other files are none', async () => {
    await withFolder(async (folder) => {
      for (const number of [10, 9, 2, 100, 1]) await writeFile(join(folder, iterFileName(number)), '{}');
      for (const name of [
        'ITER_SUMMARY_07.json',
        'ITER_SUMMARY_x.json',
        'ITER_SUMMARY_3.json.bak',
        'SHADOW_RUN_SUMMARY.json',
      ]) {
        await writeFile(join(folder, name), '{}');
      }
      const store = await openStore(folder);
      expect(store.iterations()).toEqual([1, 2, 9, 10, 100]);
      await store.close();
    });
  });

  test('trap 17: a restart goes on counting behind what is there, and only the same run again writes over itself', async () => {
    await withFolder(async (folder) => {
      const other = { config: { seed: 2 } };
      for (const number of [8, 9]) await writeFile(join(folder, iterFileName(number)), canonicalJson(artifact(number)));
      for (const number of [10, 11])
        await writeFile(join(folder, iterFileName(number)), canonicalJson(artifact(number, other)));
      const store = await openStore(folder);
      expect(store.firstIteration('20260101T000000Z-000000000000', T0)).toBe(12);
      expect(store.firstIteration(artifact().run_id, T0)).toBe(8);
      expect(store.firstIteration(artifact(1, other).run_id, T0)).toBe(10);
      // A file that is no window keeps its number.
      await writeFile(join(folder, iterFileName(40)), 'not JSON');
      expect(store.firstIteration('20260101T000000Z-000000000000', T0)).toBe(41);
      await store.close();
    });
  });

  test('trap 18: a document is there whole or not at all', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, iterFileName(1));
      await writeFile(path, 'old document');
      const reader = await open(path, 'r');
      const store = await openStore(folder);
      store.write(iterFileName(1), 'new');
      expect(await store.close()).toBe(0);
      // Who was reading the old one goes on reading the old one: it was replaced, not overwritten.
      expect(await reader.readFile('utf8')).toBe('old document');
      await reader.close();
      expect(await readFile(path, 'utf8')).toBe('new');
      expect(await readdir(folder)).toEqual([iterFileName(1)]);
    });
  });

  test('trap 18: a write that fails leaves the old document, is counted, and nothing half-written stays', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, iterFileName(1));
      await writeFile(path, 'old document');
      await writeFile(join(folder, '.ITER_SUMMARY_7.json.12345.tmp'), 'half of a docu');
      const store = await openStore(folder);
      // What the new text would be written to cannot be opened: it is a folder.
      await mkdir(join(folder, `.${iterFileName(1)}.${process.pid}.tmp`, 'in the way'), { recursive: true });
      store.write(iterFileName(1), 'new');
      expect(await store.close()).toBe(1);
      expect(store.writeErrors).toBeGreaterThan(0);
      expect(errors).toContain(iterFileName(1));
      expect(await readFile(path, 'utf8')).toBe('old document');
      expect((await readdir(folder)).filter((name) => name.includes('_7.'))).toEqual([]);
    });
  });
});

const FIVE = [
  'shadow_edge_bps',
  'shadow_maker_taker_ratio',
  'shadow_latency_ms',
  'shadow_risk_ratio',
  'shadow_clock_drift_ms',
];

describe('metrics', () => {
  test('trap 19: every metric of the catalog is exported by a run, with the labels it promises, and no other', async () => {
    const seen = new Map<MetricName, Set<string>>();
    const { metrics } = metricsOf();
    const registry = new MetricsRegistry((put) =>
      metrics.collect((name, labels, value) => {
        if (value !== undefined) seen.set(name, new Set(Object.keys(labels)));
        put(name, labels, value);
      }),
    );
    const text = (await registry.render()).join('');
    // The registry's own: values that it refused.
    seen.set('shadow_metrics_rejected_total', new Set());
    for (const [name, { labels }] of Object.entries(CATALOG) as [MetricName, Metric][]) {
      expect([name, [...(seen.get(name) ?? ['never put'])].sort()]).toEqual([name, [...labels].sort()]);
      expect(text).toMatch(new RegExp(`^${name}(_bucket)?(\\{| )`, 'm'));
    }
    for (const name of FIVE) {
      expect(text).toMatch(new RegExp(`^${name}\\{symbol="${SYMBOL}"\\} -?\\d`, 'm'));
    }
    const family = (name: string): string => {
      const base = name.replace(/_(bucket|sum|count)$/, '');
      return (CATALOG as Record<string, Metric>)[base]?.type === 'histogram' ? base : name;
    };
    const exported = new Set([...text.matchAll(/^(shadow_\w+)[{ ]/gm)].map(([, name]) => family(name!)));
    expect([...exported].sort()).toEqual(Object.keys(CATALOG).sort());
  });

  test('the live view is told the five gauges and the fills of the driving model, and asking changes nothing', () => {
    const { metrics, window } = metricsOf();
    const { told, gauges } = kpisAndGauges(metrics);
    expect(told).toEqual(gauges);
    expect(Object.values(told)).not.toContain(null);
    expect(told).toMatchObject({ edge_bps: window.by_symbol[SYMBOL]!.net_bps, fills: expect.any(Number) });
    let silenceUs = STALE_AFTER_US + S;
    const silent = metricsOf(() => silenceUs);
    const first = silent.metrics.kpis(SYMBOL);
    expect(first).toMatchObject({ edge_bps: null, clock_drift_ms: null });
    // Nobody scraped in the silence: nothing was taken away.
    silenceUs = 0;
    expect(kpisAndGauges(silent.metrics).told).toEqual(told);
  });

  test('what a silence took away comes back with the first window that had a trusted book and ended with one', () => {
    let silenceUs = 0;
    const { metrics, window } = metricsOf(() => silenceUs);
    const kpis = (): string[] => {
      const { told, gauges } = kpisAndGauges(metrics);
      expect(told).toEqual(gauges);
      return FIVE.filter((name) => gauges[name.slice('shadow_'.length)] !== null);
    };
    const ended = (iteration: number, coverage: number): void => {
      const own = window.by_symbol[SYMBOL]!;
      const bySymbol = { [SYMBOL]: { ...own, feed: { ...own.feed, coverage } } };
      metrics.onWindow({ ...window, iteration, by_symbol: bySymbol });
    };
    expect(kpis()).toEqual(FIVE);
    silenceUs = STALE_AFTER_US + S;
    expect(kpis()).toEqual([]);
    ended(2, 1);
    silenceUs = 0;
    expect(kpis()).toEqual([]);
    ended(3, 0);
    expect(kpis()).toEqual([]);
    ended(4, 0.2);
    expect(kpis()).toEqual(FIVE);
  });
});

/** The KPIs that the live view is told, a markout under the name of its horizon, and what a scrape has at the same moment. */
function kpisAndGauges(metrics: RunMetrics): { told: object; gauges: Record<string, number | null> } {
  const { markouts_bps: markouts, ...kpis } = metrics.kpis(SYMBOL);
  const told = { ...kpis, ...markouts };
  const gauges: Record<string, number | null> = Object.fromEntries([
    ...FIVE.map((name) => [name.slice('shadow_'.length), null]),
    ...Object.keys(markouts).map((horizon) => [horizon, null]),
    ['fills', 0],
  ]) as Record<string, number | null>;
  const put: Put = (name, labels, value) => {
    if (typeof value !== 'number') return;
    if (FIVE.includes(name)) gauges[name.slice('shadow_'.length)] = value;
    if (name === 'shadow_markout_bps') gauges[labels['horizon']!] = value;
    if (name === 'shadow_fills_total' && labels['model'] === 'touch-dwell') gauges['fills']! += value;
  };
  Array.from(metrics.collect(put));
  return { told, gauges };
}

/** Metrics of a run in which everything has happened: fills, known markouts, quotes working. */
function metricsOf(silenceUs: () => number = () => 0): { metrics: RunMetrics; window: IterSummary } {
  const feed = new BookFeed();
  const at = (ms: number, bid: number, ask: number): MarketEvent => feed.snapshot(T0 + ms * MS, [bid, 10], [ask, 10]);
  const events = [at(0, BID, ASK), at(100, QUOTE_BUY - 2, QUOTE_BUY), at(200, BID, ASK)];
  for (let step = 0; step < 160; step++) events.push(at(500 * (2 + step), BID - (step % 2), ASK));
  const probes = Array.from({ length: 10 }, (_, index) => probeAt(T0 + (1 + 7 * index) * S + MS, 20 * MS));
  const setup = still({ quoter: { minRequoteIntervalUs: 100 * MS, maxAgeUs: 30 * S } });
  let pipeline: MarketRun['pipeline'] | undefined;
  const metrics = new RunMetrics({
    exchange: 'bybit',
    configured: [SYMBOL],
    fillModel: 'touch-dwell',
    build: { version: '0.0.0', commit: 'unknown' },
    pipeline: () => pipeline,
    running: ({ stats }) => summaryOf(stats, stats.driftMs),
    nowUs: () => pipeline!.monoUs + silenceUs(),
    counts: () => ({
      artifactWriteErrors: 0,
      recordingDropped: 0,
      ingestQueue: process.ingestQueueTotal,
      processing: process.processingTotal,
      remoteWrite: {
        samples: { stored: 4, refused: 0, overflow: 0, abandoned: 0 },
        retries: 0,
        pendingSamples: 0,
      },
    }),
  });
  const process = new ProcessLatency({ wallUs: () => 0, monoUs: () => 0 }, { version: '0.0.0', commit: 'unknown' });
  process.close();
  const all = received([...events, ...probes]);
  const run = runBatches([all], pipelineParameters(setup), (live) => (pipeline = live));
  for (const fill of run.fills) metrics.onFill(fill.symbol, fill, fill.lots * fill.priceTicks * 1e-4);
  for (const { symbol, stats } of run.closed) metrics.onSymbolWindow(symbol, stats);
  const window = iterSummary(identity, run.last[0]!, T0, 1, null);
  metrics.onWindow(window);
  return { metrics, window };
}

describe('configuration', () => {
  const files = {
    'own.json': JSON.stringify({
      own: {
        spread_bps: 20,
        requote_ticks: 5,
        symbols: { ETHUSDT: { spread_bps: 40, min_lot: 0.01 }, BTCUSDT: { min_lot: 0.001 } },
      },
    }),
  };
  const own = ['--profiles', 'own.json', '--profile', 'own', '--symbols', 'BTCUSDT', 'ETHUSDT'];

  test('trap 21: every symbol has its own values of a profile, whichever symbol comes first', () => {
    for (const symbols of [
      ['BTCUSDT', 'ETHUSDT'],
      ['ETHUSDT', 'BTCUSDT'],
    ]) {
      const config = configOf(['--profiles', 'own.json', '--profile', 'own', '--symbols', ...symbols], {}, files);
      expect(config.bySymbol.get('BTCUSDT')).toMatchObject({ spread_bps: 20, requote_ticks: 5, min_lot: 0.001 });
      expect(config.bySymbol.get('ETHUSDT')).toMatchObject({ spread_bps: 40, requote_ticks: 5, min_lot: 0.01 });
    }
  });

  test('trap 21: a flag overrides the profile, also when its value is the default', () => {
    // 1 is the default of requote_ticks, 0 that of min_lot.
    const config = configOf([...own, '--requote_ticks', '1', '--min_lot', '0', '--spread_bps', '30'], {}, files);
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
      expect(config.bySymbol.get(symbol)).toMatchObject({ requote_ticks: 1, min_lot: 0, spread_bps: 30 });
    }
    const env = configOf(own, { SHADOW_REQUOTE_TICKS: '1' }, files);
    expect(env.bySymbol.get('ETHUSDT')).toMatchObject({ requote_ticks: 1, spread_bps: 40 });
  });
});
