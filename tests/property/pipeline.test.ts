import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { OrderedEvent } from '../../collector/src/book/reorder.ts';
import { compareEvents } from '../../collector/src/book/reorder.ts';
import type { MarketEvent } from '../../collector/src/events.ts';
import type { ModelIndex } from '../../collector/src/fills/shadow-quote.ts';
import { FILL_MODELS, MODEL_INDEXES } from '../../collector/src/fills/shadow-quote.ts';
import type { Summary } from '../../collector/src/kpi/summary.ts';
import { ORDER_EVENTS } from '../../collector/src/kpi/window.ts';
import type { Sign, Us } from '../../collector/src/units.ts';
import type { MarketRun, MarketSetup, MarketStep, SymbolFill } from '../support/market.ts';
import {
  BookFeed,
  connectAt,
  DEEP,
  disconnectAt,
  gridOf,
  heartbeatAt,
  instrument,
  marketEvents,
  marketSteps,
  MS,
  pipelineParameters,
  received,
  runBatches,
  runMarket,
  S,
  SYMBOL,
  T0,
  TOP,
} from '../support/market.ts';

const CENTER = 10_000;
const driver = fc.constantFrom<ModelIndex>(0, 1, 2, 3);
const steps = marketSteps({ minSteps: 30, maxSteps: 150, maxDelayUs: 20 * MS });
/** Steps whose prints all come in time. */
const punctual = marketSteps({ minSteps: 30, maxSteps: 150, late: false });

/** A quote at the best price, often renewed, of 50 lots: so that much happens in a small market. */
const busy = (own: MarketSetup = {}): MarketSetup => ({
  windowUs: 500 * MS,
  ...own,
  quoter: {
    spreadBps: 0,
    quoteNotional: 50,
    inventoryLimitQuote: 100_000,
    minRequoteIntervalUs: 30 * MS,
    maxAgeUs: S,
    ...own.quoter,
  },
});

/** A run by what came out of it. */
const outcome = ({ fills, reports, resyncs }: MarketRun): unknown => ({ fills, reports, resyncs });
const marketOf = (list: readonly MarketStep[], top = false): OrderedEvent[] =>
  marketEvents(list, { center: CENTER, top });

const lotsBy = (fills: readonly SymbolFill[]): Map<string, number[]> => {
  const lots = new Map<string, number[]>();
  for (const { symbol, orderId, model, lots: own } of fills) {
    const key = `${symbol} ${orderId}`;
    const sums = lots.get(key) ?? [0, 0, 0, 0];
    sums[FILL_MODELS.indexOf(model)]! += own;
    lots.set(key, sums);
  }
  return lots;
};

