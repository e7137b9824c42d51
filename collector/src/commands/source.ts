import { setTimeout } from 'node:timers/promises';
import type { RunConfig } from '../config.ts';
import { messageOf, ShadowError } from '../errors.ts';
import type { Feed, Instrument, MarketEvent } from '../events.ts';
import { backoffMs, Connection, fetchText } from '../feed/connection.ts';
import type { Exchange, FrameDecoder, Subscription } from '../feed/exchange.ts';
import type { HttpBody } from '../feed/recording.ts';
import { RecordingWriter } from '../feed/recording.ts';
import type { RawRecord } from '../feed/records.ts';
import { decodeRecords } from '../feed/records.ts';
import { openReplay, paced, unpaced } from '../feed/replay.ts';
import type { Logger } from '../log.ts';
import type { RunDeps } from './run.ts';

export interface ChannelDepth {
  readonly name: string;
  readonly depth: number;
}

/** Where a run's events come from, and what is known of its symbols before the first. */
export interface Source {
  readonly kind: 'live' | 'replay';
  /** The configured symbols that the exchange or the recording knows. */
  readonly symbols: readonly string[];
  readonly instruments: ReadonlyMap<string, Instrument>;
  readonly notes: readonly string[];
  readonly feed: Feed;
  /** Whether a signal ends the run here and now; a live feed still hands out what it has received. */
  readonly stopsAtOnce: boolean;
  channels(symbol: string): readonly ChannelDepth[];
  readonly onResync: (symbol: string, channel: string) => void;
  recordingDropped(): number;
  close(): Promise<void>;
}

export const openSource = async (config: RunConfig, exchange: Exchange, deps: RunDeps, log: Logger): Promise<Source> =>
  config.replay === undefined
    ? openLive(config, exchange, deps, log)
    : openRecorded(config, config.replay, exchange, deps, log);

async function openRecorded(
  config: RunConfig,
  path: string,
  exchange: Exchange,
  deps: RunDeps,
  log: Logger,
): Promise<Source> {
  const replay = await openReplay(path, exchange, (message) => log.warn({ path }, message));
  const saved = config.instruments === undefined ? [] : [{ url: '', body: deps.readText(config.instruments) }];
  const { symbols, instruments, notes } = selectInstruments(config, exchange, [...replay.instrumentBodies, ...saved]);
  if (symbols.length === 0) {
    const hint = 'give a saved answer of the instrument endpoint with --instruments';
    throw new ShadowError(
      'SHADOW_ERR_INSTRUMENTS',
      `${path} holds no tick and lot sizes of ${config.symbols.join(', ')}; ${hint}`,
    );
  }
  for (const note of notes) log.warn({ path }, note);
  const known = depthsOf(exchange);
  const channels = (symbol: string): readonly ChannelDepth[] => {
    const own = replay.subscriptions.filter(
      (subscription) => subscription.symbol === symbol && known.has(subscription.channel),
    );
    if (own.length === 0) return exchange.bookChannels(config.depth);
    return [...new Set(own.map(({ channel }) => channel))].map((name) => ({ name, depth: known.get(name)! }));
  };
  const decoder = exchange.createDecoder(
    instruments,
    [...known].map(([name, depth]) => ({ name, depth })),
  );
  const subscriptions = subscriptionsOf(symbols, channels, exchange);
  const records =
    config.speed === '1' ? paced(replay.records, () => deps.clock.monoUs(), deps.signal) : unpaced(replay.records);
  return {
    kind: 'replay',
    symbols,
    instruments,
    notes,
    channels,
    feed: decoded(records, decoder, subscriptions),
    stopsAtOnce: true,
    onResync: () => undefined, // What the exchange answered then is in the recording.
    recordingDropped: () => 0,
    close: async () => Promise.resolve(),
  };
}

async function openLive(config: RunConfig, exchange: Exchange, deps: RunDeps, log: Logger): Promise<Source> {
  const bodies = await fetchInstruments(config, exchange, deps, log);
  const { symbols, instruments, notes } = selectInstruments(config, exchange, bodies);
  if (symbols.length === 0) {
    throw new ShadowError('SHADOW_ERR_INSTRUMENTS', `${exchange.id} trades none of ${config.symbols.join(', ')}`);
  }
  for (const note of notes) log.error({ exchange: exchange.id }, note);
  const channels = (): readonly ChannelDepth[] => exchange.bookChannels(config.depth);
  const subscriptions = subscriptionsOf(symbols, channels, exchange);
  const recorder = openRecorder(config, exchange, bodies, subscriptions, log);
  const connection = new Connection({
    exchange,
    url: config.ws_url ?? exchange.websocketUrl,
    subscriptions,
    clock: deps.clock,
    random: deps.random,
    onState: (state) => {
      if (state.state === 'closed')
        log.warn({ reason: state.reason, retryInMs: Math.round(state.retryInMs) }, 'connection lost');
      else log.info(state, 'connection');
    },
  });
  const stop = (): void => connection.stop();
  deps.signal.addEventListener('abort', stop, { once: true });
  if (deps.signal.aborted) stop();
  return {
    kind: 'live',
    symbols,
    instruments,
    notes,
    channels,
    feed: decoded(connection, exchange.createDecoder(instruments, channels()), subscriptions, recorder),
    stopsAtOnce: false,
    onResync: (symbol, channel) => connection.resync({ symbol, channel }),
    recordingDropped: () => recorder?.droppedRecords ?? 0,
    close: async () => {
      deps.signal.removeEventListener('abort', stop);
      connection.stop();
      await recorder?.close({ receiveTimeUs: deps.clock.wallUs(), monoUs: deps.clock.monoUs() });
    },
  };
}

