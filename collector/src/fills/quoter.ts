import type { Instrument } from '../events.ts';
import type { Bps, Lots, Sign, Ticks, Us } from '../units.ts';
import type { LatencyModel } from './latency-model.ts';
import { MODELS } from './models.ts';
import { ShadowQuote } from './shadow-quote.ts';

export interface QuoterParameters {
  readonly spreadBps: Bps;
  readonly quoteNotional: number;
  readonly inventoryLimitQuote: number;
  /** Inventory beyond limit·factor is reduced at once as a taker; 0 never. */
  readonly flattenFactor: number;
  readonly requoteTicks: Ticks;
  readonly minRequoteIntervalUs: Us;
  readonly maxAgeUs: Us;
}

export const SKIP_REASONS = ['min_size', 'min_notional', 'inventory_limit', 'price'] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/** What the strategy can do: its messages take time to arrive, and the simulation sees to that. */
export interface OrderGateway {
  send(order: ShadowQuote, sentUs: Us): void;
  /** Request a cancel that reaches the book at `effectiveUs`. */
  cancel(order: ShadowQuote, effectiveUs: Us): void;
  /** Ask for another decision at that time. */
  wake(timeUs: Us): void;
  skipped(reason: SkipReason): void;
}

/**
 * Price of a quote at distance δ = spread_bps·1e−4·mid from the best price of its own side, rounded away from the market:
 * ⌊best_bid − δ⌋ for a buy, ⌈best_ask + δ⌉ for a sell. 0 joins, negative goes inside. The margin of 1e-9 ticks keeps a δ
 * that is a whole number of ticks from being rounded a tick further by its floating-point error.
 */
export function targetTicks(sign: Sign, bidTicks: Ticks, askTicks: Ticks, spreadBps: Bps): Ticks {
  const distance = (spreadBps * 1e-4 * (bidTicks + askTicks)) / 2;
  return sign === 1 ? Math.floor(bidTicks - distance + 1e-9) : Math.ceil(askTicks + distance - 1e-9);
}

/**
 * The quoting rule: one post-only order a side, kept while it is near its target and young, else cancelled and placed anew. It knows
 * only what has reached it: book views at their arrival, fills and cancels after the response latency.
 */
export class Quoter {
  readonly #parameters: QuoterParameters;
  readonly #instrument: Instrument;
  readonly #latency: LatencyModel;
  readonly #gateway: OrderGateway;
  readonly #quotePerTickLot: number;
  /** Orders the strategy believes open, cancels on their way included. */
  #working: ShadowQuote[] = [];
  /** Filled under the driving model, followed for the others until this rule would have cancelled them. */
  #followed: ShadowQuote[] = [];
  #positionLots: Lots = 0;
  #bidTicks: Ticks | undefined;
  #askTicks: Ticks | undefined;
  #nextOrderId = 1;
  readonly #lastSentUs = { 1: -Infinity, [-1]: -Infinity };
  readonly #blocked: Record<Sign, SkipReason | undefined> = { 1: undefined, [-1]: undefined };

  constructor(parameters: QuoterParameters, instrument: Instrument, latency: LatencyModel, gateway: OrderGateway) {
    this.#parameters = parameters;
    this.#instrument = instrument;
    this.#latency = latency;
    this.#gateway = gateway;
    this.#quotePerTickLot = instrument.tick.size * instrument.lot.size;
  }

  /** Orders believed open; for publishing the quotes. */
  get working(): readonly ShadowQuote[] {
    return this.#working;
  }

  /** A view of the book arrives; undefined prices mean that there is no book to quote on. */
  onView(nowUs: Us, bidTicks: Ticks | undefined, askTicks: Ticks | undefined): void {
    this.#bidTicks = bidTicks;
    this.#askTicks = askTicks;
    this.decide(nowUs);
  }

