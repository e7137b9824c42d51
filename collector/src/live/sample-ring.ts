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

/** The last samples, numbered from 0 in the order they came. NaN stands for what was not known: a row costs 72 bytes and no object. */
export class SampleRing {
  readonly #capacity: number;
  #columns: Readonly<Record<Column, Float64Array>> | undefined;
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
    this.#columns ??= emptyColumns(this.#capacity);
    const at = this.end++ % this.#capacity;
    for (const column of COLUMNS) this.#columns[column][at] = sample[column] ?? NaN;
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
    const values = COLUMNS.map((column) => [column, this.#values(column, number)]);
    return Object.fromEntries(values) as LiveSamples;
  }

  #timeMs(number: number): number {
    return this.#columns!.times_ms[number % this.#capacity]!;
  }

  #values(column: Column, from: number): (number | null)[] {
    const values: (number | null)[] = [];
    for (let number = from; number < this.end; number++) {
      const value = this.#columns![column][number % this.#capacity]!;
      values.push(Number.isNaN(value) ? null : value);
    }
    return values;
  }
}

const emptyColumns = (capacity: number): Record<Column, Float64Array> =>
  Object.fromEntries(COLUMNS.map((column) => [column, new Float64Array(capacity)])) as Record<Column, Float64Array>;
