import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { QueueParameters } from '../../collector/src/fills/queue-position.ts';
import { queueAheadAfterCancels, QueuePosition } from '../../collector/src/fills/queue-position.ts';
import type { Lots, Us } from '../../collector/src/units.ts';
import { MS, T0 } from '../support/market.ts';

const exponent = fc.constantFrom(1, 1.5, 2, 3, 10, 100, Infinity);
const queueLots = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 1_000_000 }));

/** A level of q lots of which a part is ahead, brought down to smaller sizes one after the other. */
const cancels = fc
  .tuple(
    queueLots,
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 }),
  )
  .map(([q, share, cuts]) => ({
    q,
    v: share * q,
    sizes: cuts.map((cut) => Math.floor(cut * q)).sort((a, b) => b - a),
  }));

describe('queue ahead after cancels, in closed form', () => {
  test('does not depend on how a run of cancels was batched', () => {
    fc.assert(
      fc.property(cancels, exponent, ({ q, v, sizes }, n) => {
        const last = sizes.at(-1)!;
        let stepwise = v;
        let before = q;
        for (const after of sizes) {
          stepwise = queueAheadAfterCancels(stepwise, before, after, n);
          before = after;
        }
        expect(Math.abs(stepwise - queueAheadAfterCancels(v, q, last, n))).toBeLessThanOrEqual(1e-9 * q);
      }),
      { numRuns: 2_000 },
    );
  });

  test('stays between 0 and the size left, and never takes more from ahead than was cancelled', () => {
    fc.assert(
      fc.property(cancels, exponent, ({ q, v, sizes }, n) => {
        const after = sizes[0]!;
        const ahead = queueAheadAfterCancels(v, q, after, n);
        expect(Number.isFinite(ahead)).toBe(true);
        expect(ahead).toBeGreaterThanOrEqual(0);
        expect(ahead).toBeLessThanOrEqual(Math.min(v, after));
        expect(v - ahead).toBeLessThanOrEqual((q - after) * (1 + 1e-12));
      }),
      { numRuns: 2_000 },
    );
  });

  test('is monotone in what was ahead, and a larger exponent leaves more ahead', () => {
    fc.assert(
      fc.property(
        cancels,
        fc.double({ min: 0, max: 1, noNaN: true }),
        exponent,
        exponent,
        ({ q, v, sizes }, part, n, m) => {
          const after = sizes[0]!;
          const tolerance = 1e-12 * q;
          const smaller = queueAheadAfterCancels(part * v, q, after, n);
          expect(smaller).toBeLessThanOrEqual(queueAheadAfterCancels(v, q, after, n) + tolerance);
          const low = queueAheadAfterCancels(v, q, after, Math.min(n, m));
          expect(low).toBeLessThanOrEqual(queueAheadAfterCancels(v, q, after, Math.max(n, m)) + tolerance);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('equals the integration of small cancels, each ahead of us with probability (V/Q)ⁿ', () => {
    const sizes = fc.tuple(
      fc.integer({ min: 20, max: 400 }),
      fc.integer({ min: 5, max: 95 }),
      fc.integer({ min: 10, max: 100 }),
    );
    fc.assert(
      fc.property(sizes, fc.constantFrom(1, 1.5, 2, 3, 10), ([q, ahead, left], n) => {
        const v = (q * ahead) / 100;
        const after = (q * left) / 100;
        const steps = 4_000;
        const width = (q - after) / steps;
        let current = v;
        for (let step = 0; step < steps; step++) {
          // The midpoint rule, so that the error of the reference itself is small.
          const size = q - step * width;
          const half = current - ((current / size) ** n * width) / 2;
          current -= (half / (size - width / 2)) ** n * width;
        }
        expect(Math.abs(queueAheadAfterCancels(v, q, after, n) - current)).toBeLessThan(1e-3 * v);
      }),
      { numRuns: 300 },
    );
  });

  test('n = 1 is V·Q⁺/Q, n = 2 is the harmonic form, n = ∞ takes every cancel from behind', () => {
    expect(queueAheadAfterCancels(40, 100, 50, 1)).toBeCloseTo(20, 12);
    expect(1 / queueAheadAfterCancels(40, 100, 50, 2)).toBeCloseTo(1 / 40 + 1 / 50 - 1 / 100, 12);
    expect(queueAheadAfterCancels(40, 100, 50, Infinity)).toBe(40);
    expect(queueAheadAfterCancels(40, 100, 30, Infinity)).toBe(30);
  });

  test('an empty queue stays empty, a queue that is all ahead shrinks with the level', () => {
    fc.assert(
      fc.property(queueLots, fc.nat(), exponent, (q, cut, n) => {
        const after = q - (cut % (q + 1));
        expect(queueAheadAfterCancels(0, q, after, n)).toBe(0);
        expect(queueAheadAfterCancels(q, q, after, n)).toBe(after);
        expect(queueAheadAfterCancels(q / 2, q, 0, n)).toBe(0);
        expect(queueAheadAfterCancels(q / 2, q, q, n)).toBe(q / 2);
      }),
      { numRuns: 300 },
    );
  });
});

type Change =
  | { readonly kind: 'depth'; readonly afterUs: Us; readonly lots: Lots | undefined; readonly snapshot: boolean }
  | { readonly kind: 'trade'; readonly afterUs: Us; readonly lots: Lots; readonly lateUs: Us };

const afterUs = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 1, max: 30 * MS }),
  fc.integer({ min: 150 * MS, max: 400 * MS }),
);
const depth: fc.Arbitrary<Change> = fc.record({
  kind: fc.constant('depth' as const),
  afterUs,
  lots: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined, freq: 8 }),
  snapshot: fc.integer({ min: 0, max: 7 }).map((draw) => draw === 0),
});
const trade: fc.Arbitrary<Change> = fc.record({
  kind: fc.constant('trade' as const),
  afterUs,
  lots: fc.integer({ min: 1, max: 25 }),
  lateUs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 150 * MS })),
});
const changes = fc.array(fc.oneof(depth, trade), { minLength: 1, maxLength: 40, size: 'max' });

