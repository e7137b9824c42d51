/**
 * Names of the files of a window: its KPIs, and beside them the fills and the price path that they are of. The number is written without
 * leading zeros, so that every window has one name.
 */
const WINDOW_FILE = /^(ITER_SUMMARY|FILLS)_([1-9]\d{0,8})\.json$/;

export const iterFileName = (iteration: number): string => `ITER_SUMMARY_${iteration}.json`;
export const fillsFileName = (iteration: number): string => `FILLS_${iteration}.json`;

/** The window that a file holds the KPIs of; undefined for any other file. */
export function iterationOf(name: string): number | undefined {
  const [, kind, number] = WINDOW_FILE.exec(name) ?? [];
  return kind === 'ITER_SUMMARY' ? Number(number) : undefined;
}

export const RUN_SUMMARY_FILE = 'SHADOW_RUN_SUMMARY.json';

/** The window that a file holds the fills of; undefined for any other file. */
export function fillsIterationOf(name: string): number | undefined {
  const [, kind, number] = WINDOW_FILE.exec(name) ?? [];
  return kind === 'FILLS' ? Number(number) : undefined;
}

/** What is left of a file that was being written when the process was killed. */
export const TEMPORARY_FILE = /^\.((ITER_SUMMARY|FILLS)_\d+|SHADOW_RUN_SUMMARY|POST_SHADOW_[A-Z_]+)\.json\.\d+\.tmp$/;

/** Where reports are, below the folder of artifacts. */
export const REPORT_FOLDER = 'reports/analysis';
export const SNAPSHOT_FILE = 'POST_SHADOW_SNAPSHOT.json';
export const AUDIT_FILE = 'POST_SHADOW_AUDIT_SUMMARY.json';
