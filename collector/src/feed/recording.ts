import { createReadStream, createWriteStream, openSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { constants, createBrotliCompress, createBrotliDecompress, createGunzip } from 'node:zlib';
import type { BrotliCompress } from 'node:zlib';
import { messageOf, ShadowError } from '../errors.ts';
import type { ReceiveStamps } from '../events.ts';
import { PROBE_RESULTS } from '../events.ts';
import type { Us } from '../units.ts';
import type { Subscription } from './exchange.ts';
import type { RawRecord } from './records.ts';

/**
 * Our own recording: JSON lines, compressed (written as `.br`; `.gz` and plain ones are read too), one header and then what happened, in order. Frames are
 * kept as the bytes they were: text, or base64 (`b`) where they are no UTF-8.
 *
 *   {"t":"header","format":"shadow-recording","version":1,"exchange":"bybit","subscriptions":[["BTCUSDT","orderbook.50"],…],"notes":[]}
 *   {"t":"http","url":"https://…","data":"<body>"}
 *   {"t":"connect","c":"1","w":1786310819526357,"m":8123456,"url":"wss://…"}
 *   {"t":"recv","c":"1","w":1786310819526357,"m":8123456,"d":"<frame>"}         w wall µs, m monotonic µs
 *   {"t":"probe","w":…,"m":…,"r":"ok","o":8123400,"a":8123456,"s":1786310819500123}    o, a monotonic µs when asked and answered, s the server's time, µs
 *   {"t":"disconnect","c":"1","w":…,"m":…,"reason":"…"}    {"t":"overflow",…}    {"t":"end","w":…,"m":…}
 */
export const RECORDING_FORMAT = 'shadow-recording';
export const RECORDING_VERSION = 1;

export interface RecordingHeader {
  readonly exchange: string;
  readonly subscriptions: readonly Subscription[];
  /** Where the frames came from, if not from the exchange itself; the artifacts of a replay repeat it. */
  readonly notes: readonly string[];
  /** Made in virtual time: the same records are to give the same bytes, so nothing may depend on when they were written. */
  readonly virtual?: true;
}

export interface HttpBody {
  readonly url: string;
  readonly body: string;
}

const FLUSH_INTERVAL_MS = 1_000;
/** Compressed bytes waiting for the disk; beyond it records are dropped and counted, and the run goes on. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

/** A writer with less than this under way may be given more. */
const READY_BELOW_BYTES = 1024 * 1024;

/**
 * Appends records to a compressed file, and makes what it has readable every second. A disk that fails or cannot keep up costs
 * records, which are counted, never the run.
 */
export class RecordingWriter {
  readonly #compress: BrotliCompress;
  readonly #file: WriteStream;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onError: (error: Error) => void;
  #failed = false;
  #ended = false;
  #closing: Promise<void> | undefined;
  #dirty = false;
  droppedRecords = 0;

  /** Throws SHADOW_ERR_OUTPUT where the file exists or cannot be made, SHADOW_ERR_USAGE where its name does not end in .br. */
  constructor(path: string, header: RecordingHeader, onError: (error: Error) => void) {
    this.#onError = onError;
    this.#compress = createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });
    this.#file = createWriteStream('', { fd: createNew(path) });
    this.#file.on('error', (error) => this.#fail(error));
    this.#compress.on('error', (error) => this.#fail(error));
    this.#compress.pipe(this.#file);
    if (header.virtual !== true) this.#timer = setInterval(() => this.#flush(), FLUSH_INTERVAL_MS).unref();
    const subscriptions = header.subscriptions.map(({ symbol, channel }) => [symbol, channel]);
    this.#line({
      t: 'header',
      format: RECORDING_FORMAT,
      version: RECORDING_VERSION,
      exchange: header.exchange,
      subscriptions,
      notes: header.notes,
    });
  }

  http(body: HttpBody): void {
    this.#line({ t: 'http', url: body.url, data: body.body });
  }

  write(records: readonly RawRecord[]): void {
    let text = '';
    let count = 0;
    for (const record of records) {
      if (record.type === 'tick') continue;
      if (record.type === 'end') this.#ended = true;
      text += `${JSON.stringify(lineOf(record))}\n`;
      count++;
    }
    if (count > 0) this.#append(text, count);
  }

  /** Resolves when the disk has kept up; for whoever makes records faster than a feed does. */
  async ready(): Promise<void> {
    if (this.#failed || this.#compress.writableLength < READY_BELOW_BYTES) return;
    await new Promise<void>((resolve) => this.#compress.write('', () => resolve())); // Called back on failure too.
  }

  /** Ends the recording with an `end` record unless it has one, and waits until it is on disk, or until that has failed. */
  async close(end: ReceiveStamps): Promise<void> {
    this.#closing ??= this.#close(end);
    return this.#closing;
  }

  async #close({ receiveTimeUs, monoUs }: ReceiveStamps): Promise<void> {
    clearInterval(this.#timer);
    if (!this.#ended) this.#line(lineOf({ type: 'end', receiveTimeUs, monoUs }));
    if (this.#failed) return;
    await new Promise<void>((resolve) => {
      this.#file.once('close', resolve);
      this.#compress.end();
    });
  }

  #line(line: object): void {
    this.#append(`${JSON.stringify(line)}\n`, 1);
  }

  #append(text: string, records: number): void {
    if (this.#failed || this.#compress.writableLength + this.#file.writableLength > MAX_PENDING_BYTES) {
      this.droppedRecords += records;
      return;
    }
    this.#compress.write(text);
    this.#dirty = true;
  }

  #flush(): void {
    if (!this.#dirty || this.#failed) return;
    this.#dirty = false;
    this.#compress.flush();
  }

  #fail(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    clearInterval(this.#timer);
    this.#file.destroy();
    this.#compress.destroy();
    this.#onError(error);
  }
}

