import type { Us } from '../units.ts';

/** So many messages in a row must prove an offset wrong: one wrong stamp proves nothing. */
const WITNESSES = 16;

/**
 * Corrects an assumed offset (local − exchange; + is local ahead) that messages prove too high: none can arrive before it was sent, by clocks made equal. When the last 16
 * all did, the correction is the largest, that is the least negative, of their latencies. It goes back to 0 with the first that did not.
 */
export class OffsetBound {
  readonly #latenciesUs = new Float64Array(WITNESSES);
  #negatives = 0;
  #correctionUs: Us = 0;

  /** To be added to the assumed offset; never above 0. */
  get correctionUs(): Us {
    return this.#correctionUs;
  }

  /** `latencyUs`: receive − publish − assumed offset. */
  record(latencyUs: Us): void {
    if (latencyUs >= 0) {
      this.#negatives = 0;
      this.#correctionUs = 0;
      return;
    }
    this.#latenciesUs[this.#negatives++ % WITNESSES] = latencyUs;
    if (this.#negatives >= WITNESSES) this.#correctionUs = Math.max(...this.#latenciesUs);
  }
}
