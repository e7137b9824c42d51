import type { IterSummary, ShadowRunSummary, ShadowSnapshot } from '../../../schema/types.gen.js';
import type { Finding } from './finding.ts';
import { published } from './finding.ts';
import { SCHEMA_VERSION } from './run-artifacts.ts';
import { kpiSpreads, pooledKpis, RunStats, snapshotKpis } from './run-stats.ts';
import { runSummaryValidator, snapshotValidator, validated } from './validate.ts';
import { iterFileName, RUN_SUMMARY_FILE, SNAPSHOT_FILE } from './window-files.ts';
import { listWindows, readDocument, readWindow } from './windows.ts';

/** So many windows that were left out are named; all are counted. */
const MAX_LISTED = 100;

/** The last windows of a folder. */
export interface LastWindows {
  /** Those of the newest run that are final; undefined where there is none. */
  readonly stats: RunStats | undefined;
  /** Windows in the folder. */
  readonly found: number;
  /** What was to be read and could not be, or does not belong. */
  readonly leftOut: readonly Finding[];
}

/**
 * Puts the last `lastN` windows together, by number. Windows that are not final yet, or were cut short, are left out and do not count; so is what is broken,
 * and what an earlier run wrote.
 */
export function collectLast(folder: string, lastN: number): LastWindows {
  const { numbers, findings } = listWindows(folder);
  const leftOut: Finding[] = [...findings];
  let end = numbers.length;
  // At the end, where a run writes, or was stopped; there are few of them.
  for (; end > 0; end--) {
    const read = readWindow(folder, numbers[end - 1]!);
    if ('value' in read && !read.value.provisional) break;
    leftOut.push(...('value' in read ? [notFinal(read.value)] : read.findings));
  }
  let stats: RunStats | undefined;
  let lastRead: number | undefined;
  for (const number of numbers.slice(Math.max(0, end - lastN), end)) {
    const read = readWindow(folder, number);
    if ('findings' in read) leftOut.push(...read.findings);
    else if (read.value.provisional) leftOut.push(notFinal(read.value));
    else {
      const field = stats?.differs(read.value);
      if (stats !== undefined && field !== undefined) leftOut.push(...earlierRun(stats, read.value));
      if (stats === undefined || field !== undefined) stats = new RunStats(read.value);
      const previous = stats.points.at(-1)?.iteration;
      if (previous !== undefined && previous !== number - 1 && lastRead !== number - 1)
        leftOut.push(missing(previous, number));
      stats.add(read.value);
    }
    lastRead = number;
  }
  return { stats, found: numbers.length, leftOut };
}

const missing = (previous: number, number: number): Finding => ({
  code: 'missing_window',
  file: iterFileName(previous + 1),
  message: `expected the windows between ${previous} and ${number}`,
});

const notFinal = ({ iteration, cut_short: cutShort }: IterSummary): Finding => ({
  code: 'provisional',
  file: iterFileName(iteration),
  pointer: '/provisional',
  message: cutShort ? 'cut short by the end of the run' : 'not final yet: markouts are still to come',
});

function earlierRun(stats: RunStats, next: IterSummary): Finding[] {
  return stats.points.map(({ iteration }) => ({
    code: 'mixed_run',
    file: iterFileName(iteration),
    pointer: '/run_id',
    message: `of run ${stats.first.run_id}; the newest is ${next.run_id}`,
  }));
}

/** The summary of the run that windows are of; undefined where it is missing, broken, or of another run. */
export function runSummaryOf(folder: string, runId: string): ShadowRunSummary | undefined {
  const read = readDocument(folder, RUN_SUMMARY_FILE, runSummaryValidator);
  return 'value' in read && read.value.run_id === runId ? read.value : undefined;
}

/** The markout horizon of the KPIs as the run was configured; null where that is not to be had. */
export function kpiHorizonOf(summary: ShadowRunSummary | undefined): number | null {
  const horizon = (summary?.config as { kpi_horizon_s?: unknown } | undefined)?.kpi_horizon_s;
  // A choice of the command line, and a text as such.
  const seconds = typeof horizon === 'string' ? Number(horizon) : horizon;
  return typeof seconds === 'number' && Number.isFinite(seconds) ? seconds : null;
}

/** POST_SHADOW_SNAPSHOT.json; validated. */
export function snapshotOf(
  { found, leftOut }: LastWindows,
  stats: RunStats,
  kpiHorizonS: number | null,
): ShadowSnapshot {
  const pooled = pooledKpis(stats.total);
  const [firstPoint, lastPoint] = [stats.points[0]!, stats.points.at(-1)!];
  const snapshot: ShadowSnapshot = {
    schema_version: SCHEMA_VERSION,
    mode: 'shadow',
    run: stats.reference(kpiHorizonS),
    total_iterations: found,
    window_size: stats.total.windows,
    first_iteration: firstPoint.iteration,
    last_iteration: lastPoint.iteration,
    started_at: new Date(firstPoint.endMs - stats.first.duration_seconds * 1_000).toISOString(),
    ended_at: new Date(lastPoint.endMs).toISOString(),
    notes: [...stats.notes],
    left_out: leftOut.slice(0, MAX_LISTED).map(published),
    left_out_total: leftOut.length,
    kpi_last_n: kpiSpreads(stats.total),
    snapshot_kpis: snapshotKpis(pooled),
    pooled,
    by_symbol: Object.fromEntries(
      [...stats.bySymbol].map(([symbol, pool]) => [symbol, { kpi_last_n: kpiSpreads(pool), pooled: pooledKpis(pool) }]),
    ),
  };
  return validated(snapshotValidator, snapshot, SNAPSHOT_FILE);
}