  /** The strategy learns of a fill, or with 0 lots of a cancel or rejection; `closed` when nothing stays open. */
  onResponse(order: ShadowQuote, filledLots: Lots, closed: boolean, nowUs: Us): void {
    if (!this.#working.includes(order)) return;
    this.#positionLots += order.sign * filledLots;
    order.knownLeavesLots -= filledLots;
    if (closed) {
      this.#working = this.#working.filter((other) => other !== order);
      const follow = order.outcome === 'filled' && order.cancelEffectiveUs === undefined && order.openUnderAnyModel();
      if (follow) this.#followed.push(order);
    }
    this.decide(nowUs);
  }

  /** The feed broke: every order is void, and the position is what the fills made it. */
  reset(positionLots: Lots): void {
    this.#working = [];
    this.#followed = [];
    this.#positionLots = positionLots;
    this.#bidTicks = undefined;
    this.#askTicks = undefined;
  }

  decide(nowUs: Us): void {
    if (this.#bidTicks === undefined || this.#askTicks === undefined || this.#bidTicks >= this.#askTicks) return;
    const midHalf = this.#bidTicks + this.#askTicks;
    this.#releaseFollowed(nowUs, this.#bidTicks, this.#askTicks);
    if (this.#parameters.flattenFactor > 0) this.#flatten(nowUs, midHalf);
    this.#decideSide(1, nowUs, midHalf, this.#target(1, this.#bidTicks, this.#askTicks));
    this.#decideSide(-1, nowUs, midHalf, this.#target(-1, this.#bidTicks, this.#askTicks));
  }

  #target(sign: Sign, bidTicks: Ticks, askTicks: Ticks): Ticks {
    return targetTicks(sign, bidTicks, askTicks, this.#parameters.spreadBps);
  }

  #decideSide(sign: Sign, nowUs: Us, midHalf: number, target: Ticks): void {
    const current = this.#working.find(
      (order) => order.sign === sign && !order.flatten && order.cancelEffectiveUs === undefined,
    );
    if (current !== undefined && !this.#stale(current, target, nowUs)) return;
    const allowedUs = this.#lastSentUs[sign] + this.#parameters.minRequoteIntervalUs;
    if (nowUs < allowedUs) {
      this.#gateway.wake(allowedUs);
      return;
    }
    if (current !== undefined) this.#cancel(current, nowUs);
    this.#place(sign, nowUs, midHalf, target);
  }

  #stale(order: ShadowQuote, target: Ticks, nowUs: Us): boolean {
    return (
      Math.abs(target - order.priceTicks) > this.#parameters.requoteTicks ||
      (order.liveSinceUs !== undefined && nowUs - order.liveSinceUs >= this.#parameters.maxAgeUs)
    );
  }

  #releaseFollowed(nowUs: Us, bidTicks: Ticks, askTicks: Ticks): void {
    if (this.#followed.length === 0) return;
    this.#followed = this.#followed.filter((order) => {
      if (!this.#stale(order, this.#target(order.sign, bidTicks, askTicks), nowUs)) return order.openUnderAnyModel();
      // The rule would not have replaced it any sooner than this.
      const allowedUs = order.decidedUs + this.#parameters.minRequoteIntervalUs;
      if (nowUs < allowedUs) {
        this.#gateway.wake(allowedUs);
        return true;
      }
      if (order.cancelEffectiveUs === undefined) this.#cancel(order, nowUs);
      return false;
    });
  }

  #cancel(order: ShadowQuote, nowUs: Us): void {
    const sentUs = nowUs + this.#latency.drawUs('compute', order.id);
    this.#gateway.cancel(order, sentUs + this.#latency.drawUs('cancel', order.id));
  }

  #place(sign: Sign, nowUs: Us, midHalf: number, target: Ticks): void {
    const lots = this.#sizeLots(target);
    const reason = this.#refusal(sign, target, lots, midHalf);
    if (reason !== undefined) {
      if (this.#blocked[sign] !== reason) this.#gateway.skipped(reason);
      this.#blocked[sign] = reason;
      return;
    }
    this.#blocked[sign] = undefined;
    this.#lastSentUs[sign] = nowUs;
    this.#send(sign, target, lots, midHalf, false, nowUs);
  }

  #send(sign: Sign, priceTicks: Ticks, lots: Lots, midHalf: number, flatten: boolean, nowUs: Us): void {
    const order = new ShadowQuote(this.#nextOrderId++, sign, priceTicks, lots, midHalf, flatten, MODELS.length);
    order.decidedUs = nowUs;
    this.#working.push(order);
    this.#gateway.send(order, nowUs + this.#latency.drawUs('compute', order.id));
  }

  #sizeLots(priceTicks: Ticks): Lots {
    return priceTicks <= 0
      ? 0
      : Math.floor(this.#parameters.quoteNotional / (priceTicks * this.#quotePerTickLot) + 1e-9);
  }

  /** Why an order cannot be placed; the inventory check takes the worst case, that everything open on the side fills. */
  #refusal(sign: Sign, priceTicks: Ticks, lots: Lots, midHalf: number): SkipReason | undefined {
    if (priceTicks <= 0) return 'price';
    if (lots < Math.max(1, this.#instrument.minSizeLots)) return 'min_size';
    if (lots * priceTicks * this.#quotePerTickLot < this.#instrument.minNotionalQuote) return 'min_notional';
    let worstLots = sign * this.#positionLots + lots;
    for (const order of this.#working) if (order.sign === sign) worstLots += order.knownLeavesLots;
    const worstQuote = (worstLots * midHalf * this.#quotePerTickLot) / 2;
    return worstQuote > this.#parameters.inventoryLimitQuote ? 'inventory_limit' : undefined;
  }

  #flatten(nowUs: Us, midHalf: number): void {
    const exposure = (Math.abs(this.#positionLots) * midHalf * this.#quotePerTickLot) / 2;
    const limit = this.#parameters.inventoryLimitQuote * this.#parameters.flattenFactor;
    if (exposure <= limit || this.#working.some((order) => order.flatten)) return;
    const sign: Sign = this.#positionLots > 0 ? -1 : 1;
    const price = sign === 1 ? this.#askTicks! : this.#bidTicks!;
    this.#send(sign, price, Math.abs(this.#positionLots), midHalf, true, nowUs);
  }
}
