import type { Socket } from 'node:net';
import WebSocket from 'ws';
import { messageOf } from '../errors.ts';
import type { Clock } from '../system-clock.ts';
import type { Ms } from '../units.ts';
import type { Exchange, Subscription } from './exchange.ts';
import type { RawRecord } from './records.ts';

/** A frame larger than this is refused by the socket: the largest book we subscribe to is below 30 kB. */
export const MAX_FRAME_BYTES = 1024 * 1024;
/** Frames waiting for the consumer, at most; what comes beyond is dropped and becomes a gap of every channel. */
export const MAX_QUEUED_FRAMES = 100_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A line without a byte, pongs included, for this many heartbeats is dead. */
const DEAD_AFTER_PINGS = 2.5;
const BACKOFF_BASE_MS = 250;
const BACKOFF_CAP_MS = 30_000;
/** A connection that lasted this long was a good one: the next loss starts from the shortest wait again. */
const STABLE_AFTER_US = 10_000_000;
/** While nothing arrives, time is let pass this often. */
const TICK_MS = 100;

export interface ConnectionOptions {
  readonly exchange: Exchange;
  readonly url: string;
  readonly subscriptions: readonly Subscription[];
  readonly clock: Clock;
  /** Uniform in [0, 1): spreads reconnects. */
  readonly random: () => number;
  readonly onState: (state: ConnectionState) => void;
  readonly pingIntervalMs?: Ms;
}

export type ConnectionState =
  | { readonly state: 'connecting'; readonly attempt: number }
  | { readonly state: 'open' }
  | { readonly state: 'closed'; readonly reason: string; readonly retryInMs: Ms };

/** Exponential back-off with full jitter, capped (M. Brooker, "Exponential Backoff And Jitter", AWS 2015). */
export const backoffMs = (attempt: number, random: number): Ms =>
  random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.min(attempt, 30));

/**
 * One WebSocket that is kept: connects, subscribes symbol by symbol (so that the rejection of one touches no other), pings, and comes
 * back after a loss. It gives out what happened at the socket, stamped where the bytes leave it, as batches of one chunk each.
 */
