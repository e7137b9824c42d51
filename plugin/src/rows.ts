// Lines and fills with times of their own → one table with a row for each event, as uPlot draws it.
import type { AlignedData } from 'uplot';

/** undefined: this row is not of this column. null: from here on not known. */
type Column = Array<number | null | undefined>;

export interface TimedColumn {
  readonly times: ArrayLike<number>;
  readonly values: ArrayLike<number | null>;
}

export interface Rows {
  readonly data: AlignedData;
  /** Rows of a column's samples, by the number of the column. */
  readonly rowsOf: readonly Uint32Array[];
}

/** Times of each column are ascending. Events of one time keep a row each, in the order of the columns. */
export function mergeRows(columns: readonly TimedColumn[]): Rows {
  const length = columns.reduce((sum, { times }) => sum + times.length, 0);
  const x = new Array<number>(length);
  const values = columns.map(() => new Array<number | null | undefined>(length).fill(undefined) as Column);
  const rowsOf = columns.map(({ times }) => new Uint32Array(times.length));
  const next = new Uint32Array(columns.length);
  for (let row = 0; row < length; row++) {
    const column = earliest(columns, next);
    const index = next[column]!++;
    x[row] = columns[column]!.times[index]!;
    values[column]![row] = columns[column]!.values[index];
    rowsOf[column]![index] = row;
  }
  return { data: [x, ...values] as AlignedData, rowsOf };
}

function earliest(columns: readonly TimedColumn[], next: Uint32Array): number {
  let best = -1;
  let bestMs = Infinity;
  for (let column = 0; column < columns.length; column++) {
    const { times } = columns[column]!;
    const index = next[column]!;
    if (index < times.length && (best < 0 || times[index]! < bestMs)) {
      best = column;
      bestMs = times[index]!;
    }
  }
  return best;
}
