import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { RestingOrder } from '../../collector/src/simulator/matching-engine.ts';
import { MatchingEngine, ProbeOrder } from '../../collector/src/simulator/matching-engine.ts';
import type { Lots, Sign, Ticks, Us } from '../../collector/src/units.ts';

interface NaiveOrder {
  readonly id: number;
  readonly sign: Sign;
  readonly ticks: Ticks;
  lots: Lots;
}

interface Trade {
  readonly timeUs: Us;
  readonly takerSign: Sign;
  readonly ticks: Ticks;
  readonly lots: Lots;
}

type Step =
  | { readonly kind: 'add'; readonly sign: Sign; readonly ticks: Ticks; readonly lots: Lots }
  | { readonly kind: 'take'; readonly sign: Sign; readonly ticks: Ticks; readonly lots: Lots }
  | { readonly kind: 'cancel'; readonly which: number }
  | { readonly kind: 'place'; readonly sign: Sign; readonly ticks: Ticks }
  | { readonly kind: 'withdraw'; readonly which: number };

/** Price-time priority by its definition: one array in order of arrival, scanned for the first at the best price. */
class NaiveEngine {
  readonly orders: NaiveOrder[] = [];
  readonly trades: Trade[] = [];
  #nextId = 0;

  side(sign: Sign): NaiveOrder[] {
    return this.orders.filter((order) => order.sign === sign);
  }

  /** Undefined on an empty side. */
  bestTicks(sign: Sign): Ticks | undefined {
    const prices = this.side(sign).map(({ ticks }) => sign * ticks);
    return prices.length === 0 ? undefined : sign * Math.max(...prices);
  }

  /** Undefined when the order would take. */
  add(sign: Sign, ticks: Ticks, lots: Lots): NaiveOrder | undefined {
    if (this.side(-sign as Sign).some((order) => sign * (ticks - order.ticks) >= 0)) return undefined;
    const order = { id: this.#nextId++, sign, ticks, lots };
    this.orders.push(order);
    return order;
  }

  cancel(order: NaiveOrder): void {
    this.orders.splice(this.orders.indexOf(order), 1);
  }

  take(takerSign: Sign, lots: Lots, limitTicks: Ticks, timeUs: Us): Lots {
    let open = lots;
    while (open > 0) {
      const best = this.bestTicks(-takerSign as Sign);
      if (best === undefined || takerSign * (best - limitTicks) > 0) break;
      const maker = this.side(-takerSign as Sign).find(({ ticks }) => ticks === best)!;
      const taken = Math.min(open, maker.lots);
      open -= taken;
      maker.lots -= taken;
      if (maker.lots === 0) this.cancel(maker);
      this.trades.push({ timeUs, takerSign, ticks: best, lots: taken });
    }
    return lots - open;
  }

  /** Displayed levels from the worst price on, each with its queue. */
  levels(sign: Sign): { ticks: Ticks; lots: Lots; queue: [id: number, lots: Lots][] }[] {
    const prices = [...new Set(this.side(sign).map(({ ticks }) => ticks))].sort((a, b) => sign * (a - b));
    return prices.map((ticks) => {
      const queue = this.side(sign).filter((order) => order.ticks === ticks);
      return {
        ticks,
        lots: queue.reduce((sum, { lots }) => sum + lots, 0),
        queue: queue.map(({ id, lots }) => [id, lots]),
      };
    });
  }
}

/** The engine, with a number for each of its orders. */
class Numbered {
  readonly trades: Trade[] = [];
  readonly engine = new MatchingEngine((timeUs, takerSign, ticks, lots) =>
    this.trades.push({ timeUs, takerSign, ticks, lots }),
  );
  readonly byId = new Map<number, RestingOrder>();
  readonly #ids = new Map<RestingOrder, number>();

