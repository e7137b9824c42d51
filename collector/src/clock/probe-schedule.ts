import type { Us } from '../units.ts';
import { US_PER_S } from '../units.ts';

/** At first, and when something does not fit, probes are so far apart; otherwise `STEADY_US` ± 20 %. */
const QUICK_US: Us = 2 * US_PER_S;
const STEADY_US: Us = 10 * US_PER_S;
const SPREAD = 0.2;
const QUICK_AT_START = 4;

/** When to ask the exchange for its time. The random phase keeps coarse stamps from always being cut off at the same place. */
export class ProbeSchedule {
  readonly #random: () => number;
  #sent = 0;
  #lastUs: Us = -Infinity;
  #dueUs: Us = -Infinity;

  /** `random`: uniform in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  get dueUs(): Us {
    return this.#dueUs;
  }

  sent(nowUs: Us): void {
    this.#sent++;
    this.#lastUs = nowUs;
    const steadyUs = Math.round(STEADY_US * (1 + SPREAD * (2 * this.#random() - 1)));
    this.#dueUs = nowUs + (this.#sent < QUICK_AT_START ? QUICK_US : steadyUs);
  }

  /** The next probe is wanted soon. */
  hurry(): void {
    this.#dueUs = Math.min(this.#dueUs, this.#lastUs + QUICK_US);
  }
}