function createNew(path: string): number {
  if (!path.endsWith('.br')) {
    throw new ShadowError('SHADOW_ERR_USAGE', `a recording is compressed: expected a name ending in .br, got ${path}`);
  }
  try {
    return openSync(path, 'wx');
  } catch (cause) {
    throw new ShadowError('SHADOW_ERR_OUTPUT', `cannot make the recording ${path}: ${messageOf(cause)}`, { cause });
  }
}

function lineOf(record: RawRecord): object {
  const { receiveTimeUs: w, monoUs: m } = record;
  switch (record.type) {
    case 'receive': {
      const text = record.frame.toString('utf8');
      const exact = Buffer.from(text, 'utf8').equals(record.frame);
      return exact
        ? { t: 'recv', c: record.connectionId, w, m, d: text }
        : { t: 'recv', c: record.connectionId, w, m, b: record.frame.toString('base64') };
    }
    case 'connect':
      return { t: 'connect', c: record.connectionId, w, m, url: record.url };
    case 'disconnect':
      return { t: 'disconnect', c: record.connectionId, w, m, reason: record.reason };
    case 'overflow':
      return { t: 'overflow', c: record.connectionId, w, m };
    case 'probe':
      return {
        t: 'probe',
        w,
        m,
        r: record.result,
        o: record.sentMonoUs,
        a: record.answeredMonoUs,
        s: record.serverTimeUs,
      };
    case 'tick':
    case 'end':
      return { t: record.type, w, m };
  }
}

/** One line of a recording, ours or of the cryptofeed sample format (see replay.ts). */
export interface RecordingLine {
  readonly t?: unknown;
  readonly format?: unknown;
  readonly version?: unknown;
  readonly exchange?: unknown;
  readonly subscriptions?: unknown;
  readonly notes?: unknown;
  readonly url?: unknown;
  readonly data?: unknown;
  readonly c?: unknown;
  readonly w?: unknown;
  readonly m?: unknown;
  readonly d?: unknown;
  readonly b?: unknown;
  readonly reason?: unknown;
  readonly r?: unknown;
  readonly o?: unknown;
  readonly a?: unknown;
  readonly s?: unknown;
  readonly conn?: unknown;
  readonly ts?: unknown;
  readonly addr?: unknown;
}

