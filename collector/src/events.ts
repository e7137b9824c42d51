import type { Lots, Sign, Ticks, Us } from './units.ts';

/** What one symbol trades in. Sizes and prices inside the collector are integers of these. */
export interface Instrument {
  readonly symbol: string;
  /** Decimal places that hold every price, and the tick in units of the last place: 0.10 is {1, 1}, 0.05 is {2, 5}. */
  readonly tick: Grid;
  readonly lot: Grid;
  /** Smallest order, in lots and in quote currency. 0 where the exchange names none. */
  readonly minSizeLots: Lots;
  readonly minNotionalQuote: number;
}

export interface Grid {
  readonly decimals: number;
  readonly step: number;
  /** step / 10^decimals, as a number: only for publishing. */
  readonly size: number;
}

/** Stamps of the local machine, taken where the bytes left the socket, before any parsing. */
export interface ReceiveStamps {
  /** Wall clock; may step. */
  readonly receiveTimeUs: Us;
  /** Monotonic clock; for durations and order only. */
  readonly monoUs: Us;
}

/** A change of an order book, or a whole one. */
export interface BookEvent extends ReceiveStamps {
  readonly kind: 'book';
  readonly symbol: string;
  readonly channel: string;
  /** Levels a side that the channel shows: 1, 50, 200. */
  readonly depth: number;
  readonly snapshot: boolean;
  /** The exchange's update id (Bybit `u`). */
  readonly sequence: number;
  /** Matching-engine time (Bybit `cts`). */
  readonly exchangeTimeUs: Us;
  /** Stamp before the wire (Bybit `ts`); undefined where the message has none. */
  readonly publishTimeUs: Us | undefined;
  /** ticks, lots, ticks, lots, … as absolute sizes; 0 lots deletes the level. */
  readonly bids: readonly number[];
  readonly asks: readonly number[];
}

export interface TradeEvent extends ReceiveStamps {
  readonly kind: 'trade';
  readonly symbol: string;
  readonly channel: string;
  readonly exchangeTimeUs: Us;
  /** Undefined on all but the first trade of a frame, so that a frame gives one latency sample. */
  readonly publishTimeUs: Us | undefined;
  readonly sequence: number;
  /** Place in its frame: orders the trades of one match. */
  readonly index: number;
  readonly priceTicks: Ticks;
  readonly sizeLots: Lots;
  /** D: +1 if the taker bought, −1 if the taker sold. */
  readonly takerSign: Sign;
  readonly tradeId: string;
  /** Block trades and trades against retail-price-improvement orders happen outside the book and consume no queue. */
  readonly offBook: boolean;
}

export type GapReason = 'sequence' | 'crossed' | 'silence' | 'bad-data' | 'overflow' | 'disconnect';

/** Something of a channel was lost: what was known of it is no longer known. */
export interface GapEvent extends ReceiveStamps {
  readonly kind: 'gap';
  readonly symbol: string;
  readonly channel: string;
  readonly reason: GapReason;
}

export interface ConnectEvent extends ReceiveStamps {
  readonly kind: 'connect';
  readonly connectionId: string;
}

/** A connection ended; nothing of the listed symbols is known until their next snapshots. */
export interface DisconnectEvent extends ReceiveStamps {
  readonly kind: 'disconnect';
  readonly connectionId: string;
  readonly reason: string;
}

/** The line is alive: a pong, or a timer that lets time pass when nothing arrives. */
export interface HeartbeatEvent extends ReceiveStamps {
  readonly kind: 'heartbeat';
}

/** The exchange's answer to a subscription. */
export interface SubscriptionEvent extends ReceiveStamps {
  readonly kind: 'subscription';
  readonly accepted: boolean;
  readonly requestId: string;
  readonly message: string;
}

/** `discarded`: the first answer of a new connection, whose way there includes connecting. `malformed`: no server time in it. */
export const PROBE_RESULTS = ['ok', 'discarded', 'timeout', 'error', 'malformed'] as const;
export type ProbeResult = (typeof PROBE_RESULTS)[number];

/** A question for the exchange's time has ended: the stamps are of the end of its answer, or of giving it up. */
export interface ProbeEvent extends ReceiveStamps {
  readonly kind: 'probe';
  readonly result: ProbeResult;
  /** Monotonic clock just before it was sent. */
  readonly sentMonoUs: Us;
  /** Monotonic clock when the answer's headers were there, which may be earlier than its end. */
  readonly answeredMonoUs: Us | undefined;
  /** The server's stamp; like `answeredMonoUs` defined when the result is `ok`, and only then. */
  readonly serverTimeUs: Us | undefined;
}

export type BadReason =
  'json' | 'utf8' | 'shape' | 'number' | 'off-grid' | 'time' | 'unknown-topic' | 'unknown-symbol' | 'levels';

/** Data that cannot be used. With a symbol and a book channel it also is a gap of that channel. */
export interface BadDataEvent extends ReceiveStamps {
  readonly kind: 'bad';
  readonly reason: BadReason;
  readonly symbol: string | undefined;
  readonly channel: string | undefined;
}

export type MarketEvent =
  | BookEvent
  | TradeEvent
  | GapEvent
  | ConnectEvent
  | DisconnectEvent
  | HeartbeatEvent
  | SubscriptionEvent
  | ProbeEvent
  | BadDataEvent;

/** What one socket chunk held, in order. A feed never yields single events: waking up costs more than the work. */
export type Feed = AsyncIterable<readonly MarketEvent[]>;
