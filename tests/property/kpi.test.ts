import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { feeQuote } from '../../collector/src/fills/fees.ts';
import { Inventory } from '../../collector/src/kpi/inventory.ts';
import {
  adverseSelectionBps,
  effectiveHalfSpreadBps,
  markoutBps,
  WeightedMean,
} from '../../collector/src/kpi/markout.ts';
import { LogLinearHistogram } from '../../collector/src/clock/histogram.ts';
import { MIN_QUANTILE_COUNT, nearestRank, quantileOf } from '../../collector/src/kpi/quantile.ts';
import type { Lifetime } from '../../collector/src/kpi/survival.ts';
import { timeToFillQuantile } from '../../collector/src/kpi/survival.ts';
import type { Sign } from '../../collector/src/units.ts';
import { S, T0 } from '../support/market.ts';

const sign = fc.constantFrom<Sign>(1, -1);
const ticks = fc.integer({ min: 1, max: 10_000_000 });

const expectClose = (actual: number, expected: number, scale: number): void =>
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * Math.max(1, scale));

describe('the decomposition of a fill', () => {
  test('markout is the half-spread captured less adverse selection, whatever the prices', () => {
    fc.assert(
      fc.property(sign, ticks, ticks, ticks, (side, price, mid, midAfter) => {
        const captured = effectiveHalfSpreadBps(side, price, mid);
        const adverse = adverseSelectionBps(side, mid, midAfter);
        const markout = markoutBps(side, price, mid, midAfter);
        expectClose(markout, captured - adverse, Math.abs(captured) + Math.abs(adverse));
      }),
      { numRuns: 2_000 },
    );
  });

  test('a buy below a mid that does not move earns its distance, and a fall of the mid is against it', () => {
    expect(effectiveHalfSpreadBps(1, 9_990, 20_000)).toBeCloseTo(10, 9);
    expect(adverseSelectionBps(1, 20_000, 19_960)).toBeCloseTo(20, 9);
    expect(markoutBps(1, 9_990, 20_000, 19_960)).toBeCloseTo(-10, 9);
    expect(effectiveHalfSpreadBps(-1, 10_010, 20_000)).toBeCloseTo(10, 9);
    expect(adverseSelectionBps(-1, 20_000, 20_040)).toBeCloseTo(20, 9);
  });
});

const fills = fc.array(
  fc.record({
    side: sign,
    price: fc.integer({ min: 1, max: 100_000 }),
    lots: fc.integer({ min: 1, max: 1_000 }),
    liquidity: fc.constantFrom('maker' as const, 'taker' as const),
  }),
  { maxLength: 40 },
);
const fees = fc.record({
  maker: fc.double({ min: -3, max: 10, noNaN: true }),
  taker: fc.double({ min: 0, max: 20, noNaN: true }),
});

