import type { Us } from './units.ts';

export interface Clock {
  /** Wall clock, µs since the epoch; may step. */
  wallUs(): Us;
  /** Monotonic, µs since some start. */
  monoUs(): Us;
}

/** `Date.now()` reads whole milliseconds and lags by up to one; a wall clock off by more than this has stepped. */
const STEP_US = 2_000;

/** The machine's clocks: the wall clock read to the microsecond by carrying it on the monotonic one and following its steps. */
export function systemClock(): Clock {
  const monoUs = (): Us => Math.round(performance.now() * 1_000);
  let offsetUs = Date.now() * 1_000 - monoUs();
  return {
    monoUs,
    wallUs: () => {
      const mono = monoUs();
      const errorUs = Date.now() * 1_000 - (mono + offsetUs);
      // Truncation makes the difference lie in (−1 ms, 0]; a step, or slewing that has added up, takes it out of there.
      if (errorUs > 0 || errorUs < -STEP_US) offsetUs += errorUs;
      return mono + offsetUs;
    },
  };
}
