import type { TradeEvent } from '../events.ts';

/** Frames remembered; one that comes twice comes soon after itself. */
const REMEMBERED = 16;

/**
 * Tells trade frames that came before: trades have no sequence that a book has, and a print that is taken twice would consume a queue twice. A
 * frame is known by the id of its first trade. One whose trades have no ids is never taken for another.
 */
export class TradeFrames {
  readonly #firstIds: string[] = [];
  #next = 0;
  #repeating = false;

  /** To be asked of every trade in the order of arrival. */
  repeats({ index, tradeId }: TradeEvent): boolean {
    if (index > 0) return this.#repeating;
    this.#repeating = tradeId !== '' && this.#firstIds.includes(tradeId);
    if (!this.#repeating && tradeId !== '') {
      this.#firstIds[this.#next] = tradeId;
      this.#next = (this.#next + 1) % REMEMBERED;
    }
    return this.#repeating;
  }
}
