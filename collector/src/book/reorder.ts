import type { BookEvent, TradeEvent } from '../events.ts';
import type { Us } from '../units.ts';

/** Events held for one symbol at most; 50 ms of the busiest symbol is a few hundred. Beyond it the book is suspect. */
export const MAX_HELD_EVENTS = 65_536;

/** Released slots are cut off when they are this many and the larger half. */
const COMPACT_AT = 64;

/** What carries exchange time and therefore has an order. */
export type OrderedEvent = BookEvent | TradeEvent;

/** At equal exchange time trades precede depth, so that a depth change can be explained by them. */
export const RANK = {
  trade: 0,
  depth: 1,
  activation: 2,
  cancelEffective: 3,
  dwell: 4,
  markout: 5,
  decision: 6,
} as const;
export type Rank = (typeof RANK)[keyof typeof RANK];

/**
 * Total order by (exchange time, rank, exchange sequence, channel depth, receive time, place in frame): nothing of the
 * order of arrival is in it but the stamp, so every delivery of the same stamped messages sorts alike.
 */
export function compareEvents(a: OrderedEvent, b: OrderedEvent): number {
  if (a.exchangeTimeUs !== b.exchangeTimeUs) return a.exchangeTimeUs - b.exchangeTimeUs;
  if (a.kind !== b.kind) return a.kind === 'trade' ? -1 : 1;
  if (a.kind === 'book' && b.kind === 'book' && a.depth !== b.depth) return a.depth - b.depth;
  if (a.sequence !== b.sequence) return a.sequence - b.sequence;
  if (a.monoUs !== b.monoUs) return a.monoUs - b.monoUs;
  return a.kind === 'trade' && b.kind === 'trade' ? a.index - b.index : 0;
}

/**
 * Holds the events of one symbol for a window of receive time and gives them back in exchange-time order.
 *
 * Invariant: `held[head…]` is sorted by `compareEvents`, and nothing in it is before the last event released. An event
 * that would be is late: it is handed back at once, for the caller to count and to process with what is known.
 */
export class ReorderBuffer {
  readonly #windowUs: Us;
  #held: (OrderedEvent | undefined)[] = [];
  #head = 0;
  #lastReleased: OrderedEvent | undefined;

  constructor(windowUs: Us) {
    this.#windowUs = windowUs;
  }

  get size(): number {
    return this.#held.length - this.#head;
  }

  /** When the first event in order may be released, on the monotonic clock; Infinity when empty. */
  get dueUs(): Us {
    return this.#head === this.#held.length ? Infinity : this.#held[this.#head]!.monoUs + this.#windowUs;
  }

  push(event: OrderedEvent): 'held' | 'late' | 'overflow' {
    if (this.#lastReleased !== undefined && compareEvents(event, this.#lastReleased) < 0) return 'late';
    if (this.size >= MAX_HELD_EVENTS) return 'overflow';
    const held = this.#held;
    let at = held.length;
    held.push(event);
    while (at > this.#head && compareEvents(held[at - 1]!, event) > 0) {
      held[at] = held[at - 1];
      at--;
    }
    held[at] = event;
    return 'held';
  }

  /** The next event whose window has passed at `nowMonoUs`, or undefined. */
  release(nowMonoUs: Us): OrderedEvent | undefined {
    return this.dueUs <= nowMonoUs ? this.flush() : undefined;
  }

  /** The next event whatever its age; undefined when empty. */
  flush(): OrderedEvent | undefined {
    const event = this.#held[this.#head];
    if (event === undefined) return undefined;
    // The slot lets go of the event: an old array that held it would carry it into the old generation.
    this.#held[this.#head++] = undefined;
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#held.length) {
      this.#held.splice(0, this.#head);
      this.#head = 0;
    }
    this.#lastReleased = event;
    return event;
  }
}
