import type { Lots, Us } from '../units.ts';

/**
 * Queue ahead after cancels took a level from `q` to `qAfter` lots (q ≥ qAfter ≥ 0), when each infinitesimal cancel is
 * ahead of us with probability (v/q)ⁿ, that is dV/dQ = (V/Q)ⁿ, n ≥ 1. Integrated:
 *
 *   n = 1   V⁺ = V·Q⁺/Q                                      cancels uniform over the queue (E. Rigtorp, 2013)
 *   n > 1   V⁺ = (V^{1−n} + Q⁺^{1−n} − Q^{1−n})^{1/(1−n)}     the small-step limit of hftbacktest's PowerProbQueueFunc3
 *   n = ∞   V⁺ = min(V, Q⁺)                                  every cancel behind us: risk-averse
 *
 * The result does not depend on how a run of cancels was batched. Powers are taken relative to min(V, Q⁺), so that they
 * stay in (0, 1] for any n.
 */
export function queueAheadAfterCancels(v: number, q: Lots, qAfter: Lots, n: number): number {
  if (v <= 0 || qAfter <= 0) return 0;
  if (v >= q) return qAfter;
  if (qAfter >= q) return v;
  const smallest = Math.min(v, qAfter);
  if (n === Infinity) return smallest;
  const after = n === 1 ? (v * qAfter) / q : powerLaw(v, q, qAfter, n, smallest);
  // Rounding of the powers may step over the bounds that hold exactly: V⁺ ≤ min(V, Q⁺) and V − V⁺ ≤ Q − Q⁺.
  return Math.min(smallest, Math.max(after, v - (q - qAfter)));
}

function powerLaw(v: number, q: number, qAfter: number, n: number, base: number): number {
  const exponent = 1 - n;
  const sum = (v / base) ** exponent + (qAfter / base) ** exponent - (q / base) ** exponent;
  return base * sum ** (1 / exponent);
}

export type QueueSeed = 'observed' | 'deferred' | 'inside';

export interface QueueParameters {
  /** n of the cancel law; Infinity is risk-averse. */
  readonly exponent: number;
  /** φ: share of a level that is ahead of us when it becomes visible only after our order rests in it. */
  readonly deferredSeedFraction: number;
  readonly tradeTtlUs: Us;
}

interface Timed {
  readonly timeUs: Us;
  lots: number;
}

/** A depth decrease booked as cancels that a late trade may still explain. */
interface Credit extends Timed {
  /** Share of the decrease that was taken from ahead of us. */
  readonly aheadShare: number;
}

/**
 * Estimate of the lots ahead of one resting order, from displayed size and prints.
 *
 * Fills when prints at our price exceed what is ahead. Too pessimistic where depth is netted (slow channels) or hidden
 * cancels sit ahead; too optimistic where cancels come more from behind than n says. Never negative, never above the
 * displayed size once it is known. Source: FILLS specification §4; R. Cont et al. 2010 for the setting.
 */
export class QueuePosition {
  readonly seed: QueueSeed;
  /** Queue ahead when the order went live; undefined when the level was not visible. */
  readonly aheadAtPlacement: Lots | undefined;
  readonly #parameters: QueueParameters;
  /** V: lots ahead; Infinity while the level has never been visible. */
  #ahead: number;
  /** Q: displayed lots last seen at our price; undefined while the level is out of sight. */
  #displayed: Lots | undefined;
  /** Printed lots at our price that depth has not shown yet. */
  readonly #unexplained: Timed[] = [];
  readonly #credits: Credit[] = [];
  /** Fractional excess of prints over V, executed in whole lots. */
  #carry = 0;
  /** Lots by which V shrank through prints, and through attributed cancels: the basis of `queue.confidence`. */
  tradesConsumed = 0;
  cancelsAttributed = 0;

  /** `visibleLots`: displayed size at our price at activation; undefined when the price is beyond the visible book. */
  constructor(visibleLots: Lots | undefined, parameters: QueueParameters) {
    this.#parameters = parameters;
    this.#displayed = visibleLots;
    this.#ahead = visibleLots ?? Infinity;
    this.aheadAtPlacement = visibleLots;
    this.seed = visibleLots === undefined ? 'deferred' : visibleLots === 0 ? 'inside' : 'observed';
  }

