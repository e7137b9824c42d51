import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { basename, join } from 'node:path';
import { messageOf, ShadowError } from '../errors.ts';
import type { Us } from '../units.ts';
import { US_PER_MS } from '../units.ts';

/**
 * A recording in segments: `segment-000001.jsonl.br`, `segment-000002.jsonl.br`, … and beside them INDEX.jsonl, a line for every segment that
 * is finished. The segments are the truth; the index saves a reader from opening those it does not want, and may be missing or torn.
 */
export interface Segment {
  readonly number: number;
  readonly path: string;
}

export interface IndexEntry {
  readonly segment: number;
  readonly file: string;
  /** Wall clock: of the first record, and the latest of all. */
  readonly first_us: Us;
  readonly last_us: Us;
  readonly first_mono_us: Us;
  readonly last_mono_us: Us;
  readonly records: number;
  readonly frames: number;
  /** Of the file. */
  readonly bytes: number;
  /** Records that did not get into it. */
  readonly dropped: number;
}

const INDEX = 'INDEX.jsonl';
const SEGMENT = /^segment-(\d+)\.jsonl\.br$/;

export const segmentName = (number: number): string => `segment-${String(number).padStart(6, '0')}.jsonl.br`;
export const indexPath = (folder: string): string => join(folder, INDEX);

/** In the order of their numbers. */
export function segmentsIn(folder: string): Segment[] {
  return entriesOf(folder)
    .map(({ name }) => name)
    .map((name) => ({ number: Number(SEGMENT.exec(name)?.[1] ?? 0), path: join(folder, name) }))
    .filter(({ number, path }) => number > 0 && basename(path) === segmentName(number))
    .sort((a, b) => a.number - b.number);
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    throw new ShadowError('SHADOW_ERR_INPUT', `cannot read the recording ${folder}: ${messageOf(cause)}`, { cause });
  }
}

/** What the index tells of a segment, where the file is still what it tells of. */
export function readIndex(folder: string): ReadonlyMap<number, IndexEntry> {
  const path = indexPath(folder);
  const lines = indexText(path).split('\n');
  const entries = lines.flatMap(parseEntry).filter(({ file, bytes }) => sizeOf(join(folder, file)) === bytes);
  return new Map(entries.map((entry) => [entry.segment, entry]));
}

/** Nothing where it is not to be had: the segments are read then. */
function indexText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function parseEntry(line: string): IndexEntry[] {
  try {
    const entry = JSON.parse(line) as IndexEntry;
    const whole = [entry.segment, entry.first_us, entry.last_us, entry.bytes].every(Number.isSafeInteger);
    return whole && entry.first_us <= entry.last_us && entry.file === segmentName(entry.segment) ? [entry] : [];
  } catch {
    return []; // Torn: its segment is read.
  }
}

const sizeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.size;

/** UTC, as in names of sessions: 20260101T000000Z. */
export const startStamp = (wallUs: Us): string =>
  `${new Date(wallUs / US_PER_MS).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;

/** A new folder for a session, never one that is there. Throws SHADOW_ERR_OUTPUT where it cannot be made. */
export function makeSessionFolder(parent: string, exchange: string, wallUs: Us): string {
  const name = `${exchange}-${startStamp(wallUs)}`;
  try {
    mkdirSync(parent, { recursive: true });
    for (let attempt = 1; ; attempt++) {
      const folder = join(parent, attempt === 1 ? name : `${name}-${attempt}`);
      if (makeNew(folder)) return folder;
    }
  } catch (cause) {
    throw new ShadowError(
      'SHADOW_ERR_OUTPUT',
      `cannot make a folder for the recording in ${parent}: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
}

function makeNew(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The folder itself where it holds segments, or the only one in it that does. Throws SHADOW_ERR_INPUT, with a list where there are several. */
export function findSession(folder: string): string {
  if (segmentsIn(folder).length > 0) return folder;
  const inside = entriesOf(folder)
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name))
    .filter((path) => segmentsIn(path).length > 0)
    .sort();
  if (inside.length === 1) return inside[0]!;
  const came = inside.length === 0 ? 'no recording there' : `${inside.length}:\n${inside.join('\n')}`;
  throw new ShadowError('SHADOW_ERR_INPUT', `expected one recorded session in ${folder}, found ${came}`);
}
