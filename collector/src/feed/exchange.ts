import type { Instrument, MarketEvent, ReceiveStamps } from '../events.ts';
import type { FeesBps } from '../fills/fees.ts';
import type { BookChannel } from '../symbol-shadow.ts';
import type { Ms, Us } from '../units.ts';

/** One thing to subscribe to: a channel of a symbol. */
export interface Subscription {
  readonly symbol: string;
  readonly channel: string;
}

/** How an exchange is asked for its time, and how fine its stamps are. */
export interface ServerTime {
  /** Path and query, below `restUrl`. */
  readonly path: string;
  /** Of the answer's stamp. Above 50 ms it measures nothing, and is refused. */
  readonly granularityUs: Us;
  /** Of the stamp before the wire in feed messages. */
  readonly feedGranularityUs: Us;
  /** The stamp of an answer, µs since the epoch; undefined where there is none. Throws nothing. */
  parse(body: string): Us | undefined;
}

/** Turns frames into events. Bad data becomes `bad` events; nothing is thrown, whatever the bytes. */
export interface FrameDecoder {
  decode(frame: Buffer, stamps: ReceiveStamps, out: MarketEvent[]): void;
}

/** All that differs between exchanges; one file each. The rest of the collector knows only this. */
export interface Exchange {
  readonly id: string;
  readonly websocketUrl: string;
  readonly restUrl: string;
  readonly pingIntervalMs: Ms;
  /** Base tier, basis points; what `--maker_fee_bps` and `--taker_fee_bps` default to. */
  readonly feesBps: FeesBps;
  /** Text of a heartbeat frame. */
  readonly ping: string;
  /** Depths that `--depth` may name. */
  readonly depths: readonly number[];
  /** Whether frames recorded from this address are this exchange's. */
  ownsAddress(url: string): boolean;
  /** The channels that keep the book of a symbol at that depth, the fastest for the best price included. */
  bookChannels(depth: number): readonly Omit<BookChannel, 'silenceLimitUs'>[];
  readonly tradeChannel: string;
  subscribe(requestId: string, subscriptions: readonly Subscription[]): string;
  /** The subscriptions of a recorded subscribe frame; empty for any other frame. */
  subscriptionsOf(frame: string): readonly Subscription[];
  unsubscribe(requestId: string, subscriptions: readonly Subscription[]): string;
  /** Path and query, below `restUrl`, that answer with a symbol's tick and lot size. */
  instrumentPath(symbol: string): string;
  /**
   * Instruments of a REST body; symbols it does not hold are simply not in the answer. Throws ShadowError,
   * `terminal` where asking again would not help.
   */
  parseInstruments(body: string): readonly Instrument[];
  readonly serverTime: ServerTime;
  /** Whether a recorded REST address is an instrument list of this exchange. */
  ownsInstruments(url: string): boolean;
  createDecoder(
    instruments: ReadonlyMap<string, Instrument>,
    channels: readonly { name: string; depth: number }[],
  ): FrameDecoder;
}