describe('a whole run', () => {
  test('keeps trade-through ≤ queue ≤ touch and touch-dwell ≤ touch for every order, at every fill', () => {
    // A new order never rests beside an old one at its price: the age limit is out of reach, and a move back takes longer
    // than a cancel.
    const setup = busy({ quoter: { minRequoteIntervalUs: 30 * MS, maxAgeUs: 3_600 * S } });
    fc.assert(
      fc.property(steps, driver, fc.boolean(), (list, model, top) => {
        const { fills } = runMarket(received(marketOf(list, top)), {
          ...setup,
          kpi: { driver: model },
          channels: top ? [DEEP, TOP] : [DEEP],
        });
        // Fills of one instant come model by model: the bounds are those after it.
        const instants = new Set(fills.map(({ timeUs }) => timeUs));
        for (const instant of instants) {
          const sums = lotsBy(fills.filter(({ timeUs, liquidity }) => timeUs <= instant && liquidity === 'maker'));
          for (const [order, [through, queue, touch, dwell]] of sums) {
            if (through! <= queue! && queue! <= touch! && dwell! <= touch!) continue;
            throw new Error(`${order} at ${instant}: ${JSON.stringify({ through, queue, touch, dwell })}`);
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  test('adds up: the counters of its windows are those of the run, over all symbols', () => {
    const second = instrument({ symbol: 'ETHUSDT', tick: gridOf(2, 5), lot: gridOf(2, 1) });
    fc.assert(
      fc.property(steps, steps, driver, fc.integer({ min: 50 * MS, max: 2 * S }), (one, other, model, windowUs) => {
        const events = received([...marketOf(one), ...marketEvents(other, { center: 3_000, symbol: 'ETHUSDT' })]);
        const setup = busy({ windowUs, kpi: { driver: model }, instruments: [instrument(), second] });
        const run = runMarket(events, { ...setup, quoter: { ...setup.quoter, quoteNotional: 80 } });
        const total = (pick: (summary: Summary) => number): number =>
          run.last.reduce((sum, { index }) => sum + pick(lastOf(run, index).total), 0);
        for (const index of MODEL_INDEXES) {
          const key = FILL_MODELS[index].replace('-', '_') as 'queue';
          const fills = run.fills.filter(({ model: own }) => own === FILL_MODELS[index]);
          expect(total(({ model_band }) => model_band[key].fills)).toBe(fills.length);
        }
        const driving = run.fills.filter(({ model: own }) => own === FILL_MODELS[model]);
        expect(total(({ fills }) => fills)).toBe(driving.length);
        for (const side of ['buy', 'sell'] as const) {
          const own = driving.filter(({ side: sign }) => (sign === 1) === (side === 'buy'));
          expect(total(({ by_side }) => by_side[side].fills)).toBe(own.length);
        }
        expect(total(({ maker_count, taker_count }) => maker_count + taker_count)).toBe(driving.length);
        const market = events.filter((event) => event.kind === 'book' || event.kind === 'trade');
        expect(total(({ feed }) => feed.book_updates + feed.trades)).toBe(market.length);
        const fees = [...run.pipeline.symbols.values()].reduce(
          (sum, { simulation }) => sum + simulation.kpi.inventory.feesQuote,
          0,
        );
        expect(Math.abs(total(({ pnl }) => pnl.fees) - fees)).toBeLessThan(1e-5 * run.reports.length);
        // Windows adjoin: each begins where the one before ended.
        for (const [at, { startUs }] of run.last.entries()) if (at > 0) expect(startUs).toBe(run.last[at - 1]!.endUs);
        // A window is the sum of its symbols.
        for (const { total: whole, bySymbol } of run.reports) {
          const parts = Object.values(bySymbol);
          expect(whole.fills).toBe(parts.reduce((sum, { fills }) => sum + fills, 0));
          for (const event of ORDER_EVENTS) {
            expect(whole.orders[event]).toBe(parts.reduce((sum, { orders }) => sum + orders[event], 0));
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  test('every fill belongs to the window of its exchange time', () => {
    fc.assert(
      fc.property(steps, driver, (list, model) => {
        const windowUs = 100 * MS;
        const run = runMarket(received(marketOf(list)), busy({ windowUs, kpi: { driver: model } }));
        const counts = new Map<number, number>();
        for (const { timeUs, model: own } of run.fills) {
          if (own !== FILL_MODELS[model]) continue;
          const index = Math.floor((timeUs - T0) / windowUs);
          counts.set(index, (counts.get(index) ?? 0) + 1);
        }
        for (const { index } of run.last) expect(lastOf(run, index).total.fills).toBe(counts.get(index) ?? 0);
      }),
      { numRuns: 200 },
    );
  });

  test('ends every order exactly once, however often the feed breaks', () => {
    const breaks = fc.array(fc.nat(1_000), { maxLength: 3 });
    fc.assert(
      fc.property(steps, driver, breaks, fc.boolean(), (list, model, places, postOnly) => {
        const events = received(marketOf(list));
        for (const place of places) {
          const at = 1 + (place % (events.length - 1));
          events.splice(at, 0, {
            ...disconnectAt(0),
            receiveTimeUs: events[at]!.receiveTimeUs,
            monoUs: events[at]!.monoUs,
          });
        }
        // Long after the last event everything under way has arrived; then the line goes down, and censors what still rests.
        const endUs = T0 + 120 * S;
        const setup = busy({ windowUs: 600 * S, kpi: { driver: model }, postOnly });
        const run = runMarket([...events, heartbeatAt(endUs), disconnectAt(endUs)], setup);
        const { orders } = lastOf(run, 0).total;
        expect(orders.filled + orders.canceled + orders.rejected_post_only + orders.censored).toBe(orders.new);
        for (const [order, sums] of lotsBy(run.fills)) {
          if (sums.some((lots) => lots > 50)) throw new Error(`${order} filled beyond its size: ${sums.join(' ')}`);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('cash, position and profit agree at every report, and net is gross less adverse less fees', () => {
    fc.assert(
      fc.property(steps, driver, fc.boolean(), (list, model, postOnly) => {
        const setup = busy({ windowUs: 400 * MS, kpi: { driver: model, kpiHorizon: 0 }, postOnly });
        const run = runMarket(received(marketOf(list)), setup);
        const { inventory } = run.pipeline.symbols.get(SYMBOL)!.simulation.kpi;
        const mark = 2 * CENTER;
        const worth = inventory.cashQuote + inventory.positionLots * CENTER * 1e-4;
        const profit = inventory.realizedQuote + inventory.unrealizedQuote(mark) - inventory.feesQuote;
        expect(Math.abs(worth - profit)).toBeLessThan(1e-6);
        for (const { index } of run.last) {
          const { total } = lastOf(run, index);
          if (total.markout_pending + total.markout_invalid > 0 || total.net_bps === null) continue;
          const net = total.gross_bps! - total.adverse_bps! - total.fees_bps!;
          expect(Math.abs(net - total.net_bps)).toBeLessThan(1e-5);
        }
      }),
      { numRuns: 200 },
    );
  });
});

const lastOf = ({ reports }: MarketRun, index: number) => reports.filter((report) => report.index === index).at(-1)!;

describe('the same events', () => {
  test('twice give the same fills and reports', () => {
    fc.assert(
      fc.property(steps, driver, fc.boolean(), (list, model, top) => {
        const setup = busy({ kpi: { driver: model }, channels: top ? [DEEP, TOP] : [DEEP] });
        const random: MarketSetup = { ...setup, latencies: { entry: { kind: 'lognormal', medianMs: 7, p95Ms: 15 } } };
        const events = received(marketOf(list, top));
        expect(outcome(runMarket(events, random))).toEqual(outcome(runMarket(events, random)));
      }),
      { numRuns: 100 },
    );
  });

  test('in other batches, and with heartbeats between them, give the same fills and reports', () => {
    const cuts = fc.array(fc.tuple(fc.nat(1_000), fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 30 });
    fc.assert(
      fc.property(steps, driver, cuts, (list, model, places) => {
        const setup = busy({ kpi: { driver: model } });
        const events = received(marketOf(list));
        const heartbeats = places.map(([place, share]) => {
          const at = 1 + (place % (events.length - 1));
          const before = events[at - 1]!.receiveTimeUs;
          return heartbeatAt(Math.floor(before + share * (events[at]!.receiveTimeUs - before)));
        });
        const mixed = [...events, ...heartbeats].sort((a, b) => a.monoUs - b.monoUs);
        // The first event begins the run and the last one ends it.
        expect([mixed[0], mixed.at(-1)!.monoUs]).toEqual([events[0], events.at(-1)!.monoUs]);
        const batches: MarketEvent[][] = [];
        for (const [at, event] of mixed.entries()) {
          if (at === 0 || places.some(([place]) => place % mixed.length === at)) batches.push([]);
          batches.at(-1)!.push(event);
        }
        const plain = outcome(runMarket(events, setup));
        expect(outcome(runBatches(batches, pipelineParameters(setup)))).toEqual(plain);
        expect(
          outcome(
            runBatches(
              mixed.map((event) => [event]),
              pipelineParameters(setup),
            ),
          ),
        ).toEqual(plain);
      }),
      { numRuns: 150 },
    );
  });

  /**
   * What "any order within W" means: an event may be held W of receive time for those before it. Let lateness be the most that an
   * event's receive stamp exceeds that of one which the exchange stamped after it, and displacement the most receive time that
   * passes between an event's stamp and those of the events delivered before it. If lateness + displacement < W, nothing is
   * released before all that precedes it has arrived. The window's own drift and the clock offset are of messages in the order of arrival, so they are
   * left out, and every message takes some time, so that the assumed clock offset stays 0.
   */
  test('delivered in any order within the reorder window give the same fills and reports', () => {
    const windowUs = 50 * MS;
    fc.assert(
      fc.property(
        punctual,
        driver,
        fc.array(fc.nat(24 * MS), { minLength: 160, maxLength: 160 }),
        fc.boolean(),
        (list, model, shifts, top) => {
          const setup = busy({
            kpi: { driver: model },
            reorderWindowUs: windowUs,
            channels: top ? [DEEP, TOP] : [DEEP],
          });
          const [first, ...rest] = received(marketOf(list, top));
          const delivered = rest
            .map((event, at) => ({ event, key: event.monoUs + shifts[at % shifts.length]! }))
            .sort((a, b) => a.key - b.key)
            .map(({ event }) => event);
          const ordered = [...delivered].sort((a, b) => compareEvents(a as OrderedEvent, b as OrderedEvent));
          fc.pre(latenessOf(ordered) + displacementOf(delivered) < windowUs);
          const run = (events: readonly MarketEvent[]): unknown => {
            const result = runMarket([first!, ...events], setup);
            expect(result.reports.every(({ total }) => total.feed.late === 0)).toBe(true);
            return {
              fills: result.fills,
              resyncs: result.resyncs,
              reports: result.reports.map((report) => withoutClocks(report)),
            };
          };
          expect(run(delivered)).toEqual(run(rest));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('that come later than the window are counted as late and not lost', () => {
    fc.assert(
      fc.property(steps, driver, (list, model) => {
        const events = received(marketOf(list));
        const run = runMarket(events, busy({ kpi: { driver: model }, reorderWindowUs: 0, windowUs: 600 * S }));
        const { feed } = lastOf(run, 0).total;
        expect(feed.book_updates + feed.trades).toBe(events.length - 1);
        expect(feed.dropped).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});

/** Most receive time by which an event comes after one that the exchange stamped later. */
function latenessOf(ordered: readonly MarketEvent[]): Us {
  let lateness = 0;
  let earliestAfter = Infinity;
  for (const event of [...ordered].reverse()) {
    lateness = Math.max(lateness, event.monoUs - earliestAfter);
    earliestAfter = Math.min(earliestAfter, event.monoUs);
  }
  return lateness;
}

/** Most receive time by which an event is delivered behind others. */
function displacementOf(delivered: readonly MarketEvent[]): Us {
  let displacement = 0;
  let latest = -Infinity;
  for (const event of delivered) {
    displacement = Math.max(displacement, latest - event.monoUs);
    latest = Math.max(latest, event.monoUs);
  }
  return displacement;
}

const withoutClocks = ({ driftMs, total, bySymbol, ...report }: MarketRun['reports'][number]): unknown => {
  const own = Object.entries(bySymbol).map(([symbol, { clock, ...rest }]) => [symbol, rest]);
  const { clock, clock_drift_ms, ...whole } = total;
  return { ...report, total: whole, bySymbol: Object.fromEntries(own) as unknown };
};

describe('symmetry and scale of a whole run', () => {
  test('reflected prices and swapped sides give the same fills, reflected, and the same figures', () => {
    // Joining the best price is the one rule whose prices reflect exactly; far from 0, so that sizes do not change either.
    const center = 1_000_000;
    const setup = busy({ quoter: { quoteNotional: 5_050, inventoryLimitQuote: 1e9 } });
    const mirror = (event: OrderedEvent): OrderedEvent => {
      const flip = (levels: readonly number[]): number[] =>
        levels.map((value, at) => (at % 2 === 0 ? 2 * center - value : value));
      return event.kind === 'book'
        ? { ...event, bids: flip(event.asks), asks: flip(event.bids) }
        : { ...event, priceTicks: 2 * center - event.priceTicks, takerSign: -event.takerSign as Sign };
    };
    const key = ({ timeUs, model, side, priceTicks, lots, cause, tradeId }: SymbolFill): string =>
      [timeUs, model, side, priceTicks, lots, cause, tradeId].join(' ');
    fc.assert(
      fc.property(steps, driver, (list, model) => {
        const events = marketEvents(list, { center });
        const straight = runMarket(received(events), { ...setup, kpi: { driver: model } });
        const mirrored = runMarket(received(events.map(mirror)), { ...setup, kpi: { driver: model } });
        const expected = straight.fills.map((fill) =>
          key({ ...fill, side: -fill.side as Sign, priceTicks: 2 * center - fill.priceTicks }),
        );
        expect(mirrored.fills.map(key).sort()).toEqual(expected.sort());
      }),
      { numRuns: 200 },
    );
  });

  test('prices k times as large on a tick k times as large, and sizes likewise, leave ratios and basis points', () => {
    const scale = fc.constantFrom(10, 100, 0.1, 2, 5, 0.5);
    fc.assert(
      fc.property(steps, driver, scale, scale, (list, model, priceScale, sizeScale) => {
        const events = received(marketOf(list));
        const money = priceScale * sizeScale;
        const run = (price: number, size: number, quote: number): MarketRun =>
          runMarket(events, {
            ...busy({ kpi: { driver: model, kpiHorizon: 0 } }),
            instruments: [
              instrument({
                tick: { decimals: 1, step: 1, size: 0.1 * price },
                lot: { decimals: 3, step: 1, size: 0.001 * size },
              }),
            ],
            quoter: { ...busy().quoter, quoteNotional: 50.3 * quote, inventoryLimitQuote: 1_000 * quote },
          });
        const one = run(1, 1, 1);
        const other = run(priceScale, sizeScale, money);
        expect(other.fills).toEqual(one.fills);
        for (const [at, { total }] of one.reports.entries()) {
          const scaled = other.reports[at]!.total;
          for (const name of SCALE_FREE) expectSame(scaled[name], total[name], name);
          for (const horizon of ['100ms', '1s', '5s'] as const) {
            expectSame(scaled.markouts[horizon].mean_bps, total.markouts[horizon].mean_bps, horizon);
            expectSame(scaled.markouts[horizon].se_bps, total.markouts[horizon].se_bps, horizon);
          }
          expectSame(scaled.inventory.time_weighted, total.inventory.time_weighted, 'time_weighted');
          expectSame(scaled.inventory.max, total.inventory.max, 'max');
          expectSame(scaled.pnl.fees / money, total.pnl.fees, 'fees');
        }
      }),
      { numRuns: 150 },
    );
  });
});

const SCALE_FREE = [
  'net_bps',
  'gross_bps',
  'adverse_bps',
  'adverse_bps_p95',
  'slippage_bps_p95',
  'toxicity',
  'loss_share',
  'fees_bps',
  'participation',
  'maker_taker_ratio',
  'risk_ratio',
  'fill_ratio',
  'fill_ratio_qty',
  'distance_bps',
] as const;

/** Published with six decimals; rounding of the sums behind them may differ in the last. */
function expectSame(actual: number | null, expected: number | null, name: string): void {
  if (actual === null || expected === null ? actual === expected : Math.abs(actual - expected) < 1e-4) return;
  throw new Error(`${name}: ${String(actual)} is not ${String(expected)}`);
}

describe('latency', () => {
  const entry = fc.integer({ min: 0, max: 80 });

  test('a larger entry latency never makes an order active earlier', () => {
    // One order a side, far out and never renewed: so both runs send the same orders at the same times.
    const setup = (ms: number): MarketSetup => ({
      kpi: { driver: 0 },
      latencies: { entry: { kind: 'const', ms } },
      quoter: { spreadBps: 100, quoteNotional: 50, requoteTicks: 1e6, maxAgeUs: 3_600 * S },
      windowUs: 600 * S,
    });
    fc.assert(
      fc.property(punctual, entry, entry, (list, one, other) => {
        const events = received(marketOf(list));
        const fast = activations(events, setup(Math.min(one, other)));
        const slow = activations(events, setup(Math.max(one, other)));
        for (const [at, count] of slow.entries()) expect(count).toBeLessThanOrEqual(fast[at]!);
      }),
      { numRuns: 150 },
    );
  });

  test('an order whose cancel has taken effect, or that was censored, is never filled', () => {
    // The order rests at 9,999 from 7.2 ms on and is 100 ms old at 107.2 ms: its cancel takes effect at 117.4 ms. The ask comes
    // down to it before that, and stays for longer than the dwell.
    const setup = (kind: 'cancel' | 'disconnect', model: ModelIndex): MarketSetup =>
      busy({
        kpi: { driver: model },
        quoter: { minRequoteIntervalUs: 0, maxAgeUs: kind === 'cancel' ? 100 * MS : 3_600 * S },
        reorderWindowUs: 0,
        windowUs: 600 * S,
      });
    const feed = new BookFeed();
    const begin = feed.snapshot(T0, [9_999, 10, 9_990, 10], [10_001, 10], 0);
    const touch = feed.delta(T0 + 110 * MS, [9_999, 0], [9_999, 3], 0);
    const later = [1, 2, 3].map((step) => feed.delta(T0 + (110 + 40 * step) * MS, [9_980, step], [], 0));
    const last = heartbeatAt(T0 + S);
    for (const model of [0, 3] as const) {
      const canceled = runMarket([connectAt(T0), begin, touch, ...later, last], setup('cancel', model));
      expect(canceled.fills.filter(({ orderId, timeUs }) => orderId === 1 && timeUs > T0 + 117_400)).toEqual([]);
      const broken = runMarket(
        [connectAt(T0), begin, touch, disconnectAt(T0 + 120 * MS), last],
        setup('disconnect', model),
      );
      expect(broken.fills.filter(({ timeUs }) => timeUs > T0 + 120 * MS)).toEqual([]);
      const { orders } = lastOf(broken, 0).total;
      expect(orders.filled + orders.canceled + orders.rejected_post_only + orders.censored).toBe(orders.new);
    }
  });
});

/** Orders activated so far, after each event. */
function activations(events: readonly MarketEvent[], setup: MarketSetup): number[] {
  const counts: number[] = [];
  const batches = events.map((event) => [event]);
  runBatches(batches, pipelineParameters(setup), ({ symbols }) =>
    counts.push(symbols.get(SYMBOL)!.stats.orders.activated),
  );
  expect(counts.at(-1)).toBeLessThanOrEqual(2);
  return counts;
}

describe('reports', () => {
  test('of windows come in their order, also when an early window had nothing to wait for', () => {
    // Nothing happens in the first window, nor in the second until shortly before its end; that fill waits for its markouts.
    const feed = new BookFeed();
    const startUs = T0 + 5 * MS;
    const events = [
      feed.snapshot(startUs, [9_999, 10, 9_990, 10], [10_001, 10], 0),
      feed.delta(T0 + 1_960 * MS, [9_999, 0], [9_999, 3], 41 * MS),
      feed.delta(T0 + 1_990 * MS, [9_980, 1], [], 12 * MS),
      feed.delta(T0 + 2_020 * MS, [9_980, 2], [], MS),
      feed.delta(T0 + 4_000 * MS, [9_980, 3], [], MS),
    ];
    const run = runMarket(
      [connectAt(startUs), ...events],
      busy({ windowUs: S, reorderWindowUs: 0, kpi: { driver: 2 } }),
    );
    expect(run.fills.length).toBeGreaterThan(0);
    const first = run.reports.map(({ index }) => index).filter((index, at, all) => all.indexOf(index) === at);
    expect(first).toEqual([...first].sort((a, b) => a - b));
  });

  test('say what is complete: a final one is the last of its window and waits for no markout', () => {
    fc.assert(
      fc.property(steps, driver, (list, model) => {
        const run = runMarket(received(marketOf(list)), busy({ windowUs: 200 * MS, kpi: { driver: model } }));
        for (const report of run.reports) {
          if (report.provisional) continue;
          expect(lastOf(run, report.index)).toBe(report);
          expect(run.reports.filter(({ index, provisional }) => index === report.index && !provisional)).toHaveLength(
            1,
          );
        }
        expect(run.reports.filter(({ cutShort }) => cutShort).length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100 },
    );
  });

  test('lose nothing when the exchange stamps one symbol ahead of the others at the end of a run', () => {
    // A trade whose frame has no publish stamp, of half a second after the window's end by the exchange's clock.
    const other = instrument({ symbol: 'ETHUSDT' });
    const one = new BookFeed();
    const ahead = new BookFeed(DEEP, 'ETHUSDT');
    const events = [
      one.snapshot(T0, [9_999, 10], [10_001, 10], 0),
      ahead.snapshot(T0, [9_999, 10], [10_001, 10], 0),
      { ...ahead.delta(T0 + 1_500 * MS, [9_980, 1], [], -600 * MS), publishTimeUs: undefined },
      one.delta(T0 + 950 * MS, [9_980, 1], [], 0),
    ];
    const run = runMarket([connectAt(T0), ...events], busy({ windowUs: S, instruments: [instrument(), other] }));
    const counted = run.last.reduce((sum, { index }) => sum + lastOf(run, index).total.feed.book_updates, 0);
    expect(counted).toBe(events.length);
  });
});

describe('a book that is locked or crossed', () => {
  test('twice in a row is given up, and once, with good updates between, is not', () => {
    const feed = new BookFeed();
    const crossing = (ms: number) => feed.delta(T0 + ms * MS, [], [9_999, 3], MS);
    const parting = (ms: number) => feed.delta(T0 + ms * MS, [], [9_999, 0], MS);
    const begin = feed.snapshot(T0, [9_999, 10], [10_001, 10], MS);
    const apart = [crossing(10), parting(20), crossing(30), parting(40), crossing(50), parting(60)];
    expect(runMarket([connectAt(T0), begin, ...apart], busy()).resyncs).toEqual([]);
    const again = new BookFeed();
    const run = runMarket(
      [
        connectAt(T0),
        again.snapshot(T0, [9_999, 10], [10_001, 10], MS),
        again.delta(T0 + 10 * MS, [], [9_999, 3], MS),
        again.delta(T0 + 20 * MS, [], [9_999, 4], MS),
      ],
      busy(),
    );
    expect(run.resyncs).toEqual([{ symbol: SYMBOL, channel: DEEP.name, reason: 'crossed' }]);
  });
});

describe('an order that takes and rests with its remainder', () => {
  test('does not take the displayed lots a second time', () => {
    // Quotes inside the spread by more than its width: the buy takes the 4 lots at the ask, and the rest of 46 stays.
    const feed = new BookFeed();
    const events = [
      feed.snapshot(T0, [9_999, 10], [10_001, 4, 10_010, 100], MS),
      feed.delta(T0 + 50 * MS, [9_980, 1], [], MS),
      feed.delta(T0 + 60 * MS, [9_980, 2], [], MS),
    ];
    const setup = busy({
      postOnly: false,
      kpi: { driver: 1 },
      quoter: { spreadBps: -3, maxAgeUs: 3_600 * S, minRequoteIntervalUs: 3_600 * S },
    });
    const { fills } = runMarket([connectAt(T0), ...events], setup);
    const bought = fills.filter(({ model, side }) => model === 'queue' && side === 1);
    expect(bought.map(({ cause, lots }) => [cause, lots])).toEqual([['taker', 4]]);
  });
});

describe('a connection', () => {
  test('that only connects gives one cut-short window without a figure', () => {
    const run = runMarket([connectAt(T0), heartbeatAt(T0 + 10 * S)]);
    expect(run.reports).toHaveLength(1);
    expect(run.reports[0]).toMatchObject({ cutShort: true, provisional: true });
    expect(run.reports[0]!.total.net_bps).toBeNull();
  });
});
