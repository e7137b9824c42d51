// A picture → the two tables that are plotted, and what hover and keyboard need to find their way in them.
import type { AlignedData } from 'uplot';
import type { Fills } from './fills';
import { KINDS } from './fills';
import type { Picture } from './frames';
import type { Line } from './lines';
import { largestSize } from './markers';
import type { Part } from './palette';
import type { CLOCK_LINES } from './roles';
import { BOOK_LINES } from './roles';
import { mergeRows } from './rows';

/** Series of the book pane behind its time, in the order they are drawn; markers lie on top. */
export const BOOK_SERIES = [...BOOK_LINES, 'fills'] as const;
export const FILLS_SERIES = BOOK_SERIES.indexOf('fills') + 1;

/** Series of the clock pane: the band of the offset is drawn between `offsetHigh` and `offsetLow`. */
export const CLOCK_SERIES = ['offsetHigh', 'offsetLow', 'offset', 'drift', 'latency'] as const;

export interface Scene {
  readonly picture: Picture;
  readonly book: AlignedData;
  readonly clock: AlignedData;
  /** Row in `book` of each fill. */
  readonly fillRows: Uint32Array;
  /** By index into KINDS. */
  readonly shown: readonly boolean[];
  readonly largestSize: number;
}

export function sceneOf(picture: Picture, hidden: ReadonlySet<Part>, withFills: boolean): Scene {
  const shown = KINDS.map((kind) => withFills && !hidden.has(kind));
  const { fills, lines } = picture;
  const book = mergeRows([
    ...BOOK_LINES.map((role) => columnOf(lines[role])),
    { times: fills.times, values: prices(fills, shown) },
  ]);
  const { high, low } = bandOf(lines.offset, lines.uncertainty);
  const clock = mergeRows([high, low, columnOf(lines.offset), columnOf(lines.drift), columnOf(lines.latency)]);
  return {
    picture,
    book: book.data,
    clock: clock.data,
    fillRows: book.rowsOf[FILLS_SERIES - 1]!,
    shown,
    largestSize: largestSize(fills),
  };
}

/** The parts that have anything to show, in the order of the legend. */
export function partsOf(
  { lines, fills }: Picture,
  show: { readonly quotes: boolean; readonly fills: boolean; readonly clock: boolean }
): Part[] {
  const book = (show.quotes ? BOOK_LINES : BOOK_LINES.slice(0, 2)).filter((role) => lines[role] !== undefined);
  const kinds = show.fills ? KINDS.filter((_, kind) => fills.kinds.includes(kind)) : [];
  const clock: ReadonlyArray<Exclude<(typeof CLOCK_LINES)[number], 'uncertainty'>> = ['drift', 'offset', 'latency'];
  return [...book, ...kinds, ...(show.clock ? clock.filter((role) => lines[role] !== undefined) : [])];
}

const NOTHING = { times: [], values: [] };

const columnOf = (line: Line | undefined): { times: readonly number[]; values: ReadonlyArray<number | null> } =>
  line ?? NOTHING;

/** What is hidden is no part of the axis either. */
function prices({ prices: all, kinds }: Fills, shown: readonly boolean[]): ArrayLike<number | null> {
  if (shown.every(Boolean)) {
    return all;
  }
  return Array.from(all, (price, index) => (shown[kinds[index]!] ? price : null));
}

interface Band {
  readonly times: readonly number[];
  readonly values: ReadonlyArray<number | null>;
}

/** Offset ± uncertainty where both are known at one time; the offset's own line goes on where its uncertainty is not. */
function bandOf(offset: Line | undefined, uncertainty: Line | undefined): { high: Band; low: Band } {
  if (offset === undefined || uncertainty === undefined) {
    return { high: NOTHING, low: NOTHING };
  }
  const widths = new Map(uncertainty.times.map((ms, index) => [ms, uncertainty.values[index] ?? null]));
  const edge = (sign: 1 | -1): Band => ({
    times: offset.times,
    values: offset.values.map((value, index) => {
      const width = widths.get(offset.times[index]!) ?? null;
      return value === null || width === null ? null : value + sign * width;
    }),
  });
  return { high: edge(1), low: edge(-1) };
}
