import type { Rank } from '../book/reorder.ts';
import type { Us } from '../units.ts';

export interface Timer<T> {
  readonly timeUs: Us;
  readonly rank: Rank;
  readonly sequence: number;
  readonly task: T;
}

/** Timers by (time, rank, order of scheduling): a binary heap, the root the earliest. */
export class TimerQueue<T> {
  readonly #heap: Timer<T>[] = [];
  #scheduled = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** Time of the earliest timer; Infinity when there is none. */
  get nextTimeUs(): Us {
    return this.#heap.length === 0 ? Infinity : this.#heap[0]!.timeUs;
  }

  get nextRank(): Rank | undefined {
    return this.#heap[0]?.rank;
  }

  schedule(timeUs: Us, rank: Rank, task: T): void {
    const heap = this.#heap;
    const timer: Timer<T> = { timeUs, rank, sequence: this.#scheduled++, task };
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
  }

  pop(): Timer<T> | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

const isBefore = <T>(a: Timer<T>, b: Timer<T>): boolean =>
  a.timeUs !== b.timeUs ? a.timeUs < b.timeUs : a.rank !== b.rank ? a.rank < b.rank : a.sequence < b.sequence;
