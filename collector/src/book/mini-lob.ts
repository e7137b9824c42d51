import type { BookEvent } from '../events.ts';
import type { Lots, Sign, Ticks, Us } from '../units.ts';
import { OrderBook } from './order-book.ts';
import type { SequenceVerdict } from './sequence.ts';
import { SequenceRule } from './sequence.ts';

/** What a frame did to the book. */
export type BookOutcome = 'changed' | 'duplicate' | 'waiting' | 'gap' | 'overflow';

/** The book of one channel with the rule that keeps it true. */
class ChannelBook {
  readonly name: string;
  readonly depth: number;
  readonly book = new OrderBook();
  readonly rule = new SequenceRule();
  /** Exchange time of the last frame applied. */
  timeUs: Us = 0;

  constructor(name: string, depth: number) {
    this.name = name;
    this.depth = depth;
  }

  apply(event: BookEvent): BookOutcome {
    const verdict = this.rule.judge(event.snapshot, event.sequence);
    if (verdict !== 'overwrite' && verdict !== 'apply') return OUTCOME[verdict];
    const applied =
      verdict === 'overwrite' ? this.book.replace(event.bids, event.asks) : this.book.apply(event.bids, event.asks);
    if (!applied) {
      this.reset();
      return 'overflow';
    }
    this.timeUs = event.exchangeTimeUs;
    return 'changed';
  }

  reset(): void {
    this.rule.reset();
    this.book.clear();
  }
}

const OUTCOME = { duplicate: 'duplicate', wait: 'waiting', gap: 'gap' } as const satisfies Partial<
  Record<SequenceVerdict, BookOutcome>
>;

/**
 * The small order book the quotes rest in: one depth channel, and over it the best levels of a faster channel (Bybit
 * orderbook.1) wherever that one is newer. The overlay is worked out when read and never written into the depth book:
 * a later delta is relative to the depth channel's own last state.
 *
 * A side that shows fewer levels than its channel's depth shows all there are; otherwise prices beyond the deepest level
 * are simply not visible, which is not the same as empty.
 */
export class MiniLob {
  /** One or two: a search through them is shorter than a hash. */
  readonly #channels: ChannelBook[] = [];
  #deep: ChannelBook | undefined;
  #top: ChannelBook | undefined;

  /** `channels`: name and depth of every book channel that is subscribed; at most one of depth 1 beside a deeper one. */
  constructor(channels: readonly { readonly name: string; readonly depth: number }[]) {
    for (const { name, depth } of channels) {
      const channel = new ChannelBook(name, depth);
      this.#channels.push(channel);
      if (this.#deep === undefined || depth > this.#deep.depth) {
        this.#top = this.#deep;
        this.#deep = channel;
      } else {
        this.#top = channel;
      }
    }
  }

  /** Undefined for a channel that was not subscribed. */
  apply(event: BookEvent): BookOutcome | undefined {
    for (const channel of this.#channels) if (channel.name === event.channel) return channel.apply(event);
    return undefined;
  }

  has(channel: string): boolean {
    return this.#channels.some(({ name }) => name === channel);
  }

  /** Forgets one channel, or all: nothing is known of it before its next snapshot. */
  reset(channel?: string): void {
    for (const book of this.#channels) if (channel === undefined || channel === book.name) book.reset();
  }

  /** Every subscribed channel has an unbroken chain from a snapshot on. */
  get synchronized(): boolean {
    for (const channel of this.#channels) if (!channel.rule.synchronized) return false;
    return true;
  }

  /** Undefined on an empty side. */
  bestTicks(sign: Sign): Ticks | undefined {
    return this.#source().book.side(sign).bestTicks;
  }

  bestLots(sign: Sign): Lots {
    return this.#source().book.side(sign).bestLots;
  }

  /** bid + ask: twice the mid, an integer. Undefined when a side is empty or the book is locked or crossed. */
  get midHalfTicks(): number | undefined {
    const source = this.#source().book;
    const bid = source.bids.bestTicks;
    const ask = source.asks.bestTicks;
    return bid === undefined || ask === undefined || bid >= ask ? undefined : bid + ask;
  }

  get crossed(): boolean {
    const source = this.#source().book;
    const bid = source.bids.bestTicks;
    const ask = source.asks.bestTicks;
    return bid !== undefined && ask !== undefined && bid >= ask;
  }

  /** Displayed size at the price, or undefined where the price lies beyond what the channel shows. */
  visibleLotsAt(sign: Sign, ticks: Ticks): Lots | undefined {
    const overlay = this.#overlay();
    if (overlay !== undefined) {
      const best = overlay.book.side(sign).bestTicks;
      if (best === undefined) return 0;
      if (sign * (ticks - best) >= 0) return ticks === best ? overlay.book.side(sign).bestLots : 0;
    }
    const deep = this.#deep!;
    const side = deep.book.side(sign);
    if (side.count >= deep.depth && sign * (ticks - side.deepestTicks!) < 0) return undefined;
    return side.lotsAt(ticks);
  }

  /** Displayed size on side `sign` at `ticks` and better. */
  lotsAtOrBetter(sign: Sign, ticks: Ticks): Lots {
    let sum = 0;
    this.walk(sign, (price, lots) => {
      if (sign * (price - ticks) < 0) return false;
      sum += lots;
      return true;
    });
    return sum;
  }

  /** Visits the levels of one side from the best on while `visit` answers true. */
  walk(sign: Sign, visit: (ticks: Ticks, lots: Lots) => boolean): void {
    const overlay = this.#overlay()?.book.side(sign);
    if (overlay === undefined) {
      this.#deep!.book.side(sign).walk(visit);
      return;
    }
    const best = overlay.bestTicks;
    if (best === undefined) return; // The newer channel shows the side empty.
    if (!visit(best, overlay.bestLots)) return;
    this.#deep!.book.side(sign).walk((price, lots) => sign * (price - best) >= 0 || visit(price, lots));
  }

  /** The faster channel, where it is newer than the depth channel. */
  #overlay(): ChannelBook | undefined {
    const top = this.#top;
    return top !== undefined && top.rule.synchronized && top.timeUs > this.#deep!.timeUs ? top : undefined;
  }

  #source(): ChannelBook {
    return this.#overlay() ?? this.#deep!;
  }
}
