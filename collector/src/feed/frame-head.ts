import { US_PER_S } from '../units.ts';
import type { RawRecord } from './records.ts';

type Frame = RawRecord & { readonly type: 'receive' };

const ZERO = 0x30;
const LOW_DIGITS = 6;
const PLAIN_ID = /^\w{1,32}$/;

/**
 * What stands in a line before a frame. Printing two long numbers for every frame costs as much as keeping the frame: within a second of both
 * clocks only their last six digits are written anew.
 */
export class FrameHead {
  /** Of the last frame; valid until the next. */
  bytes: Buffer = Buffer.alloc(0);
  #connectionId = '';
  #wallS = NaN;
  #monoS = NaN;
  #wallUs = NaN;
  #monoUs = NaN;
  #wallDigitsAt = 0;
  #monoDigitsAt = 0;

  /** False for a connection whose name would have to be escaped, and for stamps of the first second and before. */
  set({ connectionId, receiveTimeUs: wallUs, monoUs }: Frame): boolean {
    // Frames of one chunk of the socket have one stamp.
    if (wallUs === this.#wallUs && monoUs === this.#monoUs && connectionId === this.#connectionId) return true;
    if (!Number.isSafeInteger(wallUs) || !Number.isSafeInteger(monoUs)) return false;
    const [wallS, monoS] = [Math.floor(wallUs / US_PER_S), Math.floor(monoUs / US_PER_S)];
    if (wallS !== this.#wallS || monoS !== this.#monoS || connectionId !== this.#connectionId) {
      if (wallS < 1 || monoS < 1 || !PLAIN_ID.test(connectionId)) return false;
      this.#print(connectionId, wallS, monoS);
    }
    this.#wallUs = wallUs;
    this.#monoUs = monoUs;
    this.#digits(wallUs - wallS * US_PER_S, this.#wallDigitsAt);
    this.#digits(monoUs - monoS * US_PER_S, this.#monoDigitsAt);
    return true;
  }

  #print(connectionId: string, wallS: number, monoS: number): void {
    this.#connectionId = connectionId;
    this.#wallS = wallS;
    this.#monoS = monoS;
    const wall = `{"t":"recv","c":"${connectionId}","w":${wallS}`;
    const mono = `,"m":${monoS}`;
    const digits = '0'.repeat(LOW_DIGITS);
    this.bytes = Buffer.from(`${wall}${digits}${mono}${digits},"f":`, 'latin1');
    this.#wallDigitsAt = wall.length;
    this.#monoDigitsAt = wall.length + LOW_DIGITS + mono.length;
  }

  #digits(value: number, at: number): void {
    let rest = value;
    for (let index = at + LOW_DIGITS - 1; index >= at; index--) {
      const tens = Math.trunc(rest / 10);
      this.bytes[index] = ZERO + rest - tens * 10;
      rest = tens;
    }
  }
}
