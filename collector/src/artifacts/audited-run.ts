import type { IterSummary, ShadowRunSummary } from '../../../schema/types.gen.js';
import type { Finding } from './finding.ts';
import { RunStats } from './run-stats.ts';
import { runSummaryValidator } from './validate.ts';
import { iterFileName, RUN_SUMMARY_FILE } from './window-files.ts';
import type { Read } from './windows.ts';
import { listWindows, readDocument, readWindow } from './windows.ts';

/** What is audited. */
export interface AuditScope {
  readonly folder: string;
  /** Only windows of this run; undefined: all there are, and they have to be of one. */
  readonly runId: string | undefined;
  readonly source: IterSummary['source'];
  /** The last windows by number; 0 is all. */
  readonly lastN: number;
  /** The newest window may be so old; 0 is any age. */
  readonly maxAgeHours: number;
  readonly nowMs: number;
}

/** The windows of a folder as far as they can be trusted, and everything that speaks against it. */
export interface AuditedRun {
  readonly stats: RunStats | undefined;
  readonly runSummary: ShadowRunSummary | undefined;
  readonly findings: readonly Finding[];
  readonly found: number;
  /** At the end of the run: provisional or cut short, not judged. */
  readonly leftOut: number;
  readonly otherRuns: number;
}

/** The last markout is known a minute after a window's end; a live run may take some seconds more to write it. */
const FINAL_AFTER_MS = 65_000;
/** Stamps are cut to milliseconds. */
const STAMP_MS = 2;
const AHEAD_MS = 300_000;
const MS_PER_HOUR = 3_600_000;

/** Reads every window of the scope once, in order, and keeps sums. */
export function auditRun(scope: AuditScope): AuditedRun {
  // First: a run that writes meanwhile must not seem to have lost the windows that it has just added.
  const summary = readDocument(scope.folder, RUN_SUMMARY_FILE, runSummaryValidator);
  const { numbers, findings } = listWindows(scope.folder);
  const reader = new RunReader(scope, summary, findings);
  const chosen = scope.lastN > 0 ? numbers.slice(-scope.lastN) : numbers;
  for (const number of chosen) reader.read(number);
  reader.finish(numbers.length);
  return { ...reader.result(), found: numbers.length };
}

class RunReader {
  readonly #scope: AuditScope;
  readonly #summary: Read<ShadowRunSummary>;
  readonly #findings: Finding[];
  readonly #otherRunIds = new Set<string>();
  #stats: RunStats | undefined;
  #runSummary: ShadowRunSummary | undefined;
  /** The window before the next one, judged or not; undefined where that is broken, and before the first. */
  #previous: IterSummary | undefined;
  /** The newest window of the run that could be read. */
  #newest: IterSummary | undefined;
  /** A window that is not final, and those behind it: they are judged only if it turns out that it never will be. */
  #open: IterSummary[] = [];
  #otherRuns = 0;

  constructor(scope: AuditScope, summary: Read<ShadowRunSummary>, findings: readonly Finding[]) {
    this.#scope = scope;
    this.#summary = summary;
    this.#findings = [...findings];
  }

