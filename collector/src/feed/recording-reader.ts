import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip } from 'node:zlib';
import { messageOf, ShadowError } from '../errors.ts';
import type { RecordingLine } from './recording-format.ts';

/** How the bytes of a file ended: as lines do, within a line, or where they make no sense any more. */
export type FileEnd =
  | { readonly kind: 'whole' }
  | { readonly kind: 'cut' }
  | { readonly kind: 'damaged'; readonly line: number; readonly reason: string };

/** Decompressed at a time. */
const CHUNK_BYTES = 128 * 1024;
/** A line longer than this is none of ours: a frame has a mebibyte at most. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const LINE_FEED = 0x0a;

/**
 * The lines of a recording, by the chunk, decompressed by the file's name. A compressed file that was cut off (the recorder was killed) gives
 * what can be read, and how it ended. Throws ShadowError where the file cannot be opened or its first line is no JSON.
 */
export async function* readLines(path: string): AsyncGenerator<readonly RecordingLine[], FileEnd> {
  const handle = await open(path).catch((cause: unknown) => {
    throw readError(path, cause);
  });
  const source = createReadStream('', { fd: handle, highWaterMark: CHUNK_BYTES });
  const parser = new LineParser(path);
  try {
    for await (const chunk of decompress(source, path)) {
      const lines = parser.push(chunk as Buffer);
      if (lines.length > 0) yield lines;
      if (parser.damage !== undefined) return parser.damage;
    }
  } catch (cause) {
    if (cause instanceof ShadowError || parser.lines === 0) throw readError(path, cause);
    return { kind: 'damaged', line: parser.lines, reason: messageOf(cause) };
  }
  const rest = parser.rest();
  if (rest !== 'cut' && rest !== undefined) yield [rest];
  return { kind: rest === 'cut' ? 'cut' : 'whole' };
}

const readError = (path: string, cause: unknown): ShadowError =>
  cause instanceof ShadowError
    ? cause
    : new ShadowError('SHADOW_ERR_INPUT', `cannot read the recording ${path}: ${messageOf(cause)}`, { cause });

/** A file that was cut off is no error here: what is there comes out, and its last line shows the cut. */
function decompress(source: Readable, path: string): Readable {
  const ignore = (): void => undefined; // Whoever reads gets the error too.
  if (path.endsWith('.br')) {
    const flush = { finishFlush: constants.BROTLI_OPERATION_FLUSH, chunkSize: CHUNK_BYTES };
    return pipeline(source, createBrotliDecompress(flush), ignore);
  }
  const flush = { finishFlush: constants.Z_SYNC_FLUSH, chunkSize: CHUNK_BYTES };
  return path.endsWith('.gz') ? pipeline(source, createGunzip(flush), ignore) : source;
}

/** Bytes to lines. Only a line feed ends a line: a frame may hold any other kind of line break. */
class LineParser {
  readonly #path: string;
  #rest: Buffer = Buffer.alloc(0);
  #head = '';
  #headFields: RecordingLine = {};
  /** Lines so far. */
  lines = 0;
  damage: (FileEnd & { kind: 'damaged' }) | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  push(chunk: Buffer): RecordingLine[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const found: RecordingLine[] = [];
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      const line = bytes.subarray(start, end);
      start = end + 1;
      this.lines++;
      if (line.length === 0) continue;
      const parsed = this.#frameLine(line) ?? jsonLine(line);
      if (parsed === undefined) {
        this.#notJson(line);
        return found;
      }
      found.push(parsed);
    }
    this.#rest = bytes.subarray(start);
    if (this.#rest.length > MAX_LINE_BYTES) {
      this.damage = { kind: 'damaged', line: this.lines, reason: 'the next line has no end' };
    }
    return found;
  }

  /** What stands behind the last line feed. Only JSON that is whole is certainly not cut; of a frame as it came nobody can tell. */
  rest(): RecordingLine | 'cut' | undefined {
    const line = this.#rest;
    if (line.length === 0) return undefined;
    const parsed = line.subarray(0, HEAD_BYTES).includes(FRAME_KEY) ? undefined : jsonLine(line);
    this.lines++;
    if (parsed === undefined && this.lines === 1) this.#notJson(line);
    return parsed ?? 'cut';
  }

  /** A frame that stands in its line as it came; undefined for any other line. */
  #frameLine(line: Buffer): RecordingLine | undefined {
    const keyAt = line.subarray(0, HEAD_BYTES).indexOf(FRAME_KEY);
    if (keyAt < 0) return undefined;
    const head = line.toString('latin1', 0, keyAt);
    if (head !== this.#head) {
      const match = HEAD.exec(head);
      if (match === null) return undefined;
      this.#head = head;
      this.#headFields = { t: 'recv', c: match[1], w: Number(match[2]), m: Number(match[3]) };
    }
    const { t, c, w, m } = this.#headFields;
    return { t, c, w, m, f: line.subarray(keyAt + FRAME_KEY.length, -1) };
  }

  #notJson(line: Buffer): void {
    if (this.lines === 1) {
      const came = JSON.stringify(line.toString('utf8', 0, 80));
      throw new ShadowError('SHADOW_ERR_INPUT', `expected JSON lines in ${this.#path}, got ${came}`);
    }
    this.damage = { kind: 'damaged', line: this.lines - 1, reason: 'the next line is no JSON' };
  }
}

const FRAME_KEY = Buffer.from(',"f":');
/** The key of a frame lies within so many bytes. */
const HEAD_BYTES = 128;
const HEAD = /^\{"t":"recv","c":"(\w+)","w":(-?\d+),"m":(-?\d+)$/;

function jsonLine(line: Buffer): RecordingLine | undefined {
  try {
    const value: unknown = JSON.parse(line.toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined; // The caller says which line, and what becomes of it.
  }
}
