import { setTimeout } from 'node:timers/promises';
import type { RunConfig } from '../config.ts';
import { messageOf, ShadowError } from '../errors.ts';
import { backoffMs, Connection, fetchText } from '../feed/connection.ts';
import type { Exchange } from '../feed/exchange.ts';
import type { HttpBody, RecordingHeader } from '../feed/recording.ts';
import { RecordingWriter } from '../feed/recording.ts';
import type { RawRecord } from '../feed/records.ts';
import { ServerTimeProbe } from '../feed/probe.ts';
import type { Logger } from '../log.ts';
import type { RunDeps } from './run.ts';
import type { ChannelDepth, Source } from './source.ts';
import { decoded, selectInstruments, subscriptionsOf } from './source.ts';

/** Where a live feed comes from. */
export interface Venue {
  readonly kind: 'live' | 'mock';
  readonly websocketUrl: string;
  readonly restUrl: string;
  /** What a reader of the artifacts must know about it; kept in a recording. */
  readonly notes: readonly string[];
}

/** The exchange itself, or the addresses the user gave instead. */
export function openLive(config: RunConfig, exchange: Exchange, deps: RunDeps, log: Logger): Promise<Source> {
  const venue: Venue = {
    kind: 'live',
    websocketUrl: config.ws_url ?? exchange.websocketUrl,
    restUrl: config.rest_url ?? exchange.restUrl,
    notes: [
      ...foreignAddress('feed', config.ws_url, exchange.websocketUrl),
      ...foreignAddress('tick and lot sizes', config.rest_url, exchange.restUrl),
    ],
  };
  return openVenue(venue, config, exchange, deps, log);
}

/** Numbers from elsewhere than the exchange say so; an address may hold secrets but for its host. */
function foreignAddress(what: string, address: string | undefined, own: string): string[] {
  if (address === undefined || address === own) return [];
  return [`${what} from ${new URL(address).host}, not from ${new URL(own).host}`];
}

/** Subscribes and keeps the connection; what the venue is makes no difference here. */
export async function openVenue(
  venue: Venue,
  config: RunConfig,
  exchange: Exchange,
  deps: RunDeps,
  log: Logger,
): Promise<Source> {
  const bodies = await fetchInstruments(venue.restUrl, config, exchange, deps, log);
  const { symbols, instruments, notes } = selectInstruments(config, exchange, bodies);
  if (symbols.length === 0) {
    throw new ShadowError('SHADOW_ERR_INSTRUMENTS', `${exchange.id} trades none of ${config.symbols.join(', ')}`);
  }
  for (const note of notes) log.error({ exchange: exchange.id }, note);
  const channels = (): readonly ChannelDepth[] => exchange.bookChannels(config.depth);
  const subscriptions = subscriptionsOf(symbols, channels, exchange);
  const recorder = openRecorder(config, exchange, bodies, { subscriptions, notes: venue.notes }, log);
  const probe = openProbe(venue, config, exchange, deps, (record) => connection.insert(record), log);
  const connection: Connection = new Connection({
    exchange,
    url: venue.websocketUrl,
    subscriptions,
    clock: deps.clock,
    random: deps.random,
    onState: (state) => {
      if (state.state === 'closed')
        log.warn({ reason: state.reason, retryInMs: Math.round(state.retryInMs) }, 'connection lost');
      else log.info(state, 'connection');
      if (state.state === 'open') probe?.start();
    },
  });
  const stop = (): void => {
    probe?.stop();
    connection.stop();
  };
  deps.signal.addEventListener('abort', stop, { once: true });
  if (deps.signal.aborted) stop();
  return {
    kind: venue.kind,
    symbols,
    instruments,
    notes: [...venue.notes, ...notes],
    channels,
    feed: decoded(connection, exchange.createDecoder(instruments, channels()), subscriptions, recorder),
    stopsAtOnce: false,
    onResync: (symbol, channel) => connection.resync({ symbol, channel }),
    onSuspicion: () => probe?.hurry(),
    recordingDropped: () => recorder?.droppedRecords ?? 0,
    close: async () => {
      deps.signal.removeEventListener('abort', stop);
      probe?.stop();
      connection.stop();
      await recorder?.close({ receiveTimeUs: deps.clock.wallUs(), monoUs: deps.clock.monoUs() });
    },
  };
}

/** Questions for the exchange's time, unless the user wants none; a failing one is told when it begins to fail and when it is over. */
function openProbe(
  venue: Venue,
  config: RunConfig,
  exchange: Exchange,
  deps: RunDeps,
  insert: (record: RawRecord) => void,
  log: Logger,
): ServerTimeProbe | undefined {
  if (!config.clock_probes) return undefined;
  let failing = false;
  let discarded = 0;
  const { restUrl } = venue;
  const { clock, random } = deps;
  const onRecord = (record: RawRecord & { readonly type: 'probe' }): void => {
    insert(record);
    const { result } = record;
    // The first answer of a connection is always discarded; a second in a row means that the server keeps none.
    discarded = result === 'discarded' ? discarded + 1 : 0;
    if (discarded === 1 || failing === (result !== 'ok')) return;
    failing = result !== 'ok';
    if (failing)
      log.warn({ restUrl, result, reason: probe.lastFailure }, 'the exchange does not answer with its time; asking on');
    else log.info({ restUrl }, 'the exchange answers with its time again');
  };
  const probe = new ServerTimeProbe({ exchange, restUrl, clock, random, onRecord });
  return probe;
}

/** Asks for every symbol's sizes, and goes on asking while the exchange cannot be reached. */
async function fetchInstruments(
  restUrl: string,
  config: RunConfig,
  exchange: Exchange,
  deps: RunDeps,
  log: Logger,
): Promise<HttpBody[]> {
  const bodies: HttpBody[] = [];
  for (const symbol of config.symbols) {
    const url = `${restUrl.replace(/\/$/, '')}${exchange.instrumentPath(symbol)}`;
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
  header: Omit<RecordingHeader, 'exchange'>,
  log: Logger,
): RecordingWriter | undefined {
  if (config.record === undefined) return undefined;
  const path = config.record;
  const recorder = new RecordingWriter(path, { exchange: exchange.id, ...header }, (error) =>
    log.error({ path, reason: error.message }, 'recording stopped; the run goes on without it'),
  );
  for (const body of bodies) recorder.http(body);
  return recorder;
}
