import { setTimeout } from 'node:timers/promises';
import type { RunConfig } from '../config.ts';
import { messageOf, ShadowError } from '../errors.ts';
import type { Instrument } from '../events.ts';
import type { ConnectionState } from '../feed/connection.ts';
import { backoffMs, Connection, fetchText } from '../feed/connection.ts';
import type { Exchange, Subscription } from '../feed/exchange.ts';
import type { HttpBody } from '../feed/recording-format.ts';
import type { RawRecord } from '../feed/records.ts';
import { ServerTimeProbe } from '../feed/probe.ts';
import type { Logger } from '../log.ts';
import type { RunDeps } from './run.ts';
import type { ChannelDepth } from './source.ts';
import { selectInstruments, subscriptionsOf } from './source.ts';

/** Where a live feed comes from. */
export interface Venue {
  readonly kind: 'live' | 'mock';
  readonly websocketUrl: string;
  readonly restUrl: string;
  /** What a reader of the artifacts must know about it; kept in a recording. */
  readonly notes: readonly string[];
}

export type VenueConfig = Pick<RunConfig, 'symbols' | 'depth' | 'ws_url' | 'rest_url' | 'clock_probes'>;
export type VenueDeps = Pick<RunDeps, 'clock' | 'random' | 'signal'>;

/** A venue that has told its instruments, and the connection to it. */
export interface OpenVenue {
  readonly symbols: readonly string[];
  readonly instruments: ReadonlyMap<string, Instrument>;
  /** What is known of the symbols that are not there. */
  readonly notes: readonly string[];
  readonly bodies: readonly HttpBody[];
  readonly channels: readonly ChannelDepth[];
  readonly subscriptions: readonly Subscription[];
  /** Asks for the exchange's time soon. */
  readonly hurry: () => void;
  /** Asks for a new snapshot, where there is a connection. */
  readonly resync: (subscription: Subscription) => void;
  /** Subscribes, and from now on gives records; once. A signal ends it. */
  connect(onState?: (state: ConnectionState) => void): Connection;
  close(): void;
}

/** The exchange itself, or the addresses the user gave instead. */
export function liveVenue(config: VenueConfig, exchange: Exchange): Venue {
  return {
    kind: 'live',
    websocketUrl: config.ws_url ?? exchange.websocketUrl,
    restUrl: config.rest_url ?? exchange.restUrl,
    notes: [
      ...foreignAddress('feed', config.ws_url, exchange.websocketUrl),
      ...foreignAddress('tick and lot sizes', config.rest_url, exchange.restUrl),
    ],
  };
}

/** Numbers from elsewhere than the exchange say so; an address may hold secrets but for its host. */
function foreignAddress(what: string, address: string | undefined, own: string): string[] {
  if (address === undefined || address === own) return [];
  return [`${what} from ${new URL(address).host}, not from ${new URL(own).host}`];
}

/** Asks for the instruments, and is ready to subscribe; what the venue is makes no difference here. */
export async function openVenue(
  venue: Venue,
  config: VenueConfig,
  exchange: Exchange,
  deps: VenueDeps,
  log: Logger,
): Promise<OpenVenue> {
  const bodies = await fetchInstruments(venue.restUrl, config, exchange, deps, log);
  const { symbols, instruments, notes } = selectInstruments(config, exchange, bodies);
  if (symbols.length === 0) {
    throw new ShadowError('SHADOW_ERR_INSTRUMENTS', `${exchange.id} trades none of ${config.symbols.join(', ')}`);
  }
  for (const note of notes) log.error({ exchange: exchange.id }, note);
  const channels: readonly ChannelDepth[] = exchange.bookChannels(config.depth);
  const subscriptions = subscriptionsOf(symbols, () => channels, exchange);
  let connection: Connection | undefined;
  const probe = openProbe(venue, config, exchange, deps, (record) => connection?.insert(record), log);
  const stop = (): void => {
    probe?.stop();
    connection?.stop();
  };
  const connect: OpenVenue['connect'] = (onState) => {
    connection = new Connection({
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
        onState?.(state);
      },
    });
    deps.signal.addEventListener('abort', stop, { once: true });
    if (deps.signal.aborted) stop();
    return connection;
  };
  return {
    symbols,
    instruments,
    notes,
    bodies,
    channels,
    subscriptions,
    hurry: () => probe?.hurry(),
    resync: (subscription) => connection?.resync(subscription),
    connect,
    close: () => {
      deps.signal.removeEventListener('abort', stop);
      stop();
    },
  };
}

/** Questions for the exchange's time, unless the user wants none; a failing one is told when it begins to fail and when it is over. */
function openProbe(
  venue: Venue,
  config: VenueConfig,
  exchange: Exchange,
  deps: VenueDeps,
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
  config: VenueConfig,
  exchange: Exchange,
  deps: VenueDeps,
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
async function retried(url: string, exchange: Exchange, deps: VenueDeps, log: Logger): Promise<string | undefined> {
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
