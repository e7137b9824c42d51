import type { Us } from '../units.ts';

/** So many messages in a row must prove the local clock behind: one wrong stamp proves nothing. */
const WITNESSES = 16;

/**
 * The clock offset the simulation assumes (local − exchange; + is local ahead) until an estimator has measured one: 0, unless messages
 * prove the local clock behind. A message cannot arrive before it was sent, so offset ≤ receive − publish; when that has been
 * negative for the last 16 messages, the largest of them is taken. It comes back to 0 with the first that is not.
 */
export class OffsetBound {
  readonly #delaysUs = new Float64Array(WITNESSES);
  #negatives = 0;
  #offsetUs: Us = 0;

  get offsetUs(): Us {
    return this.#offsetUs;
  }

  record(receiveMinusPublishUs: Us): void {
    if (receiveMinusPublishUs >= 0) {
      this.#negatives = 0;
      this.#offsetUs = 0;
      return;
    }
    this.#delaysUs[this.#negatives++ % WITNESSES] = receiveMinusPublishUs;
    if (this.#negatives >= WITNESSES) this.#offsetUs = Math.max(...this.#delaysUs);
  }
}
