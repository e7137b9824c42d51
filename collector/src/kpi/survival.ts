/** How long an order was followed, and whether a fill or something else ended that. */
export interface Lifetime {
  readonly durationUs: number;
  readonly filled: boolean;
}

/**
 * Quantile of the time to first fill by Kaplan–Meier (1958), orders that ended unfilled counting as censored (Lo, MacKinlay &
 * Zhang 2002). The first fill time at which the survival estimate reaches 1 − p; undefined when it never does, which is
 * an answer: most orders were not filled. Cancels on requote are *informative* censoring (we cancel when the market has moved),
 * so the estimate leans to the early side.
 */
export function timeToFillQuantile(lifetimes: readonly Lifetime[], p: number): number | undefined {
  const ordered = [...lifetimes].sort((a, b) => a.durationUs - b.durationUs || Number(b.filled) - Number(a.filled));
  let survival = 1;
  for (let index = 0; index < ordered.length; index++) {
    if (!ordered[index]!.filled) continue;
    survival *= 1 - 1 / (ordered.length - index);
    if (survival <= 1 - p + 1e-12) return ordered[index]!.durationUs;
  }
  return undefined;
}
