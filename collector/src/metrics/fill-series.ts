import { publishedFill } from '../artifacts/window-fills.ts';
import type { Instrument } from '../events.ts';
import type { VirtualFill } from '../fills/shadow-quote.ts';
import type { Ms } from '../units.ts';
import { US_PER_MS } from '../units.ts';
import type { PUSHED } from './catalog.ts';

/** A fill of the driving model, as it waits to be pushed. */
export interface DrivingFill {
  readonly instrument: Instrument;
  readonly fill: VirtualFill;
}

/** Price and size. */
export const SAMPLES_PER_FILL = 2;

/** One value of one series; labels in the order of their names, as the protocol wants them. */
export interface Sample {
  readonly labels: { readonly __name__: keyof typeof PUSHED; readonly [label: string]: string };
  /** Tells the series apart. */
  readonly series: string;
  readonly timestamp: Ms;
  readonly value: number;
}

/** Fills of the same labels in the same millisecond; a further one cannot be told from them. */
export const MAX_FILLS_PER_MS = 16;
/** Milliseconds with fills that are remembered for the same labels, then the older half is forgotten: fills come nearly in order. */
export const REMEMBERED_MS = 256;

/** Fills as samples. A series holds one value a millisecond: the second and later fills of one get the label `nth`. */
export class FillSeries {
  readonly #ordinals = new Map<string, Ordinals>();

  /** The two samples of a fill; undefined where it cannot be told from another one. */
  samplesOf({ instrument, fill }: DrivingFill): readonly Sample[] | undefined {
    const { time_us, symbol, side, liquidity, price, quantity } = publishedFill(fill, instrument);
    const timestamp = Math.floor(time_us / US_PER_MS);
    const nth = this.#ordinalsOf(`${symbol} ${side} ${liquidity}`).next(timestamp);
    if (nth === undefined) return undefined;
    const labels = { liquidity, ...(nth > 1 && { nth: String(nth) }), side, symbol };
    const sample = (__name__: keyof typeof PUSHED, value: number): Sample => {
      const all = { __name__, ...labels };
      return { labels: all, series: Object.values(all).join(' '), timestamp, value };
    };
    return [sample('shadow_fill_price', price), sample('shadow_fill_size', quantity)];
  }

  #ordinalsOf(key: string): Ordinals {
    let ordinals = this.#ordinals.get(key);
    if (ordinals === undefined) this.#ordinals.set(key, (ordinals = new Ordinals()));
    return ordinals;
  }
}

/** How many fills of the same labels each of the last milliseconds had. */
class Ordinals {
  readonly #counts = new Map<Ms, number>();
  /** Of the milliseconds up to here not all are remembered. */
  #forgottenMs = -Infinity;

  /** 1 for the first fill in its millisecond; undefined where that cannot be told or is too large. */
  next(timeMs: Ms): number | undefined {
    const count = this.#counts.get(timeMs);
    if (count === MAX_FILLS_PER_MS || (count === undefined && timeMs <= this.#forgottenMs)) return undefined;
    const nth = (count ?? 0) + 1;
    this.#counts.set(timeMs, nth);
    if (this.#counts.size > REMEMBERED_MS) this.#forgetHalf();
    return nth;
  }

  /** The older half by its time, not by when it came: after a step back of the clock the later ones are still known. */
  #forgetHalf(): void {
    const older = [...this.#counts.keys()].sort((a, b) => a - b).slice(0, REMEMBERED_MS / 2);
    for (const timeMs of older) this.#counts.delete(timeMs);
    this.#forgottenMs = older.at(-1)!;
  }
}

/** Ascending by time: a receiver may drop without a word what goes back in time within one request. */
export const inOrder = (samples: readonly Sample[]): Sample[] => samples.toSorted((a, b) => a.timestamp - b.timestamp);

export interface Timeseries {
  readonly labels: Sample['labels'];
  readonly samples: { readonly value: number; readonly timestamp: Ms }[];
}

/** Samples by series, each in the order they came. */
export function timeseriesOf(samples: readonly Sample[]): Timeseries[] {
  const bySeries = new Map<string, Timeseries>();
  for (const { series, labels, value, timestamp } of samples) {
    const known = bySeries.get(series);
    if (known === undefined) bySeries.set(series, { labels, samples: [{ value, timestamp }] });
    else known.samples.push({ value, timestamp });
  }
  return [...bySeries.values()];
}
