import { isUtf8 } from 'node:buffer';
import { recordLine } from './recording-format.ts';
import type { RawRecord } from './records.ts';

/** Handed over at a time: a thread is woken up for each. */
const CHUNK_BYTES = 256 * 1024;

const LINE_FEED = 0x0a;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** Lines of a recording as bytes, in big chunks. A frame is copied into its line and not looked into. */
export class LineBuffer {
  readonly #onFull: (chunk: Buffer) => void;
  #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #length = 0;
  #head = Buffer.alloc(0);
  #headOf: RawRecord & { readonly type: 'receive' } = NO_FRAME;

  constructor(onFull: (chunk: Buffer) => void) {
    this.#onFull = onFull;
  }

  /** Bytes not handed over yet. */
  get length(): number {
    return this.#length;
  }

  record(record: RawRecord): void {
    if (record.type === 'receive' && standsAsItCame(record)) this.#frame(record);
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
    this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    this.#length = 0;
    this.#onFull(chunk);
  }

  #frame(record: RawRecord & { readonly type: 'receive' }): void {
    const { connectionId: c, receiveTimeUs: w, monoUs: m, frame } = record;
    // The frames of one chunk of the socket have one stamp.
    const before = this.#headOf;
    if (before.monoUs !== m || before.receiveTimeUs !== w || before.connectionId !== c) {
      this.#head = Buffer.from(`{"t":"recv","c":"${c}","w":${w},"m":${m},"f":`, 'latin1');
      this.#headOf = record;
    }
    this.#reserve(this.#head.length + frame.length + 2);
    const chunk = this.#chunk;
    let at = this.#length;
    chunk.set(this.#head, at);
    at += this.#head.length;
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

const NO_FRAME = {
  type: 'receive',
  connectionId: '',
  frame: Buffer.alloc(0),
  receiveTimeUs: NaN,
  monoUs: NaN,
} as const;

/** Whether the bytes can stand in a line and be found there again: see recording-format.ts. */
const standsAsItCame = ({ frame, connectionId }: RawRecord & { readonly type: 'receive' }): boolean =>
  frame.length >= 2 &&
  frame[0] === OPENING_BRACE &&
  frame[frame.length - 1] === CLOSING_BRACE &&
  isUtf8(frame) &&
  !frame.includes(LINE_FEED) &&
  PLAIN_ID.test(connectionId);

const PLAIN_ID = /^\w{1,32}$/;
