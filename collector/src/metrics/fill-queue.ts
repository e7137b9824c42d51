import type { DrivingFill } from './fill-series.ts';

/** A ring of so many fills at most. A full one gives up its oldest: a receiver refuses what is old, and who looks, looks at now. */
export class FillQueue {
  readonly #ring: DrivingFill[] = [];
  readonly #limit: number;
  #head = 0;
  #size = 0;
  /** Fills given up because the queue was full. */
  dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  push(fill: DrivingFill): void {
    this.#ring[(this.#head + this.#size) % this.#limit] = fill;
    if (this.#size < this.#limit) this.#size++;
    else {
      this.#head = (this.#head + 1) % this.#limit;
      this.dropped++;
    }
  }

  /** Takes out the oldest ones, in order. */
  take(count: number): DrivingFill[] {
    const taken = Math.min(count, this.#size);
    const fills = Array.from({ length: taken }, (_, index) => this.#ring[(this.#head + index) % this.#limit]!);
    this.#head = (this.#head + taken) % this.#limit;
    this.#size -= taken;
    return fills;
  }
}
