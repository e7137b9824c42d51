import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ArchiveOptions, ArchiveWorld } from '../../collector/src/artifacts/archive.ts';
import { systemFiles } from '../../collector/src/artifacts/archive-files.ts';
import { iterFileName } from '../../collector/src/artifacts/window-files.ts';

/** 2025-10-19T12:30:45Z in µs. */
export const NOON_US = Date.UTC(2025, 9, 19, 12, 30, 45) * 1_000;

export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Text of its own for each file, long enough that half of one is not another. */
export const textOf = (name: string): string => `${JSON.stringify({ name, filler: name.repeat(50) })}\n`;

export function writeFiles(folder: string, names: readonly string[]): void {
  for (const name of names) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, textOf(name));
  }
}

export const writeWindows = (folder: string, numbers: readonly number[]): void =>
  writeFiles(folder, numbers.map(iterFileName));

/** Names in a folder, but hidden ones, sorted. */
export const namesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => !name.startsWith('.'))
        .sort()
    : [];

/** Archive folders beside the source, the oldest first. */
export const archivesIn = (root: string): string[] => namesIn(root).filter((name) => /^ts-\d{8}_\d{6}$/.test(name));

/** Of each name, the contents that there are in these folders. */
export function contentsOf(folders: readonly string[]): Map<string, string[]> {
  const contents = new Map<string, string[]>();
  for (const folder of folders) {
    for (const name of namesIn(folder)) {
      if (!name.endsWith('.json')) continue;
      contents.set(name, [...(contents.get(name) ?? []), readFileSync(join(folder, name), 'utf8')]);
    }
  }
  return contents;
}

export const optionsFor = (root: string, own: Partial<ArchiveOptions> = {}): ArchiveOptions => ({
  src: join(root, 'latest'),
  dstRoot: root,
  maxKeep: 3,
  maxArchives: 0,
  maxBytes: 0,
  dryRun: false,
  ...own,
});

/** A world of its own: a process that is alone, at half past noon, and whose clock only waiting moves. */
export function archiveWorld(own: Partial<ArchiveWorld> = {}): ArchiveWorld & { readonly lines: string[] } {
  const lines: string[] = [];
  let nowUs = NOON_US;
  return {
    files: systemFiles,
    processes: { pid: 1, isAlive: (pid) => pid < 100, held: new Set() },
    clock: { wallUs: () => nowUs },
    wait: (ms) => {
      nowUs += ms * 1_000;
      return Promise.resolve();
    },
    print: (line) => lines.push(line),
    signal: new AbortController().signal,
    lines,
    ...own,
  };
}
