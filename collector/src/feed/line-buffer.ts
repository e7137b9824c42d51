import { isUtf8 } from 'node:buffer';
import { FrameHead } from './frame-head.ts';
import { recordLine } from './recording-format.ts';
import type { RawRecord } from './records.ts';

/** Handed over at a time: a thread is woken up for each. */
const CHUNK_BYTES = 256 * 1024;

const LINE_FEED = 0x0a;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** Chunks kept to be filled again: new memory is not free. */
const SPARE_CHUNKS = 4;

/** Lines of a recording as bytes, in big chunks. A frame is copied into its line and not looked into. */
export class LineBuffer {
  readonly #onFull: (chunk: Buffer) => void;
  readonly #spare: Buffer[] = [];
  #chunk: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #length = 0;
  readonly #head = new FrameHead();

  constructor(onFull: (chunk: Buffer) => void) {
    this.#onFull = onFull;
  }

  /** Bytes not handed over yet. */
  get length(): number {
    return this.#length;
  }

  record(record: RawRecord): void {
    if (record.type === 'receive' && standsAsItCame(record.frame) && this.#head.set(record)) this.#frame(record.frame);
    else this.text(recordLine(record));
  }

  /** A line of JSON. */
  text(line: string): void {
    const bytes = Buffer.from(line);
    this.#reserve(bytes.length + 1);
    this.#length += bytes.copy(this.#chunk, this.#length);
    this.#chunk[this.#length++] = LINE_FEED;
  }

  handOver(): void {
    if (this.#length === 0) return;
    const chunk = this.#chunk.subarray(0, this.#length);
    this.#chunk = this.#spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
    this.#length = 0;
    this.#onFull(chunk);
  }

  /** Takes back a chunk that nobody reads any more. */
  recycle({ buffer }: Buffer): void {
    if (buffer.byteLength === CHUNK_BYTES && this.#spare.length < SPARE_CHUNKS) this.#spare.push(Buffer.from(buffer));
  }

  #frame(frame: Buffer): void {
    const head = this.#head.bytes;
    this.#reserve(head.length + frame.length + 2);
    const chunk = this.#chunk;
    let at = this.#length;
    chunk.set(head, at);
    at += head.length;
    chunk.set(frame, at);
    at += frame.length;
    chunk[at++] = CLOSING_BRACE;
    chunk[at++] = LINE_FEED;
    this.#length = at;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#chunk.length) return;
    this.handOver();
    if (bytes > this.#chunk.length) this.#chunk = Buffer.allocUnsafeSlow(bytes);
  }
}

/** Whether the bytes can stand in a line and be found there again: see recording-format.ts. */
const standsAsItCame = (frame: Buffer): boolean =>
  frame.length >= 2 &&
  frame[0] === OPENING_BRACE &&
  frame[frame.length - 1] === CLOSING_BRACE &&
  isUtf8(frame) &&
  !frame.includes(LINE_FEED);
