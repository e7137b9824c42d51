// Data frames → all that this panel draws, or the sentence that says why there is nothing to draw. Pure, and never changes a frame.
import type { DataFrame } from '@grafana/data';
import type { Channel } from './channels';
import { channelsOf, EXPECTED, namesOf } from './channels';
import type { Fills } from './fills';
import { fillsOf, NO_FILLS } from './fills';
import type { Course, Line } from './lines';
import { courseOf, lineOf, valueAt } from './lines';
import type { Horizon } from './options';
import type { KpiRole, LineRole } from './roles';
import { BOOK_LINES, LINES, ROLE_NAMES } from './roles';

export type Lines = { readonly [role in LineRole]?: Line };

/** Values of the last completed window over time. */
export type Kpis = { readonly [role in KpiRole]?: Course };

export interface Picture {
  /** Undefined where the data name none. */
  readonly symbol: string | undefined;
  readonly lines: Lines;
  readonly fills: Fills;
  /** False: no series of fills has come, so how many there were is not known. */
  readonly fillsKnown: boolean;
  readonly kpis: Kpis;
  /** Sentences on what is missing or has been left out. */
  readonly notices: readonly string[];
}

export type Reading =
  | { readonly picture: Picture; readonly problem?: undefined }
  | { readonly picture?: undefined; readonly problem: string };

export function readFrames(frames: readonly DataFrame[], horizon: Horizon): Reading {
  const { found, faults, symbols } = channelsOf(frames);
  const problem = problemOf(frames, found, faults, symbols);
  if (problem !== undefined) {
    return { problem };
  }
  const notices = [...faults];
  const lines = linesOf(found, notices);
  const fills = fillsOf(found, notices);
  const fillsKnown = fills !== NO_FILLS && found.some(({ role }) => role === 'fillPrice');
  if (fills.times.length === 0 && !hasNumbers(lines)) {
    return { problem: emptiness(found, notices) };
  }
  if (!found.some(({ role }) => role === 'fillPrice')) {
    notices.push('No series of fills came: there was none in this time, or they are not pushed (--remote_write_url).');
  }
  missing(lines, notices);
  return {
    picture: {
      symbol: symbols[0],
      lines,
      fills,
      fillsKnown,
      kpis: kpisIn(found, horizon),
      notices: [...new Set(notices)],
    },
  };
}

function problemOf(
  frames: readonly DataFrame[],
  found: readonly Channel[],
  faults: readonly string[],
  symbols: readonly string[]
): string | undefined {
  if (frames.every(({ fields }) => fields.length === 0)) {
    return `No series came. Expected are ${EXPECTED}. Is the collector running, and is this its symbol?`;
  }
  if (symbols.length > 1) {
    return `Series of ${symbols.length} symbols came (${symbols.slice(0, 4).join(', ')}): prices of two markets have no common axis. Choose one in the query, by {symbol="$symbol"}.`;
  }
  if (found.length > 0) {
    return undefined;
  }
  if (faults.length > 0) {
    return [...new Set(faults)].join(' ');
  }
  if (frames.every(({ fields }) => fields.every(({ type }) => type !== 'time'))) {
    return `No field of type time came, only ${namesOf(frames)}. This panel draws over time: use the format "Time series", or convert a field to time.`;
  }
  return `None of the series is one that this panel knows: ${namesOf(frames)}. Expected are ${EXPECTED}.`;
}

function linesOf(found: readonly Channel[], notices: string[]): Lines {
  const lines: { [role in LineRole]?: Line } = {};
  for (const role of LINES) {
    const line = lineOf(role, found, notices);
    if (line !== null) {
      lines[role] = line;
    }
  }
  return lines;
}

const numbersOf = (line: Line | undefined): number => line?.values.filter((value) => value !== null).length ?? 0;

const hasNumbers = (lines: Lines): boolean => LINES.some((role) => numbersOf(lines[role]) > 0);

function emptiness(found: readonly Channel[], notices: readonly string[]): string {
  const rows = found.reduce((sum, { value }) => sum + value.values.length, 0);
  const names = [...new Set(found.map(({ role }) => ROLE_NAMES[role]))].join(', ');
  const what =
    rows === 0
      ? `${names} came without a sample in this time.`
      : `${names} came with ${rows} samples, none of which is a number at a time.`;
  return [what, ...new Set(notices)].join(' ');
}

/** What a reader would look for in vain. */
function missing(lines: Lines, notices: string[]): void {
  const absent = BOOK_LINES.slice(0, 2).filter((role) => numbersOf(lines[role]) === 0);
  if (absent.length > 0) {
    notices.push(`${absent.map((role) => ROLE_NAMES[role]).join(' and ')} not known in this time.`);
  }
  const single = LINES.filter((role) => numbersOf(lines[role]) === 1);
  if (single.length > 0) {
    notices.push(`Only one sample of ${single.map((role) => ROLE_NAMES[role]).join(', ')}: a point, not a line.`);
  }
}

function kpisIn(found: readonly Channel[], horizon: Horizon): Kpis {
  const kpis: { [role in KpiRole]?: Course } = {};
  for (const role of ['edge', 'makerShare', 'markout'] as const) {
    const channels = found.filter(
      ({ role: of, value }) => of === role && (role !== 'markout' || value.labels?.['horizon'] === horizon)
    );
    // Two collectors that tell one thing: which is true cannot be known here.
    const course = channels.length === 1 ? courseOf(role, channels, []) : null;
    if (course !== null) {
      kpis[role] = course;
    }
  }
  return kpis;
}

/** An instant query may be answered for the end of a step. */
const SLACK_MS = 1_000;

/** Value of a KPI, or of the drift, at a time; null where it is not known, or not known any more. */
export function kpiAt({ kpis, lines }: Picture, role: KpiRole | 'drift', ms: number): number | null {
  const course = role === 'drift' ? lines.drift : kpis[role];
  if (course === undefined) {
    return null;
  }
  const [lastMs] = course.times.slice(-1);
  return valueAt(course, lastMs !== undefined && lastMs > ms && lastMs - ms <= SLACK_MS ? lastMs : ms);
}
