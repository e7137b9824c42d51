import type { Lots, Sign, Ticks, Us } from '../units.ts';
import { US_PER_S } from '../units.ts';
import type { Market } from './markets.ts';
import { instrumentOf } from './markets.ts';
import type { MatchingEngine, RestingOrder } from './matching-engine.ts';
import { Random } from './random.ts';
import { ReferencePrice } from './reference-price.ts';
import type { Conditions } from './scenario.ts';

/**
 * Which orders are cancelled. `uniform`: any order of a queue alike. `back-heavy`: at the best price one younger than two seconds about seven
 * times as often as an older one, and less so behind it, so that cancels come mostly from behind.
 */
export type CancelLaw = 'uniform' | 'back-heavy';

/** Orders are placed up to so many ticks from the reference price; books show the best 200 levels at most. */
const REACH: Ticks = 280;
/** Orders a side in the beginning. */
const INITIAL_ORDERS = 500;
/** Of limit orders, those at the best prices; the others are spread evenly in the logarithm of their distance. */
const NEAR_SHARE = 0.45;
/** Cancels a second and order: far from the best price, and what is added at it. */
const FAR_CANCELS = 0.02;
const NEAR_CANCELS = 0.3;
const YOUNG_US: Us = 2 * US_PER_S;
/** Of the cancels that being near the best price adds. */
const OLD_CANCEL_SHARE = 1 / 11;
/** Under the back-heavy law most orders are old; cancels are as many as under the other when the rate is this much higher. */
const BACK_HEAVY_RATE = 2.2;
/** Updates of the reference price a second. */
const REFERENCE_RATE = 100;
/** Standard deviation of the logarithm of order sizes. */
const SIZE_SIGMA = 0.8;
/** A taker is larger than a maker by this, and pays up to so many ticks. */
const TAKER_SIZE = 1.5;
const TAKER_TICKS: Ticks = 10;
/** A best price may stand so much beyond the reference price before it is stale, in ticks: without it, it would flicker at each rounding. */
const TOLERANCE = 0.3;
/** Of stale orders this share is hit, the others are pulled; but of no more orders than this. */
const HIT_SHARE = 0.5;
const HIT_ORDERS = 40;
/** Each taker draws others: the rate rises by so many takers a second, and decays with a time constant of half a second (A. Hawkes, 1971). */
const EXCITATION = 1.2;
const EXCITATION_US = 0.5 * US_PER_S;

/**
 * The order flow of one symbol: limit orders, takers and cancels arrive at random times with intensities that depend on the distance to the
 * best price (R. Cont, S. Stoikov, R. Talreja, "A Stochastic Model for Order Book Dynamics", 2010) and on the queues there (W. Huang,
 * C.-A. Lehalle, M. Rosenbaum, "Simulating and Analyzing Order Book Data: The Queue-Reactive Model", 2015), around a reference price that
 * moves. Deterministic: everything follows from the seed and the times it is run to.
 */
export class OrderFlow {
  readonly #engine: MatchingEngine;
  readonly #market: Market;
  readonly #random: Random;
  readonly #reference: ReferencePrice;
  readonly #cancelLaw: CancelLaw;
  readonly #typicalLots: Lots;
  #nowUs: Us;
  #excitation = 0;
  #referenceUs: Us;
  #lastChangeUs: Us;
  #changes = 1;
  /** Called with the time of each event before it happens: whoever wants something of the engine until then does it now. */
  beforeEvent: ((timeUs: Us) => void) | undefined;

