// Channels of fills → fills, in columns: there may be a hundred thousand.
import type { DataFrame, Field } from '@grafana/data';
import type { Channel } from './channels';
import { textColumn } from './channels';
import { numberOrNull, sortedOrder } from './lines';
import { isFillTable } from './roles';
import { inOrderOfTime } from './rows';

/** What a marker tells by shape and color. `unknown` is a fill without side or liquidity. */
export const KINDS = ['makerBuy', 'makerSell', 'taker', 'unknown'] as const;
export type Kind = (typeof KINDS)[number];

export const KIND_NAMES: Readonly<Record<Kind, string>> = {
  makerBuy: 'Maker buy',
  makerSell: 'Maker sell',
  taker: 'Taker',
  unknown: 'Fill',
};

/** One place where fills come from: a series of a side and liquidity, or a table. */
export interface FillSource {
  readonly frame: DataFrame;
  readonly price: Field;
}

export interface Fills {
  readonly sources: readonly FillSource[];
  /** Milliseconds since the epoch, ascending; may be fractional. Fills of one time stand in the order of their data. */
  readonly times: Float64Array;
  readonly prices: Float64Array;
  /** NaN: not known. */
  readonly sizes: Float64Array;
  /** Index into KINDS. */
  readonly kinds: Uint8Array;
  /** Index into `sources`, and row of its frame. */
  readonly source: Uint16Array;
  readonly row: Uint32Array;
}

export const NO_FILLS: Fills = columns([], 0);

/** A range query gives the last fill again at each of its steps, until five minutes have passed: fills that never happened. */
export const RESAMPLED =
  'Fills are not drawn: they come from a range query, which moves and repeats them. Query them as instant, over shadow_fill_price{…}[$__range].';

export function fillsOf(channels: readonly Channel[], notices: string[]): Fills {
  const prices = channels.filter(({ role }) => role === 'fillPrice');
  if (prices.some(isResampled)) {
    notices.push(RESAMPLED);
    return NO_FILLS;
  }
  const sizes = channels.filter(({ role }) => role === 'fillSize');
  const rows = prices.map(usableRows);
  const unusable = prices.reduce((sum, channel, source) => sum + lengthOf(channel) - rows[source]!.length, 0);
  if (unusable > 0) {
    notices.push(`${unusable} fills without time or price are left out.`);
  }
  const times = prices.map(({ time }, source) => Float64Array.from(rows[source]!, (row) => time.values[row] as number));
  const kindAt = prices.map(kindsOf);
  const sizeAt = prices.map((channel) => sizesOf(channel, sizes));
  const fills = columns(
    prices.map(({ frame, value }) => ({ frame, price: value })),
    rows.reduce((sum, { length }) => sum + length, 0)
  );
  inOrderOfTime(times, (source, index, place) => {
    const row = rows[source]![index]!;
    const ms = times[source]![index]!;
    fills.times[place] = ms;
    fills.prices[place] = prices[source]!.value.values[row] as number;
    fills.sizes[place] = sizeAt[source]!(row, ms) ?? NaN;
    fills.kinds[place] = kindAt[source]!(row);
    fills.source[place] = source;
    fills.row[place] = row;
  });
  return fills;
}

function columns(sources: readonly FillSource[], length: number): Fills {
  return {
    sources,
    times: new Float64Array(length),
    prices: new Float64Array(length),
    sizes: new Float64Array(length),
    kinds: new Uint8Array(length),
    source: new Uint16Array(length),
    row: new Uint32Array(length),
  };
}

const lengthOf = ({ time, value }: Channel): number => Math.min(time.values.length, value.values.length);

/** Rows with a time and a price, in order of time. */
function usableRows(channel: Channel): Uint32Array {
  const [times, values] = [channel.time.values, channel.value.values];
  const rows = new Uint32Array(lengthOf(channel));
  let count = 0;
  for (let row = 0; row < rows.length; row++) {
    if (numberOrNull(times[row]) !== null && numberOrNull(values[row]) !== null) {
      rows[count++] = row;
    }
  }
  const usable = rows.subarray(0, count);
  const order = sortedOrder(Float64Array.from(usable, (row) => times[row] as number));
  return order === undefined ? usable : order.map((index) => usable[index]!);
}

export function kindOf(side: unknown, liquidity: unknown): Kind {
  if (liquidity === 'taker') {
    return 'taker';
  }
  if (liquidity !== 'maker') {
    return 'unknown';
  }
  if (side === 'buy') {
    return 'makerBuy';
  }
  return side === 'sell' ? 'makerSell' : 'unknown';
}

function kindsOf({ frame, value }: Channel): (row: number) => number {
  if (!isFillTable(frame)) {
    const kind = KINDS.indexOf(kindOf(value.labels?.['side'], value.labels?.['liquidity']));
    return () => kind;
  }
  const [side, liquidity] = [textColumn(frame, 'side'), textColumn(frame, 'liquidity')];
  return (row) => KINDS.indexOf(kindOf(side?.values[row], liquidity?.values[row]));
}

/** The size of a fill stands beside its price in a table, and else in the series of the same labels at the same time. */
function sizesOf(price: Channel, sizes: readonly Channel[]): (row: number, ms: number) => number | null {
  const beside = sizes.find(({ frame }) => frame === price.frame);
  if (beside !== undefined) {
    return (row) => numberOrNull(beside.value.values[row]);
  }
  const key = labelKey(price.value);
  const same = sizes.find(({ value }) => labelKey(value) === key);
  if (same === undefined) {
    return () => null;
  }
  let byTime: Map<number, unknown> | undefined;
  return (row, ms) => {
    // Both series hold the same fills, unless one of two pushes was lost.
    if (same.time.values[row] === ms) {
      return numberOrNull(same.value.values[row]);
    }
    byTime ??= new Map(same.time.values.map((time: number, index) => [time, same.value.values[index]]));
    return numberOrNull(byTime.get(ms));
  };
}

const labelKey = ({ labels = {} }: Field): string =>
  JSON.stringify(
    Object.entries(labels)
      .filter(([name]) => name !== '__name__')
      .sort(([a], [b]) => (a < b ? -1 : 1))
  );

const GRID_LEAST = 5;
const GRID_LEAST_MS = 1_000;

/**
 * Grafana's Prometheus source tells its step with instant queries too, but only the samples of a range query lie on a grid of it (one
 * that may be shifted by a time zone). Where no step is told, by its look: on a grid of whole seconds, and mostly the same as before.
 */
function isResampled({ frame, time, value }: Channel): boolean {
  const times = time.values as readonly number[];
  if (isFillTable(frame) || times.length < 2) {
    return false;
  }
  const { interval } = time.config;
  if (interval !== undefined && interval !== null) {
    return onGrid(times, interval) && (times.length > 2 || times[0]! % interval === 0);
  }
  if (times.length < GRID_LEAST) {
    return false;
  }
  let step = Infinity;
  let repeated = 0;
  for (let row = 1; row < times.length; row++) {
    step = Math.min(step, times[row]! - times[row - 1]!);
    if (value.values[row] === value.values[row - 1]) {
      repeated++;
    }
  }
  return step >= GRID_LEAST_MS && repeated >= (times.length - 1) / 2 && onGrid(times, step);
}

const onGrid = (times: readonly number[], stepMs: number): boolean =>
  times.every((ms) => (ms - times[0]!) % stepMs === 0);
