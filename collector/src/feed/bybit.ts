import { isUtf8 } from 'node:buffer';
import type { BadReason, BookEvent, Instrument, MarketEvent, ReceiveStamps } from '../events.ts';
import type { FeesBps } from '../fills/fees.ts';
import type { Us } from '../units.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';
import { parseInstruments, parseServerTime } from './bybit-rest.ts';
import { BookFrameScanner } from './bybit-scanner.ts';
import { MALFORMED, OFF_GRID, parseOnGrid } from './decimal.ts';
import type { Exchange, FrameDecoder, Subscription } from './exchange.ts';

/**
 * Bybit v5 public streams. Documents: "WebSocket Connect" (heartbeat, subscribe), "Orderbook", "Trade", "Get Instruments Info".
 *
 *   {"topic":"orderbook.50.BTCUSDT","ts":1786310819681,"type":"delta","data":{"s":"BTCUSDT",
 *    "b":[["65114.20","6.054"]],"a":[["65114.30","0"]],"u":6250542,"seq":7538},"cts":1786310819678}
 *   {"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1786310819681,"data":[{"T":1786310819680,"s":"BTCUSDT",
 *    "S":"Sell","v":"0.004","p":"65114.20","i":"a9188a0a-…","BT":false,"RPI":false,"seq":7538}]}
 *   {"success":true,"ret_msg":"","op":"subscribe","req_id":"1","conn_id":"…"}     ret_msg is "subscribe" on spot
 */
function bybit(id: string, category: 'linear' | 'spot', feesBps: FeesBps): Exchange {
  return {
    id,
    feesBps,
    websocketUrl: `wss://stream.bybit.com/v5/public/${category}`,
    restUrl: 'https://api.bybit.com',
    // "send the ping packet every 20 seconds to maintain the WebSocket connection"
    pingIntervalMs: 15_000,
    ping: '{"op":"ping"}',
    depths: [1, 50, 200],
    ownsAddress: (url) => url.endsWith(`/v5/public/${category}`),
    bookChannels: (depth) => [
      { name: `orderbook.${depth}`, depth },
      ...(depth === 1 ? [] : [{ name: 'orderbook.1', depth: 1 }]),
    ],
    tradeChannel: 'publicTrade',
    subscribe: (requestId, subscriptions) => request('subscribe', requestId, subscriptions),
    unsubscribe: (requestId, subscriptions) => request('unsubscribe', requestId, subscriptions),
    subscriptionsOf,
    instrumentPath: (symbol) => `/v5/market/instruments-info?category=${category}&symbol=${encodeURIComponent(symbol)}`,
    parseInstruments,
    serverTime: {
      path: '/v5/market/time',
      granularityUs: 1,
      feedGranularityUs: US_PER_MS,
      parse: parseServerTime,
    },
    ownsInstruments: (url) => url.includes('/v5/market/instruments-info') && url.includes(`category=${category}`),
    createDecoder: (instruments, channels) => new BybitDecoder(instruments, channels),
  };
}

/** Linear perpetuals. Fees of both: Bybit's fee index of 2026-10-16, base tier. */
export const bybitLinear = bybit('bybit', 'linear', { maker: 2, taker: 5.5 });
export const bybitSpot = bybit('bybit-spot', 'spot', { maker: 10, taker: 10 });

const request = (op: string, requestId: string, subscriptions: readonly Subscription[]): string =>
  JSON.stringify({ req_id: requestId, op, args: subscriptions.map(({ channel, symbol }) => `${channel}.${symbol}`) });

function subscriptionsOf(frame: string): readonly Subscription[] {
  const { op, args } = JSON.parse(frame) as { op?: unknown; args?: unknown };
  if (op !== 'subscribe' || !Array.isArray(args)) return [];
  return (args as readonly unknown[]).map((topic) => {
    const text = String(topic);
    const dot = text.lastIndexOf('.');
    return { channel: text.slice(0, dot), symbol: text.slice(dot + 1) };
  });
}

/** An exchange stamp further than this ahead of the local clock is no time to order events by. */
const MAX_AHEAD_US = 60 * US_PER_S;
/** A publish stamp older than this measures no delay. */
const MAX_DELAY_US = 3_600 * US_PER_S;

interface Route {
  readonly symbol: string;
  readonly channel: string;
  /** 0 is the trade channel. */
  readonly depth: number;
  readonly instrument: Instrument;
}

interface RawMessage {
  readonly topic?: unknown;
  readonly type?: unknown;
  readonly ts?: unknown;
  readonly cts?: unknown;
  readonly data?: unknown;
  readonly op?: unknown;
  readonly success?: unknown;
  readonly ret_msg?: unknown;
  readonly req_id?: unknown;
}

class BybitDecoder implements FrameDecoder {
  readonly #routes = new Map<unknown, Route>();
  readonly #scanner = new BookFrameScanner();

