import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { OrderedEvent } from '../../collector/src/book/reorder.ts';
import { RANK } from '../../collector/src/book/reorder.ts';
import type { DeskParameters } from '../../collector/src/fills/order-desk.ts';
import type { ShadowQuote } from '../../collector/src/fills/shadow-quote.ts';
import type { Lots, Sign, Ticks, Us } from '../../collector/src/units.ts';
import type { MarketStep } from '../support/market.ts';
import {
  BookFeed,
  DEEP,
  DESK,
  DeskRun,
  filledLots,
  marketEvents,
  marketSteps,
  MS,
  quote,
  T0,
  tradeEvent,
} from '../support/market.ts';

const THROUGH = 0;
const QUEUE = 1;
const TOUCH = 2;
const DWELL = 3;
const CENTER = 10_000;

interface Placement {
  /** After so many events. */
  readonly at: number;
  readonly sign: Sign;
  readonly offset: number;
  readonly lots: Lots;
}

const placement: fc.Arbitrary<Placement> = fc.record({
  at: fc.integer({ min: 1, max: 8 }),
  sign: fc.constantFrom<Sign>(1, -1),
  offset: fc.integer({ min: 0, max: 7 }),
  lots: fc.integer({ min: 1, max: 40 }),
});

/** Orders at prices of their own: what shares a price also shares a queue. */
const placements = fc.uniqueArray(placement, {
  minLength: 2,
  maxLength: 5,
  selector: ({ sign, offset }) => sign * (offset + 1),
});

const exponent = fc.constantFrom(1, 1.5, 2, 3, 10, 100, Infinity);

const desks: fc.Arbitrary<DeskParameters> = fc.record({
  queue: fc.record({
    exponent,
    deferredSeedFraction: fc.constantFrom(0, 0.5, 1),
    tradeTtlUs: fc.constantFrom(0, 20 * MS, 200 * MS),
  }),
  dwellUs: fc.constantFrom(0, MS, 25 * MS, 300 * MS),
  volume: fc.constantFrom(
    undefined,
    { minLots: 0, mode: 'last' as const },
    { minLots: 5, mode: 'last' as const },
    { minLots: 12, mode: 'cumulative' as const },
  ),
});

/** Whole book, a channel of few levels (levels leave and come back), and a fast channel over a netted one. */
const views = fc.constantFrom(
  { channel: DEEP, top: false },
  { channel: { ...DEEP, depth: 3 }, top: false },
  { channel: { ...DEEP, depth: 3 }, top: true },
);

interface Scene {
  readonly run: DeskRun;
  readonly events: readonly OrderedEvent[];
}

const scene = (
  steps: readonly MarketStep[],
  desk: DeskParameters,
  view: { channel: typeof DEEP; top: boolean },
): Scene => {
  const events = marketEvents(steps, { center: CENTER, ...view });
  const channels = view.top ? [view.channel, { ...DEEP, name: 'orderbook.1', depth: 1 }] : [view.channel];
  return { run: new DeskRun(desk, channels), events };
};

/** Plays the events and rests the orders on their way; post-only orders that would take are not placed. */
function play(
  { run, events }: Scene,
  given: readonly Placement[],
  after: (orders: readonly ShadowQuote[], event: OrderedEvent) => void = () => undefined,
  before: (orders: readonly ShadowQuote[]) => void = () => undefined,
): ShadowQuote[] {
  const orders: ShadowQuote[] = [];
  for (const [index, event] of events.entries()) {
    run.advance(event.exchangeTimeUs, event.kind === 'trade' ? RANK.trade : RANK.depth);
    before(orders);
    run.push(event);
    for (const [id, { at, sign, offset, lots }] of given.entries()) {
      const price = CENTER - sign * offset;
      if (at !== index + 1 || !run.book.synchronized || run.crosses(sign, price)) continue;
      const order = quote(id + 1, sign, price, lots);
      run.rest(order);
      orders.push(order);
    }
    after(orders, event);
  }
  run.advance(run.nowUs + 1_000 * MS);
  return orders;
}

