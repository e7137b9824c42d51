import type { Us } from '../units.ts';

/** So many messages in a row must prove an offset wrong: one wrong stamp proves nothing. A power of two. */
const WITNESSES = 16;

/**
 * Corrects an assumed offset (local − exchange; + is local ahead) that messages prove too high: none can arrive before it was sent. Receive − publish is at least
 * the offset; when the last 16 of them all are below the assumed one, the largest of them takes its place.
 */
export class OffsetBound {
  readonly #boundsUs = new Float64Array(WITNESSES);
  #seen = 0;

  record(receiveMinusPublishUs: Us): void {
    this.#boundsUs[this.#seen++ & (WITNESSES - 1)] = receiveMinusPublishUs;
  }

  /** The assumed offset, or what is left of it. */
  applied(assumedUs: Us): Us {
    if (this.#seen < WITNESSES) return assumedUs;
    let largestUs = -Infinity;
    for (let index = 0; index < WITNESSES; index++) {
      const boundUs = this.#boundsUs[index]!;
      if (boundUs >= assumedUs) return assumedUs;
      if (boundUs > largestUs) largestUs = boundUs;
    }
    return largestUs;
  }

  clear(): void {
    this.#seen = 0;
  }
}