  constructor(
    instruments: ReadonlyMap<string, Instrument>,
    channels: readonly { readonly name: string; readonly depth: number }[],
  ) {
    for (const [symbol, instrument] of instruments) {
      for (const { name, depth } of [...channels, { name: 'publicTrade', depth: 0 }]) {
        this.#routes.set(`${name}.${symbol}`, { symbol, channel: name, depth, instrument });
      }
    }
  }

  decode(frame: Buffer, stamps: ReceiveStamps, out: MarketEvent[]): void {
    if (this.#decodeBookBytes(frame, stamps, out)) return;
    let message: RawMessage | null;
    if (!isUtf8(frame)) return bad(out, stamps, 'utf8');
    try {
      message = JSON.parse(frame.toString()) as RawMessage | null;
    } catch {
      // Not thrown on: a frame that is no JSON is an event like any other.
      return bad(out, stamps, 'json');
    }
    if (typeof message !== 'object' || message === null) return bad(out, stamps, 'shape');
    if (message.topic === undefined) return control(message, stamps, out);
    const route = this.#routes.get(message.topic);
    // A topic that was not asked for (a recording may hold many) is only a sign of life.
    if (route === undefined) {
      if (typeof message.topic === 'string') heartbeat(out, stamps);
      else bad(out, stamps, 'shape');
    } else if (route.depth === 0) decodeTrades(route, message, stamps, out);
    else decodeBook(route, message, stamps, out);
  }

  /** The short way, for book frames in Bybit's own layout: the same event as the long way, from the bytes. False: not one. */
  #decodeBookBytes(frame: Buffer, stamps: ReceiveStamps, out: MarketEvent[]): boolean {
    const scanner = this.#scanner;
    const route = this.#routes.get(scanner.topic(frame));
    if (route === undefined || route.depth === 0) return false;
    if (!scanner.read(route.instrument.tick, route.instrument.lot, MAX_FRAME_LEVELS)) return false;
    const exchangeTimeUs = stampUs(scanner.cts, stamps.receiveTimeUs);
    if (exchangeTimeUs === undefined) return false;
    const publishTimeUs = publishUs(scanner.ts, stamps.receiveTimeUs);
    const { snapshot, sequence, bids, asks } = scanner;
    out.push(bookEvent(route, snapshot, sequence, exchangeTimeUs, publishTimeUs, stamps, bids, asks));
    return true;
  }
}

function control(message: RawMessage, stamps: ReceiveStamps, out: MarketEvent[]): void {
  if (typeof message.op !== 'string') return bad(out, stamps, 'shape');
  if (message.op !== 'subscribe') return heartbeat(out, stamps);
  const { receiveTimeUs, monoUs } = stamps;
  out.push({
    kind: 'subscription',
    receiveTimeUs,
    monoUs,
    accepted: message.success === true,
    requestId: typeof message.req_id === 'string' ? message.req_id : '',
    message: typeof message.ret_msg === 'string' ? message.ret_msg : '',
  });
}

function heartbeat(out: MarketEvent[], { receiveTimeUs, monoUs }: ReceiveStamps): void {
  out.push({ kind: 'heartbeat', receiveTimeUs, monoUs });
}

function bad(out: MarketEvent[], stamps: ReceiveStamps, reason: BadReason, route?: Route): void {
  const { receiveTimeUs, monoUs } = stamps;
  out.push({ kind: 'bad', receiveTimeUs, monoUs, reason, symbol: route?.symbol, channel: route?.channel });
}

/** Epoch milliseconds as microseconds, or undefined for what is no plausible time. */
function stampUs(ms: unknown, receiveTimeUs: Us): Us | undefined {
  if (typeof ms !== 'number' || !Number.isInteger(ms) || ms <= 0) return undefined;
  const us = ms * US_PER_MS;
  return us > receiveTimeUs + MAX_AHEAD_US ? undefined : us;
}

/** The stamp before the wire; undefined where a message has none that can be true. */
function publishUs(ms: unknown, receiveTimeUs: Us): Us | undefined {
  const us = stampUs(ms, receiveTimeUs);
  return us === undefined || receiveTimeUs - us > MAX_DELAY_US ? undefined : us;
}

