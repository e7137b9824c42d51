import { uniformDraw } from '../fills/random.ts';

/** What one window adds to a weighted mean: its weight and its weight times its mean. */
export interface WeightedSum {
  readonly weight: number;
  readonly sum: number;
}

/** The 95 % confidence interval of a mean. Its lower end is the bound that gates look at: 2.5 % of the time the truth lies below. */
export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

/** Below this many windows with a value nothing is said of the spread. */
export const MIN_BOOTSTRAP_WINDOWS = 8;
const RESAMPLES = 2_000;
const SEED = 1;
const TAIL = 0.025;
/** The standard normal quantile of 1 − TAIL. */
const Z = 1.959963985;

/**
 * Interval of a weighted mean over consecutive windows, by the circular block bootstrap (Politis & Romano 1992) with blocks of ⌈∛n⌉ windows, so
 * that windows that resemble their neighbours are drawn together. Percentiles are expanded for the number of blocks m (Hesterberg 2015, §5.3:
 * tail Φ(−√(m/(m−1))·t_{m−1})): plain ones are too narrow. Undefined below `MIN_BOOTSTRAP_WINDOWS` windows with weight. The draws depend on the number
 * of windows alone: the same windows give the same interval.
 *
 * Too narrow where windows depend on each other for longer than a block.
 */
export function blockBootstrap(windows: readonly WeightedSum[]): Interval | undefined {
  if (windows.filter(({ weight }) => weight > 0).length < MIN_BOOTSTRAP_WINDOWS) return undefined;
  const n = windows.length;
  const block = Math.ceil(Math.cbrt(n));
  const blocks = Math.ceil(n / block);
  const weights = new Float64Array(n);
  const sums = new Float64Array(n);
  for (let start = 0; start < n; start++) {
    for (let index = start; index < start + block; index++) {
      weights[start]! += windows[index % n]!.weight;
      sums[start]! += windows[index % n]!.sum;
    }
  }
  const means: number[] = [];
  for (let resample = 0; resample < RESAMPLES; resample++) {
    let weight = 0;
    let sum = 0;
    for (let drawn = 0; drawn < blocks; drawn++) {
      const start = Math.floor(uniformDraw(SEED, resample, drawn) * n);
      weight += weights[start]!;
      sum += sums[start]!;
    }
    if (weight > 0) means.push(sum / weight);
  }
  // Resamples without a single value have no mean; where they are many, so is what is not known.
  if (means.length < RESAMPLES * (1 - TAIL / 2)) return undefined;
  means.sort((a, b) => a - b);
  const tail = expandedTail(blocks);
  const last = means.length - 1;
  return { lower: means[Math.floor(tail * last)]!, upper: means[Math.ceil((1 - tail) * last)]! };
}

function expandedTail(blocks: number): number {
  return normalBelow(-Math.sqrt(blocks / (blocks - 1)) * studentQuantile(blocks - 1));
}

/** The 1 − TAIL quantile of Student's t, by Abramowitz & Stegun 26.7.5. */
function studentQuantile(freedom: number): number {
  const [z3, z5, z7] = [Z ** 3, Z ** 5, Z ** 7];
  return (
    Z +
    (z3 + Z) / (4 * freedom) +
    (5 * z5 + 16 * z3 + 3 * Z) / (96 * freedom ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * Z) / (384 * freedom ** 3)
  );
}

/** Φ(x) for x ≤ 0, by Abramowitz & Stegun 26.2.17; its error is below 7.5e-8. */
function normalBelow(x: number): number {
  const t = 1 / (1 - 0.2316419 * x);
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
}
