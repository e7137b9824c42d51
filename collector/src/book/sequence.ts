/**
 * The sequence rule of a snapshot-and-delta channel, by update id `u`.
 *
 * Bybit v5, "Orderbook": "Once you have subscribed successfully, you will receive a snapshot. If you receive a new
 * snapshot message, you will have to reset your local orderbook. […] Occasionally, you'll receive "u"=1, which is a
 * snapshot data due to the restart of the service. So please overwrite your local orderbook."
 *
 *  1. a snapshot, or u = 1: overwrite, whatever came before;
 *  2. a delta before any snapshot, or after a gap: wait;
 *  3. u = last + 1: apply;
 *  4. u ≤ last: seen already (orderbook.1 repeats a quiet snapshot with its u about every 3 s): a sign of life, no gap;
 *  5. u > last + 1: something was lost.
 */
export type SequenceVerdict = 'overwrite' | 'apply' | 'duplicate' | 'wait' | 'gap';

export class SequenceRule {
  /** Update id of the last frame applied; undefined before a snapshot and after a gap. */
  #last: number | undefined;

  get synchronized(): boolean {
    return this.#last !== undefined;
  }

  judge(snapshot: boolean, sequence: number): SequenceVerdict {
    if (snapshot || sequence === 1) {
      const repeated = sequence === this.#last && sequence !== 1;
      this.#last = sequence;
      return repeated ? 'duplicate' : 'overwrite';
    }
    if (this.#last === undefined) return 'wait';
    if (sequence <= this.#last) return 'duplicate';
    if (sequence === this.#last + 1) {
      this.#last = sequence;
      return 'apply';
    }
    this.#last = undefined;
    return 'gap';
  }

  reset(): void {
    this.#last = undefined;
  }
}
