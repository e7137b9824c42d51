import type { IterSummary, ShadowRunSummary } from '../../../schema/types.gen.js';
import type { Finding } from './finding.ts';
import { configHash } from './run-artifacts.ts';
import { OF_A_RUN } from './run-stats.ts';
import { iterFileName, RUN_SUMMARY_FILE } from './window-files.ts';

/** What was read of a run's windows. */
export interface WindowsRead {
  /** The first and the last that could be read. */
  readonly first: IterSummary;
  readonly last: IterSummary;
  /** Windows that could be read, final or not, and their fills. */
  readonly count: number;
  readonly fills: number;
}

/** Stamps are cut to milliseconds. */
const STAMP_MS = 2;

/** What the summary of a run says that its windows contradict. It is of the same run. */
export function* runSummaryFindings(summary: ShadowRunSummary, windows: WindowsRead): Generator<Finding> {
  const { first, last } = windows;
  for (const field of OF_A_RUN) {
    const [expected, got] = [JSON.stringify(first[field]), JSON.stringify(summary[field])];
    if (expected !== got)
      yield wrong('foreign_run_summary', `/${field}`, `expected ${expected} as in the windows, got ${got}`);
  }
  if (configHash(summary.config) !== summary.config_hash) {
    yield wrong('contradiction', '/config', 'expected the configuration that config_hash is of');
  }
  const duration = summary.duration_per_iteration;
  if (!first.cut_short && first.duration_seconds !== duration) {
    yield wrong(
      'contradiction',
      '/duration_per_iteration',
      `expected ${first.duration_seconds} s as in the windows, got ${duration}`,
    );
  }
  yield* numbering(summary, windows);
  const behind = summary.last_iteration ?? 0;
  if (behind > last.iteration) {
    const message = `expected windows up to ${behind} as in ${RUN_SUMMARY_FILE}, found them up to ${last.iteration}`;
    yield { code: 'missing_window', file: iterFileName(last.iteration + 1), message };
  }
  const whole = first.iteration === summary.first_iteration && summary.completed_at !== null;
  if (whole && windows.count === summary.total_iterations && windows.fills !== summary.totals.fills) {
    yield wrong(
      'contradiction',
      '/totals/fills',
      `expected ${windows.fills} as in the windows, got ${summary.totals.fills}`,
    );
  }
}

/** A window's number and time follow from the run's first number and start. */
function* numbering(summary: ShadowRunSummary, { first }: WindowsRead): Generator<Finding> {
  const from = summary.first_iteration;
  if (from === null || first.iteration < from) {
    yield wrong('contradiction', '/first_iteration', `expected ${first.iteration} or less, got ${String(from)}`);
    return;
  }
  if (first.cut_short) return;
  const elapsedMs = (first.iteration - from + 1) * summary.duration_per_iteration * 1_000;
  const expectedMs = Date.parse(summary.started_at) + elapsedMs;
  if (!(Math.abs(Date.parse(first.timestamp) - expectedMs) <= STAMP_MS)) {
    const message = `expected a start from which window ${first.iteration} ends at ${first.timestamp}, got ${summary.started_at}`;
    yield wrong('contradiction', '/started_at', message);
  }
}

const wrong = (code: 'foreign_run_summary' | 'contradiction', pointer: string, message: string): Finding => ({
  code,
  file: RUN_SUMMARY_FILE,
  pointer,
  message,
});
