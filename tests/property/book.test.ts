import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { MiniLob } from '../../collector/src/book/mini-lob.ts';
import { MAX_LEVELS, OrderBook } from '../../collector/src/book/order-book.ts';
import type { OrderedEvent, Rank } from '../../collector/src/book/reorder.ts';
import { compareEvents, ReorderBuffer } from '../../collector/src/book/reorder.ts';
import { SequenceRule } from '../../collector/src/book/sequence.ts';
import type { BookEvent } from '../../collector/src/events.ts';
import { TimerQueue } from '../../collector/src/fills/timers.ts';
import type { Lots, Sign, Ticks } from '../../collector/src/units.ts';
import { bookEvent, BookFeed, DEEP, MS, T0, TOP, tradeEvent } from '../support/market.ts';

const sign = fc.constantFrom<Sign>(1, -1);

describe('one book', () => {
  const updates = fc.array(fc.tuple(sign, fc.integer({ min: 1, max: 300 }), fc.nat(5)), {
    maxLength: 400,
    size: 'max',
  });

  test('equals a naive book of maps after any updates: best, depth, sizes, sums and order', () => {
    fc.assert(
      fc.property(updates, (list) => {
        const book = new OrderBook();
        const naive = { 1: new Map<Ticks, Lots>(), [-1]: new Map<Ticks, Lots>() };
        let accepted = true;
        for (const [side, price, lots] of list) {
          accepted &&= book.apply(side === 1 ? [price, lots] : [], side === 1 ? [] : [price, lots]);
          if (lots === 0) naive[side].delete(price);
          else naive[side].set(price, lots);
        }
        expect(accepted).toBe(true);
        for (const side of [1, -1] as const) {
          const levels = [...naive[side]].sort((a, b) => side * (b[0] - a[0]));
          const own = book.side(side);
          const seen: [Ticks, Lots][] = [];
          own.walk((price, lots) => seen.push([price, lots]) > 0);
          expect(seen).toEqual(levels);
          expect([own.count, own.bestTicks, own.bestLots]).toEqual([
            levels.length,
            levels[0]?.[0],
            levels[0]?.[1] ?? 0,
          ]);
          expect(own.deepestTicks).toBe(levels.at(-1)?.[0]);
          for (const price of [0, 1, 150, 300, 301]) {
            expect(own.lotsAt(price)).toBe(naive[side].get(price) ?? 0);
            const better = levels.filter(([level]) => side * (level - price) >= 0);
            expect(own.lotsAtOrBetter(price)).toBe(better.reduce((sum, [, lots]) => sum + lots, 0));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('levels of one frame are applied together: a delete may stand before or after what replaces it', () => {
    const before = new OrderBook();
    before.apply([100, 5], [101, 5]);
    before.apply([101, 3, 100, 0], [101, 0, 102, 4]);
    const after = new OrderBook();
    after.apply([100, 5], [101, 5]);
    after.apply([100, 0, 101, 3], [102, 4, 101, 0]);
    for (const book of [before, after]) expect([book.bids.bestTicks, book.asks.bestTicks]).toEqual([101, 102]);
  });

  test('a side beyond its limit is refused, and not silently cut', () => {
    const levels = Array.from({ length: MAX_LEVELS + 1 }, (_, at) => [at + 1, 1]).flat();
    expect(new OrderBook().apply(levels.slice(0, -2), [])).toBe(true);
    expect(new OrderBook().apply(levels, [])).toBe(false);
  });
});

/** The overlay by its definition: a channel's book as maps, and the faster one over it where it is newer. */
class NaiveLob {
  readonly deep = { 1: new Map<Ticks, Lots>(), [-1]: new Map<Ticks, Lots>() };
  readonly top = { 1: new Map<Ticks, Lots>(), [-1]: new Map<Ticks, Lots>() };
  #deepUs = -1;
  #topUs = -1;

  apply(event: BookEvent): void {
    const deep = event.channel === DEEP.name;
    const book = deep ? this.deep : this.top;
    if (deep) this.#deepUs = event.exchangeTimeUs;
    else this.#topUs = event.exchangeTimeUs;
    for (const [side, levels] of [
      [1, event.bids],
      [-1, event.asks],
    ] as const) {
      if (event.snapshot) book[side].clear();
      for (let at = 0; at < levels.length; at += 2) {
        if (levels[at + 1] === 0) book[side].delete(levels[at]!);
        else book[side].set(levels[at]!, levels[at + 1]!);
      }
    }
  }

  levels(side: Sign): [Ticks, Lots][] {
    const sorted = (map: ReadonlyMap<Ticks, Lots>): [Ticks, Lots][] => [...map].sort((a, b) => side * (b[0] - a[0]));
    const [best] = sorted(this.top[side]);
    const deep = sorted(this.deep[side]);
    if (this.#topUs <= this.#deepUs || best === undefined) return deep;
    return [best, ...deep.filter(([price]) => side * (price - best[0]) < 0)];
  }
}

describe('the book of two channels', () => {
  const frames = fc.array(
    fc.record({
      deep: fc.boolean(),
      snapshot: fc.integer({ min: 0, max: 5 }).map((draw) => draw === 0),
      afterUs: fc.nat(3),
      // A frame names a price once: what a snapshot that names it twice means, nobody says.
      bids: fc.uniqueArray(fc.tuple(fc.integer({ min: 90, max: 105 }), fc.nat(4)), {
        maxLength: 5,
        selector: ([price]) => price,
      }),
      asks: fc.uniqueArray(fc.tuple(fc.integer({ min: 96, max: 110 }), fc.nat(4)), {
        maxLength: 5,
        selector: ([price]) => price,
      }),
    }),
    { maxLength: 40, size: 'max' },
  );

  test('equals a naive overlay of the faster channel over the deeper', () => {
    fc.assert(
      fc.property(frames, (list) => {
        const lob = new MiniLob([DEEP, TOP]);
        const naive = new NaiveLob();
        const deep = new BookFeed(DEEP);
        const top = new BookFeed(TOP);
        let timeUs = T0;
        const first = [deep.snapshot(T0, [95, 9], [105, 9]), top.snapshot(T0, [95, 9], [105, 9])];
        for (const event of first) {
          lob.apply(event);
          naive.apply(event);
        }
        for (const frame of list) {
          timeUs += frame.afterUs;
          // The fast channel shows one level a side.
          const bids = frame.deep ? frame.bids.flat() : [frame.bids[0]?.[0] ?? 97, 3];
          const asks = frame.deep ? frame.asks.flat() : [frame.asks[0]?.[0] ?? 99, 4];
          const feed = frame.deep ? deep : top;
          const event =
            frame.snapshot || !frame.deep ? feed.snapshot(timeUs, bids, asks) : feed.delta(timeUs, bids, asks);
          expect(lob.apply(event)).toBe('changed');
          naive.apply(event);
          const prices = [94, 100, 106];
          for (const side of [1, -1] as const) {
            const levels = naive.levels(side);
            const seen: [Ticks, Lots][] = [];
            lob.walk(side, (price, lots) => seen.push([price, lots]) > 0);
            const sizes = new Map(levels);
            const better = (price: Ticks): [Ticks, Lots][] => levels.filter(([level]) => side * (level - price) >= 0);
            expect({
              seen,
              best: [lob.bestTicks(side), lob.bestLots(side)],
              at: prices.map((price) => lob.visibleLotsAt(side, price)),
              sums: prices.map((price) => lob.lotsAtOrBetter(side, price)),
            }).toEqual({
              seen: levels,
              best: [levels[0]?.[0], levels[0]?.[1] ?? 0],
              at: prices.map((price) => sizes.get(price) ?? 0),
              sums: prices.map((price) => better(price).reduce((sum, [, lots]) => sum + lots, 0)),
            });
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test('a side that the newer fast channel shows empty is empty in every view of it', () => {
    const lob = new MiniLob([DEEP, TOP]);
    lob.apply(new BookFeed(DEEP).snapshot(T0, [95, 9], [105, 9]));
    lob.apply(new BookFeed(TOP).snapshot(T0 + MS, [95, 9], []));
    const walked: Ticks[] = [];
    lob.walk(-1, (price) => walked.push(price) > 0);
    const best = lob.bestTicks(-1);
    expect({ walked, sum: lob.lotsAtOrBetter(-1, 200) }).toEqual(
      best === undefined ? { walked: [], sum: 0 } : { walked: [best], sum: lob.bestLots(-1) },
    );
  });

  test('a price beyond the deepest level of a full side is not visible, which is not empty', () => {
    const lob = new MiniLob([{ name: DEEP.name, depth: 2 }]);
    lob.apply(new BookFeed({ name: DEEP.name, depth: 2 }).snapshot(T0, [100, 1, 98, 1], [101, 1]));
    expect([lob.visibleLotsAt(1, 99), lob.visibleLotsAt(1, 98), lob.visibleLotsAt(1, 97)]).toEqual([0, 1, undefined]);
    expect(lob.visibleLotsAt(-1, 150)).toBe(0);
  });
});

/** A chain of deltas after a snapshot, each of which changes the book in a way of its own. */
const chain = (length: number): BookEvent[] => {
  const feed = new BookFeed();
  return [
    feed.snapshot(T0, [100, 1], [200, 1]),
    ...Array.from({ length }, (_, at) => feed.delta(T0 + (at + 1) * MS, [100 - (at % 20), at + 2], [])),
  ];
};

describe('the sequence of a channel', () => {
  const length = 30;
  const place = fc.integer({ min: 1, max: length - 1 });

  test('a dropped delta makes the next one a gap, and the book is not trusted until a snapshot', () => {
    fc.assert(
      fc.property(place, fc.integer({ min: 1, max: 3 }), (at, count) => {
        const lob = new MiniLob([DEEP]);
        const events = chain(length);
        events.splice(at, Math.min(count, length - at));
        const outcomes = events.map((event) => lob.apply(event));
        expect(outcomes.slice(0, at)).toEqual(Array(at).fill('changed'));
        expect(outcomes[at]).toBe('gap');
        expect(outcomes.slice(at + 1).every((outcome) => outcome === 'waiting')).toBe(true);
        expect(lob.synchronized).toBe(false);
        expect(lob.apply(bookEvent(T0, { snapshot: true, sequence: 5, bids: [1, 1] }))).toBe('changed');
        expect([lob.synchronized, lob.bestTicks(1), lob.bestTicks(-1)]).toEqual([true, 1, undefined]);
      }),
      { numRuns: 300 },
    );
  });

  test('a doubled delta is told of and changes nothing', () => {
    fc.assert(
      fc.property(place, fc.nat(10), (at, later) => {
        const lob = new MiniLob([DEEP]);
        const plain = new MiniLob([DEEP]);
        const events = chain(length);
        for (const event of events) plain.apply(event);
        const again = Math.min(events.length, at + 1 + later);
        const doubled = [...events.slice(0, again), events[at]!, ...events.slice(again)];
        expect(doubled.map((event) => lob.apply(event)).filter((outcome) => outcome !== 'changed')).toEqual([
          'duplicate',
        ]);
        expect(lob.synchronized).toBe(true);
        const sizes = (book: MiniLob): unknown =>
          Array.from({ length: 21 }, (_, step) => book.visibleLotsAt(1, 80 + step));
        expect(sizes(lob)).toEqual(sizes(plain));
      }),
      { numRuns: 300 },
    );
  });

  test('two swapped deltas are a gap', () => {
    fc.assert(
      fc.property(place, (at) => {
        const lob = new MiniLob([DEEP]);
        const events = chain(length);
        [events[at], events[at + 1]] = [events[at + 1]!, events[at]!];
        const outcomes = events.map((event) => lob.apply(event));
        expect(outcomes[at]).toBe('gap');
        expect(outcomes.slice(at + 1).every((outcome) => outcome === 'waiting')).toBe(true);
        expect(lob.synchronized).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  test('any ids: applied deltas form an unbroken run from the last snapshot, everything else is named', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 12 })), { maxLength: 60 }), (list) => {
        const rule = new SequenceRule();
        let expected: number | undefined;
        for (const [snapshot, id] of list) {
          const verdict = rule.judge(snapshot, id);
          if (snapshot || id === 1) {
            expect(verdict).toBe(id === expected && id !== 1 ? 'duplicate' : 'overwrite');
            expected = id;
          } else if (expected === undefined) expect(verdict).toBe('wait');
          else if (id === expected + 1) {
            expect(verdict).toBe('apply');
            expected = id;
          } else if (id <= expected) expect(verdict).toBe('duplicate');
          else {
            expect(verdict).toBe('gap');
            expected = undefined;
          }
          expect(rule.synchronized).toBe(expected !== undefined);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

const stamped: fc.Arbitrary<OrderedEvent> = fc
  .record({
    book: fc.boolean(),
    deep: fc.boolean(),
    exchange: fc.nat(60_000),
    mono: fc.nat(200_000),
    sequence: fc.nat(20),
    index: fc.nat(3),
  })
  .map(({ book, deep, exchange, mono, sequence, index }) => {
    const stamps = { monoUs: T0 + mono, receiveTimeUs: T0 + mono };
    if (!book) return tradeEvent(T0 + exchange, { ...stamps, sequence, index });
    return bookEvent(T0 + exchange, { ...stamps, sequence, depth: deep ? 50 : 1 });
  });

describe('the reorder buffer', () => {
  test('loses nothing: every event is released once or handed back as late', () => {
    fc.assert(
      fc.property(fc.array(stamped, { maxLength: 150, size: 'max' }), fc.nat(60_000), (events, windowUs) => {
        const buffer = new ReorderBuffer(windowUs);
        const released: OrderedEvent[] = [];
        const late: OrderedEvent[] = [];
        const drain = (next: () => OrderedEvent | undefined): void => {
          for (let event = next(); event !== undefined; event = next()) released.push(event);
        };
        for (const event of events) {
          drain(() => buffer.release(event.monoUs));
          const verdict = buffer.push(event);
          if (verdict === 'held') continue;
          // What came late would have had to come out before something that is out already.
          expect([verdict, Math.sign(compareEvents(event, released.at(-1)!))]).toEqual(['late', -1]);
          late.push(event);
        }
        drain(() => buffer.flush());
        expect(buffer.size).toBe(0);
        expect(released.length + late.length).toBe(events.length);
        expect(new Set([...released, ...late]).size).toBe(events.length);
        for (let at = 1; at < released.length; at++) {
          if (compareEvents(released[at - 1]!, released[at]!) > 0) throw new Error(`released out of order at ${at}`);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('releases an event as soon as its window has passed and nothing before it waits', () => {
    const buffer = new ReorderBuffer(50);
    const at = (exchange: number, mono: number): OrderedEvent =>
      tradeEvent(exchange, { monoUs: mono, receiveTimeUs: mono });
    buffer.push(at(10, 100));
    buffer.push(at(5, 120));
    expect(buffer.release(169)).toBeUndefined();
    expect(buffer.release(170)?.exchangeTimeUs).toBe(5);
    expect(buffer.release(170)?.exchangeTimeUs).toBe(10);
    expect(buffer.push(at(7, 171))).toBe('late');
    expect(buffer.push(at(10, 172))).toBe('held');
  });

  test('the order of events is total: antisymmetric, transitive, and 0 only for equal stamps', () => {
    fc.assert(
      fc.property(stamped, stamped, stamped, (a, b, c) => {
        const order = (x: OrderedEvent, y: OrderedEvent): number => Math.sign(compareEvents(x, y));
        expect(order(a, b) + order(b, a)).toBe(0);
        if (order(a, b) <= 0 && order(b, c) <= 0) expect(order(a, c)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the timer queue', () => {
  const timers = fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 0, max: 6 })), { maxLength: 200, size: 'max' });

  test('gives timers back by time, rank and order of scheduling: a stable sort', () => {
    fc.assert(
      fc.property(timers, (list) => {
        const queue = new TimerQueue<number>();
        for (const [at, [timeUs, rank]] of list.entries()) queue.schedule(timeUs, rank as Rank, at);
        const sorted = [...list.entries()].sort(([, a], [, b]) => a[0] - b[0] || a[1] - b[1]).map(([at]) => at);
        const popped: number[] = [];
        while (queue.size > 0) {
          const { nextTimeUs, nextRank } = queue;
          const timer = queue.pop()!;
          if (timer.timeUs !== nextTimeUs || timer.rank !== nextRank) throw new Error('the next timer was not told of');
          popped.push(timer.task);
        }
        expect(popped).toEqual(sorted);
        expect([queue.pop(), queue.nextTimeUs, queue.nextRank]).toEqual([undefined, Infinity, undefined]);
      }),
      { numRuns: 300 },
    );
  });

  test('stays in order when timers are scheduled while others are popped', () => {
    fc.assert(
      fc.property(timers, fc.array(fc.boolean(), { maxLength: 200 }), (list, pops) => {
        const queue = new TimerQueue<number>();
        const naive: { timeUs: number; rank: number; task: number }[] = [];
        for (const [task, [timeUs, rank]] of list.entries()) {
          queue.schedule(timeUs, rank as Rank, task);
          naive.push({ timeUs, rank, task });
          naive.sort((a, b) => a.timeUs - b.timeUs || a.rank - b.rank || a.task - b.task);
          if (pops[task] === true && queue.pop()!.task !== naive.shift()!.task) throw new Error('out of order');
        }
      }),
      { numRuns: 200 },
    );
  });
});
