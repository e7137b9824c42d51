import type { Lots, Us } from '../units.ts';
import type { Cause, FillModelName, ShadowQuote } from './shadow-quote.ts';

/** A trade by the other side, seen by one resting order; `reach` ≥ 0. */
export interface Print {
  readonly timeUs: Us;
  readonly lots: Lots;
  /** Lots of the print not yet taken by our own better-placed orders, under this model. */
  budgetLots: Lots;
  /** Ticks by which it traded through our price; 0 is at our price. */
  reach: number;
  /** Lots that the queue ahead lets through at our price; worked out once per order and print. */
  queueExcessLots: Lots;
}

/** The other side of the book, seen by an order that it touches or crosses. */
export interface Crossing {
  /** Displayed opposite lots at our price or better for us. */
  readonly displayedLots: Lots;
  /** Of those, taken by us already in this crossing episode. Without it one displayed lot would fill every update. */
  usedLots: Lots;
}

/**
 * When a resting order is filled, and by how much. All models see the same orders; one drives the strategy. Each method
 * returns lots ≥ 0, at most what is open under the model; the price is always the order's own.
 *
 * For one order: trade-through ≤ queue ≤ touch and touch-dwell ≤ touch. Dwell against queue or trade-through has no order.
 */
export interface FillModel {
  readonly name: FillModelName;
  onPrint(order: ShadowQuote, leavesLots: Lots, print: Print): Lots;
  /** The opposite best is at or through our price, in a synchronised and uncrossed book. */
  onTouch(leavesLots: Lots, crossing: Crossing): Lots;
  /** The touch lasted the dwell time and, where required, the volume was there. */
  onDwell(leavesLots: Lots): Lots;
  printCause(reach: number): Cause;
  readonly touchCause: Cause;
}

const none = (): Lots => 0;

/**
 * Fills on prints at a worse price than ours: who was ahead of us is then gone. The latest of the models: too pessimistic, it
 * never fills at the price itself.
 */
const tradeThrough: FillModel = {
  name: 'trade-through',
  onPrint: (_order, leaves, print) => (print.reach > 0 ? Math.min(leaves, print.budgetLots) : 0),
  onTouch: none,
  onDwell: none,
  printCause: () => 'through',
  touchCause: 'cross',
};

/**
 * Trade-through, plus prints at our price once the estimated queue ahead is used up, plus displayed size of a book that crosses
 * us. The central estimate: its error is that of the queue estimate (see QueuePosition).
 */
const queue: FillModel = {
  name: 'queue',
  onPrint: (_order, leaves, print) =>
    Math.min(leaves, print.budgetLots, print.reach > 0 ? print.budgetLots : print.queueExcessLots),
  onTouch: (leaves, crossing) => Math.min(leaves, Math.max(0, crossing.displayedLots - crossing.usedLots)),
  onDwell: none,
  printCause: (reach) => (reach > 0 ? 'through' : 'queue'),
  touchCause: 'cross',
};

/** Fills on any print at our price or worse, and whole when the opposite best touches it. The earliest: too optimistic. */
const touch: FillModel = {
  name: 'touch',
  onPrint: (_order, leaves, print) => Math.min(leaves, print.budgetLots),
  onTouch: (leaves) => leaves,
  onDwell: none,
  printCause: (reach) => (reach > 0 ? 'through' : 'touch'),
  touchCause: 'touch',
};

/**
 * Fills whole when the opposite best stayed at or through our price for the dwell time. A real bid would trade the instant a seller
 * reaches it: the dwell is a filter against flicker, not physics, and its resolution is that of the feed. Too optimistic in size,
 * too pessimistic in time.
 */
const touchDwell: FillModel = {
  name: 'touch-dwell',
  onPrint: none,
  onTouch: none,
  onDwell: (leaves) => leaves,
  printCause: () => 'dwell',
  touchCause: 'dwell',
};

/** In the order of `FILL_MODELS`. */
export const MODELS: readonly FillModel[] = [tradeThrough, queue, touch, touchDwell];
/** Where the queue estimate and the crossing episode are used. */
export const QUEUE_MODEL = 1;
