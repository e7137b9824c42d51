import type { RunConfig } from '../config.ts';
import { ShadowError } from '../errors.ts';
import type { Exchange } from '../feed/exchange.ts';
import { openReplay, paced, unpaced } from '../feed/replay.ts';
import type { Logger } from '../log.ts';
import type { Ms, Us } from '../units.ts';
import { usFromMs } from '../units.ts';
import type { RunDeps } from './run.ts';
import type { ChannelDepth, Source } from './source.ts';
import { decoded, selectInstruments, subscriptionsOf } from './source.ts';

/** A recording in place of a feed. */
export async function openRecorded(
  path: string,
  config: RunConfig,
  exchange: Exchange,
  deps: RunDeps,
  log: Logger,
): Promise<Source> {
  const range = { fromUs: usFrom(config.from, -Infinity), toUs: usFrom(config.to, Infinity) };
  const replay = await openReplay(path, exchange, (message) => log.warn({ path }, message), range);
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
    notes: [...replay.notes, ...notes],
    channels,
    feed: decoded(records, decoder, subscriptions),
    stopsAtOnce: true,
    onResync: () => undefined, // What the exchange answered then is in the recording.
    onSuspicion: () => undefined,
    recordingDropped: () => 0,
    close: async () => Promise.resolve(),
  };
}

const usFrom = (ms: Ms | undefined, none: Us): Us => (ms === undefined ? none : usFromMs(ms));

const depthsOf = (exchange: Exchange): Map<string, number> =>
  new Map(exchange.depths.flatMap((depth) => exchange.bookChannels(depth)).map(({ name, depth }) => [name, depth]));
