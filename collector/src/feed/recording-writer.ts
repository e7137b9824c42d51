import { createWriteStream, openSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { constants, createBrotliCompress } from 'node:zlib';
import type { BrotliCompress } from 'node:zlib';
import { messageOf, ShadowError } from '../errors.ts';
import type { ReceiveStamps } from '../events.ts';
import { LineBuffer } from './line-buffer.ts';
import type { HttpBody, RecordingHeader } from './recording-format.ts';
import { headerLine, httpLine, overflowBefore, recordLine, rotateLine } from './recording-format.ts';
import type { RawRecord } from './records.ts';

/** Where records are kept: one file, or one segment after the other. */
export interface Recorder {
  /** Records that are not on disk and will not be. */
  readonly droppedRecords: number;
  write(records: readonly RawRecord[]): void;
  /** Ends the recording with an `end` record unless it has one, and waits until it is on disk, or until that has failed. */
  close(end: ReceiveStamps): Promise<void>;
}

export interface WriterOptions {
  readonly maxPendingBytes?: number;
  /** Bytes that wait elsewhere and count against the same limit. */
  readonly alsoPending?: () => number;
  /** Records before the first of this file were lost. */
  readonly afterLoss?: boolean;
}

/** Shorter than the second that a killed recorder may lose: compressing and writing take their time too. */
const FLUSH_INTERVAL_MS = 750;
/** Bytes waiting for the compressor and the disk; beyond it records are dropped and counted until half of it is left, and the run goes on. */
export const MAX_PENDING_BYTES = 64 * 1024 * 1024;
/** A writer with less than this under way may be given more. */
const READY_BELOW_BYTES = 1024 * 1024;

/** A window of 256 KiB costs a hundredth of the ratio against one of 4 MiB, and a tenth less time; large pieces spare the kernel new pages. */
const COMPRESSION = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 18 },
  chunkSize: 256 * 1024,
};

/**
 * Appends records to a compressed file, and makes what it has readable within a second. A disk that fails or cannot keep up costs
 * records, which are counted, never the run; behind a hole stands an `overflow`.
 */
export class RecordingWriter implements Recorder {
  readonly #compress: BrotliCompress;
  readonly #file: WriteStream;
  readonly #lines: LineBuffer;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onError: (error: Error) => void;
  readonly #maxPendingBytes: number;
  readonly #alsoPending: () => number;
  /** After so many bytes on disk so many records are. */
  readonly #flushed: { readonly bytes: number; readonly records: number }[] = [];
  #failed = false;
  #ended = false;
  #full = false;
  #lost: boolean;
  #dirty = false;
  #closing: Promise<void> | undefined;
  #safeRecords = 0;
  #onProgress: (() => void) | undefined;
  droppedRecords = 0;
  /** How often records were missing before one that was taken. */
  holes = 0;
  records = 0;
  frames = 0;
  /** Of the frames, as they came. */
  frameBytes = 0;
  /** Compressed so far, and of these on disk. */
  bytes = 0;
  bytesOnDisk = 0;
  first: ReceiveStamps | undefined;
  last: ReceiveStamps | undefined;
  /** The latest wall clock: `last` may lie before it, behind a step. */
  latestUs = -Infinity;