/** Throws where a bound is broken; a plain condition, because it is asked after every event of thousands of runs. */
function expectBounds(order: ShadowQuote): void {
  const [through, queue, touch, dwell] = filledLots(order) as [number, number, number, number];
  const whole = [through, queue, touch, dwell].every((lots) => Number.isInteger(lots) && lots >= 0);
  if (whole && through <= queue && queue <= touch && dwell <= touch && touch <= order.sizeLots) return;
  throw new Error(`bounds broken: ${JSON.stringify({ id: order.id, through, queue, touch, dwell })}`);
}

describe('fill models on given orders', () => {
  test('at every point in time trade-through ≤ queue ≤ touch and touch-dwell ≤ touch ≤ size', () => {
    fc.assert(
      fc.property(marketSteps(), placement, desks, views, (steps, given, desk, view) => {
        play(scene(steps, desk, view), [given], (orders) => orders.forEach(expectBounds));
      }),
      { numRuns: 2_000 },
    );
  });

  test('the bounds hold for each of several orders that share the liquidity', () => {
    fc.assert(
      fc.property(marketSteps(), placements, desks, views, (steps, given, desk, view) => {
        play(scene(steps, desk, view), given, (orders) => orders.forEach(expectBounds));
      }),
      { numRuns: 1_000 },
    );
  });

  test('trade-through and queue fill no more than was printed and displayed, own orders together', () => {
    fc.assert(
      fc.property(marketSteps(), placements, desks, views, (steps, given, desk, view) => {
        const { run, events } = scene(steps, desk, view);
        const episodes = { 1: new CrossingEpisodes(1), [-1]: new CrossingEpisodes(-1) };
        const both = [episodes[1], episodes[-1]];
        play(
          { run, events },
          given,
          (_orders, event) => both.forEach((side) => side.observe(run, event)),
          (orders) => both.forEach((side) => side.prepare(run, orders)),
        );
        const sizes = new Map(
          events.flatMap((event) => (event.kind === 'trade' ? [[event.tradeId, event] as const] : [])),
        );
        for (const model of [THROUGH, QUEUE, TOUCH]) {
          const taken = new Map<string, Lots>();
          for (const { fill, order } of run.fills.filter(
            (each) => each.model === model && each.fill.tradeId !== undefined,
          )) {
            taken.set(fill.tradeId!, (taken.get(fill.tradeId!) ?? 0) + fill.lots);
            const trade = sizes.get(fill.tradeId!)!;
            expect(trade.takerSign).toBe(-order.sign);
            expect(trade.offBook).toBe(false);
            expect(order.reach(trade.priceTicks)).toBeGreaterThanOrEqual(fill.cause === 'through' ? 1 : 0);
          }
          for (const [id, lots] of taken) expect(lots).toBeLessThanOrEqual(sizes.get(id)!.sizeLots);
        }
        expect(run.fills.some(({ model, fill }) => model === THROUGH && fill.cause !== 'through')).toBe(false);
        for (const sign of [1, -1] as const) episodes[sign].expectWithinDisplayed();
      }),
      { numRuns: 1_000 },
    );
  });

  test('every fill is at the price of its order, as maker, in whole lots, and none is larger than what is open', () => {
    fc.assert(
      fc.property(marketSteps(), placements, desks, views, (steps, given, desk, view) => {
        const { run, events } = scene(steps, desk, view);
        const orders = play({ run, events }, given);
        for (const { fill, order } of run.fills) {
          expect(fill.priceTicks).toBe(order.priceTicks);
          expect(fill.liquidity).toBe('maker');
          expect(Number.isInteger(fill.lots) && fill.lots > 0).toBe(true);
        }
        for (const order of orders) {
          for (const model of [THROUGH, QUEUE, TOUCH, DWELL]) {
            const own = run.fills.filter((each) => each.order === order && each.model === model);
            const sum = own.reduce((total, { fill }) => total + fill.lots, 0);
            expect(sum).toBe(order.sizeLots - order.leavesLots[model]!);
            expect(sum).toBeLessThanOrEqual(order.sizeLots);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('reflected prices and swapped sides give the same fills, reflected', () => {
    fc.assert(
      fc.property(marketSteps(), placements, desks, views, (steps, given, desk, view) => {
        const straight = scene(steps, desk, view);
        play(straight, given);
        const mirrored = { run: scene(steps, desk, view).run, events: straight.events.map(reflect) };
        play(
          mirrored,
          given.map((each) => ({ ...each, sign: -each.sign as Sign })),
        );
        const expected = straight.run.fills.map(({ fill, model, order }) => ({
          model,
          id: order.id,
          fill: { ...fill, side: -fill.side, priceTicks: 2 * CENTER - fill.priceTicks },
        }));
        expect(mirrored.run.fills.map(({ fill, model, order }) => ({ model, id: order.id, fill }))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('cancelling later keeps every fill and may only add some', () => {
    fc.assert(
      fc.property(
        marketSteps(),
        placement,
        desks,
        views,
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 0, max: 30 }),
        (steps, given, desk, view, cancelAfter, longer) => {
          const fillsOf = (cancelAt: number): unknown[] => {
            const { run, events } = scene(steps, desk, view);
            let seen = 0;
            play({ run, events }, [given], (orders) => {
              if (++seen === cancelAt) orders.forEach((order) => run.cancel(order));
            });
            return run.fills.map(({ fill, model }) => ({ model, fill }));
          };
          const early = fillsOf(given.at + cancelAfter);
          const late = fillsOf(given.at + cancelAfter + longer);
          expect(late.slice(0, early.length)).toEqual(early);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('an order in a fixed queue', () => {
  const prints = fc.array(
    fc.record({ afterUs: fc.integer({ min: 0, max: 300 * MS }), lots: fc.integer({ min: 1, max: 30 }) }),
    {
      minLength: 1,
      maxLength: 40,
    },
  );

  test('joining it later never fills earlier, under any model', () => {
    fc.assert(
      fc.property(
        prints,
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 40 }),
        desks,
        (trades, level, join, later, desk) => {
          const early = fixedQueue(trades, level, join, desk);
          const late = fixedQueue(trades, level, join + later, desk);
          for (const [at, filled] of early.entries()) {
            for (const model of [THROUGH, QUEUE, TOUCH, DWELL]) {
              expect(late[at]![model]).toBeLessThanOrEqual(filled[model]!);
            }
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('it takes the whole queue of prints before the order is filled, and not a lot more', () => {
    fc.assert(
      fc.property(prints, fc.integer({ min: 0, max: 200 }), desks, (trades, level, desk) => {
        const filled = fixedQueue(trades, level, 0, desk);
        let printed = 0;
        for (const [at, { lots }] of trades.entries()) {
          printed += lots;
          expect(filled[at]![QUEUE]).toBe(Math.min(SIZE, Math.max(0, printed - level)));
        }
      }),
      { numRuns: 500 },
    );
  });
});

const SIZE = 15;

/** Prints at the price of a level whose displayed size never changes; lots filled per model after each print. */
function fixedQueue(
  trades: readonly { readonly afterUs: Us; readonly lots: Lots }[],
  level: Lots,
  joinAfter: number,
  desk: DeskParameters,
): number[][] {
  const run = new DeskRun(desk);
  const ticks = CENTER - 1;
  // The level below keeps the side from being empty when the order's own level is.
  run.push(
    new BookFeed().snapshot(
      T0,
      [ticks, level, ticks - 5, 7].filter((_, at) => level > 0 || at > 1),
      [CENTER + 1, 7],
    ),
  );
  const order = quote(1, 1, ticks, SIZE);
  if (joinAfter === 0) run.rest(order);
  let timeUs = T0;
  return trades.map(({ afterUs, lots }, index) => {
    timeUs += afterUs;
    run.push(tradeEvent(timeUs, { priceTicks: ticks, sizeLots: lots, takerSign: -1, sequence: index }));
    if (joinAfter === index + 1) run.rest(order);
    return filledLots(order);
  });
}

const reflect = (event: OrderedEvent): OrderedEvent => {
  if (event.kind === 'trade') {
    return { ...event, priceTicks: 2 * CENTER - event.priceTicks, takerSign: -event.takerSign as Sign };
  }
  const flip = (levels: readonly number[]): number[] =>
    levels.map((value, at) => (at % 2 === 0 ? 2 * CENTER - value : value));
  return { ...event, bids: flip(event.asks), asks: flip(event.bids) };
};

/**
 * Displayed liquidity in terms of the book alone: while the opposite best stays at or through our best order, the fills without a print
 * may not exceed the largest size that was displayed at that order's price or better.
 */
class CrossingEpisodes {
  readonly #sign: Sign;
  readonly #episodes: { displayed: Lots; filled: Lots }[] = [];
  #open: { displayed: Lots; filled: Lots } | undefined;
  #counted = 0;
  /** Orders as they were before the event in hand: one that fills may be gone after it. */
  #resting: readonly ShadowQuote[] = [];

  constructor(sign: Sign) {
    this.#sign = sign;
  }

  /** Before an event, when the timers before it have run. */
  prepare(run: DeskRun, orders: readonly ShadowQuote[]): void {
    this.#resting = orders.filter((order) => run.desk.resting(this.#sign).includes(order));
    this.#counted = run.fills.length;
  }

  observe(run: DeskRun, event: OrderedEvent): void {
    if (event.kind === 'book') this.#observeBook(run);
  }

  #observeBook(run: DeskRun): void {
    const sign = this.#sign;
    const fills = run.fills.slice(this.#counted);
    const best = bestOf(sign, this.#resting);
    const opposite = run.book.bestTicks(-sign as Sign);
    const valid = run.book.synchronized && run.book.midHalfTicks !== undefined;
    const touching = valid && best !== undefined && opposite !== undefined && sign * (best - opposite) >= 0;
    if (!touching) this.#open = undefined;
    else {
      if (this.#open === undefined) this.#episodes.push((this.#open = { displayed: 0, filled: 0 }));
      this.#open.displayed = Math.max(this.#open.displayed, run.book.lotsAtOrBetter(-sign as Sign, best));
    }
    const crossed = fills.filter(
      ({ model, fill, order }) => model === QUEUE && fill.cause === 'cross' && order.sign === sign,
    );
    for (const { fill } of crossed) {
      expect(this.#open).toBeDefined();
      this.#open!.filled += fill.lots;
    }
  }

  expectWithinDisplayed(): void {
    for (const { displayed, filled } of this.#episodes) expect(filled).toBeLessThanOrEqual(displayed);
  }
}

const bestOf = (sign: Sign, orders: readonly ShadowQuote[]): Ticks | undefined =>
  orders.length === 0 ? undefined : sign * Math.max(...orders.map(({ priceTicks }) => sign * priceTicks));

describe('liquidity that is displayed', () => {
  test('a new crossing episode begins with nothing taken, also when no order rested between', () => {
    const run = new DeskRun();
    const feed = new BookFeed();
    run.push(feed.snapshot(T0, [CENTER - 5, 10], [CENTER + 5, 10]));
    const first = quote(1, 1, CENTER, 4);
    run.rest(first);
    // The ask comes down to the first order with four lots, which it takes; it is filled under every model.
    run.push(feed.delta(T0 + 10 * MS, [], [CENTER, 4]));
    run.advance(T0 + 100 * MS);
    expect(filledLots(first)).toEqual([0, 4, 4, 4]);
    // The episode ends while no order rests.
    run.desk.remove(first);
    run.push(feed.delta(T0 + 200 * MS, [], [CENTER, 0]));
    const second = quote(2, 1, CENTER, 4);
    run.rest(second);
    run.push(feed.delta(T0 + 300 * MS, [], [CENTER, 4]));
    expect(filledLots(second)[QUEUE]).toBe(4);
  });

  test('a print that comes late does not make a newer one forgotten', () => {
    const run = new DeskRun({ ...DESK, volume: { minLots: 5, mode: 'last' } });
    const feed = new BookFeed();
    run.push(feed.snapshot(T0, [CENTER - 5, 10], [CENTER + 5, 10]));
    const order = quote(1, 1, CENTER, 4);
    run.rest(order);
    run.push(feed.delta(T0 + 10 * MS, [], [CENTER, 4]));
    run.push(tradeEvent(T0 + 12 * MS, { priceTicks: CENTER + 1, sizeLots: 9 }));
    run.push(tradeEvent(T0 + 5 * MS, { priceTicks: CENTER + 1, sizeLots: 1 }, 20 * MS));
    run.advance(T0 + 100 * MS);
    expect(filledLots(order)[DWELL]).toBe(4);
  });
});