  add(id: number | undefined, sign: Sign, ticks: Ticks, lots: Lots, timeUs: Us): boolean {
    const accepted = this.engine.add(sign, ticks, lots, timeUs);
    if (accepted && id !== undefined) {
      const order = this.engine.orderAt(this.engine.orderCount - 1);
      this.byId.set(id, order);
      this.#ids.set(order, id);
    }
    return accepted;
  }

  idOf(order: RestingOrder): number {
    return this.#ids.get(order)!;
  }

  levels(sign: Sign): ReturnType<NaiveEngine['levels']> {
    const levels = this.engine.levels(sign).filter(({ lots }) => lots !== 0);
    return levels.map(({ ticks, lots, first }) => {
      const queue: [number, Lots][] = [];
      for (let order = first; order !== undefined; order = order.next) {
        if (order.probe === undefined) queue.push([this.idOf(order), order.lots]);
      }
      return { ticks, lots, queue };
    });
  }

  /** The list of all orders, in the places it keeps them at. */
  places(): number[] {
    return Array.from({ length: this.engine.orderCount }, (_, place) => this.idOf(this.engine.orderAt(place)));
  }
}

interface PlacedProbe {
  readonly probe: ProbeOrder;
  /** Orders that rested at its price when it came. */
  readonly ahead: ReadonlySet<number>;
  withdrawn: boolean;
  /** When it should have been filled; undefined while not. */
  expectedUs: Us | undefined;
}

const SIGNS: readonly Sign[] = [1, -1];
const sign = fc.constantFrom<Sign>(1, -1);
// Few prices: queues are long, and orders meet.
const ticks = fc.integer({ min: 1, max: 14 });
const lots = fc.integer({ min: 1, max: 9 });

const marketStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), sign, ticks, lots }) },
  // Around the middle of the range, so that both sides are there.
  {
    weight: 6,
    arbitrary: fc
      .record({ kind: fc.constant('add' as const), sign, ticks: fc.nat(6), lots })
      .map((step) => ({ ...step, ticks: step.sign === 1 ? 1 + step.ticks : 14 - step.ticks })),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('take' as const), sign, ticks, lots: fc.integer({ min: 1, max: 40 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat() }) },
);
const probeStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('place' as const), sign, ticks }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('withdraw' as const), which: fc.nat() }) },
);
const marketSteps = fc.array(marketStep, { maxLength: 120, size: 'max' });
const allSteps = fc.array(fc.oneof({ weight: 3, arbitrary: marketStep }, { weight: 2, arbitrary: probeStep }), {
  maxLength: 150,
  size: 'max',
});

const pick = <T>(items: readonly T[], which: number): T | undefined => items[which % Math.max(1, items.length)];

/** Both engines through the steps, with the definition of a probe's fill beside them. */
class Race {
  readonly naive = new NaiveEngine();
  readonly numbered = new Numbered();
  readonly probes: PlacedProbe[] = [];
  added: Lots = 0;
  cancelled: Lots = 0;
  taken: Lots = 0;
  refused = 0;

  run(step: Step, timeUs: Us): void {
    const { naive, numbered } = this;
    switch (step.kind) {
      case 'add':
        return this.#add(step, timeUs);
      case 'take': {
        this.#expectTaken(step, timeUs);
        const expected = naive.take(step.sign, step.lots, step.ticks, timeUs);
        expect(numbered.engine.take(step.sign, step.lots, step.ticks, timeUs)).toBe(expected);
        this.taken += expected;
        return;
      }
      case 'cancel': {
        const order = pick(naive.orders, step.which);
        if (order === undefined) return;
        this.cancelled += order.lots;
        naive.cancel(order);
        numbered.engine.cancel(numbered.byId.get(order.id)!);
        return;
      }
      case 'place':
        return this.#place(step, timeUs);
      case 'withdraw': {
        const placed = pick(this.probes, step.which);
        if (placed === undefined) return;
        placed.withdrawn = true;
        numbered.engine.withdraw(placed.probe);
      }
    }
  }