  /** Throws SHADOW_ERR_OUTPUT where the file exists or cannot be made, SHADOW_ERR_USAGE where its name does not end in .br. */
  constructor(path: string, header: RecordingHeader, onError: (error: Error) => void, options: WriterOptions = {}) {
    this.#onError = onError;
    this.#maxPendingBytes = options.maxPendingBytes ?? MAX_PENDING_BYTES;
    this.#alsoPending = options.alsoPending ?? (() => 0);
    this.#lost = options.afterLoss === true;
    this.#file = createWriteStream('', { fd: createNew(path) });
    this.#compress = createBrotliCompress(COMPRESSION);
    this.#lines = new LineBuffer((chunk) => {
      this.#compress.write(chunk, () => {
        this.#lines.recycle(chunk);
        this.#onProgress?.();
      });
      this.#full = this.#isFull();
    });
    for (const stream of [this.#file, this.#compress]) stream.on('error', (error: Error) => this.#fail(error));
    this.#compress.on('data', (chunk: Buffer) => this.#toDisk(chunk));
    this.#compress.on('end', () => this.#file.end());
    if (header.virtual !== true) this.#timer = setInterval(() => this.#flush(), FLUSH_INTERVAL_MS).unref();
    this.#lines.text(headerLine(header));
  }

  get failed(): boolean {
    return this.#failed;
  }

  get pendingBytes(): number {
    return this.#lines.length + this.#compress.writableLength + this.#file.writableLength;
  }

  http(body: HttpBody): void {
    this.#lines.text(httpLine(body));
  }

  write(records: readonly RawRecord[]): void {
    this.#full = this.#isFull();
    for (const record of records) if (record.type !== 'tick') this.#write(record);
  }

  /** Resolves when the disk has kept up; for whoever makes records faster than a feed does. */
  async ready(): Promise<void> {
    while (!this.#failed && this.pendingBytes >= READY_BELOW_BYTES) {
      await new Promise<void>((resolve) => (this.#onProgress = resolve));
    }
  }

  async close(end: ReceiveStamps): Promise<void> {
    this.#closing ??= this.#close(() => {
      if (this.#ended) return;
      const record: RawRecord = { type: 'end', ...end };
      if (this.#lost) this.#lines.record(overflowBefore(record));
      this.#lines.text(recordLine(record));
    });
    return this.#closing;
  }

  /** Ends the file as one that another follows, and waits like `close`. */
  async rotate(stamps: ReceiveStamps, next: number): Promise<void> {
    this.#closing ??= this.#close(() => {
      if (this.#lost) this.#lines.record(overflowBefore({ type: 'end', ...stamps }));
      this.#lines.text(rotateLine(stamps, next));
    });
    return this.#closing;
  }

  async #close(putLastLine: () => void): Promise<void> {
    clearInterval(this.#timer);
    if (this.#failed) return;
    putLastLine();
    this.#lines.handOver();
    await new Promise<void>((resolve) => {
      this.#file.once('close', resolve);
      this.#compress.end();
    });
  }

  #write(record: RawRecord): void {
    if (this.#failed || this.#full) {
      this.droppedRecords++;
      this.#lost = true;
      return;
    }
    if (this.#lost) {
      this.#lost = false;
      this.holes++;
      if (record.type !== 'overflow') this.#lines.record(overflowBefore(record));
    }
    this.#lines.record(record);
    this.#dirty = true;
    this.records++;
    if (record.type === 'end') this.#ended = true;
    if (record.type === 'receive') {
      this.frames++;
      this.frameBytes += record.frame.length;
    }
    this.first ??= record;
    this.last = record;
    if (record.receiveTimeUs > this.latestUs) this.latestUs = record.receiveTimeUs;
  }

  #isFull(): boolean {
    const limit = this.#full ? this.#maxPendingBytes / 2 : this.#maxPendingBytes;
    return this.pendingBytes + this.#alsoPending() > limit;
  }

  #flush(): void {
    if (!this.#dirty || this.#failed) return;
    this.#dirty = false;
    this.#lines.handOver();
    const { records } = this;
    this.#compress.flush(() => {
      this.#flushed.push({ bytes: this.bytes, records });
      this.#settle();
    });
  }

  #toDisk(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.#file.write(chunk, (error) => {
      if (error !== null && error !== undefined) return;
      this.bytesOnDisk += chunk.length;
      this.#settle();
      this.#onProgress?.();
    });
  }

  #settle(): void {
    while (this.#flushed.length > 0 && this.#flushed[0]!.bytes <= this.bytesOnDisk) {
      this.#safeRecords = this.#flushed.shift()!.records;
    }
  }

  #fail(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    this.droppedRecords += this.records - this.#safeRecords;
    clearInterval(this.#timer);
    this.#file.destroy();
    this.#compress.destroy();
    this.#onProgress?.();
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