  read(number: number): void {
    const read = readWindow(this.#scope.folder, number);
    if ('findings' in read) {
      this.#findings.push(...read.findings);
      // It is there, so the next one follows something; what, nobody knows.
      if (this.#previous?.iteration === number - 1) this.#previous = undefined;
      return;
    }
    const window = read.value;
    const { runId, source } = this.#scope;
    if (runId !== undefined && window.run_id !== runId) {
      this.#otherRuns++;
      return;
    }
    this.#stats ??= new RunStats(window);
    if (!this.#belongs(window)) return;
    if (this.#newest === undefined && window.source !== source) {
      const message = `expected windows of a ${source} run, got ${window.source}; --source ${window.source} judges those`;
      this.#find('wrong_source', window, '/source', message);
    }
    if (this.#previous !== undefined) this.#follows(this.#previous, window);
    this.#previous = window;
    this.#newest = window;
    this.#judge(window);
  }

  /** After the last window. `found`: windows in the folder. */
  finish(found: number): void {
    if (found === 0 && this.#findings.length === 0) {
      this.#findings.push({ code: 'no_windows', message: 'expected windows (ITER_SUMMARY_<n>.json), found none' });
    } else if (this.#newest === undefined && this.#scope.runId !== undefined) {
      this.#findings.push({ code: 'no_windows', message: `expected windows of run ${this.#scope.runId}, found none` });
    }
    this.#checkRunSummary();
    this.#checkAge();
  }

  result(): Omit<AuditedRun, 'found'> {
    const stats = this.#stats !== undefined && this.#stats.total.windows > 0 ? this.#stats : undefined;
    return {
      stats,
      runSummary: this.#runSummary,
      findings: this.#findings,
      leftOut: this.#open.length,
      otherRuns: this.#otherRuns,
    };
  }

  #belongs(window: IterSummary): boolean {
    const field = this.#stats!.differs(window);
    if (field === undefined) return true;
    // Told once a run: a folder with two of them has hundreds of such windows.
    if (!this.#otherRunIds.has(window.run_id)) {
      this.#otherRunIds.add(window.run_id);
      const { first } = this.#stats!;
      const hint = field === 'run_id' ? '; --run_id judges one of them' : '';
      const expected = `${JSON.stringify(first[field])} as in ${iterFileName(first.iteration)}`;
      this.#find('mixed_run', window, `/${field}`, `expected ${expected}, got ${JSON.stringify(window[field])}${hint}`);
    }
    this.#otherRuns++;
    return false;
  }

  /** Consecutive numbers, and each window begins where the one before ended. */
  #follows(previous: IterSummary, window: IterSummary): void {
    const number = window.iteration;
    if (number !== previous.iteration + 1) {
      const missing = number - previous.iteration - 1;
      const message = `expected the window between ${previous.iteration} and ${number}, ${missing} missing`;
      this.#findings.push({ code: 'missing_window', file: iterFileName(previous.iteration + 1), message });
      return;
    }
    if (previous.cut_short) {
      this.#find('provisional', previous, '/cut_short', `expected the last window of the run, but ${number} follows`);
    }
    const expectedMs = Date.parse(previous.timestamp) + window.duration_seconds * 1_000;
    const gotMs = Date.parse(window.timestamp);
    // The last one is shorter by less than a second than its whole seconds say.
    const toleranceMs = STAMP_MS + (window.cut_short ? 1_000 : 0);
    if (Math.abs(gotMs - expectedMs) > toleranceMs) {
      const expected = new Date(expectedMs).toISOString();
      this.#find('time_gap', window, '/timestamp', `expected an end at ${expected}, got ${window.timestamp}`);
    }
    if (window.duration_seconds !== previous.duration_seconds && !window.cut_short) {
      const expected = `${previous.duration_seconds} s as in the one before`;
      this.#find('time_gap', window, '/duration_seconds', `expected ${expected}, got ${window.duration_seconds}`);
    }
  }

  #judge(window: IterSummary): void {
    this.#open.push(window);
    while (this.#open.length > 0) {
      const [oldest] = this.#open;
      if (!oldest!.provisional) this.#stats!.add(oldest!);
      else if (Date.parse(window.timestamp) - Date.parse(oldest!.timestamp) <= FINAL_AFTER_MS) return;
      else this.#find('provisional', oldest!, '/provisional', 'expected a final window: later ones are final');
      this.#open.shift();
    }
  }

  #checkRunSummary(): void {
    if (this.#newest === undefined) return;
    const read = this.#summary;
    if ('findings' in read) {
      const missing = read.findings.some(({ code }) => code === 'unreadable');
      const hint = { code: 'no_run_summary' as const, file: RUN_SUMMARY_FILE };
      this.#findings.push(...(missing ? [{ ...hint, message: 'expected the summary of the run' }] : read.findings));
      return;
    }
    const summary = read.value;
    if (summary.run_id !== this.#newest.run_id) {
      // It is of the newest run of the folder. An older one that was asked for has none any more.
      if (this.#scope.runId !== undefined) return;
      const message = `expected run ${this.#newest.run_id} as in the windows, got ${summary.run_id}`;
      this.#findings.push({ code: 'foreign_run_summary', file: RUN_SUMMARY_FILE, pointer: '/run_id', message });
      return;
    }
    this.#runSummary = summary;
    const last = summary.last_iteration ?? 0;
    if (last > this.#newest.iteration) {
      const message = `expected windows up to ${last} as in ${RUN_SUMMARY_FILE}, found them up to ${this.#newest.iteration}`;
      this.#findings.push({ code: 'missing_window', file: iterFileName(this.#newest.iteration + 1), message });
    }
  }

  #checkAge(): void {
    if (this.#newest === undefined) return;
    const { nowMs, maxAgeHours } = this.#scope;
    const ageMs = nowMs - Date.parse(this.#newest.timestamp);
    if (maxAgeHours > 0 && ageMs > maxAgeHours * MS_PER_HOUR) {
      const hours = (ageMs / MS_PER_HOUR).toFixed(1);
      const message = `expected an end in the last ${maxAgeHours} h (--max_age_h), it was ${hours} h ago`;
      this.#find('stale', this.#newest, '/timestamp', message);
    }
    if (ageMs < -AHEAD_MS) {
      this.#find('future', this.#newest, '/timestamp', `it ends in the future: ${this.#newest.timestamp}`);
    }
  }

  #find(code: Finding['code'], { iteration }: IterSummary, pointer: string, message: string): void {
    this.#findings.push({ code, file: iterFileName(iteration), pointer, message });
  }
}
