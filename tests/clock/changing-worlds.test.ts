import { describe, expect, test } from '@jest/globals';
import { study } from '../support/world-study.ts';
import { CHANGE_S, serverStep, STEPS_MS, SYMMETRIC, WORLDS } from './worlds.ts';

const TIMEOUT_MS = 300_000;

/** Twenty minutes, then something changes. 200 seeds each. */
describe('a change in the middle', () => {
  test.each(STEPS_MS.map((ms) => ({ ms, withinS: Math.abs(ms) > 100 ? 20 : 55 })))(
    'server-step of $ms ms: seen once, within $withinS s; the truth is in the band but for the minute after',
    ({ ms, withinS }) => {
      const seen = study(serverStep(ms), CHANGE_S);
      expect(seen.outside).toBe(0);
      expect(seen.stepsAfterS).toHaveLength(seen.seeds);
      expect(Math.min(...seen.stepsAfterS)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...seen.stepsAfterS)).toBeLessThanOrEqual(withinS);
      expect(seen.errorP95Us).toBeLessThanOrEqual(seen.ntpErrorP95Us);
    },
    TIMEOUT_MS,
  );

  test(
    'wall-step: counted once, and the estimate is the same as without it',
    () => {
      const seen = study(WORLDS['wall-step']);
      expect(seen).toMatchObject({ outside: 0, stepsAfterS: [], wallSteps: seen.seeds });
      const without = study({ ...SYMMETRIC, seconds: WORLDS['wall-step'].seconds });
      expect(seen).toEqual({ ...without, wallSteps: seen.wallSteps });
    },
    TIMEOUT_MS,
  );

  test.each(['route-change in longer', 'route-change in shorter', 'route-change out shorter'] as const)(
    '%s: told, kept, and never taken for a step',
    (name) => {
      const seen = study(WORLDS[name], CHANGE_S);
      expect(seen).toMatchObject({ outside: 0, stepsAfterS: [] });
      expect(seen.errorP95Us).toBeLessThanOrEqual(seen.ntpErrorP95Us);
      // Within the minute that is compared, and the five seconds until a bucket is looked at.
      const told = seen.routesAfterS.filter((afterS) => afterS >= 0 && afterS <= 65);
      expect(told.length).toBeGreaterThanOrEqual(0.95 * seen.seeds);
    },
    TIMEOUT_MS,
  );

  test(
    'route-change behind jitter of 40 ms: kept, and never taken for a step',
    () => {
      const seen = study(WORLDS['route-change out shorter, jitter'], CHANGE_S);
      expect(seen).toMatchObject({ outside: 0, stepsAfterS: [] });
      expect(seen.errorP95Us).toBeLessThanOrEqual(seen.ntpErrorP95Us);
    },
    TIMEOUT_MS,
  );

  test(
    'probe-outage of 25 minutes: the estimate is kept, its band grows with age and holds the truth, and shrinks again',
    () => {
      const seen = study(WORLDS['probe-outage'], CHANGE_S);
      expect(seen).toMatchObject({ outside: 0, stepsAfterS: [] });
      // Published at every solve, outage or not.
      expect(seen.solves).toBeGreaterThan(seen.seeds * 700);
      expect(seen.widestUs).toBeGreaterThan(40_000);
    },
    TIMEOUT_MS,
  );
});

/** Stamps that are not what they should be. */
describe('stamps that cannot be true', () => {
  test(
    'wrong-stamps: answers an hour off, at the start and now and then, move nothing and are no step',
    () => {
      const seen = study(WORLDS['wrong-stamps']);
      expect(seen).toMatchObject({ outside: 0, stepsAfterS: [] });
      expect(Math.max(...seen.published)).toBeLessThan(120);
      expect(seen.errorP95Us).toBeLessThanOrEqual(600);
    },
    TIMEOUT_MS,
  );

  test.each([0, 900])(
    'other-clock: a feed stamped 5 ms ahead of the server time from %i s on is left out; the offset is that to the server time',
    (atS) => {
      const seen = study({ ...WORLDS['other-clock'], feedAhead: { atS, ms: 5 } });
      expect(seen).toMatchObject({ outside: 0, stepsAfterS: [] });
      expect(Math.max(...seen.published)).toBeLessThan(80);
      expect(seen.errorP95Us).toBeLessThanOrEqual(600);
    },
    TIMEOUT_MS,
  );
});
