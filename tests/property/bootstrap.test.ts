import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { WeightedSum } from '../../collector/src/kpi/bootstrap.ts';
import { blockBootstrap, blockBootstrapDifference, MIN_BOOTSTRAP_WINDOWS } from '../../collector/src/kpi/bootstrap.ts';
import { uniformDraw } from '../../collector/src/fills/random.ts';

const window = fc.record({ weight: fc.integer({ min: 1, max: 50 }), mean: fc.integer({ min: -40, max: 40 }) });
const sumsOf = (windows: readonly { weight: number; mean: number }[]): WeightedSum[] =>
  windows.map(({ weight, mean }) => ({ weight, sum: weight * mean }));
const windows = fc.array(window, { minLength: MIN_BOOTSTRAP_WINDOWS, maxLength: 40 });
const RUNS = { numRuns: 25 };

describe('the interval of a mean over windows', () => {
  test('lies within the values, and holds what all of them are', () => {
    fc.assert(
      fc.property(windows, (drawn) => {
        const interval = blockBootstrap(sumsOf(drawn))!;
        const means = drawn.map(({ mean }) => mean);
        expect(interval.lower).toBeGreaterThanOrEqual(Math.min(...means) - 1e-9);
        expect(interval.upper).toBeLessThanOrEqual(Math.max(...means) + 1e-9);
        expect(interval.lower).toBeLessThanOrEqual(interval.upper);
      }),
      RUNS,
    );
  });

  test('moves with the values and grows with their scale', () => {
    fc.assert(
      fc.property(windows, fc.integer({ min: -9, max: 9 }), fc.integer({ min: 1, max: 9 }), (drawn, shift, scale) => {
        const before = blockBootstrap(sumsOf(drawn))!;
        const after = blockBootstrap(
          sumsOf(drawn.map(({ weight, mean }) => ({ weight, mean: mean * scale + shift }))),
        )!;
        expect(after.lower).toBeCloseTo(before.lower * scale + shift, 6);
        expect(after.upper).toBeCloseTo(before.upper * scale + shift, 6);
      }),
      RUNS,
    );
  });

  test('does not know the unit of the weights', () => {
    fc.assert(
      fc.property(windows, (drawn) => {
        const heavier = drawn.map(({ weight, mean }) => ({ weight: weight * 1_000, mean }));
        expect(blockBootstrap(sumsOf(heavier))!.lower).toBeCloseTo(blockBootstrap(sumsOf(drawn))!.lower, 6);
      }),
      RUNS,
    );
  });

  test.each([
    { name: 'no window', sums: [] },
    { name: 'seven windows', sums: Array.from({ length: 7 }, () => ({ weight: 1, sum: 5 })) },
    {
      name: 'seven windows with a value among many without',
      sums: Array.from({ length: 90 }, (_, n) => (n < 7 ? { weight: 1, sum: 5 } : { weight: 0, sum: 0 })),
    },
  ])('is not known of $name', ({ sums }) => {
    expect(blockBootstrap(sums)).toBeUndefined();
  });

  test('of a difference is 0 between a run and itself, and what was added to it otherwise', () => {
    fc.assert(
      fc.property(windows, fc.integer({ min: -9, max: 9 }), (drawn, shift) => {
        const moved = drawn.map(({ weight, mean }) => ({ weight, mean: mean + shift }));
        const { lower, upper } = blockBootstrapDifference(sumsOf(drawn), sumsOf(moved))!;
        expect(lower).toBeCloseTo(shift, 6);
        expect(upper).toBeCloseTo(shift, 6);
      }),
      RUNS,
    );
  });

  /** Normal by Box and Muller, from draws that are the same in every run. */
  const normal = (seed: number, place: number): number =>
    Math.sqrt(-2 * Math.log(uniformDraw(seed, place, 0))) * Math.cos(2 * Math.PI * uniformDraw(seed, place, 1));

  test.each([
    { name: 'independent windows', length: 48, memory: 0, most: 0.05 },
    { name: 'few independent windows', length: 12, memory: 0, most: 0.06 },
    { name: 'windows that resemble their neighbours', length: 48, memory: 0.3, most: 0.075 },
  ])('misses the truth from above rarely: $name', ({ length, memory, most }) => {
    const TRIALS = 300;
    let missed = 0;
    for (let trial = 0; trial < TRIALS; trial++) {
      let level = normal(trial, 0);
      const sums = Array.from({ length }, (_, n) => {
        level = memory * level + Math.sqrt(1 - memory * memory) * normal(trial, n + 1);
        const weight = 1 + Math.floor(4 * uniformDraw(trial, n, 2));
        return { weight, sum: weight * (level + normal(trial + 100_000, n)) };
      });
      if (blockBootstrap(sums)!.lower > 0) missed++;
    }
    // 2.5 % by design. With 300 trials that is read to within one percent or so.
    expect(missed / TRIALS).toBeLessThan(most);
    expect(missed).toBeGreaterThan(0);
  });
});
