import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { DriftEwma } from '../../collector/src/clock/drift.ts';
import { BucketHistogram, LogLinearHistogram } from '../../collector/src/clock/histogram.ts';
import { FEED_LATENCY_BUCKETS, FeedLatency } from '../../collector/src/clock/latency.ts';
import { OffsetBound } from '../../collector/src/clock/offset-bound.ts';
import { ProbeSchedule } from '../../collector/src/clock/probe-schedule.ts';
import { WallSteps } from '../../collector/src/clock/wall-steps.ts';

describe('drift', () => {
  test('is the golden vector of the seed: α = 0.05, started by the first sample, signed', () => {
    const drift = new DriftEwma();
    const values = [100, 100, 200, -50, -50, 0].map((sample) => {
      drift.record(sample);
      return drift.valueMs!;
    });
    const golden = [100, 100, 105, 97.25, 89.8875, 85.393125];
    for (const [index, value] of values.entries()) expect(value).toBeCloseTo(golden[index]!, 9);
  });

  test('a clock that is behind is negative from the first message on', () => {
    const drift = new DriftEwma();
    drift.record(-1_270);
    expect(drift.valueMs).toBe(-1_270);
  });
});

describe('feed latency of a window', () => {
  const filled = (raw: readonly number[], oneWay: readonly number[]): FeedLatency => {
    const latency = new FeedLatency();
    for (const us of raw) latency.record(us, undefined);
    for (const us of oneWay) latency.record(us + 500_000, us);
    return latency;
  };
  const twenty = (us: number): number[] => Array<number>(20).fill(us);

  test('is raw while nothing can be corrected, negatives counted and not clipped', () => {
    const latency = filled([...twenty(100_000), -5], []);
    expect(latency).toMatchObject({ corrected: false, uncorrected: 0, negatives: 1, minUs: -5 });
    expect(latency.histogramUs.quantile(0.95)).toBeCloseTo(100_000, -3);
  });

  test('is of corrected messages alone once there are some; the others are counted', () => {
    const latency = filled(twenty(900_000), twenty(20_000));
    expect(latency).toMatchObject({ corrected: true, uncorrected: 20, negatives: 0, minUs: 20_000 });
    expect(latency.histogramUs.count).toBe(20);
    latency.record(900_000, undefined);
    expect(latency).toMatchObject({ uncorrected: 21 });
    expect(latency.histogramUs.count).toBe(20);
  });

  test('a corrected latency below 0 counts as 0, and is counted', () => {
    const latency = filled([], [...twenty(10), -3]);
    expect(latency).toMatchObject({ negatives: 1, minUs: 0 });
  });

  const window = fc.record({
    raw: fc.array(fc.integer({ min: -1_000, max: 1e6 })),
    oneWay: fc.array(fc.integer({ min: -1_000, max: 1e6 })),
  });
  test('merging windows is as recording them in one, in whichever order', () => {
    fc.assert(
      fc.property(fc.array(window, { maxLength: 5 }), (windows) => {
        const whole = filled(
          windows.flatMap(({ raw }) => raw),
          windows.flatMap(({ oneWay }) => oneWay),
        );
        for (const order of [windows, [...windows].reverse()]) {
          const merged = new FeedLatency();
          for (const { raw, oneWay } of order) merged.merge(filled(raw, oneWay));
          expect(merged.histogramUs.buckets()).toEqual(whole.histogramUs.buckets());
          expect(merged).toMatchObject({
            corrected: whole.corrected,
            uncorrected: whole.uncorrected,
            negatives: whole.negatives,
            minUs: whole.minUs,
          });
        }
      }),
    );
  });
});

describe('histograms', () => {
  test('a bucket of Prometheus holds what is at most its bound', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 4e6 }), fc.constantFrom(...FEED_LATENCY_BUCKETS.boundsUs))),
        (us) => {
          const histogram = new BucketHistogram(FEED_LATENCY_BUCKETS);
          for (const value of us) histogram.record(value);
          let below = 0;
          for (const [index, bound] of FEED_LATENCY_BUCKETS.boundsUs.entries()) {
            below += histogram.counts[index]!;
            expect(below).toBe(us.filter((value) => value <= bound).length);
          }
          expect(histogram.count).toBe(us.length);
          expect(histogram.sumUs).toBe(us.reduce((sum, value) => sum + value, 0));
        },
      ),
    );
  });

  test('one that has been cleared is as new', () => {
    const histogram = new LogLinearHistogram();
    for (let us = -5; us < 100_000; us += 37) histogram.record(us);
    histogram.clear();
    expect(histogram).toMatchObject({ count: 0, negatives: 0, min: Infinity });
    expect(histogram.buckets()).toEqual([]);
    histogram.record(5);
    expect(histogram.buckets()).toEqual([[5, 1]]);
  });
});

describe('the offset that messages force', () => {
  test('takes sixteen in a row, is the least of what they prove, and goes with the first that does not', () => {
    const bound = new OffsetBound();
    for (let at = 0; at < 15; at++) bound.record(-1_000 - at);
    expect(bound.applied(0)).toBe(0);
    bound.record(-5_000);
    expect(bound.applied(0)).toBe(-1_000);
    // Against another offset the same messages prove something else.
    expect(bound.applied(-2_000)).toBe(-2_000);
    bound.record(0);
    expect(bound.applied(0)).toBe(0);
  });
});

describe('steps of the wall clock', () => {
  const S = 1_000_000;
  const looks: readonly { name: string; wallMinusMonoUs: readonly number[]; count: number }[] = [
    { name: 'none while it is slewed', wallMinusMonoUs: [0, 500, 1_000, 1_500, 2_000], count: 0 },
    { name: 'one that stays', wallMinusMonoUs: [0, 0, -2 * S, -2 * S, -2 * S], count: 1 },
    { name: 'none for a process held up between its clocks', wallMinusMonoUs: [0, 80_000, 0, 0], count: 0 },
    { name: 'exactly 50 ms is none', wallMinusMonoUs: [0, 50_000, 50_000], count: 0 },
    { name: 'there and back', wallMinusMonoUs: [0, S, S, 0, 0], count: 2 },
  ];
  test.each(looks)('$name', ({ wallMinusMonoUs, count }) => {
    const steps = new WallSteps();
    for (const us of wallMinusMonoUs) steps.look(us);
    expect(steps.count).toBe(count);
  });
});

describe('the schedule of probes', () => {
  const S = 1_000_000;
  test('four 2 s apart, then every 10 s ± 20 %, and soon where something does not fit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 10 }),
        (draws) => {
          let at = 0;
          const schedule = new ProbeSchedule(() => draws[at++ % draws.length]!);
          let nowUs = 0;
          for (let sent = 1; sent <= 10; sent++) {
            schedule.sent(nowUs);
            const waitUs = schedule.dueUs - nowUs;
            if (sent < 4) expect(waitUs).toBe(2 * S);
            else {
              expect(waitUs).toBeGreaterThanOrEqual(8 * S);
              expect(waitUs).toBeLessThanOrEqual(12 * S);
            }
            nowUs = schedule.dueUs;
          }
          schedule.sent(nowUs);
          schedule.hurry();
          expect(schedule.dueUs).toBe(nowUs + 2 * S);
        },
      ),
    );
  });
});
