import type { IterSummary, ShadowRunSummary } from '../../../schema/types.gen.js';
import type { Finding } from './finding.ts';
import { RunStats } from './run-stats.ts';
import { runSummaryFindings } from './run-summary-check.ts';
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
  /** Judge a live run in spite of what its windows note. */
  readonly allowNotes: boolean;
  /** The last so many final windows of the run, by number; 0 is all. */
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
  const from = scope.lastN > 0 ? firstOfLast(scope, numbers) : 0;
  for (const number of numbers) if (number >= from) reader.read(number);
  reader.finish(numbers.length);
  return { ...reader.result(), found: numbers.length };
}

/** The number of the first of the last final windows of the run. */
function firstOfLast({ folder, runId, lastN }: AuditScope, numbers: readonly number[]): number {
  let left = lastN;
  for (const number of [...numbers].reverse()) {
    const read = readWindow(folder, number);
    // A broken one is of the run for all that is known.
    const counts =
      'value' in read ? !read.value.provisional && isOf(read.value.run_id, runId) : isOf(read.runId, runId);
    if (counts && --left === 0) return number;
  }
  return 0;
}

/** Whether a document may be of the run that is asked for. */
const isOf = (given: string | undefined, runId: string | undefined): boolean =>
  runId === undefined || given === undefined || given === runId;

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
  /** Windows of other runs, where one is asked for. */
  readonly #others = new Set<number>();
  #count = 0;
  #fills = 0;

  constructor(scope: AuditScope, summary: Read<ShadowRunSummary>, findings: readonly Finding[]) {
    this.#scope = scope;
    this.#summary = summary;
    this.#findings = [...findings];
  }

  read(number: number): void {
    const read = readWindow(this.#scope.folder, number);
    const { runId, source } = this.#scope;
    const given = 'value' in read ? read.value.run_id : read.runId;
    if (!isOf(given, runId)) {
      this.#otherRuns++;
      this.#others.add(number);
      return;
    }
    if ('findings' in read) {
      this.#findings.push(...read.findings);
      // It is there, so the next one follows something; what, nobody knows.
      if (this.#previous?.iteration === number - 1) this.#previous = undefined;
      return;
    }
    const window = read.value;
    this.#stats ??= new RunStats(window);
    if (!this.#belongs(window)) return;
    if (this.#newest === undefined && window.source !== source) {
      const message = `expected windows of a ${source} run, got ${window.source}; --source ${window.source} judges those`;
      this.#find('wrong_source', window, '/source', message);
    }
    if (this.#previous !== undefined) this.#follows(this.#previous, window);
    this.#previous = window;
    this.#newest = window;
    this.#count++;
    this.#fills += window.summary.fills;
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
    this.#checkNotes();
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
      const [expected, got] = [first, window].map((each) => JSON.stringify(RunStats.fieldOf(each, field)));
      const message = `expected ${expected!} as in ${iterFileName(first.iteration)}, got ${got!}${hint}`;
      this.#find('mixed_run', window, `/${field}`, message);
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
    // Of several runs it is nobody's.
    if (this.#newest === undefined || this.#otherRunIds.size > 0) return;
    const read = this.#summary;
    if ('findings' in read) {
      const missing = read.findings.some(({ code }) => code === 'unreadable');
      const hint = { code: 'no_run_summary' as const, file: RUN_SUMMARY_FILE };
      this.#findings.push(...(missing ? [{ ...hint, message: 'expected the summary of the run' }] : read.findings));
      return;
    }
    const summary = read.value;
    if (summary.run_id !== this.#newest.run_id) {
      // It is of the newest run of the folder. That an older one is there to its end shows by the number that follows it.
      if (this.#scope.runId !== undefined && this.#others.size > 0) return this.#checkFollower();
      const message = `expected run ${this.#newest.run_id} as in the windows, got ${summary.run_id}`;
      this.#findings.push({ code: 'foreign_run_summary', file: RUN_SUMMARY_FILE, pointer: '/run_id', message });
      return;
    }
    this.#runSummary = summary;
    const windows = { first: this.#stats!.first, last: this.#newest, count: this.#count, fills: this.#fills };
    this.#findings.push(...runSummaryFindings(summary, windows));
  }

  /** Behind the last window of an older run comes the first of the next. */
  #checkFollower(): void {
    const next = this.#newest!.iteration + 1;
    if (this.#others.has(next)) return;
    const message = 'expected the next window of the run, or the first of the run after it';
    this.#findings.push({ code: 'missing_window', file: iterFileName(next), message });
  }

  /** A feed from elsewhere than the exchange, a symbol that is not traded there: a live run that notes such a thing is no proof of anything. */
  #checkNotes(): void {
    if (this.#newest === undefined || this.#scope.source !== 'live' || this.#scope.allowNotes) return;
    const { notes } = this.#newest;
    if (notes.length === 0) return;
    const message = `expected a run without notes, got ${notes.map((note) => JSON.stringify(note)).join(', ')}; --allow_notes judges it all the same`;
    this.#find('noted', this.#newest, '/notes', message);
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
