import { statSync } from 'node:fs';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { ShadowError } from '../errors.ts';
import type { Us } from '../units.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';
import type { Exchange, Subscription } from './exchange.ts';
import type { Lines, RecordingFile } from './recording-file.ts';
import { openFile, openLines } from './recording-file.ts';
import type { HttpBody, RecordingLine } from './recording-format.ts';
import { RECORDING_FORMAT } from './recording-format.ts';
import type { RawRecord } from './records.ts';
import { openSession } from './replay-segments.ts';
import { findSession } from './session-folder.ts';

/** A recording opened for replay: what is known before the first frame, and the records. */
export interface Replay {
  readonly subscriptions: readonly Subscription[];
  readonly instrumentBodies: readonly HttpBody[];
  /** What its maker wanted readers to know. */
  readonly notes: readonly string[];
  readonly records: AsyncIterable<readonly RawRecord[]>;
}

/** Wall clock of the part that is replayed: from its first record at or after `fromUs` to before the next at or after `toUs`. */
export interface ReplayRange {
  readonly fromUs: Us;
  readonly toUs: Us;
}

const ALL: ReplayRange = { fromUs: -Infinity, toUs: Infinity };

/** Records yielded at a time: large enough to make waking up cheap, small enough for signals and scrapes to get a turn. */
const BATCH = 512;

/**
 * Opens a recording: our own format, streamed, in a file or in the segments of a folder; or the cryptofeed sample format, whose connections
 * are stored one after the other and are sorted by their stamps here. Only what the exchange's adapter owns, by recorded address, is replayed.
 */
export async function openReplay(
  path: string,
  exchange: Exchange,
  onWarning: (message: string) => void,
  range = ALL,
): Promise<Replay> {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const replay = isFolder
    ? await openSession(findSession(path), exchange, onWarning, range.fromUs)
    : await openOneFile(path, exchange, onWarning);
  return range === ALL ? replay : { ...replay, records: within(replay.records, range) };
}

async function openOneFile(path: string, exchange: Exchange, onWarning: (message: string) => void): Promise<Replay> {
  const { first, lines } = await openLines(path);
  const { format } = first[0]!;
  if (format === 2) return openCryptofeed(path, first, lines, exchange, onWarning);
  if (format !== RECORDING_FORMAT) {
    throw new ShadowError(
      'SHADOW_ERR_INPUT',
      `expected format "${RECORDING_FORMAT}" or cryptofeed's 2 in ${path}, got ${JSON.stringify(format)}`,
    );
  }
  const { subscriptions, bodies, notes, records } = await openFile(path, { first, lines }, exchange);
  return { subscriptions, instrumentBodies: bodies, notes, records: untilEnd(path, records, onWarning) };
}

async function* untilEnd(
  path: string,
  records: RecordingFile['records'],
  onWarning: (message: string) => void,
): AsyncGenerator<readonly RawRecord[]> {
  const { trouble } = yield* records;
  if (trouble !== undefined) onWarning(`${path} ${trouble}`);
}

async function* within(
  records: AsyncIterable<readonly RawRecord[]>,
  { fromUs, toUs }: ReplayRange,
): AsyncGenerator<readonly RawRecord[]> {
  let begun = false;
  for await (const batch of records) {
    const start = begun ? 0 : batch.findIndex(({ receiveTimeUs }) => receiveTimeUs >= fromUs);
    if (start < 0) continue;
    begun = true;
    const end = batch.findIndex(({ receiveTimeUs }, index) => index >= start && receiveTimeUs >= toUs);
    const part = batch.slice(start, end < 0 ? undefined : end);
    if (part.length > 0) yield part;
    if (end >= 0) return;
  }
}

async function openCryptofeed(
  path: string,
  first: readonly RecordingLine[],
  lines: Lines,
  exchange: Exchange,
  onWarning: (message: string) => void,
): Promise<Replay> {
  const subscriptions: Subscription[] = [];
  const instrumentBodies: HttpBody[] = [];
  const records: RawRecord[] = [];
  const owned = new Set<unknown>();
  const take = (line: RecordingLine): void => {
    if (line.t === 'http' && exchange.ownsInstruments(String(line.url)))
      instrumentBodies.push({ url: String(line.url), body: String(line.data) });
    if (line.t === 'connect' && exchange.ownsAddress(String(line.addr))) owned.add(line.conn);
    if (line.t === 'http' || !owned.has(line.conn)) return;
    if (line.t === 'send') subscriptions.push(...exchange.subscriptionsOf(String(line.data)));
    else records.push(...cryptofeedRecord(line));
  };
  first.forEach(take);
  let next = await lines.next();
  for (; next.done !== true; next = await lines.next()) next.value.forEach(take);
  if (next.value.kind !== 'whole') onWarning(`${path} is cut off or damaged; read up to there`);
  if (records.length === 0) {
    throw new ShadowError('SHADOW_ERR_INPUT', `${path} holds no connection of --exchange ${exchange.id}`);
  }
  // Sorting is stable: frames of one connection with equal stamps keep their order.
  records.sort((a, b) => a.monoUs - b.monoUs);
  return { subscriptions, instrumentBodies, notes: [], records: batches(records) };
}

/** cryptofeed stamps local unix seconds, with microseconds; it has no monotonic clock, so the wall clock serves as both. */
function cryptofeedRecord(line: RecordingLine): RawRecord[] {
  if (typeof line.ts !== 'number') return [];
  const stampUs = Math.round(line.ts * US_PER_S);
  const stamps = { receiveTimeUs: stampUs, monoUs: stampUs, connectionId: String(line.conn) };
  if (line.t === 'recv') return [{ type: 'receive', frame: Buffer.from(String(line.data)), ...stamps }];
  return line.t === 'connect' ? [{ type: 'connect', url: String(line.addr), ...stamps }] : [];
}

async function* batches(records: readonly RawRecord[]): AsyncGenerator<readonly RawRecord[]> {
  for (let start = 0; start < records.length; start += BATCH) {
    yield await Promise.resolve(records.slice(start, start + BATCH));
  }
}

/** As fast as it can be read. */
export async function* unpaced(records: AsyncIterable<readonly RawRecord[]>): AsyncGenerator<readonly RawRecord[]> {
  for await (const batch of records) {
    yield batch;
    await setImmediate(); // Between two batches everything else that waits gets a turn.
  }
}

/** At the speed of the recording: a record comes out when as much time has passed as between it and the first. */
export async function* paced(
  records: AsyncIterable<readonly RawRecord[]>,
  monoUs: () => number,
  signal: AbortSignal,
): AsyncGenerator<readonly RawRecord[]> {
  let offsetUs: number | undefined;
  for await (const batch of records) {
    for (let start = 0; start < batch.length && !signal.aborted;) {
      offsetUs ??= monoUs() - batch[start]!.monoUs;
      const dueUs = monoUs() - offsetUs;
      let end = start;
      while (end < batch.length && batch[end]!.monoUs <= dueUs) end++;
      if (end > start) yield batch.slice(start, end);
      start = end;
      if (start < batch.length)
        await setTimeout((batch[start]!.monoUs - dueUs) / US_PER_MS, undefined, { signal }).catch(() => undefined); // Stopped.
    }
  }
}
