import { expect } from '@jest/globals';
import type { IterSummary } from '../../../schema/types.gen.js';
import type { ScenarioName } from '../../../collector/src/simulator/scenario.ts';
import type { Metrics } from '../support/collector.ts';
import type { Phases, Plan } from '../support/scenario-run.ts';
import { faultless, ScenarioRun, TooSlow, total } from '../support/scenario-run.ts';
import { Scope } from '../support/scope.ts';

/** What a scenario does to a run, told from outside. */
export interface Story {
  readonly scenario: ScenarioName;
  readonly shows: string;
  readonly plan: Plan;
  /** Whether the windows before it can be compared with: a machine that is too busy makes quotes and frames late by itself. */
  readonly usable?: (before: readonly IterSummary[]) => boolean;
  /** Its effect on the series, waited for while it lasts. `calm` is a scrape of before. */
  readonly watch: (run: ScenarioRun, calm: Metrics) => Promise<void>;
  /** What is as before again in the windows after it, beside the feed. */
  readonly again?: (phases: Phases) => boolean;
  /** What is as before again in the series, beside those that every recovery brings back. */
  readonly watchAfter?: (run: ScenarioRun, calm: Metrics) => Promise<void>;
  /** Its effect on the artifacts, when all markouts are known. */
  readonly check: (phases: Phases) => void;
}

/** Counters that stand at 0 while nothing is wrong. */
export const FAULT_COUNTERS = [
  'shadow_feed_gaps_total',
  'shadow_feed_bad_total',
  'shadow_feed_bad_unattributed_total',
  'shadow_feed_duplicates_total',
  'shadow_feed_crossed_total',
  'shadow_feed_silences_total',
  'shadow_feed_dropped_total',
  'shadow_late_events_total',
  'shadow_book_resyncs_total',
  'shadow_reconnects_total',
  'shadow_subscriptions_rejected_total',
  'shadow_metrics_rejected_total',
] as const;

export function expectNoFault(metrics: Metrics): void {
  for (const name of FAULT_COUNTERS) expect([name, total(metrics, name)]).toEqual([name, 0]);
  expect(total(metrics, 'shadow_orders_total', { event: 'censored' })).toBe(0);
}

/** Tells a story in a scope of its own, which ends with it or with the other. */
export async function tell(outer: Scope, story: Story): Promise<void> {
  const scope = new Scope();
  outer.add(() => scope.close());
  try {
    await told(scope, story);
  } finally {
    await scope.close();
  }
}

/** Before, during, after: calm, the scenario's effect, calm again. */
async function told(scope: Scope, story: Story): Promise<void> {
  const { run, calm } = await started(scope, story);
  expectNoFault(calm);
  await story.watch(run, calm);
  await run.over();
  await run.recovered(story.again ?? (() => true));
  await story.watchAfter?.(run, calm);
  const { code, stderr } = await run.collector.stop();
  expect({ code, errors: stderr.split('\n').filter((line) => line !== '' && !/"level":[34]0/.test(line)) }).toEqual({
    code: 0,
    errors: [],
  });
  const phases = run.phases();
  expect(phases.before.length).toBeGreaterThan(0);
  expect(phases.before.filter((window) => !faultless(window))).toEqual([]);
  expect(phases.during.length).toBeGreaterThan(0);
  story.check(phases);
}

/** A machine under load may need longer to start than the scenario waits. */
async function started(scope: Scope, { scenario, plan, usable }: Story): Promise<{ run: ScenarioRun; calm: Metrics }> {
  for (let attempts = 1; ; attempts++) {
    const run = await ScenarioRun.start(scope, scenario, plan);
    try {
      return { run, calm: await run.calm(usable) };
    } catch (error) {
      if (!(error instanceof TooSlow) || attempts === 5) throw error;
      await run.collector.kill();
    }
  }
}
