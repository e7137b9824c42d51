import type { LiveSamples } from '../../../schema/types.gen.js';

export const COLUMNS = [
  'times_ms',
  'bid',
  'ask',
  'quote_buy',
  'quote_sell',
  'drift_ms',
  'offset_ms',
  'uncertainty_ms',
  'latency_ms',
] as const satisfies readonly (keyof LiveSamples)[];
type Column = (typeof COLUMNS)[number];

/** One row; what is not known is undefined. */
export type Sample = Readonly<Record<Column, number | undefined>> & { readonly times_ms: number };

const WIDTH = COLUMNS.length;

/** The last samples, numbered from 0 in the order they came. NaN stands for what was not known: a row is 72 bytes side by side, and no object. */
export class SampleRing {
  readonly #capacity: number;
  #rows: Float64Array | undefined;
  /** Number of the first that is kept. */
  first = 0;
  /** Number of the next. */
  end = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(sample: Sample): void {
    if (this.end - this.first === this.#capacity) this.first++;
    // A symbol that never trades costs nothing.
    this.#rows ??= new Float64Array(this.#capacity * WIDTH);
    let at = this.#at(this.end++);
    for (const column of COLUMNS) this.#rows[at++] = sample[column] ?? NaN;
  }

  /** Gives up those before a time. */
  dropBefore(timeMs: number): void {
    while (this.first < this.end && this.#timeMs(this.first) < timeMs) this.first++;
  }

  /** Gives up those at a time and after it; their numbers are given again. Answers whether there were any. */
  dropFrom(timeMs: number): boolean {
    const { end } = this;
    while (this.first < this.end && this.#timeMs(this.end - 1) >= timeMs) this.end--;
    return this.end < end;
  }

  /** Those of a number and behind it. */
  from(number: number): LiveSamples {
    const values = COLUMNS.map((column, index) => [column, this.#values(index, number)]);
    return Object.fromEntries(values) as LiveSamples;
  }

  #at(number: number): number {
    return (number % this.#capacity) * WIDTH;
  }

  /** It is the first of a row. */
  #timeMs(number: number): number {
    return this.#rows![this.#at(number)]!;
  }

  #values(column: number, from: number): (number | null)[] {
    const values: (number | null)[] = [];
    for (let number = from; number < this.end; number++) {
      const value = this.#rows![this.#at(number) + column]!;
      values.push(Number.isNaN(value) ? null : value);
    }
    return values;
  }
}
