import { uniformDraw } from '../fills/random.ts';

const { floor } = Math;

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
export const blockBootstrap = (windows: readonly WeightedSum[]): Interval | undefined =>
  intervalOf([windows], ([mean]) => mean!);

/**
 * The same of the difference of two means, second less first, over the same windows of both: they are drawn together, so that what moves both
 * cancels out. The two have to be of one length.
 */
export const blockBootstrapDifference = (
  first: readonly WeightedSum[],
  second: readonly WeightedSum[],
): Interval | undefined => intervalOf([first, second], ([before, after]) => after! - before!);

function intervalOf(
  series: readonly (readonly WeightedSum[])[],
  statistic: (means: readonly number[]) => number,
): Interval | undefined {
  if (series.some((windows) => windows.filter(({ weight }) => weight > 0).length < MIN_BOOTSTRAP_WINDOWS)) {
    return undefined;
  }
  const n = series[0]!.length;
  const block = Math.ceil(Math.cbrt(n));
  const blocks = Math.ceil(n / block);
  const sums = series.map((windows) => blockSums(windows, block));
  const values: number[] = [];
  for (let resample = 0; resample < RESAMPLES; resample++) {
    const means = sums.map((own) => meanOfBlocks(own, resample, blocks));
    // Resamples without a single value have no mean.
    if (means.every((mean) => mean !== undefined)) values.push(statistic(means));
  }
  // Where they are many, the tails are not known.
  if (values.length < RESAMPLES * (1 - TAIL / 2)) return undefined;
  values.sort((a, b) => a - b);
  const tail = expandedTail(blocks);
  const last = values.length - 1;
  return { lower: values[Math.floor(tail * last)]!, upper: values[Math.ceil((1 - tail) * last)]! };
}

interface BlockSums {
  readonly weights: Float64Array;
  readonly sums: Float64Array;
}

/** By first window: what the block that begins there adds up to; the windows form a circle. */
function blockSums(windows: readonly WeightedSum[], block: number): BlockSums {
  const n = windows.length;
  const weights = new Float64Array(n);
  const sums = new Float64Array(n);
  for (let start = 0; start < n; start++) {
    for (let index = start; index < start + block; index++) {
      weights[start]! += windows[index % n]!.weight;
      sums[start]! += windows[index % n]!.sum;
    }
  }
  return { weights, sums };
}

/** The mean of the blocks that a resample draws; the same places for every series. */
function meanOfBlocks({ weights, sums }: BlockSums, resample: number, blocks: number): number | undefined {
  let weight = 0;
  let sum = 0;
  for (let drawn = 0; drawn < blocks; drawn++) {
    const start = floor(uniformDraw(SEED, resample, drawn) * weights.length);
    weight += weights[start]!;
    sum += sums[start]!;
  }
  return weight > 0 ? sum / weight : undefined;
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