const queueParameters: fc.Arbitrary<QueueParameters> = fc.record({
  exponent,
  deferredSeedFraction: fc.double({ min: 0, max: 1, noNaN: true }),
  tradeTtlUs: fc.constantFrom(0, 20 * MS, 200 * MS),
});

/** Whole lots that reached the order after each change. */
function follow(
  position: QueuePosition,
  list: readonly Change[],
  check: (position: QueuePosition) => void = () => undefined,
): number[] {
  let timeUs = T0;
  let filled = 0;
  return list.map((change) => {
    timeUs += change.afterUs;
    if (change.kind === 'depth') position.onDepth(timeUs, change.lots, change.snapshot);
    else filled += position.onTrade(timeUs - change.lateUs, change.lots, change.lots);
    check(position);
    return filled;
  });
}

describe('an estimated queue position', () => {
  test('keeps 0 ≤ ahead ≤ displayed and is finite once its level has been visible', () => {
    fc.assert(
      fc.property(
        fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
        changes,
        queueParameters,
        (seed, list, parameters) => {
          const position = new QueuePosition(seed, parameters);
          let seen = seed !== undefined;
          follow(position, list, () => {
            seen ||= position.displayedLots !== undefined;
            const { aheadLots, displayedLots } = position;
            const bounded = aheadLots >= 0 && (displayedLots === undefined || aheadLots <= displayedLots + 1e-9);
            if (bounded && Number.isFinite(aheadLots) === seen) return;
            throw new Error(`ahead ${aheadLots} of ${String(displayedLots)} displayed, seen ${seen}`);
          });
          expect(position.tradesConsumed).toBeGreaterThanOrEqual(0);
          expect(position.cancelsAttributed).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('lets no more lots through than were printed', () => {
    fc.assert(
      fc.property(
        fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
        changes,
        queueParameters,
        (seed, list, parameters) => {
          const filled = follow(new QueuePosition(seed, parameters), list);
          let printed = 0;
          for (const [at, change] of list.entries()) {
            if (change.kind === 'trade') printed += change.lots;
            if (filled[at]! > printed) throw new Error(`${filled[at]!} lots of ${printed} printed`);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('with less ahead at the start never fills later', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        changes,
        queueParameters,
        (level, one, other, list, parameters) => {
          const begin = (share: number): number[] => {
            const position = new QueuePosition(undefined, { ...parameters, deferredSeedFraction: share });
            position.onDepth(T0, level, false);
            return follow(position, list);
          };
          const less = begin(Math.min(one, other));
          const more = begin(Math.max(one, other));
          for (const [at, filled] of more.entries()) {
            if (less[at]! < filled) throw new Error(`${less[at]!} lots with less ahead, ${filled} with more`);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('a trade in order of its depth change leaves 28.80 ahead, one that comes late 28.18', () => {
    const parameters = { exponent: 2, deferredSeedFraction: 1, tradeTtlUs: 200 * MS };
    const begin = (): QueuePosition => {
      const position = new QueuePosition(40, parameters);
      position.onDepth(T0, 100, false);
      return position;
    };
    const inOrder = begin();
    inOrder.onTrade(T0 + MS, 10, 10);
    inOrder.onDepth(T0 + 2 * MS, 80, false);
    expect(inOrder.aheadLots).toBeCloseTo(28.8, 2);
    const late = begin();
    late.onDepth(T0 + 2 * MS, 80, false);
    late.onTrade(T0 + MS, 10, 10);
    expect(late.aheadLots).toBeCloseTo(28.18, 2);
    // Two prints that share one decrease are corrected for once each.
    const twice = begin();
    twice.onDepth(T0 + 2 * MS, 80, false);
    twice.onTrade(T0 + MS, 4, 4);
    twice.onTrade(T0 + MS, 6, 6);
    expect(twice.aheadLots).toBeCloseTo(late.aheadLots, 9);
  });

  test('a level that leaves the visible window keeps its queue, and a snapshot does not empty it', () => {
    const position = new QueuePosition(40, { exponent: 2, deferredSeedFraction: 1, tradeTtlUs: 200 * MS });
    position.onDepth(T0, undefined, false);
    expect(position.aheadLots).toBe(40);
    position.onDepth(T0 + MS, 70, true);
    expect(position.aheadLots).toBe(40);
    position.onDepth(T0 + 2 * MS, 25, true);
    expect(position.aheadLots).toBe(25);
  });
});
