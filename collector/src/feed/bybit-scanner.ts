import type { Grid } from '../events.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const DOT = 0x2e;
const ZERO = 0x30;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;
const MAX_DIGITS = 15;

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

const TOPIC = bytesOf('{"topic":"');
const TYPE = bytesOf('"type":"');
const SNAPSHOT = bytesOf('snapshot"');
const DELTA = bytesOf('delta"');
const TS = bytesOf('"ts":');
const DATA = bytesOf(',"data":{"s":"');
const BIDS = bytesOf(',"b":');
const ASKS = bytesOf(',"a":');
const UPDATE = bytesOf(',"u":');
const SEQ = bytesOf(',"seq":');
const CTS = bytesOf('},"cts":');
const END = bytesOf('}');

/**
 * Reads order-book frames in the exact layout Bybit sends, straight from the bytes: prices and sizes to integers on the grid, no text
 * and no object in between. As JSON most of a frame's work is these levels.
 *
 * Strict: any other layout, and any value that is not plainly good, is answered with false, and the frame goes the long way by
 * JSON.parse, which gives the same event or says what is wrong. The two are proved equal by a differential test.
 *
 *   {"topic":"T","type":"delta","ts":N,"data":{"s":"S","b":[["P","Q"],…],"a":[…],"u":N,"seq":N},"cts":N}     linear
 *   {"topic":"T","ts":N,"type":"delta","data":{…},"cts":N}                                                  spot
 */
export class BookFrameScanner {
  snapshot = false;
  ts = 0;
  cts = 0;
  sequence = 0;
  bids: number[] = [];
  asks: number[] = [];
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;

  /** The topic of a frame that begins with one; undefined otherwise. To be called before `read`. */
  topic(frame: Buffer): string | undefined {
    this.#bytes = frame;
    this.#at = 0;
    if (!this.#expect(TOPIC)) return undefined;
    const from = this.#at;
    return this.#text() ? frame.toString('latin1', from, this.#at - 1) : undefined;
  }

  /** The rest of the frame, into the fields. False leaves them undefined in value. */
  read(tick: Grid, lot: Grid, maxLevels: number): boolean {
    if (!this.#comma() || !this.#head() || !this.#expect(DATA) || !this.#text()) return false;
    if (!this.#expect(BIDS) || !this.#levels((this.bids = []), tick, lot, maxLevels)) return false;
    if (!this.#expect(ASKS) || !this.#levels((this.asks = []), tick, lot, maxLevels)) return false;
    if (!this.#expect(UPDATE) || (this.sequence = this.#integer()) < 0) return false;
    if (!this.#expect(SEQ) || this.#integer() < 0) return false;
    if (!this.#expect(CTS) || (this.cts = this.#integer()) < 0) return false;
    return this.#expect(END) && this.#at === this.#bytes.length;
  }

  /** `"type":"…","ts":N` in either order. */
  #head(): boolean {
    if (this.#expect(TS))
      return (this.ts = this.#integer()) >= 0 && this.#comma() && this.#expect(TYPE) && this.#type();
    return this.#expect(TYPE) && this.#type() && this.#comma() && this.#expect(TS) && (this.ts = this.#integer()) >= 0;
  }

  #type(): boolean {
    this.snapshot = this.#expect(SNAPSHOT);
    return this.snapshot || this.#expect(DELTA);
  }

  #expect(literal: Uint8Array): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    for (let index = 0; index < literal.length; index++) if (bytes[at + index] !== literal[index]) return false;
    this.#at = at + literal.length;
    return true;
  }

  #comma(): boolean {
    return this.#bytes[this.#at++] === COMMA;
  }

  /** Up to and over the closing quote of a text without escapes. */
  #text(): boolean {
    for (;;) {
      const byte = this.#bytes[this.#at++];
      if (byte === QUOTE) return true;
      if (byte === undefined || byte < FIRST_PRINTABLE || byte > LAST_PRINTABLE || byte === BACKSLASH) return false;
    }
  }

  /** A JSON integer without sign; −1 for anything else. */
  #integer(): number {
    const bytes = this.#bytes;
    const from = this.#at;
    let value = 0;
    let at = from;
    for (; ; at++) {
      const digit = bytes[at]! - ZERO;
      // Not a number, at the end of the bytes, is neither.
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    this.#at = at;
    const length = at - from;
    return length === 0 || length > MAX_DIGITS || (length > 1 && bytes[from] === ZERO) ? -1 : value;
  }

  #levels(levels: number[], tick: Grid, lot: Grid, maxLevels: number): boolean {
    const bytes = this.#bytes;
    if (bytes[this.#at] !== OPEN) return false;
    if (bytes[++this.#at] === CLOSE) {
      this.#at++;
      return true;
    }
    while (levels.length < 2 * maxLevels) {
      if (bytes[this.#at] !== OPEN || bytes[this.#at + 1] !== QUOTE) return false;
      const ticks = this.#decimal(this.#at + 2, tick);
      if (ticks <= 0 || bytes[this.#at] !== COMMA || bytes[this.#at + 1] !== QUOTE) return false;
      const lots = this.#decimal(this.#at + 2, lot);
      if (lots < 0 || bytes[this.#at] !== CLOSE) return false;
      levels.push(ticks, lots);
      const next = bytes[this.#at + 1];
      this.#at += 2;
      if (next === CLOSE) return true;
      if (next !== COMMA) return false;
    }
    return false;
  }

  /** A decimal up to and over its closing quote, in steps of the grid; −1 where it is no such decimal. */
  #decimal(from: number, grid: Grid): number {
    const bytes = this.#bytes;
    let units = 0;
    let decimals = -1;
    let at = from;
    for (; ; at++) {
      const byte = bytes[at]!;
      const digit = byte - ZERO;
      if (digit >= 0 && digit <= 9) {
        if (decimals < grid.decimals) {
          units = units * 10 + digit;
          if (decimals >= 0) decimals++;
        } else if (digit !== 0) return -1;
      } else if (byte === DOT && decimals < 0) decimals = 0;
      else if (byte === QUOTE) break;
      else return -1;
    }
    this.#at = at + 1;
    const length = at - from;
    if (length === 0 || length > MAX_DIGITS || (length === 1 && decimals === 0)) return -1;
    for (let place = Math.max(0, decimals); place < grid.decimals; place++) units *= 10;
    if (units > Number.MAX_SAFE_INTEGER) return -1;
    return grid.step === 1 ? units : units % grid.step === 0 ? units / grid.step : -1;
  }
}
