import type { Us } from '../units.ts';

/**
 * The clock offset the simulation assumes (local − exchange; + is local ahead) until an estimator has measured one: 0,
 * unless a message proves the local clock behind. A message cannot arrive before it was sent, so offset ≤ receive − publish.
 */
export class OffsetBound {
  #offsetUs: Us = 0;

  get offsetUs(): Us {
    return this.#offsetUs;
  }

  record(receiveMinusPublishUs: Us): void {
    if (receiveMinusPublishUs < this.#offsetUs) this.#offsetUs = receiveMinusPublishUs;
  }
}