function decodeBook(route: Route, message: RawMessage, stamps: ReceiveStamps, out: MarketEvent[]): void {
  const data = message.data as { b?: unknown; a?: unknown; u?: unknown } | null | undefined;
  const snapshot = message.type === 'snapshot';
  if (typeof data !== 'object' || data === null || !Array.isArray(data.b) || !Array.isArray(data.a)) {
    return bad(out, stamps, 'shape', route);
  }
  if (!snapshot && message.type !== 'delta') return bad(out, stamps, 'shape', route);
  const sequence = data.u;
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 0) {
    return bad(out, stamps, 'shape', route);
  }
  const publishTimeUs = publishUs(message.ts, stamps.receiveTimeUs);
  // Frames from before `cts` existed are ordered by `ts`.
  const exchangeTimeUs = message.cts === undefined ? publishTimeUs : stampUs(message.cts, stamps.receiveTimeUs);
  if (exchangeTimeUs === undefined) return bad(out, stamps, 'time', route);
  const bids = parseLevels(data.b, route.instrument);
  const asks = parseLevels(data.a, route.instrument);
  if (typeof bids === 'string') return bad(out, stamps, bids, route);
  if (typeof asks === 'string') return bad(out, stamps, asks, route);
  out.push(bookEvent(route, snapshot, sequence, exchangeTimeUs, publishTimeUs, stamps, bids, asks));
}

const bookEvent = (
  { symbol, channel, depth }: Route,
  snapshot: boolean,
  sequence: number,
  exchangeTimeUs: Us,
  publishTimeUs: Us | undefined,
  { receiveTimeUs, monoUs }: ReceiveStamps,
  bids: readonly number[],
  asks: readonly number[],
): BookEvent => ({
  kind: 'book',
  symbol,
  channel,
  depth,
  snapshot,
  sequence,
  exchangeTimeUs,
  publishTimeUs,
  receiveTimeUs,
  monoUs,
  bids,
  asks,
});

/** More levels than this in one frame are no book of a channel we subscribe to. */
const MAX_FRAME_LEVELS = 2_048;

function parseLevels(raw: readonly unknown[], instrument: Instrument): number[] | BadReason {
  if (raw.length > MAX_FRAME_LEVELS) return 'levels';
  const levels = new Array<number>(raw.length * 2);
  for (let index = 0; index < raw.length; index++) {
    const level = raw[index] as readonly unknown[] | null | undefined;
    if (!Array.isArray(level) || level.length !== 2) return 'shape';
    const ticks = parseOnGrid(level[0], instrument.tick);
    const lots = parseOnGrid(level[1], instrument.lot);
    if (ticks <= 0 || lots < 0) return reasonOf(ticks, lots);
    levels[2 * index] = ticks;
    levels[2 * index + 1] = lots;
  }
  return levels;
}

const reasonOf = (ticks: number, lots: number): BadReason =>
  ticks !== MALFORMED && lots !== MALFORMED && (ticks === OFF_GRID || lots === OFF_GRID) ? 'off-grid' : 'number';

interface RawTrade {
  readonly T?: unknown;
  readonly S?: unknown;
  readonly v?: unknown;
  readonly p?: unknown;
  readonly i?: unknown;
  readonly BT?: unknown;
  readonly RPI?: unknown;
  readonly seq?: unknown;
}

function decodeTrades(route: Route, message: RawMessage, stamps: ReceiveStamps, out: MarketEvent[]): void {
  if (!Array.isArray(message.data)) return bad(out, stamps, 'shape', route);
  const publishTimeUs = publishUs(message.ts, stamps.receiveTimeUs);
  let index = 0;
  for (const raw of message.data as readonly (RawTrade | null)[]) {
    const reason = decodeTrade(route, raw, index === 0 ? publishTimeUs : undefined, index, stamps, out);
    if (reason === undefined) index++;
    else bad(out, stamps, reason, route);
  }
}

/** Undefined when the trade was good and has been pushed. */
function decodeTrade(
  route: Route,
  raw: RawTrade | null,
  publishTimeUs: Us | undefined,
  index: number,
  stamps: ReceiveStamps,
  out: MarketEvent[],
): BadReason | undefined {
  if (typeof raw !== 'object' || raw === null || (raw.S !== 'Buy' && raw.S !== 'Sell')) return 'shape';
  const exchangeTimeUs = stampUs(raw.T, stamps.receiveTimeUs);
  if (exchangeTimeUs === undefined) return 'time';
  const priceTicks = parseOnGrid(raw.p, route.instrument.tick);
  const sizeLots = parseOnGrid(raw.v, route.instrument.lot);
  if (priceTicks <= 0 || sizeLots <= 0) return reasonOf(priceTicks, sizeLots);
  out.push({
    kind: 'trade',
    symbol: route.symbol,
    channel: route.channel,
    exchangeTimeUs,
    publishTimeUs,
    receiveTimeUs: stamps.receiveTimeUs,
    monoUs: stamps.monoUs,
    sequence: typeof raw.seq === 'number' && Number.isSafeInteger(raw.seq) ? raw.seq : 0,
    index,
    priceTicks,
    sizeLots,
    takerSign: raw.S === 'Buy' ? 1 : -1,
    tradeId: typeof raw.i === 'string' ? raw.i : '',
    offBook: raw.BT === true || raw.RPI === true,
  });
  return undefined;
}