/**
 * The lines of a recording, decompressed by the file's name. A compressed file that was cut off (the recorder was killed) gives what can
 * be read and reports it. Throws ShadowError where the file cannot be opened or a line is no JSON.
 */
export async function* readLines(path: string, onTruncated: (message: string) => void): AsyncGenerator<RecordingLine> {
  const handle = await open(path).catch((cause: unknown) => {
    throw readError(path, cause);
  });
  const source = createReadStream('', { fd: handle });
  let number = 0;
  const lines = createInterface({ input: decompress(source, path), crlfDelay: Infinity });
  try {
    for await (const line of lines) {
      number++;
      if (line === '') continue;
      const parsed = parseLine(line);
      if (parsed === undefined) {
        if (number > 1) {
          onTruncated(`${path} ends in the middle of line ${number}, or is damaged there; read up to it`);
          return;
        }
        const came = JSON.stringify(line.slice(0, 80));
        throw new ShadowError('SHADOW_ERR_INPUT', `expected JSON lines in ${path}, got ${came}`);
      }
      yield parsed;
    }
  } catch (cause) {
    if (cause instanceof ShadowError || number === 0) throw readError(path, cause);
    onTruncated(`${path} is damaged behind line ${number} (${messageOf(cause)}); read up to it`);
  }
}

const readError = (path: string, cause: unknown): ShadowError =>
  cause instanceof ShadowError
    ? cause
    : new ShadowError('SHADOW_ERR_INPUT', `cannot read the recording ${path}: ${messageOf(cause)}`, { cause });

/** A file that was cut off is no error here: what is there comes out, and its last line shows the cut. */
function decompress(source: Readable, path: string): Readable {
  if (path.endsWith('.br')) {
    return source.pipe(createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH }));
  }
  return path.endsWith('.gz') ? source.pipe(createGunzip({ finishFlush: constants.Z_SYNC_FLUSH })) : source;
}

function parseLine(line: string): RecordingLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined; // The caller says which line, and what becomes of it.
  }
}

/** A record of our own format, or undefined for a line that is none. */
export function recordOf(line: RecordingLine): RawRecord | undefined {
  const { w, m } = line;
  if (typeof w !== 'number' || typeof m !== 'number') return undefined;
  const stamps: { receiveTimeUs: Us; monoUs: Us } = { receiveTimeUs: w, monoUs: m };
  const connectionId = String(line.c);
  switch (line.t) {
    case 'recv': {
      const frame = typeof line.d === 'string' ? Buffer.from(line.d) : Buffer.from(String(line.b), 'base64');
      return { type: 'receive', connectionId, frame, ...stamps };
    }
    case 'connect':
      return { type: 'connect', connectionId, url: String(line.url), ...stamps };
    case 'disconnect':
      return { type: 'disconnect', connectionId, reason: String(line.reason), ...stamps };
    case 'overflow':
      return { type: 'overflow', connectionId, ...stamps };
    case 'probe':
      return probeOf(line, stamps);
    case 'end':
      return { type: 'end', ...stamps };
    default:
      return undefined;
  }
}

/** Undefined where the line does not hold what a probe of its result has. */
function probeOf({ r, o, a, s }: RecordingLine, stamps: ReceiveStamps): RawRecord | undefined {
  const result = PROBE_RESULTS.find((each) => each === r);
  const isStamp = (value: unknown): value is Us => Number.isSafeInteger(value);
  if (result === undefined || !isStamp(o)) return undefined;
  if (result !== 'ok') {
    return { type: 'probe', result, sentMonoUs: o, answeredMonoUs: undefined, serverTimeUs: undefined, ...stamps };
  }
  if (!isStamp(a) || !isStamp(s) || a < o) return undefined;
  return { type: 'probe', result, sentMonoUs: o, answeredMonoUs: a, serverTimeUs: s, ...stamps };
}
