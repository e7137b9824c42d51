import { bybitLinear } from '../../collector/src/feed/bybit.ts';
import type { RawRecord } from '../../collector/src/feed/records.ts';
import type { ReplayRange } from '../../collector/src/feed/replay.ts';
import { openReplay } from '../../collector/src/feed/replay.ts';
import type { SegmentOptions } from '../../collector/src/feed/segment-recorder.ts';
import { SegmentRecorder } from '../../collector/src/feed/segment-recorder.ts';

export interface Read {
  readonly records: readonly RawRecord[];
  readonly warnings: readonly string[];
  readonly urls: readonly string[];
}

export async function readRecording(path: string, range?: ReplayRange): Promise<Read> {
  const warnings: string[] = [];
  const replay = await openReplay(path, bybitLinear, (message) => warnings.push(message), range);
  const records: RawRecord[] = [];
  for await (const batch of replay.records) records.push(...batch);
  return { records, warnings, urls: replay.instrumentBodies.map(({ url }) => url) };
}

/** Second `index` of a recording, in both clocks. */
export const stampsAt = (index: number): { receiveTimeUs: number; monoUs: number } => ({
  receiveTimeUs: 1_767_225_600_000_000 + index * 1_000_000,
  monoUs: 50 + index * 1_000_000,
});

export const frameAt = (index: number, frame: string | Buffer = `{"index":${index}}`): RawRecord => ({
  type: 'receive',
  connectionId: '1',
  frame: Buffer.from(frame),
  ...stampsAt(index),
});

export const SUBSCRIPTIONS = [{ symbol: 'A', channel: 'orderbook.50' }];

/** A recorder of segments in that folder, ten seconds each unless told otherwise. */
export const segmentRecorder = (folder: string, options: Partial<SegmentOptions> = {}): SegmentRecorder =>
  new SegmentRecorder({
    folder,
    header: { exchange: 'bybit', subscriptions: SUBSCRIPTIONS, notes: [], session: 'one' },
    bodies: [{ url: 'http://instruments', body: '{}' }],
    started: stampsAt(0),
    segmentUs: 10_000_000,
    segmentBytes: Infinity,
    onFailure: (error) => {
      throw error;
    },
    onRecovery: () => undefined,
    ...options,
  });