  get open(): PlacedProbe[] {
    return this.probes.filter(({ withdrawn, expectedUs }) => !withdrawn && expectedUs === undefined);
  }

  #add(step: Extract<Step, { kind: 'add' }>, timeUs: Us): void {
    const order = this.naive.add(step.sign, step.ticks, step.lots);
    const accepted = this.numbered.add(order?.id, step.sign, step.ticks, step.lots, timeUs);
    expect(accepted).toBe(order !== undefined);
    if (order === undefined) {
      this.refused++;
      return;
    }
    this.added += step.lots;
    for (const placed of this.open) {
      const { probe } = placed;
      // It would have rested where the probe stands, or beyond.
      if (probe.sign !== step.sign && step.sign * (step.ticks - probe.ticks) >= 0) placed.expectedUs = timeUs;
    }
  }

  #place({ sign: side, ticks: price }: Extract<Step, { kind: 'place' }>, timeUs: Us): void {
    const opposite = this.naive.bestTicks(-side as Sign);
    if (opposite !== undefined && side * (price - opposite) >= 0) return; // Marketable: not to be placed.
    const probe = new ProbeOrder(side, price);
    const ahead = this.naive.side(side).filter((order) => order.ticks === price);
    this.probes.push({ probe, ahead: new Set(ahead.map(({ id }) => id)), withdrawn: false, expectedUs: undefined });
    this.numbered.engine.place(probe, timeUs);
  }

  /** A taker reaches a probe when its limit does and it is larger than all that is before the probe. */
  #expectTaken(step: Extract<Step, { kind: 'take' }>, timeUs: Us): void {
    for (const placed of this.open) {
      const { sign: side, ticks: price } = placed.probe;
      if (side === step.sign || step.sign * (price - step.ticks) > 0) continue;
      const before = this.naive
        .side(side)
        .filter((order) => side * (order.ticks - price) > 0 || placed.ahead.has(order.id));
      if (step.lots > before.reduce((sum, order) => sum + order.lots, 0)) placed.expectedUs = timeUs;
    }
  }
}

const restingLots = (naive: NaiveEngine): Lots => naive.orders.reduce((sum, order) => sum + order.lots, 0);

/** All that can be seen of a market, as text: a comparison at every step must be quick. */
const seen = (trades: readonly Trade[], sides: readonly object[]): string => JSON.stringify([trades.at(-1), sides]);

function naiveMarket(naive: NaiveEngine): string {
  const sides = SIGNS.map((side) => {
    const levels = naive.levels(side);
    const best = levels.at(-1);
    return [levels, best === undefined ? null : [best.ticks, best.lots, side], levels[0]?.queue[0]?.[0] ?? null];
  });
  return seen(naive.trades, sides);
}

function market(numbered: Numbered): string {
  const { engine } = numbered;
  const sides = SIGNS.map((side) => {
    const best = engine.best(side);
    const deepest = engine.deepest(side);
    return [
      numbered.levels(side),
      best === undefined ? null : [best.ticks, best.lots, best.sign],
      deepest === undefined ? null : numbered.idOf(deepest),
    ];
  });
  return seen(numbered.trades, sides);
}

/** The engine's list of all orders holds those that rest, each at the place it says. */
function expectPlaces({ naive, numbered }: Race): void {
  const places = numbered.places();
  expect([...places].sort((a, b) => a - b)).toEqual(naive.orders.map(({ id }) => id).sort((a, b) => a - b));
  expect(places.map((id) => numbered.byId.get(id)!.place)).toEqual(places.map((_, place) => place));
}

