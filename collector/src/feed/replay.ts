import { setImmediate, setTimeout } from 'node:timers/promises';
import { ShadowError } from '../errors.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';
import type { Exchange, Subscription } from './exchange.ts';
import type { HttpBody, RecordingLine } from './recording.ts';
import { readLines, RECORDING_FORMAT, RECORDING_VERSION, recordOf } from './recording.ts';
import type { RawRecord } from './records.ts';

/** A recording opened for replay: what is known before the first frame, and the records. */
export interface Replay {
  readonly subscriptions: readonly Subscription[];
  readonly instrumentBodies: readonly HttpBody[];
  /** What its maker wanted readers to know. */
  readonly notes: readonly string[];
  readonly records: AsyncIterable<readonly RawRecord[]>;
}

/** Records yielded at a time: large enough to make waking up cheap, small enough for signals and scrapes to get a turn. */
const BATCH = 512;

/**
 * Opens a recording: our own format, streamed; or the cryptofeed sample format, whose connections are stored one after the other
 * and are sorted by their stamps here. Only what the exchange's adapter owns, by recorded address, is replayed.
 */
export async function openReplay(
  path: string,
  exchange: Exchange,
  onTruncated: (message: string) => void,
): Promise<Replay> {
  const lines = readLines(path, onTruncated);
  const first = await lines.next();
  if (first.done === true) throw new ShadowError('SHADOW_ERR_INPUT', `the recording ${path} is empty`);
  const header = first.value;
  if (header.t !== 'header') {
    throw new ShadowError(
      'SHADOW_ERR_INPUT',
      `expected a header in the first line of ${path}, got t = ${JSON.stringify(header.t)}`,
    );
  }
  if (header.format === RECORDING_FORMAT) return openOwn(path, header, lines, exchange);
  if (header.format === 2) return openCryptofeed(path, lines, exchange);
  throw new ShadowError(
    'SHADOW_ERR_INPUT',
    `expected format "${RECORDING_FORMAT}" or cryptofeed's 2 in ${path}, got ${JSON.stringify(header.format)}`,
  );
}

async function openOwn(
  path: string,
  header: RecordingLine,
  lines: AsyncGenerator<RecordingLine>,
  exchange: Exchange,
): Promise<Replay> {
  if (header.version !== RECORDING_VERSION) {
    const came = JSON.stringify(header.version);
    throw new ShadowError(
      'SHADOW_ERR_INPUT',
      `expected recording version ${RECORDING_VERSION} in ${path}, got ${came}`,
    );
  }
  if (header.exchange !== exchange.id) {
    const hint = `--exchange ${String(header.exchange)}`;
    throw new ShadowError('SHADOW_ERR_USAGE', `${path} was recorded with ${hint}, not --exchange ${exchange.id}`);
  }
  const instrumentBodies: HttpBody[] = [];
  let pending: RawRecord | undefined;
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
    if (line.value.t === 'http') {
      instrumentBodies.push({ url: String(line.value.url), body: String(line.value.data) });
      continue;
    }
    pending = recordOf(line.value);
    break;
  }
  const pairs = Array.isArray(header.subscriptions) ? (header.subscriptions as readonly unknown[]) : [];
  const subscriptions = pairs.map((pair) => {
    const [symbol, channel] = pair as readonly [unknown, unknown];
    return { symbol: String(symbol), channel: String(channel) };
  });
  // Older recordings have none.
  const notes = Array.isArray(header.notes) ? header.notes.map(String) : [];
  return { subscriptions, instrumentBodies, notes, records: ownRecords(pending, lines) };
}

async function* ownRecords(
  pending: RawRecord | undefined,
  lines: AsyncGenerator<RecordingLine>,
): AsyncGenerator<readonly RawRecord[]> {
  let batch: RawRecord[] = pending === undefined ? [] : [pending];
  for await (const line of lines) {
    const record = recordOf(line);
    if (record === undefined) continue;
    batch.push(record);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function openCryptofeed(path: string, lines: AsyncGenerator<RecordingLine>, exchange: Exchange): Promise<Replay> {
  const subscriptions: Subscription[] = [];
  const instrumentBodies: HttpBody[] = [];
  const records: RawRecord[] = [];
  const owned = new Set<unknown>();
  for await (const line of lines) {
    if (line.t === 'http') {
      if (exchange.ownsInstruments(String(line.url)))
        instrumentBodies.push({ url: String(line.url), body: String(line.data) });
      continue;
    }
    if (line.t === 'connect' && exchange.ownsAddress(String(line.addr))) owned.add(line.conn);
    if (!owned.has(line.conn)) continue;
    if (line.t === 'send') subscriptions.push(...exchange.subscriptionsOf(String(line.data)));
    else records.push(...cryptofeedRecord(line));
  }
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
