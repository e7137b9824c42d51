import { mkdirSync } from 'node:fs';
import type { CommandDeps } from './deps.ts';
import { EXIT, messageOf, ShadowError } from '../errors.ts';
import type { ConnectionState } from '../feed/connection.ts';
import { EXCHANGES } from '../feed/exchanges.ts';
import type { RecordedTotals, SegmentRecorder } from '../feed/segment-recorder.ts';
import { FlagReader } from '../flags.ts';
import { commandHelp } from '../help.ts';
import { createLogger } from '../log.ts';
import { RECORD_FLAGS } from '../record-flags.ts';
import type { Build } from '../resources.ts';
import { US_PER_S } from '../units.ts';
import type { SegmentsConfig } from './recorders.ts';
import { openSegments } from './recorders.ts';
import type { OpenVenue, VenueConfig } from './venue.ts';
import { liveVenue, openVenue } from './venue.ts';

export interface RecordDeps extends CommandDeps {
  readonly build: Build;
  /** Uniform in [0, 1): spreads reconnects and probes. */
  readonly random: () => number;
}

interface RecordConfig extends VenueConfig, SegmentsConfig {
  readonly output: string;
  /** Seconds; 0 is until stopped. */
  readonly duration: number;
  readonly log_level: string;
}

const SYNOPSIS = `shadow record [flags]

Records a live feed and does nothing else: no quotes, no metrics, no parsing. Every session gets a folder of its own, in which one segment
follows the other; what was lost is told at the end, and to whoever replays it. Needs no key.

  shadow record --symbols BTCUSDT,ETHUSDT --output recordings
  shadow run --replay recordings/bybit-20260101T000000Z --symbols BTCUSDT,ETHUSDT --iterations 0
`;

const PROGRESS_MS = 10_000;

/** `shadow record`: records until it is stopped or its time is over. Answers with the exit code: 3 where records were lost to the disk. */
export async function record(argv: readonly string[], deps: RecordDeps): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    deps.print(commandHelp('record', SYNOPSIS, RECORD_FLAGS));
    return EXIT.fine;
  }
  const reader = new FlagReader('record', RECORD_FLAGS, { ...deps, argv });
  const values = reader.values();
  reader.finish();
  const config = { ...values, depth: Number(values['depth']) } as unknown as RecordConfig;
  const exchange = EXCHANGES.get(config.exchange)!;
  const log = createLogger(config.log_level);
  makeOutput(config.output);
  const venue = liveVenue(config, exchange);
  let open: OpenVenue;
  try {
    open = await openVenue(venue, config, exchange, deps, log);
  } catch (error) {
    // Stopped by the user before there was anything to record is no failure.
    if (!deps.signal.aborted) throw error;
    deps.say(messageOf(error));
    return EXIT.fine;
  }
  // A book cannot be kept across a hole, and the exchange sends most books only once: without new ones the rest would be of little use.
  const books = open.subscriptions.filter(({ channel }) => channel !== exchange.tradeChannel);
  const onHole = (): void => books.forEach((subscription) => open.resync(subscription));
  const { folder, recorder } = openSegments(config.output, venue, open, config, deps, log, onHole);
  deps.say(`recording ${open.symbols.join(', ')} of ${exchange.id} to ${folder}`);
  const seconds = await carryOut(open, recorder, config, deps);
  const { totals } = recorder;
  deps.print(`${folder}: ${summary(totals, seconds)}`);
  return totals.dropped > 0 ? EXIT.io : EXIT.fine;
}

/** Before the exchange is asked for anything. */
function makeOutput(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new ShadowError('SHADOW_ERR_OUTPUT', `cannot record to ${folder}: ${messageOf(cause)}`, { cause });
  }
}

/** From the connection to the disk, and how many seconds it took; frames are not looked into. */
async function carryOut(
  open: OpenVenue,
  recorder: SegmentRecorder,
  { duration }: RecordConfig,
  { clock, say }: RecordDeps,
): Promise<number> {
  const startUs = clock.monoUs();
  let state: ConnectionState['state'] = 'connecting';
  const connection = open.connect((now) => (state = now.state));
  const endUs = duration > 0 ? startUs + duration * US_PER_S : Infinity;
  let last = recorder.totals;
  const progress = setInterval(() => {
    const { totals } = recorder;
    say(progressLine(last, totals, state));
    last = totals;
  }, PROGRESS_MS);
  try {
    for await (const records of connection) {
      recorder.write(records);
      if (clock.monoUs() >= endUs) open.close(); // What has been received still comes, and the end.
    }
  } finally {
    clearInterval(progress);
    open.close();
    await recorder.close({ receiveTimeUs: clock.wallUs(), monoUs: clock.monoUs() });
  }
  return (clock.monoUs() - startUs) / US_PER_S;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function progressLine(before: RecordedTotals, now: RecordedTotals, state: ConnectionState['state']): string {
  const perSecond = Math.round((now.frames - before.frames) / (PROGRESS_MS / 1_000));
  return `${now.frames} frames, ${megabytes(now.bytes)}, ${perSecond} frames/s, ${now.dropped} dropped, connection ${state}`;
}

function summary({ segments, frames, frameBytes, bytes, dropped }: RecordedTotals, seconds: number): string {
  const ratio = bytes === 0 ? 'n/a' : (frameBytes / bytes).toFixed(2);
  const counts = `${segments} segments, ${frames} frames, ${bytes} bytes, ${seconds.toFixed(1)} s`;
  return `${counts}, compression ${ratio}, ${dropped} dropped`;
}
