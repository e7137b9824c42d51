// Columns with times of their own → one order of time, and one table with a row for each event, as uPlot draws it.
import type { AlignedData } from 'uplot';

export interface TimedColumn {
  readonly times: ArrayLike<number>;
  readonly values: ArrayLike<number | null>;
}

export interface Rows {
  /** undefined: this row is not of this column. null: from here on not known. */
  readonly data: AlignedData;
  /** Rows of a column's samples, by the number of the column. */
  readonly rowsOf: readonly Uint32Array[];
}

/** Times of each column are ascending. Events of one time keep a row each, in the order of the columns. */
export function mergeRows(columns: readonly TimedColumn[]): Rows {
  const length = columns.reduce((sum, { times }) => sum + times.length, 0);
  const x = new Array<number>(length);
  const values = columns.map(() => new Array<number | null | undefined>(length).fill(undefined));
  const rowsOf = columns.map(({ times }) => new Uint32Array(times.length));
  inOrderOfTime(
    columns.map(({ times }) => times),
    (column, index, row) => {
      x[row] = columns[column]!.times[index]!;
      values[column]![row] = columns[column]!.values[index];
      rowsOf[column]![index] = row;
    }
  );
  return { data: [x, ...values] as AlignedData, rowsOf };
}

/** Visits the entries of ascending lists in ascending order, equal ones in the order of the lists. There are few lists, and many entries. */
export function inOrderOfTime(
  lists: ReadonlyArray<ArrayLike<number>>,
  visit: (list: number, index: number, place: number) => void
): void {
  const next = new Uint32Array(lists.length);
  const heads = Float64Array.from(lists, (times) => times[0] ?? Infinity);
  const length = lists.reduce((sum, times) => sum + times.length, 0);
  for (let place = 0; place < length; place++) {
    let list = 0;
    for (let other = 1; other < heads.length; other++) {
      if (heads[other]! < heads[list]!) {
        list = other;
      }
    }
    const index = next[list]!++;
    heads[list] = lists[list]![index + 1] ?? Infinity;
    visit(list, index, place);
  }
}
