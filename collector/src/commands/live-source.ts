import type { RunConfig } from '../config.ts';
import type { Exchange } from '../feed/exchange.ts';
import type { Logger } from '../log.ts';
import { openRecorder } from './recorders.ts';
import type { RunDeps } from './run.ts';
import type { Source } from './source.ts';
import { decoded } from './source.ts';
import type { Venue } from './venue.ts';
import { liveVenue, openVenue } from './venue.ts';

/** The exchange itself, or the addresses the user gave instead. */
export const openLive = (config: RunConfig, exchange: Exchange, deps: RunDeps, log: Logger): Promise<Source> =>
  openFeed(liveVenue(config, exchange), config, exchange, deps, log);

/** A venue as a source of events, recorded if that is wanted. */
export async function openFeed(
  venue: Venue,
  config: RunConfig,
  exchange: Exchange,
  deps: RunDeps,
  log: Logger,
): Promise<Source> {
  const open = await openVenue(venue, config, exchange, deps, log);
  const { symbols, instruments, channels, subscriptions } = open;
  const recorder = openRecorder(venue, open, config, deps, log);
  const connection = open.connect();
  return {
    kind: venue.kind,
    symbols,
    instruments,
    notes: [...venue.notes, ...open.notes],
    channels: () => channels,
    feed: decoded(connection, exchange.createDecoder(instruments, channels), subscriptions, recorder),
    stopsAtOnce: false,
    onResync: (symbol, channel) => open.resync({ symbol, channel }),
    onSuspicion: open.hurry,
    recordingDropped: () => recorder?.droppedRecords ?? 0,
    close: async () => {
      open.close();
      await recorder?.close({ receiveTimeUs: deps.clock.wallUs(), monoUs: deps.clock.monoUs() });
    },
  };
}
