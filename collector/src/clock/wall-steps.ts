import type { Us } from '../units.ts';
import { US_PER_MS } from '../units.ts';

/** Slewing moves a wall clock by 0.5 ms a second; what moves it by more than this stepped it. */
const STEP_US: Us = 50 * US_PER_MS;

/**
 * Steps of the local wall clock against the monotonic one, looked for once a second. A difference that is there for one look only is a process that was
 * held up between reading the two clocks.
 */
export class WallSteps {
  count = 0;
  #baseUs: Us | undefined;
  #lastUs: Us = 0;

  /** Takes wall − monotonic of the last message. True when a step has just been counted. */
  look(wallMinusMonoUs: Us): boolean {
    const stays = Math.abs(wallMinusMonoUs - this.#lastUs) <= STEP_US;
    this.#lastUs = wallMinusMonoUs;
    if (this.#baseUs === undefined || Math.abs(wallMinusMonoUs - this.#baseUs) <= STEP_US) {
      this.#baseUs = wallMinusMonoUs;
      return false;
    }
    if (!stays) return false;
    this.#baseUs = wallMinusMonoUs;
    this.count++;
    return true;
  }

  /** What one clock said of the other is void. */
  clear(): void {
    this.#baseUs = undefined;
  }
}
