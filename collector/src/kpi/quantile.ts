/** Below this many values a percentile is not published. */
export const MIN_QUANTILE_COUNT = 20;

/**
 * Nearest-rank quantile: sorted[⌈p·n⌉ − 1] (Hyndman & Fan 1996, type 1). Undefined when empty.
 * `sorted` ascends, 0 < p ≤ 1.
 */
export function nearestRank(sorted: readonly number[], p: number): number | undefined {
  return sorted.length === 0 ? undefined : sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
}

/** The median: the mean of the middle two where the count is even. Undefined when empty. `sorted` ascends. */
export function median(sorted: readonly number[]): number | undefined {
  const upper = sorted[Math.floor(sorted.length / 2)];
  if (upper === undefined || sorted.length % 2 === 1) return upper;
  return (sorted[sorted.length / 2 - 1]! + upper) / 2;
}

/** The nearest-rank quantile of unsorted values; undefined below `MIN_QUANTILE_COUNT` of them. */
export function quantileOf(values: readonly number[], p: number): number | undefined {
  if (values.length < MIN_QUANTILE_COUNT) return undefined;
  return nearestRank(
    [...values].sort((a, b) => a - b),
    p,
  );
}