export class Connection implements AsyncIterable<readonly RawRecord[]> {
  readonly #options: ConnectionOptions;
  #socket: WebSocket | undefined;
  #queue: RawRecord[] = [];
  #overflowed = false;
  #wake: (() => void) | undefined;
  #stopped = false;
  #attempt = 0;
  #connections = 0;
  #requests = 0;
  #lastBytesUs = 0;
  #openedUs: number | undefined;
  #stamps = { receiveTimeUs: 0, monoUs: 0 };
  #pingTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  readonly #tickTimer: NodeJS.Timeout;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#tickTimer = setInterval(() => this.#tick(), TICK_MS);
    this.#connect();
  }

  /** Yields every batch up to and including the `end` record that `stop` adds. */
  async *[Symbol.asyncIterator](): AsyncGenerator<readonly RawRecord[]> {
    for (;;) {
      if (this.#queue.length === 0) {
        if (this.#stopped) return;
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      const batch = this.#queue;
      this.#queue = [];
      yield batch;
    }
  }

  /** Asks for a new snapshot of a channel. Without a connection there is nothing to do: opening one subscribes to all. */
  resync(subscription: Subscription): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(this.#options.exchange.unsubscribe(this.#nextRequestId(), [subscription]));
    this.#socket.send(this.#options.exchange.subscribe(this.#nextRequestId(), [subscription]));
  }

  /** Puts in what has just happened beside the socket; its stamps are of now, so the records stay in order. */
  insert(record: RawRecord): void {
    this.#push(record);
    this.#flush();
  }

  /** Ends the feed: the consumer gets what was received, an `end` record, and no more. */
  stop(): void {
    if (this.#stopped) return;
    this.#push({ type: 'end', ...this.#now() });
    this.#stopped = true;
    clearInterval(this.#tickTimer);
    clearInterval(this.#pingTimer);
    clearTimeout(this.#retryTimer);
    this.#socket?.removeAllListeners();
    this.#socket?.on('error', () => undefined); // A socket cut off while it connects says so once more; nobody is left to care.
    this.#socket?.terminate();
    this.#flush();
  }

  #connect(): void {
    this.#options.onState({ state: 'connecting', attempt: this.#attempt });
    const connectionId = String(++this.#connections);
    const socket = new WebSocket(this.#options.url, {
      perMessageDeflate: false,
      // Frames are checked by the decoder, where a bad one is a counted event and not the end of the connection.
      skipUTF8Validation: true,
      maxPayload: MAX_FRAME_BYTES,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      followRedirects: false,
    });
    this.#socket = socket;
    let reason = '';
    socket.on('upgrade', (response) => this.#stampChunks(response.socket));
    socket.on('open', () => this.#opened(socket, connectionId));
    socket.on('message', (data) => this.#received(connectionId, data as Buffer));
    socket.on('error', (error) => (reason ||= error.message));
    socket.on('close', (code, text) =>
      this.#closed(connectionId, reason || text.toString() || `closed with code ${code}`),
    );
  }

  /**
   * Listens before `ws` does, so the stamp is of the moment the bytes left the socket; the messages of a chunk are then parsed and
   * emitted within the same call, and handed over together behind it.
   */
  #stampChunks(socket: Socket): void {
    socket.on('data', () => {
      this.#stamps = this.#now();
      this.#lastBytesUs = this.#stamps.monoUs;
      queueMicrotask(() => this.#flush());
    });
  }

  #opened(socket: WebSocket, connectionId: string): void {
    this.#options.onState({ state: 'open' });
    const now = this.#now();
    this.#lastBytesUs = now.monoUs;
    this.#openedUs = now.monoUs;
    this.#push({ type: 'connect', connectionId, url: this.#options.url, ...now });
    const { exchange, subscriptions } = this.#options;
    for (const symbol of new Set(subscriptions.map((subscription) => subscription.symbol))) {
      const own = subscriptions.filter((subscription) => subscription.symbol === symbol);
      socket.send(exchange.subscribe(this.#nextRequestId(), own));
    }
    this.#pingTimer = setInterval(() => this.#heartbeat(socket), this.#pingIntervalMs);
    this.#flush();
  }

  #received(connectionId: string, data: Buffer): void {
    this.#push({ type: 'receive', connectionId, frame: data, ...this.#stamps });
  }

  #closed(connectionId: string, reason: string): void {
    clearInterval(this.#pingTimer);
    const livedUs = this.#openedUs === undefined ? 0 : this.#options.clock.monoUs() - this.#openedUs;
    this.#openedUs = undefined;
    if (livedUs > STABLE_AFTER_US) this.#attempt = 0;
    const retryInMs = backoffMs(this.#attempt++, this.#options.random());
    this.#push({ type: 'disconnect', connectionId, reason, ...this.#now() });
    this.#options.onState({ state: 'closed', reason, retryInMs });
    this.#retryTimer = setTimeout(() => this.#connect(), retryInMs);
    this.#flush();
  }

  #heartbeat(socket: WebSocket): void {
    const silentMs = (this.#options.clock.monoUs() - this.#lastBytesUs) / 1_000;
    if (silentMs > DEAD_AFTER_PINGS * this.#pingIntervalMs) socket.terminate();
    else if (socket.readyState === WebSocket.OPEN) socket.send(this.#options.exchange.ping);
  }

  get #pingIntervalMs(): Ms {
    return this.#options.pingIntervalMs ?? this.#options.exchange.pingIntervalMs;
  }

  #tick(): void {
    if (this.#queue.length > 0) return;
    this.#push({ type: 'tick', ...this.#now() });
    this.#flush();
  }

  #push(record: RawRecord): void {
    if (this.#stopped) return;
    if (this.#queue.length < MAX_QUEUED_FRAMES || record.type !== 'receive') {
      if (this.#overflowed && record.type === 'receive') {
        this.#overflowed = false;
        const { receiveTimeUs, monoUs } = record;
        this.#queue.push({ type: 'overflow', connectionId: String(this.#connections), receiveTimeUs, monoUs });
      }
      this.#queue.push(record);
    } else {
      this.#overflowed = true;
    }
  }

  #flush(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #now(): { receiveTimeUs: number; monoUs: number } {
    return { receiveTimeUs: this.#options.clock.wallUs(), monoUs: this.#options.clock.monoUs() };
  }

  #nextRequestId(): string {
    return String(++this.#requests);
  }
}

/** A REST body, once; retried by the caller. Throws a plain Error that says what came. */
export async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS)]),
  }).catch((cause: unknown) => {
    throw new Error(`no answer from ${url}: ${messageOf(cause instanceof Error ? (cause.cause ?? cause) : cause)}`, {
      cause,
    });
  });
  const body = await response.text();
  if (!response.ok) throw new Error(`expected status 200 from ${url}, got ${response.status}: ${body.slice(0, 120)}`);
  return body;
}