async function* decoded(
  batches: AsyncIterable<readonly RawRecord[]>,
  decoder: FrameDecoder,
  subscriptions: readonly Subscription[],
  recorder?: RecordingWriter,
): AsyncGenerator<readonly MarketEvent[]> {
  for await (const records of batches) {
    recorder?.write(records);
    yield decodeRecords(records, decoder, subscriptions);
  }
}

const depthsOf = (exchange: Exchange): Map<string, number> =>
  new Map(exchange.depths.flatMap((depth) => exchange.bookChannels(depth)).map(({ name, depth }) => [name, depth]));

const subscriptionsOf = (
  symbols: readonly string[],
  channels: (symbol: string) => readonly ChannelDepth[],
  exchange: Exchange,
): Subscription[] =>
  symbols.flatMap((symbol) =>
    [...channels(symbol).map(({ name }) => name), exchange.tradeChannel].map((channel) => ({ symbol, channel })),
  );

interface Selection {
  readonly symbols: readonly string[];
  readonly instruments: ReadonlyMap<string, Instrument>;
  readonly notes: readonly string[];
}

/** A symbol that is not to be had is left out and noted: it must not stop the others. */
function selectInstruments(config: RunConfig, exchange: Exchange, bodies: readonly HttpBody[]): Selection {
  const all = new Map<string, Instrument>();
  for (const { body } of bodies) {
    for (const instrument of exchange.parseInstruments(body)) all.set(instrument.symbol, instrument);
  }
  const symbols = config.symbols.filter((symbol) => all.has(symbol));
  const missing = config.symbols.filter((symbol) => !all.has(symbol));
  return {
    symbols,
    instruments: new Map(symbols.map((symbol) => [symbol, all.get(symbol)!])),
    notes: missing.map((symbol) => `${symbol}: no tick and lot size to be had, not quoted`),
  };
}

/** Asks for every symbol's sizes, and goes on asking while the exchange cannot be reached. */
async function fetchInstruments(
  config: RunConfig,
  exchange: Exchange,
  deps: RunDeps,
  log: Logger,
): Promise<HttpBody[]> {
  const base = config.rest_url ?? exchange.restUrl;
  const bodies: HttpBody[] = [];
  for (const symbol of config.symbols) {
    const url = `${base.replace(/\/$/, '')}${exchange.instrumentPath(symbol)}`;
    const body = await retried(url, exchange, deps, log);
    if (body !== undefined) bodies.push({ url, body });
  }
  return bodies;
}

/** Undefined when the exchange answers that it does not know; retried while it does not answer. Throws when stopped. */
async function retried(url: string, exchange: Exchange, deps: RunDeps, log: Logger): Promise<string | undefined> {
  for (let attempt = 0; ; attempt++) {
    if (deps.signal.aborted) throw new ShadowError('SHADOW_ERR_CONNECTION', `stopped before ${url} answered`);
    try {
      const body = await fetchText(url, deps.signal);
      exchange.parseInstruments(body);
      return body;
    } catch (error) {
      if (error instanceof ShadowError && error.terminal) {
        log.error({ url, reason: error.message }, 'the exchange has no instrument there');
        return undefined;
      }
      const waitMs = backoffMs(attempt, deps.random());
      log.warn({ reason: messageOf(error), retryInMs: Math.round(waitMs) }, 'tick and lot sizes not to be had yet');
      await pause(waitMs, deps.signal);
    }
  }
}

/** Waits, or not any longer once stopped. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined); // Stopped: the caller looks at the signal.
}

function openRecorder(
  config: RunConfig,
  exchange: Exchange,
  bodies: readonly HttpBody[],
  subscriptions: readonly Subscription[],
  log: Logger,
): RecordingWriter | undefined {
  if (config.record === undefined) return undefined;
  const path = config.record;
  const recorder = new RecordingWriter(path, { exchange: exchange.id, subscriptions }, (error) =>
    log.error({ path, reason: error.message }, 'recording stopped; the run goes on without it'),
  );
  for (const body of bodies) recorder.http(body);
  return recorder;
}
