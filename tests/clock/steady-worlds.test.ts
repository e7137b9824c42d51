import { describe, expect, test } from '@jest/globals';
import type { World } from '../support/clock-world.ts';
import { study } from '../support/world-study.ts';
import { SYMMETRIC, WORLDS } from './worlds.ts';

const TIMEOUT_MS = 300_000;
const HALF_MS_AND_A_TENTH = 600;

/** Clocks and paths that stay what they are. 200 seeds each. */
describe('the offset of clocks that run evenly', () => {
  const bars: readonly { name: keyof typeof WORLDS; errorUs: number; skewPpm: number }[] = [
    { name: 'symmetric', errorUs: HALF_MS_AND_A_TENTH, skewPpm: 1 },
    { name: 'large-offset', errorUs: HALF_MS_AND_A_TENTH, skewPpm: 1 },
    { name: 'drift', errorUs: HALF_MS_AND_A_TENTH, skewPpm: 1 },
    { name: 'burst', errorUs: HALF_MS_AND_A_TENTH, skewPpm: 1 },
    { name: 'packet-loss', errorUs: HALF_MS_AND_A_TENTH, skewPpm: 1 },
    { name: 'jitter', errorUs: 2_000, skewPpm: 5 },
    { name: 'quiet-symbol', errorUs: 1_000, skewPpm: 2 },
    { name: 'coarse-stamp', errorUs: 5_000, skewPpm: 5 },
  ];

  test.each(bars)(
    '$name: always in the band, better than an NTP filter, no step seen',
    ({ name, errorUs, skewPpm }) => {
      const seen = study(WORLDS[name]);
      expect(seen).toMatchObject({ outside: 0, stepsAfterS: [], wallSteps: 0 });
      expect(seen.solves).toBeGreaterThan(seen.seeds * (WORLDS[name].seconds / 5 - 20));
      expect(seen.errorP95Us).toBeLessThanOrEqual(errorUs);
      expect(seen.errorP95Us).toBeLessThanOrEqual(seen.ntpErrorP95Us);
      expect(seen.skewErrorP95Ppm).toBeLessThanOrEqual(skewPpm);
    },
    TIMEOUT_MS,
  );

  test(
    'asymmetric: off by half the difference of the ways, as it must be, and in the band',
    () => {
      const seen = study(WORLDS.asymmetric);
      expect(seen).toMatchObject({ outside: 0, stepsAfterS: [] });
      expect(Math.abs(seen.meanErrorUs - (60_000 - 20_000) / 2)).toBeLessThan(1_000);
      expect(seen.errorP95Us).toBeLessThanOrEqual(seen.ntpErrorP95Us);
    },
    TIMEOUT_MS,
  );

  test('nothing is published before eight probes and sixty seconds, and then it is', () => {
    const { published } = study({ ...SYMMETRIC, seconds: 120 });
    for (const atS of published) {
      // Local seconds, which are 20 ppm shorter.
      expect(atS).toBeGreaterThanOrEqual(59.99);
      expect(atS).toBeLessThanOrEqual(80);
    }
  });

  test('the band is no wider than the ways are long', () => {
    // Half the round trip, what jitter leaves of it, granularity and age.
    const { widestUs } = study({ ...SYMMETRIC, seconds: 1_200 } satisfies World);
    expect(widestUs).toBeGreaterThan(20_000);
    expect(widestUs).toBeLessThan(45_000);
  });
});
