import type { Fill, LiveSamples } from '../../../schema/types.gen.js';
import type { Ms } from '../units.ts';
import { US_PER_MS } from '../units.ts';
import type { Sample } from './sample-ring.ts';
import { SampleRing } from './sample-ring.ts';

export interface HistoryLimits {
  readonly keptMs: Ms;
  readonly samples: number;
  readonly fills: number;
}

/** How far somebody has been told. */
export interface Cursor {
  readonly samples: number;
  readonly fills: number;
  readonly rewinds: number;
}

export interface Excerpt {
  readonly samples: LiveSamples;
  readonly fills: readonly Fill[];
}

/** The last samples and fills of one symbol, bounded by time and by number. Pure: time is that of the samples. */
export class History {
  readonly #limits: HistoryLimits;
  readonly #ring: SampleRing;
  readonly #fills: Fill[] = [];
  /** Number of the first fill that is kept. */
  #firstFill = 0;
  #rewinds = 0;
  /** Fills that were still of the kept time when the bound gave them up. */
  givenUpFills = 0;

  constructor(limits: HistoryLimits) {
    this.#limits = limits;
    this.#ring = new SampleRing(limits.samples);
  }

  get cursor(): Cursor {
    return { samples: this.#ring.end, fills: this.#firstFill + this.#fills.length, rewinds: this.#rewinds };
  }

  /** Times rise: where the clock went back, the samples ahead of it are given up. */
  addSample(sample: Sample): void {
    if (this.#ring.dropFrom(sample.times_ms)) this.#rewinds++;
    this.#ring.push(sample);
    const oldestMs = sample.times_ms - this.#limits.keptMs;
    this.#ring.dropBefore(oldestMs);
    while (this.#fills.length > 0 && this.#fills[0]!.time_us < oldestMs * US_PER_MS) this.#dropFill();
  }

  addFill(fill: Fill): void {
    this.#fills.push(fill);
    if (this.#fills.length <= this.#limits.fills) return;
    this.#dropFill();
    this.givenUpFills++;
  }

  all(): Excerpt {
    return this.#from(this.#ring.first, this.#firstFill);
  }

  /** What came since; undefined where some of it is no longer there, or the clock went back: then only `all` tells the truth. */
  since({ samples, fills, rewinds }: Cursor): Excerpt | undefined {
    if (rewinds !== this.#rewinds || samples < this.#ring.first || fills < this.#firstFill) return undefined;
    return this.#from(samples, fills);
  }

  #from(sample: number, fill: number): Excerpt {
    return { samples: this.#ring.from(sample), fills: this.#fills.slice(fill - this.#firstFill) };
  }

  #dropFill(): void {
    this.#fills.shift();
    this.#firstFill++;
  }
}
