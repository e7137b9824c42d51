import type { RunConfig } from '../config.ts';
import { messageOf } from '../errors.ts';
import type { RecordingHeader } from '../feed/recording-format.ts';
import type { Recorder } from '../feed/recording-writer.ts';
import { RecordingWriter } from '../feed/recording-writer.ts';
import { SegmentRecorder } from '../feed/segment-recorder.ts';
import { makeSessionFolder, startStamp } from '../feed/session-folder.ts';
import type { Logger } from '../log.ts';
import { US_PER_S } from '../units.ts';
import type { RunDeps } from './run.ts';
import type { OpenVenue, Venue } from './venue.ts';

export interface SegmentsConfig {
  readonly exchange: string;
  readonly segment_s: number;
  readonly segment_mb: number;
}

type RecorderDeps = Pick<RunDeps, 'clock' | 'random' | 'build'>;

const BYTES_PER_MB = 1024 * 1024;

/** What `--record` asks for: a file by its ending, else a session of its own in that folder. Undefined where it is not wanted. */
export function openRecorder(
  venue: Venue,
  open: OpenVenue,
  config: RunConfig,
  deps: RecorderDeps,
  log: Logger,
): Recorder | undefined {
  const { record: path } = config;
  if (path === undefined) return undefined;
  if (!path.endsWith('.br')) return openSegments(path, venue, open, config, deps, log).recorder;
  const writer = new RecordingWriter(path, headerOf(venue, open, config, deps), (error) =>
    log.error({ path, reason: error.message }, 'recording stopped; the run goes on without it'),
  );
  for (const body of open.bodies) writer.http(body);
  return writer;
}

/** A new session in a folder, and its recorder. Throws SHADOW_ERR_OUTPUT where it cannot be made. */
export function openSegments(
  parent: string,
  venue: Venue,
  open: OpenVenue,
  config: SegmentsConfig,
  deps: RecorderDeps,
  log: Logger,
  onHole: () => void = () => undefined,
): { folder: string; recorder: SegmentRecorder } {
  const header = headerOf(venue, open, config, deps);
  const folder = makeSessionFolder(parent, config.exchange, header.started.receiveTimeUs);
  const suffix = Math.floor(deps.random() * 0x1000000).toString(16);
  const session = `${startStamp(header.started.receiveTimeUs)}-${suffix.padStart(6, '0')}`;
  const recorder = new SegmentRecorder({
    folder,
    header: { ...header, session },
    bodies: open.bodies,
    started: header.started,
    segmentUs: config.segment_s * US_PER_S,
    segmentBytes: config.segment_mb * BYTES_PER_MB,
    onFailure: (error, path) =>
      log.error({ path, reason: messageOf(error) }, 'cannot record; trying a new segment every ten seconds'),
    onRecovery: (path, droppedRecords) => {
      log.warn({ path, droppedRecords }, 'recording again, behind a hole');
      onHole();
    },
  });
  log.info({ folder }, 'recording');
  return { folder, recorder };
}

function headerOf(
  { notes }: Venue,
  { subscriptions }: OpenVenue,
  { exchange }: Pick<RunConfig, 'exchange'>,
  { clock, build }: RecorderDeps,
): RecordingHeader & Required<Pick<RecordingHeader, 'started'>> {
  const started = { receiveTimeUs: clock.wallUs(), monoUs: clock.monoUs() };
  return { exchange, subscriptions, notes, build, started };
}
