import type { Outcome, World } from './clock-world.ts';
import { live } from './clock-world.ts';

/** Nobody can know of a step at once: what is published for so long after one is not judged, as the specification has it. */
const AFTER_STEP_S = 60;
const SEEDS = Number(process.env['SHADOW_CLOCK_SEEDS'] ?? 200);

/** What came of many lives in one world. Times in µs, quantiles by nearest rank. */
export interface Study {
  readonly seeds: number;
  readonly solves: number;
  /** Solves whose band does not hold the truth. */
  readonly outside: number;
  readonly errorP95Us: number;
  readonly ntpErrorP95Us: number;
  readonly skewErrorP95Ppm: number;
  /** Mean signed error, for paths that are not symmetric. */
  readonly meanErrorUs: number;
  readonly widestUs: number;
  /** Seconds from the world's change to each step, and route change, that was told; a life without a change counts from 0. */
  readonly stepsAfterS: readonly number[];
  readonly routesAfterS: readonly number[];
  readonly wallSteps: number;
  readonly published: readonly number[];
}

export function study(world: World, changeS = 0): Study {
  const errors: number[] = [];
  const ntpErrors: number[] = [];
  const skewErrors: number[] = [];
  const stepsAfterS: number[] = [];
  const routesAfterS: number[] = [];
  const published: number[] = [];
  let [outside, signed, widestUs, wallSteps] = [0, 0, 0, 0];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = live(world, seed);
    wallSteps += outcome.changes.filter(({ change }) => change === 'wall-step').length;
    stepsAfterS.push(...after(outcome, 'exchange-step', changeS));
    routesAfterS.push(...after(outcome, 'route-change', changeS));
    published.push(outcome.solves[0]?.atS ?? Infinity);
    // The clock behind the probes, or the one behind the feed.
    const steppedS = world.serverStep?.atS ?? (world.feedAhead?.atS || Infinity);
    for (const { atS, estimate, trueOffsetUs, ntpOffsetUs } of outcome.solves) {
      if (atS >= steppedS && atS < steppedS + AFTER_STEP_S) continue;
      const errorUs = estimate.offsetUs - trueOffsetUs;
      if (Math.abs(errorUs) > estimate.uncertaintyUs) outside++;
      widestUs = Math.max(widestUs, estimate.uncertaintyUs);
      signed += errorUs;
      errors.push(Math.abs(errorUs));
      ntpErrors.push(Math.abs(ntpOffsetUs - trueOffsetUs));
      skewErrors.push(Math.abs(estimate.skewPpm - world.skewPpm));
    }
  }
  return {
    seeds: SEEDS,
    solves: errors.length,
    outside,
    errorP95Us: p95(errors),
    ntpErrorP95Us: p95(ntpErrors),
    skewErrorP95Ppm: p95(skewErrors),
    meanErrorUs: signed / errors.length,
    widestUs,
    stepsAfterS,
    routesAfterS,
    wallSteps,
    published,
  };
}

const after = ({ changes }: Outcome, which: string, changeS: number): number[] =>
  changes.filter(({ change }) => change === which).map(({ atS }) => atS - changeS);

function p95(values: number[]): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.ceil(0.95 * sorted.length) - 1]!;
}