  get aheadLots(): number {
    return this.#ahead;
  }

  get displayedLots(): Lots | undefined {
    return this.#displayed;
  }

  /** A price worse than ours traded, or the book crossed us: nothing can be ahead any more. */
  clearAhead(): void {
    this.#ahead = 0;
  }

  /**
   * A print of `printLots` at our price, of which `budgetLots` are not yet taken by our own better-placed orders.
   * Returns whole lots that reach us; the caller caps them by what we still want.
   */
  onTrade(timeUs: Us, printLots: Lots, budgetLots: Lots): Lots {
    const late = this.#settleCredits(timeUs, budgetLots);
    this.#consume(budgetLots - late);
    if (printLots > late) this.#unexplained.push({ timeUs, lots: printLots - late });
    const lots = Math.floor(this.#carry + 1e-9);
    if (lots > 0) this.#carry = 0;
    return lots;
  }

  /** Displayed size at our price after a book update; undefined while the level is out of sight. */
  onDepth(timeUs: Us, visibleLots: Lots | undefined, snapshot: boolean): void {
    this.#expire(timeUs);
    if (visibleLots === undefined) {
      this.#displayed = undefined;
      return;
    }
    if (this.#ahead === Infinity) this.#ahead = this.#parameters.deferredSeedFraction * visibleLots;
    else if (this.#displayed === undefined || snapshot) this.#ahead = Math.min(this.#ahead, visibleLots);
    else this.#onChange(timeUs, this.#displayed, visibleLots);
    this.#displayed = visibleLots;
  }

  #onChange(timeUs: Us, before: Lots, after: Lots): void {
    const decrease = before - after;
    if (decrease <= 0) {
      this.#ahead = Math.min(this.#ahead, after);
      return;
    }
    const explained = this.#explain(decrease);
    const rest = before - explained;
    this.#ahead = Math.min(this.#ahead, rest);
    const cancelled = rest - after;
    if (cancelled <= 0) return;
    const ahead = queueAheadAfterCancels(this.#ahead, rest, after, this.#parameters.exponent);
    this.cancelsAttributed += this.#ahead - ahead;
    this.#credits.push({ timeUs, lots: cancelled, aheadShare: (this.#ahead - ahead) / cancelled });
    this.#ahead = ahead;
  }

  /** Takes up to `decrease` lots from the prints that depth has not shown yet; returns how many there were. */
  #explain(decrease: Lots): Lots {
    let explained = 0;
    while (this.#unexplained.length > 0 && explained < decrease) {
      const print = this.#unexplained[0]!;
      const lots = Math.min(print.lots, decrease - explained);
      explained += lots;
      print.lots -= lots;
      if (print.lots <= 0) this.#unexplained.shift();
    }
    return explained;
  }

  /**
   * A trade at or before a depth decrease that is already booked as cancels: of the lots the two share, only the part
   * that was not taken from ahead of us is still to be consumed. Returns the lots so settled.
   */
  #settleCredits(timeUs: Us, lots: Lots): Lots {
    let settled = 0;
    for (const credit of this.#credits) {
      if (credit.timeUs < timeUs || credit.timeUs > timeUs + this.#parameters.tradeTtlUs) continue;
      const shared = Math.min(lots - settled, credit.lots);
      if (shared <= 0) continue;
      credit.lots -= shared;
      settled += shared;
      this.#consume((1 - credit.aheadShare) * shared);
    }
    return settled;
  }

  #consume(lots: number): void {
    const taken = Math.min(this.#ahead, lots);
    if (this.#ahead !== Infinity) {
      this.#ahead -= taken;
      this.tradesConsumed += taken;
    }
    this.#carry += lots - taken;
  }

  #expire(nowUs: Us): void {
    const oldest = nowUs - this.#parameters.tradeTtlUs;
    while (this.#unexplained.length > 0 && this.#unexplained[0]!.timeUs < oldest) this.#unexplained.shift();
    while (this.#credits.length > 0 && this.#credits[0]!.timeUs < oldest) this.#credits.shift();
  }
}
