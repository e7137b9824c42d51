import type { Lots, Sign, Ticks, Us } from '../units.ts';
import type { Liquidity } from './fees.ts';
import type { QueuePosition, QueueSeed } from './queue-position.ts';

/** The four fill models, in the order of every per-model array. */
export const FILL_MODELS = ['trade-through', 'queue', 'touch', 'touch-dwell'] as const;
export type FillModelName = (typeof FILL_MODELS)[number];
/** Place of a model in `FILL_MODELS`. */
export type ModelIndex = 0 | 1 | 2 | 3;
export const MODEL_INDEXES = [0, 1, 2, 3] as const;

export const CAUSES = ['through', 'queue', 'cross', 'touch', 'dwell', 'taker'] as const;
export type Cause = (typeof CAUSES)[number];

export const NO_FILL_REASONS = [
  'not_reached',
  'queue_ahead',
  'dwell_short',
  'volume_low',
  'cancelled_before',
  'feed_censored',
] as const;
export type NoFillReason = (typeof NO_FILL_REASONS)[number];

/** How an order ended under the model that drives the strategy. */
export type Outcome = 'filled' | 'canceled' | 'rejected_post_only' | 'censored';

/** A pretended post-only limit order. It rests with its own price: it is never recomputed from the book it is compared with. */
export class ShadowQuote {
  readonly id: number;
  readonly sign: Sign;
  readonly priceTicks: Ticks;
  readonly sizeLots: Lots;
  /** Twice the mid the strategy saw when it decided; the reference of a taker's slippage. */
  readonly decisionMidHalf: number;
  /** An order to reduce inventory now: takes at any visible price, never rests. */
  readonly flatten: boolean;
  /** When the strategy decided on it, in exchange time. */
  decidedUs: Us = 0;
  /** In exchange time; set when the order reaches the book. */
  liveSinceUs: Us | undefined;
  /** When a requested cancel reaches the book. A fill before that is valid, and late. */
  cancelEffectiveUs: Us | undefined;
  /** Outcome under the driving model; undefined while open. The others may go on with the order until its cancel. */
  outcome: Outcome | undefined;
  firstFillUs: Us | undefined;
  /** Open size under each model. */
  readonly leavesLots: Float64Array;
  queue: QueuePosition | undefined;
  /** The opposite best has been at or through our price without a break since then; undefined while it is not. */
  touchStartUs: Us | undefined;
  /** Printed by the other side at our price or worse since `touchStartUs`. */
  touchVolumeLots: Lots = 0;
  /** What the market did to the order so far; they make the reason when it ends unfilled. */
  traded = false;
  touched = false;
  dwelled = false;
  /** The touch, by its start, that has lasted the dwell. */
  dwelledTouchUs: Us | undefined;
  /** What the strategy believes is still open; it learns of fills and cancels only after the response latency. */
  knownLeavesLots: Lots;

  constructor(
    id: number,
    sign: Sign,
    priceTicks: Ticks,
    sizeLots: Lots,
    decisionMidHalf: number,
    flatten: boolean,
    models: number,
  ) {
    this.id = id;
    this.sign = sign;
    this.priceTicks = priceTicks;
    this.sizeLots = sizeLots;
    this.decisionMidHalf = decisionMidHalf;
    this.flatten = flatten;
    this.leavesLots = new Float64Array(models).fill(sizeLots);
    this.knownLeavesLots = sizeLots;
  }

  /** Ticks by which `priceTicks` lies at or beyond our price, seen from the other side: ≥ 0 reaches us, > 0 trades through. */
  reach(priceTicks: Ticks): number {
    return this.sign * (this.priceTicks - priceTicks);
  }

  openUnderAnyModel(): boolean {
    return this.leavesLots.some((lots) => lots > 0);
  }

  /** Why the order got no fill under the driving model, from the mildest condition that failed. */
  noFillReason(): NoFillReason {
    if (this.outcome === 'censored') return 'feed_censored';
    if (this.liveSinceUs === undefined) return 'cancelled_before';
    if (this.dwelled) return 'volume_low';
    if (this.touched) return 'dwell_short';
    return this.traded ? 'queue_ahead' : 'not_reached';
  }
}

/** A fill that a model grants. The price is the order's own for a maker, the average paid for a taker. */
export interface VirtualFill {
  readonly orderId: number;
  readonly model: FillModelName;
  readonly side: Sign;
  readonly liquidity: Liquidity;
  readonly cause: Cause;
  /** Exchange time. */
  readonly timeUs: Us;
  readonly priceTicks: Ticks;
  readonly lots: Lots;
  readonly lateCancel: boolean;
  readonly queueSeed: QueueSeed | undefined;
  readonly queueAheadAtPlacementLots: Lots | undefined;
  readonly tradeId: string | undefined;
}
