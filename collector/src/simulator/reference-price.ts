import type { Bps, Sign, Ticks, Us } from '../units.ts';
import { US_PER_S } from '../units.ts';
import type { Random } from './random.ts';
import type { Conditions } from './scenario.ts';

/** Moves of the fundamental price a second; few enough that the best price has time to build a queue. */
const MOVES_PER_S = 0.5;
/** Between two shocks there are so many seconds in a calm market, longer than a markout takes, and some more on average. */
const SHOCK_PAUSE_S = 5.5;
const SHOCK_MORE_S = 2.5;
/** Shocks are Pareto: this size at least, and rarely much more. */
const SMALLEST_SHOCK_BPS: Bps = 10;
const SHOCK_TAIL = 2.5;
const LARGEST_SHOCK_BPS: Bps = 45;
/** A shock that does not stay is given back at this rate: quotes can follow, and markouts after 5 s see it over. */
const RECOVERY_BPS_PER_S: Bps = 9;
/** How strongly the direction of shocks balances those before, which are remembered up to a limit. */
const BALANCE = 1.2;
const REMEMBERED_SHOCKS = 24;
/** A flicker is over before an order that was sent on seeing it can arrive. */
const FLICKER_US: Us = 12_000;
const FLICKER_BPS: Bps = 45;

/**
 * Where the price belongs: a fundamental value that moves at random, and on top of it shocks, short dislocations by takers who need to trade
 * at once, which the market gives back (or, when they were informed, does not). In ticks, with fractions.
 */
export class ReferencePrice {
  readonly #random: Random;
  readonly #bpsPerRootS: Bps;
  readonly #startTicks: number;
  /** Logarithm of the fundamental price over the one at the start. */
  #fundamental = 0;
  /** The dislocation that is being given back. */
  #dislocation = 0;
  #flicker = 0;
  #flickerEndUs: Us = 0;
  /** Seconds to the next shock, in calm-market time. */
  #shockInS: number;
  /** Shocks up less shocks down, as far as remembered. */
  #imbalance = 0;

  constructor(startTicks: number, bpsPerRootS: Bps, random: Random) {
    this.#startTicks = startTicks;
    this.#bpsPerRootS = bpsPerRootS;
    this.#random = random;
    this.#shockInS = random.exponential(SHOCK_PAUSE_S);
  }

  /** When it has to be moved at the latest. */
  get dueUs(): Us {
    return this.#flicker === 0 ? Infinity : this.#flickerEndUs;
  }

  get ticks(): number {
    return this.#startTicks * Math.exp(this.#fundamental + this.#dislocation + this.#flicker);
  }

  /** The best price of a side by the reference price: the last tick at or below it for bids, the next one for asks. */
  fairTicks(sign: Sign): Ticks {
    const below = Math.floor(this.ticks);
    return sign === 1 ? below : below + 1;
  }

  /** Orders beyond this are stale. */
  staleTicks(sign: Sign, tolerance: number): Ticks {
    const { ticks } = this;
    return sign === 1 ? Math.floor(ticks + tolerance) : Math.ceil(ticks - tolerance);
  }

  /** Time has gone on by `elapsedUs` to `nowUs`. */
  move(elapsedUs: Us, nowUs: Us, conditions: Conditions): void {
    const seconds = elapsedUs / US_PER_S;
    const given = Math.min(Math.abs(this.#dislocation), RECOVERY_BPS_PER_S * 1e-4 * seconds);
    this.#dislocation -= Math.sign(this.#dislocation) * given;
    this.#fundamental += conditions.trendBpsPerS * 1e-4 * seconds;
    if (this.#random.chance(MOVES_PER_S * seconds)) {
      const sigma = (this.#bpsPerRootS * conditions.volatility * 1e-4) / Math.sqrt(MOVES_PER_S);
      this.#fundamental += sigma * this.#random.normal();
    }
    this.#shockInS -= seconds * conditions.shocks;
    if (this.#shockInS <= 0) this.#shock(conditions);
    if (this.#flicker !== 0 && nowUs >= this.#flickerEndUs) this.#flicker = 0;
    else if (this.#flicker === 0 && this.#random.chance(conditions.flickersPerS * seconds)) {
      this.#flicker = (this.#random.chance(0.5) ? 1 : -1) * FLICKER_BPS * 1e-4;
      this.#flickerEndUs = nowUs + FLICKER_US;
    }
  }

  #shock({ downShare, permanence }: Conditions): void {
    this.#shockInS = SHOCK_PAUSE_S + this.#random.exponential(SHOCK_MORE_S);
    const down = this.#random.chance(downShare ?? 1 / (1 + Math.exp(-BALANCE * this.#imbalance)));
    const bps = Math.min(LARGEST_SHOCK_BPS, SMALLEST_SHOCK_BPS * (1 - this.#random.uniform()) ** (-1 / SHOCK_TAIL));
    const size = (down ? -1 : 1) * bps * 1e-4;
    this.#fundamental += permanence * size;
    this.#dislocation += (1 - permanence) * size;
    const imbalance = this.#imbalance + (down ? -1 : 1);
    this.#imbalance = Math.max(-REMEMBERED_SHOCKS, Math.min(REMEMBERED_SHOCKS, imbalance));
  }
}