  constructor(engine: MatchingEngine, market: Market, seed: number, cancelLaw: CancelLaw, startUs: Us) {
    const { tick, lot } = instrumentOf(market);
    this.#engine = engine;
    this.#market = market;
    this.#cancelLaw = cancelLaw;
    this.#random = new Random(seed, market.symbol);
    this.#typicalLots = Math.max(1, market.orderNotional / (market.price * lot.size));
    this.#reference = new ReferencePrice(market.price / tick.size, market.volatilityBps, this.#random);
    this.#nowUs = startUs;
    this.#referenceUs = startUs;
    this.#lastChangeUs = startUs;
    for (let count = 0; count < INITIAL_ORDERS; count++) {
      this.#place(1, this.#distance(), startUs);
      this.#place(-1, this.#distance(), startUs);
    }
  }

  /** Time of the last event. */
  get lastChangeUs(): Us {
    return this.#lastChangeUs;
  }

  /** Events so far: the exchange's sequence. */
  get changes(): number {
    return this.#changes;
  }

  /** Time passes without an event, as for a machine that slept. */
  skipTo(timeUs: Us): void {
    this.#nowUs = timeUs;
    this.#referenceUs = timeUs;
  }

  /** Arrivals are memoryless: what would come after `untilUs` may be drawn anew when the time goes on. */
  runUntil(untilUs: Us, conditions: Conditions): void {
    for (;;) {
      const { limitsPerS, takersPerS } = this.#market;
      const limits = limitsPerS * conditions.activity;
      const cancels = this.#engine.orderCount * this.#topCancelRate * conditions.activity;
      const takers = takersPerS * conditions.activity * (1 + this.#excitation);
      const rate = limits + cancels + takers + REFERENCE_RATE;
      const nextUs = this.#nowUs + this.#random.exponential(US_PER_S / rate);
      // After a pause it may be overdue: time does not go back.
      const dueUs = Math.max(this.#reference.dueUs, this.#nowUs);
      if (dueUs <= nextUs && dueUs < untilUs) {
        this.#relax(dueUs);
        this.#lastChangeUs = dueUs;
        this.#changes++;
        this.#moveReference(conditions);
        continue;
      }
      if (nextUs >= untilUs) {
        this.#relax(untilUs);
        return;
      }
      this.#relax(nextUs);
      this.#lastChangeUs = nextUs;
      this.#changes++;
      const kind = this.#random.uniform() * rate;
      if (kind < limits) this.#limit();
      else if (kind < limits + cancels) this.#cancel();
      else if (kind < limits + cancels + takers) this.#taker(conditions.activity);
      else this.#moveReference(conditions);
    }
  }

  get #topCancelRate(): number {
    return (FAR_CANCELS + NEAR_CANCELS) * (this.#cancelLaw === 'uniform' ? 1 : BACK_HEAVY_RATE);
  }

  #relax(timeUs: Us): void {
    this.beforeEvent?.(timeUs);
    this.#excitation *= Math.exp((this.#nowUs - timeUs) / EXCITATION_US);
    this.#nowUs = timeUs;
  }

  #limit(): void {
    const sign: Sign = this.#random.chance(0.5) ? 1 : -1;
    let distance = this.#distance();
    if (distance === 0) {
      // The longer the queue, the fewer join it.
      const queue = this.#engine.best(sign)?.lots ?? 0;
      const enough = 12 * this.#typicalLots;
      if (!this.#random.chance((2 * enough) / (enough + queue))) distance = 1 + this.#random.below(3);
    }
    this.#place(sign, distance, this.#nowUs);
  }

  #cancel(): void {
    const order = this.#engine.orderAt(this.#random.below(this.#engine.orderCount));
    const { level } = order;
    const distance = Math.max(0, level.sign * (this.#reference.fairTicks(level.sign) - level.ticks));
    const near = NEAR_CANCELS / (1 + distance / 4);
    const young = this.#cancelLaw === 'uniform' || this.#nowUs - order.bornUs < YOUNG_US;
    const rate = FAR_CANCELS + near * (young ? 1 : OLD_CANCEL_SHARE);
    if (this.#random.chance(rate / (FAR_CANCELS + NEAR_CANCELS))) this.#engine.cancel(order);
  }

  /** The thinner side is hit more often. */
  #taker(activity: number): void {
    const bid = this.#engine.best(1);
    const ask = this.#engine.best(-1);
    if (bid === undefined || ask === undefined) return;
    const sells = 0.25 + (0.5 * ask.lots) / (bid.lots + ask.lots);
    const takerSign: Sign = this.#random.chance(sells) ? -1 : 1;
    const best = takerSign === 1 ? ask : bid;
    this.#engine.take(
      takerSign,
      this.#lots(TAKER_SIZE * this.#typicalLots),
      best.ticks + takerSign * TAKER_TICKS,
      this.#nowUs,
    );
    this.#excitation += EXCITATION / Math.max(1, this.#market.takersPerS * activity);
  }

  #moveReference(conditions: Conditions): void {
    this.#reference.move(this.#nowUs - this.#referenceUs, this.#nowUs, conditions);
    this.#referenceUs = this.#nowUs;
    const displaced = this.#clearStale(1) + this.#clearStale(-1);
    for (let count = 0; count < displaced; count++) {
      this.#place(count % 2 === 0 ? 1 : -1, this.#distance(), this.#nowUs);
    }
    this.#follow(1);
    this.#follow(-1);
  }

