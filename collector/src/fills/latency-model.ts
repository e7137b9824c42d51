import type { Ms, Us } from '../units.ts';
import { usFromMs } from '../units.ts';
import { uniformDraw } from './random.ts';

/** A distribution of one latency, in milliseconds. `empirical` draws from the user's own sorted measurements. */
export type LatencyDistribution =
  | { readonly kind: 'const'; readonly ms: Ms }
  | { readonly kind: 'lognormal'; readonly medianMs: Ms; readonly p95Ms: Ms }
  | { readonly kind: 'empirical'; readonly sortedMs: readonly Ms[] };

/**
 * The four legs of an order's way: compute (decision to send), entry (send to book), cancel (send to book), response (book
 * to strategy).
 */
export interface Latencies {
  readonly compute: LatencyDistribution;
  readonly entry: LatencyDistribution;
  readonly cancel: LatencyDistribution;
  readonly resp: LatencyDistribution;
}

const OPERATIONS = { compute: 0, entry: 1, cancel: 2, resp: 3 } as const;
export type LatencyLeg = keyof typeof OPERATIONS;

export class LatencyModel {
  readonly #latencies: Latencies;
  readonly #seed: number;

  constructor(latencies: Latencies, seed: number) {
    this.#latencies = latencies;
    this.#seed = seed;
  }

  /** Never negative; the same for the same seed, order and leg. */
  drawUs(leg: LatencyLeg, orderId: number): Us {
    const distribution = this.#latencies[leg];
    if (distribution.kind === 'const') return usFromMs(distribution.ms);
    return usFromMs(quantileMs(distribution, uniformDraw(this.#seed, orderId, OPERATIONS[leg])));
  }
}

const Z95 = 1.6448536269514722;

/** Standard deviation of the logarithm of a lognormal with that median and 95th percentile. */
export const lognormalSigma = (median: number, p95: number): number => Math.log(p95 / median) / Z95;

function quantileMs(distribution: Exclude<LatencyDistribution, { kind: 'const' }>, uniform: number): Ms {
  if (distribution.kind === 'empirical') {
    return distribution.sortedMs[Math.floor(uniform * distribution.sortedMs.length)]!;
  }
  const sigma = lognormalSigma(distribution.medianMs, distribution.p95Ms);
  return distribution.medianMs * Math.exp(sigma * normalQuantile(uniform));
}

/**
 * Standard normal quantile. Source: P. J. Acklam's rational approximation, relative error below 1.15e-9.
 */
export function normalQuantile(p: number): number {
  if (p < 0.02425) return tail(Math.sqrt(-2 * Math.log(p)));
  if (p > 1 - 0.02425) return -tail(Math.sqrt(-2 * Math.log(1 - p)));
  const q = p - 0.5;
  return (q * horner(CENTER_NUMERATOR, q * q)) / horner(CENTER_DENOMINATOR, q * q);
}

const tail = (q: number): number => horner(TAIL_NUMERATOR, q) / horner(TAIL_DENOMINATOR, q);
const horner = (coefficients: readonly number[], x: number): number => coefficients.reduce((sum, c) => sum * x + c, 0);

const CENTER_NUMERATOR = [
  -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
  2.506628277459239,
];
const CENTER_DENOMINATOR = [
  -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1, 1,
];
const TAIL_NUMERATOR = [
  -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const TAIL_DENOMINATOR = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1];
