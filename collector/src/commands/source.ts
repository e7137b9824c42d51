import type { RunConfig } from '../config.ts';
import type { Feed, Instrument, MarketEvent } from '../events.ts';
import type { Exchange, FrameDecoder, Subscription } from '../feed/exchange.ts';
import type { HttpBody } from '../feed/recording-format.ts';
import type { Recorder } from '../feed/recording-writer.ts';
import type { RawRecord } from '../feed/records.ts';
import { decodeRecords } from '../feed/records.ts';

export interface ChannelDepth {
  readonly name: string;
  readonly depth: number;
}

/** Where a run's events come from, and what is known of its symbols before the first. */
export interface Source {
  readonly kind: 'live' | 'mock' | 'replay';
  /** The configured symbols that the exchange or the recording knows. */
  readonly symbols: readonly string[];
  readonly instruments: ReadonlyMap<string, Instrument>;
  readonly notes: readonly string[];
  readonly feed: Feed;
  /** Whether a signal ends the run here and now; a live feed still hands out what it has received. */
  readonly stopsAtOnce: boolean;
  channels(symbol: string): readonly ChannelDepth[];
  readonly onResync: (symbol: string, channel: string) => void;
  /** Something about the exchange's clock does not fit: a probe soon would tell what. */
  readonly onSuspicion: () => void;
  recordingDropped(): number;
  close(): Promise<void>;
}

/** Records, kept where there is a recorder, as events. */
export async function* decoded(
  batches: AsyncIterable<readonly RawRecord[]>,
  decoder: FrameDecoder,
  subscriptions: readonly Subscription[],
  recorder?: Recorder,
): AsyncGenerator<readonly MarketEvent[]> {
  for await (const records of batches) {
    recorder?.write(records);
    yield decodeRecords(records, decoder, subscriptions);
  }
}

export const subscriptionsOf = (
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
export function selectInstruments(
  config: Pick<RunConfig, 'symbols'>,
  exchange: Exchange,
  bodies: readonly HttpBody[],
): Selection {
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
