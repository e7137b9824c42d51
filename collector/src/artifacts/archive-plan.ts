import type { FolderEntry } from './archive-files.ts';
import { AUDIT_FILE, fillsFileName, fillsIterationOf, iterationOf, iterFileName } from './window-files.ts';
import { REPORT_FOLDER, SNAPSHOT_FILE, TEMPORARY_FILE } from './window-files.ts';

export const ARCHIVE_FOLDER = /^ts-\d{8}_\d{6}$/;
/** An archive folder on its way out: it goes by this name from the moment it is not whole any more. */
export const DELETING = '.deleting-';

export interface ArchivePlan {
  /** Windows in the folder. */
  readonly found: number;
  /** Those that go, ascending by number. */
  readonly windows: readonly number[];
  /**
   * All files that go, in order of windows, the companion of each before it: while a window's own file is there, whoever comes next knows that
   * it is still to go.
   */
  readonly files: readonly string[];
  /** Names in the folder that are nothing of ours. They stay. */
  readonly strangers: readonly string[];
}

const OURS = new Set(['SHADOW_RUN_SUMMARY.json', REPORT_FOLDER.split('/')[0]!]);

/**
 * What an archive takes out of a folder: all but the `maxKeep` windows of the highest numbers, and companions older than these whose
 * window is gone. Windows that are `held` stay, with theirs. Names with a dot before them are hidden: neither ours to move nor strangers.
 */
export function planArchive(
  entries: readonly FolderEntry[],
  maxKeep: number,
  held: ReadonlySet<number> = new Set(),
): ArchivePlan {
  const files = entries.filter(({ kind }) => kind === 'file').map(({ name }) => name);
  const numbers = numbersOf(files, iterationOf);
  const names = new Set(entries.map(({ name }) => name));
  const oldestKept = numbers.at(-maxKeep) ?? numbers[0] ?? 0;
  const goes = (number: number): boolean => number < oldestKept && !held.has(number);
  const windows = numbers.filter(goes);
  const going = new Set(windows);
  const companions = new Set(
    numbersOf(files, fillsIterationOf).filter(
      (number) => goes(number) && (going.has(number) || !names.has(iterFileName(number))),
    ),
  );
  const inOrder = [...new Set([...windows, ...companions])].sort((a, b) => a - b);
  return {
    found: numbers.length,
    windows,
    files: inOrder.flatMap((number) => [
      ...(companions.has(number) ? [fillsFileName(number)] : []),
      ...(going.has(number) ? [iterFileName(number)] : []),
    ]),
    strangers: entries.filter(isStranger).map(({ name }) => name),
  };
}

function numbersOf(names: readonly string[], numberOf: (name: string) => number | undefined): number[] {
  const numbers = names.map(numberOf).filter((number) => number !== undefined);
  return numbers.sort((a, b) => a - b);
}

function isStranger({ name, kind }: FolderEntry): boolean {
  if (name.startsWith('.') || OURS.has(name) || ARCHIVE_FOLDER.test(name)) return false;
  return kind !== 'file' || !isWindowFile(name);
}

const isWindowFile = (name: string): boolean => (iterationOf(name) ?? fillsIterationOf(name)) !== undefined;

/** Whether an archive may have put it into its folder. */
export const isArchived = ({ name, kind }: FolderEntry): boolean =>
  kind === 'file' && (isWindowFile(name) || name === SNAPSHOT_FILE || name === AUDIT_FILE || TEMPORARY_FILE.test(name));

/** A folder of archived windows. */
export interface Archive {
  readonly name: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * Archives to remove, the oldest first, until at most `maxArchives` are left and these have at most `maxBytes`; 0 is no limit. The newest
 * always stays, and so does the one just made.
 */
export function archivesToPrune(
  archives: readonly Archive[],
  { maxArchives, maxBytes }: { readonly maxArchives: number; readonly maxBytes: number },
  made?: string,
): Archive[] {
  const oldestFirst = [...archives].sort((a, b) => (a.name < b.name ? -1 : 1));
  const removed: Archive[] = [];
  let bytes = archives.reduce((sum, archive) => sum + archive.bytes, 0);
  for (const archive of oldestFirst.slice(0, -1)) {
    const left = archives.length - removed.length;
    const enough = (maxArchives === 0 || left <= maxArchives) && (maxBytes === 0 || bytes <= maxBytes);
    if (enough) break;
    if (archive.name === made) continue;
    removed.push(archive);
    bytes -= archive.bytes;
  }
  return removed;
}