describe('the matching engine', () => {
  test('makes the trades, queues and levels of a naive one under any stream of orders, takers and cancels', () => {
    let trades = 0;
    let refused = 0;
    fc.assert(
      fc.property(marketSteps, (steps) => {
        const race = new Race();
        steps.forEach((step, at) => {
          race.run(step, at);
          expect(market(race.numbered)).toBe(naiveMarket(race.naive));
        });
        expect(race.numbered.trades).toEqual(race.naive.trades);
        expectPlaces(race);
        trades += race.naive.trades.length;
        refused += race.refused;
      }),
      { numRuns: 200 },
    );
    // The comparison means something only while there are both.
    expect(trades).toBeGreaterThan(1_000);
    expect(refused).toBeGreaterThan(1_000);
  });

  test('conserves lots: what was added has traded, was cancelled or rests', () => {
    fc.assert(
      fc.property(allSteps, (steps) => {
        const race = new Race();
        steps.forEach((step, at) => race.run(step, at));
        const { engine, trades } = race.numbered;
        const traded = trades.reduce((sum, trade) => sum + trade.lots, 0);
        const resting = SIGNS.flatMap((side) => engine.levels(side)).reduce((sum, level) => sum + level.lots, 0);
        expect(traded).toBe(race.taken);
        expect(resting).toBe(restingLots(race.naive));
        expect(race.added).toBe(traded + race.cancelled + resting);
        expect(trades.every((trade) => trade.lots > 0)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('never holds a locked or crossed book', () => {
    fc.assert(
      fc.property(allSteps, (steps) => {
        const race = new Race();
        steps.forEach((step, at) => {
          race.run(step, at);
          const bid = race.numbered.engine.best(1);
          const ask = race.numbered.engine.best(-1);
          if (bid !== undefined && ask !== undefined) expect(bid.ticks).toBeLessThan(ask.ticks);
        });
      }),
      { numRuns: 200 },
    );
  });

  test('an empty book has no best and no deepest order, and gives a taker nothing', () => {
    const engine = new MatchingEngine(() => {
      throw new Error('there is nobody to trade with');
    });
    for (const side of SIGNS) {
      expect([engine.best(side), engine.deepest(side), engine.levels(side)]).toEqual([undefined, undefined, []]);
      expect(engine.take(side, 5, side * 1_000, 1)).toBe(0);
      engine.place(new ProbeOrder(side, 10 - side), 1);
      expect([engine.best(side), engine.deepest(side)]).toEqual([undefined, undefined]);
    }
    expect(engine.orderCount).toBe(0);
  });

  test('a post-only order at the price of the other side is refused, one tick away it rests', () => {
    const engine = new MatchingEngine(() => undefined);
    expect(engine.add(-1, 10, 1, 0)).toBe(true);
    expect(engine.add(1, 10, 1, 0)).toBe(false);
    expect(engine.add(1, 11, 1, 0)).toBe(false);
    expect(engine.add(1, 9, 1, 0)).toBe(true);
    expect(engine.add(-1, 9, 1, 0)).toBe(false);
    expect(engine.orderCount).toBe(2);
  });
});

describe('a probe', () => {
  test('changes nothing of the market, wherever and whenever any number of them come and go', () => {
    let placed = 0;
    fc.assert(
      fc.property(allSteps, (steps) => {
        const probed = new Race();
        const bare = new Race();
        steps.forEach((step, at) => {
          probed.run(step, at);
          if (step.kind !== 'place' && step.kind !== 'withdraw') bare.run(step, at);
          expect(market(probed.numbered)).toBe(market(bare.numbered));
          // The places too: the order flow draws its cancels from them.
          expect(probed.numbered.places().join()).toBe(bare.numbered.places().join());
        });
        expect(probed.numbered.trades).toEqual(bare.numbered.trades);
        expectPlaces(probed);
        placed += probed.probes.length;
      }),
      { numRuns: 200 },
    );
    expect(placed).toBeGreaterThan(1_000);
  });

  test('leaves no level behind that holds nothing', () => {
    fc.assert(
      fc.property(allSteps, (steps) => {
        const race = new Race();
        steps.forEach((step, at) => race.run(step, at));
        for (const { probe } of race.probes) race.numbered.engine.withdraw(probe);
        for (const side of SIGNS) {
          expect(race.numbered.engine.levels(side).map((level) => level.ticks)).toEqual(
            race.naive.levels(side).map((level) => level.ticks),
          );
        }
      }),
      { numRuns: 200 },
    );
  });

  test('is filled exactly when a taker passes all that was before it, or an order of the other side would have met it', () => {
    let filled = 0;
    let unfilled = 0;
    fc.assert(
      fc.property(allSteps, (steps) => {
        const race = new Race();
        steps.forEach((step, at) => {
          race.run(step, at);
          const wrong = race.probes.filter(({ probe, expectedUs }) => probe.filledUs !== expectedUs);
          expect(wrong).toEqual([]);
        });
        filled += race.probes.filter(({ probe }) => probe.filledUs !== undefined).length;
        unfilled += race.open.length;
      }),
      { numRuns: 300 },
    );
    expect(Math.min(filled, unfilled)).toBeGreaterThan(500);
  });

  test('is not filled before a taker or an order reaches its price, nor later than the first trade at a worse one', () => {
    fc.assert(
      fc.property(allSteps, (steps) => {
        const race = new Race();
        steps.forEach((step, at) => {
          const before = race.open;
          const trades = race.numbered.trades.length;
          race.run(step, at);
          const prints = race.numbered.trades.slice(trades);
          for (const { probe } of before) {
            const worse = prints.some(
              (trade) => trade.takerSign !== probe.sign && probe.sign * (trade.ticks - probe.ticks) < 0,
            );
            if (worse) expect(probe.filledUs).toBe(at);
            if (probe.filledUs === undefined) continue;
            if (step.kind !== 'add' && step.kind !== 'take') throw new Error(`filled by a ${step.kind}`);
            expect(step.sign).toBe(-probe.sign);
            expect(step.sign * (step.ticks - probe.ticks)).toBeGreaterThanOrEqual(0);
          }
        });
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    { name: 'a taker of what is before it', lots: 5, limit: 10, filled: false },
    { name: 'a taker of one lot more', lots: 6, limit: 10, filled: true },
    { name: 'a large taker whose limit stops before it', lots: 100, limit: 11, filled: false },
    { name: 'a taker that goes through its price', lots: 100, limit: 1, filled: true },
  ])('behind 5 lots at its price and better, $name: filled is $filled', ({ lots: size, limit, filled }) => {
    const engine = new MatchingEngine(() => undefined);
    engine.add(1, 11, 2, 0);
    engine.add(1, 10, 3, 0);
    const probe = new ProbeOrder(1, 10);
    engine.place(probe, 1);
    engine.add(1, 10, 7, 2); // Behind it.
    engine.take(-1, size, limit, 3);
    expect(probe.filledUs).toBe(filled ? 3 : undefined);
  });

  test('keeps its place when what is before it is cancelled, and two at one price are filled by one taker', () => {
    const engine = new MatchingEngine(() => undefined);
    engine.add(-1, 20, 5, 0);
    const [first, second] = [new ProbeOrder(-1, 20), new ProbeOrder(-1, 20)];
    engine.place(first, 1);
    engine.add(-1, 20, 5, 2);
    engine.place(second, 3);
    engine.cancel(engine.orderAt(0));
    engine.take(1, 1, 20, 4);
    expect([first.filledUs, second.filledUs]).toEqual([4, undefined]);
    engine.take(1, 4, 20, 5);
    expect(second.filledUs).toBeUndefined();
    engine.take(1, 1, 20, 6);
    expect(second.filledUs).toBe(6);
  });

  test('once withdrawn is filled no more, and may be withdrawn again', () => {
    const engine = new MatchingEngine(() => undefined);
    const probe = new ProbeOrder(1, 10);
    engine.place(probe, 0);
    engine.withdraw(probe);
    engine.withdraw(probe);
    engine.add(-1, 5, 1, 1);
    engine.take(-1, 5, 1, 2);
    expect(probe.filledUs).toBeUndefined();
    expect(engine.levels(1)).toEqual([]);
  });
});