describe('inventory and profit', () => {
  test('cash + position·mark = realised + unrealised(mark) − fees, after every fill and at any mark', () => {
    fc.assert(
      fc.property(fills, fees, fc.integer({ min: 0, max: 400_000 }), (list, rates, markHalf) => {
        const unit = 0.000_1;
        const inventory = new Inventory(unit, rates);
        let turnover = 0;
        for (const { side, price, lots, liquidity } of list) {
          inventory.fill(side, price, lots, liquidity);
          turnover += price * lots * unit;
          const worth = inventory.cashQuote + inventory.positionLots * (markHalf / 2) * unit;
          const profit = inventory.realizedQuote + inventory.unrealizedQuote(markHalf) - inventory.feesQuote;
          expectClose(worth, profit, turnover + Math.abs(inventory.positionLots) * markHalf * unit);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('position is the sum of signed sizes and fees are the sum of each fill’s own', () => {
    fc.assert(
      fc.property(fills, fees, (list, rates) => {
        const inventory = new Inventory(1, rates);
        for (const { side, price, lots, liquidity } of list) inventory.fill(side, price, lots, liquidity);
        expect(inventory.positionLots).toBe(list.reduce((sum, { side, lots }) => sum + side * lots, 0));
        const paid = list.reduce(
          (sum, { price, lots, liquidity }) => sum + feeQuote(rates, liquidity, price * lots),
          0,
        );
        expectClose(inventory.feesQuote, paid, Math.abs(paid) * list.length + 1e6);
      }),
      { numRuns: 500 },
    );
  });

  test('a round trip realises its price difference and leaves no position, a flip opens at the new price', () => {
    const inventory = new Inventory(1, { maker: 0, taker: 0 });
    inventory.fill(1, 100, 4, 'maker');
    inventory.fill(1, 110, 4, 'maker');
    inventory.fill(-1, 115, 12, 'maker');
    expect(inventory.realizedQuote).toBe(80);
    expect(inventory.positionLots).toBe(-4);
    expect(inventory.averageTicks).toBe(115);
    expect(inventory.unrealizedQuote(2 * 120)).toBe(-20);
  });
});

const weighted = fc.array(
  fc.record({
    afterUs: fc.integer({ min: 0, max: 2 * S }),
    weight: fc.double({ min: 0.01, max: 1_000, noNaN: true }),
    value: fc.double({ min: -100, max: 100, noNaN: true }),
  }),
  { maxLength: 40 },
);

const meanOf = (list: readonly { afterUs: number; weight: number; value: number }[], startUs: number): WeightedMean => {
  const mean = new WeightedMean();
  let timeUs = startUs;
  for (const { afterUs, weight, value } of list) mean.add((timeUs += afterUs), weight, value);
  return mean;
};

describe('weighted means', () => {
  test('mean and clustered standard error equal their definitions', () => {
    fc.assert(
      fc.property(weighted, (list) => {
        const mean = meanOf(list, T0);
        expect(mean.count).toBe(list.length);
        const weight = list.reduce((sum, item) => sum + item.weight, 0);
        const average = list.reduce((sum, item) => sum + item.weight * item.value, 0) / weight;
        if (list.length === 0) return expect(mean.mean).toBeUndefined();
        expectClose(mean.mean!, average, 100);
        const residuals = new Map<number, number>();
        let timeUs = T0;
        for (const item of list) {
          const second = Math.floor((timeUs += item.afterUs) / S);
          residuals.set(second, (residuals.get(second) ?? 0) + item.weight * (item.value - average));
        }
        const clusters = residuals.size;
        if (clusters < 2) return expect(mean.standardError).toBeUndefined();
        const squares = [...residuals.values()].reduce((sum, residual) => sum + residual ** 2, 0);
        const naive = Math.sqrt((squares * clusters) / (clusters - 1)) / weight;
        // The sums of squares cancel: what is left of rounding grows with the weights, not with the error.
        expect(Math.abs(mean.standardError! - naive)).toBeLessThanOrEqual(1e-4);
      }),
      { numRuns: 500 },
    );
  });

  test('merging two equals adding the values of both', () => {
    fc.assert(
      fc.property(weighted, weighted, (one, other) => {
        const merged = meanOf(one, T0);
        const second = meanOf(other, T0 + 1_000 * S);
        merged.merge(second);
        const together = new WeightedMean();
        for (const [list, startUs] of [
          [one, T0],
          [other, T0 + 1_000 * S],
        ] as const) {
          let timeUs = startUs;
          for (const { afterUs, weight, value } of list) together.add((timeUs += afterUs), weight, value);
        }
        expect(merged.count).toBe(together.count);
        expectClose(merged.weight, together.weight, together.weight);
        expectClose(merged.mean ?? 0, together.mean ?? 0, 100);
        expectClose(merged.standardError ?? 0, together.standardError ?? 0, 1e5);
        // The other one is not changed, and goes on alone.
        expect(second.count).toBe(other.length);
      }),
      { numRuns: 500 },
    );
  });
});

const durations = fc.array(fc.oneof(fc.nat(63), fc.nat(10_000), fc.integer({ min: 0, max: 2 ** 36 - 1 })), {
  minLength: MIN_QUANTILE_COUNT,
  maxLength: 200,
});
const share = fc.double({ min: 0.001, max: 1, noNaN: true });

describe('quantiles', () => {
  test('nearest rank is the smallest value that at least the share p of all do not exceed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 1, maxLength: 100 }),
        fc.integer({ min: 1, max: 100 }),
        (values, percent) => {
          const p = percent / 100;
          const sorted = [...values].sort((a, b) => a - b);
          const reached = (value: number): number => sorted.filter((other) => other <= value).length;
          const naive = sorted.find((value) => reached(value) >= p * sorted.length);
          expect(nearestRank(sorted, p)).toBe(naive);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('a quantile of unsorted values leaves them alone and is not told of fewer than 20', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { maxLength: 60 }), share, (values, p) => {
        const before = [...values];
        const quantile = quantileOf(values, p);
        expect(values).toEqual(before);
        if (values.length < 20) return expect(quantile).toBeUndefined();
        expect(quantile).toBe(
          nearestRank(
            [...values].sort((a, b) => a - b),
            p,
          ),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('the histogram’s quantile is within one percent of the nearest rank', () => {
    fc.assert(
      fc.property(durations, share, (values, p) => {
        const histogram = new LogLinearHistogram();
        for (const value of values) histogram.record(value);
        const exact = nearestRank(
          [...values].sort((a, b) => a - b),
          p,
        )!;
        expect(Math.abs(histogram.quantile(p)! - exact)).toBeLessThanOrEqual(0.01 * exact);
      }),
      { numRuns: 1_000 },
    );
  });

  test('merging histograms equals recording all values in one, in any order', () => {
    fc.assert(
      fc.property(
        durations,
        durations,
        fc.array(fc.integer({ min: -1_000, max: -1 }), { maxLength: 10 }),
        (one, other, negative) => {
          const together = new LogLinearHistogram();
          for (const value of [...other, ...negative, ...one].reverse()) together.record(value);
          const merged = new LogLinearHistogram();
          const second = new LogLinearHistogram();
          for (const value of one) merged.record(value);
          for (const value of [...other, ...negative]) second.record(value);
          merged.add(second);
          expect(merged.buckets()).toEqual(together.buckets());
          expect([merged.count, merged.negatives]).toEqual([together.count, together.negatives]);
          for (const p of [0.01, 0.5, 0.95, 1]) expect(merged.quantile(p)).toBe(together.quantile(p));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('every value falls into a bucket that begins at or below it, and buckets hold every value but the negative', () => {
    fc.assert(
      fc.property(fc.integer({ min: -10, max: Number.MAX_SAFE_INTEGER }), (value) => {
        const histogram = new LogLinearHistogram();
        histogram.record(value);
        if (value < 0) return expect([histogram.buckets(), histogram.negatives]).toEqual([[], 1]);
        const [[lower, count]] = histogram.buckets() as [[number, number]];
        expect(count).toBe(1);
        if (value < 2 ** 36) expect(lower).toBeLessThanOrEqual(value);
        if (value < 2 ** 36) expect(value - lower).toBeLessThanOrEqual(value / 64);
      }),
      { numRuns: 1_000 },
    );
  });

  test('negatives rank below every other value', () => {
    const histogram = new LogLinearHistogram();
    for (let count = 0; count < 10; count++) histogram.record(-5);
    for (let count = 0; count < 10; count++) histogram.record(7);
    expect(histogram.quantile(0.5)).toBeUndefined();
    expect(histogram.quantile(0.51)).toBe(7);
  });
});

/** Kaplan and Meier by the book: at each time with fills, survival times one less the share of those still followed. */
function naiveTimeToFill(lifetimes: readonly Lifetime[], p: number): number | undefined {
  const times = [...new Set(lifetimes.filter(({ filled }) => filled).map(({ durationUs }) => durationUs))].sort(
    (a, b) => a - b,
  );
  let survival = 1;
  for (const time of times) {
    const followed = lifetimes.filter(({ durationUs }) => durationUs >= time).length;
    const events = lifetimes.filter(({ durationUs, filled }) => filled && durationUs === time).length;
    survival *= 1 - events / followed;
    if (survival <= 1 - p + 1e-12) return time;
  }
  return undefined;
}

describe('time to fill', () => {
  const lifetimes = fc.array(fc.record({ durationUs: fc.nat(20), filled: fc.boolean() }), { maxLength: 40 });

  test('equals Kaplan–Meier by its definition, ties and censoring included', () => {
    fc.assert(
      fc.property(lifetimes, fc.constantFrom(0.05, 0.25, 0.5, 0.75, 0.95, 1), (list, p) => {
        expect(timeToFillQuantile(list, p)).toBe(naiveTimeToFill(list, p));
      }),
      { numRuns: 2_000 },
    );
  });

  test('without censoring it is the nearest rank of the fill times', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_000), { minLength: 1, maxLength: 40 }),
        fc.constantFrom(0.25, 0.5, 0.95),
        (times, p) => {
          const list = times.map((durationUs) => ({ durationUs, filled: true }));
          expect(timeToFillQuantile(list, p)).toBe(
            nearestRank(
              [...times].sort((a, b) => a - b),
              p,
            ),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test('is unknown when no order, or too few, were filled', () => {
    expect(timeToFillQuantile([], 0.5)).toBeUndefined();
    expect(timeToFillQuantile([{ durationUs: 5, filled: false }], 0.5)).toBeUndefined();
    expect(
      timeToFillQuantile(
        [
          { durationUs: 5, filled: true },
          { durationUs: 9, filled: false },
          { durationUs: 9, filled: false },
        ],
        0.5,
      ),
    ).toBeUndefined();
  });
});