  /** Orders that the reference price has run over are hit, or pulled by their owners. Returns how many there were. */
  #clearStale(sign: Sign): number {
    const limit = this.#reference.staleTicks(sign, TOLERANCE);
    const stale: RestingOrder[] = [];
    const levels = this.#engine.levels(sign);
    for (let at = levels.length - 1; at >= 0 && sign * (levels[at]!.ticks - limit) > 0; at--) {
      for (let order = levels[at]!.first; order !== undefined; order = order.next)
        if (order.probe === undefined) stale.push(order);
    }
    if (stale.length === 0) return 0;
    let lots = 0;
    for (let at = 0; at < Math.min(stale.length, HIT_ORDERS); at++) lots += stale[at]!.lots;
    this.#engine.take(-sign as Sign, Math.ceil(lots * HIT_SHARE), limit + sign, this.#nowUs);
    for (const order of stale) if (order.place >= 0) this.#engine.cancel(order);
    return stale.length;
  }

  /** Makers whose orders are left far behind move them up, so that the book closes around the reference price. */
  #follow(sign: Sign): void {
    const fair = this.#reference.fairTicks(sign);
    const best = this.#engine.best(sign);
    const farthest = fair - sign * Math.round(1.5 * REACH);
    const leftBehind = best === undefined || sign * (fair - best.ticks) > 3;
    let moves = leftBehind ? Math.ceil(0.15 * this.#engine.orderCount) : 4;
    while (moves-- > 0) {
      const deepest = this.#engine.deepest(sign);
      if (deepest === undefined) return;
      if (!leftBehind && sign * (deepest.level.ticks - farthest) >= 0) return;
      this.#engine.cancel(deepest);
      this.#place(sign, this.#distance(), this.#nowUs);
    }
  }

  #place(sign: Sign, distance: Ticks, timeUs: Us): void {
    let ticks = this.#reference.fairTicks(sign) - sign * distance;
    const opposite = this.#engine.best(-sign as Sign);
    // Post-only: beside the other side's best at most.
    if (opposite !== undefined && sign * (ticks - opposite.ticks) >= 0) ticks = opposite.ticks - sign;
    if (ticks > 0) this.#engine.add(sign, ticks, this.#lots(this.#typicalLots), timeUs);
  }

  /** Ticks behind the best price at the reference. */
  #distance(): Ticks {
    if (this.#random.chance(NEAR_SHARE)) return Math.floor(this.#random.exponential(0.8));
    return Math.floor(Math.exp(this.#random.uniform() * Math.log(REACH)));
  }

  #lots(median: number): Lots {
    return Math.max(1, Math.round(this.#random.lognormal(median, SIZE_SIGMA)));
  }
}
