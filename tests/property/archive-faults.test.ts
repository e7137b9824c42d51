import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { archive } from '../../collector/src/artifacts/archive.ts';
import type { ArchiveOptions } from '../../collector/src/artifacts/archive.ts';
import type { ArchiveFiles } from '../../collector/src/artifacts/archive-files.ts';
import { systemFiles } from '../../collector/src/artifacts/archive-files.ts';
import { ShadowError } from '../../collector/src/errors.ts';
import {
  archivesIn,
  archiveWorld,
  contentsOf,
  namesIn,
  optionsFor,
  range,
  textOf,
  writeFiles,
} from '../support/archive.ts';

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

const KINDS = [
  'refused (EIO)',
  'refused (ENOSPC)',
  'done but answered with EIO',
  'killed before',
  'killed after',
] as const;
type Kind = (typeof KINDS)[number];

/** The calls that were made, and whether the process was killed at the last. */
interface Calls {
  readonly files: ArchiveFiles;
  readonly made: string[];
  killed: boolean;
}

const failure = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code });

/** Every rename into another folder crosses a border of file systems. */
const acrossDisks: ArchiveFiles['rename'] = async (from, to) => {
  const folderOf = (path: unknown): string => String(path).replace(/\/[^/]*$/, '');
  if (folderOf(from) !== folderOf(to)) throw failure('EXDEV');
  await systemFiles.rename(from, to);
};

/** The file system, whose call number `at` goes wrong. A process that was killed makes no further call. */
function faulty(base: ArchiveFiles, at: number, kind: Kind): Calls {
  const calls: Calls = { files: base, made: [], killed: false };
  const files = new Proxy(base, {
    get:
      (target, property: keyof ArchiveFiles) =>
      async (...args: unknown[]) => {
        if (calls.killed) return new Promise(() => undefined);
        const hit = calls.made.length === at;
        calls.made.push(`${property} ${String(args[0]).replace(/^.*\//, '')}`);
        if (hit && kind.startsWith('refused')) throw failure(kind === 'refused (EIO)' ? 'EIO' : 'ENOSPC');
        if (hit && kind === 'killed before') return die(calls);
        const result = await (target[property] as (...all: unknown[]) => Promise<unknown>)(...args);
        if (hit && kind === 'done but answered with EIO') throw failure('EIO');
        return hit ? die(calls) : result;
      },
  });
  return Object.assign(calls, { files });
}

/** What was killed never answers; who waits for it is told by `killed`. */
let onKill: () => void = () => undefined;
function die(calls: Calls): Promise<never> {
  calls.killed = true;
  onKill();
  return new Promise(() => undefined);
}

const WINDOWS = range(1, 7);
const KEEP = 3;
const ours = [...WINDOWS.map((n) => `ITER_SUMMARY_${n}.json`), ...[2, 3, 4, 6].map((n) => `FILLS_${n}.json`)];
const REPORTS = ['POST_SHADOW_SNAPSHOT.json', 'POST_SHADOW_AUDIT_SUMMARY.json'];

function folderWithWindows(): string {
  const root = mkdtempSync(join(tmpdir(), 'shadow-faults-'));
  roots.push(root);
  writeFiles(join(root, 'latest'), ours);
  writeFiles(join(root, 'latest/reports/analysis'), REPORTS);
  return root;
}

const allFolders = (root: string): string[] => ['latest', ...archivesIn(root)].map((name) => join(root, name));

/** Every window and all fills are there, whole; a copy of a report is whole or not there. */
function expectNothingLost(root: string): void {
  const contents = contentsOf(allFolders(root));
  for (const name of ours)
    expect({ name, texts: new Set(contents.get(name)) }).toEqual({ name, texts: new Set([textOf(name)]) });
  for (const name of REPORTS) {
    for (const text of contents.get(name) ?? []) expect(text).toBe(textOf(name));
    expect(readFileSync(join(root, 'latest/reports/analysis', name), 'utf8')).toBe(textOf(name));
  }
}

/** What an archive without a fault leaves in the source; and all that went is in archives. */
function expectDone(root: string): void {
  expectNothingLost(root);
  const kept = ['ITER_SUMMARY_5.json', 'ITER_SUMMARY_6.json', 'ITER_SUMMARY_7.json', 'FILLS_6.json', 'reports'];
  expect(readdirSync(join(root, 'latest')).sort()).toEqual(kept.sort());
}

let processes = 0;

/** One process that archives: to its end, to its error, or until it is killed. */
async function process(
  options: ArchiveOptions,
  base: ArchiveFiles,
  at = Infinity,
  kind: Kind = 'refused (EIO)',
): Promise<{ calls: Calls; error: unknown }> {
  const calls = faulty(base, at, kind);
  const pid = ++processes;
  // All processes but this one are dead: they come one after the other.
  const world = archiveWorld({ files: calls.files, processes: { pid, isAlive: () => false, held: new Set() } });
  const killed = new Promise<void>((resolve) => (onKill = resolve));
  let error: unknown;
  await Promise.race([killed, archive(options, world).catch((reason: unknown) => (error = reason))]);
  return { calls, error };
}

async function numberOfCalls(
  base: ArchiveFiles,
  own: Partial<ArchiveOptions> = {},
  prepare?: (root: string) => void,
): Promise<number> {
  const root = folderWithWindows();
  prepare?.(root);
  const { calls, error } = await process(optionsFor(root, { maxKeep: KEEP, ...own }), base);
  expect(error).toBeUndefined();
  expectDone(root);
  return calls.made.length;
}

const DISKS = [
  { name: 'on one file system', base: systemFiles, least: 30 },
  { name: 'from one file system to another', base: { ...systemFiles, rename: acrossDisks }, least: 50 },
];

describe.each(DISKS)('an archive $name', ({ base, least }) => {
  test.each(KINDS)('loses nothing when any one of its calls is %s, and the next one completes it', async (kind) => {
    const calls = await numberOfCalls(base);
    expect(calls).toBeGreaterThan(least);
    for (let at = 0; at < calls; at++) {
      const root = folderWithWindows();
      const options = optionsFor(root, { maxKeep: KEEP });
      const { calls: made, error } = await process(options, base, at, kind);
      expectNothingLost(root);
      // An error is one of ours, unless the call did not matter to what was to be done.
      if (error !== undefined) expect(error).toBeInstanceOf(ShadowError);
      else if (!made.killed) expectNothingMissing(root);
      const { error: second } = await process(options, base);
      expect({ at, call: made.made[at], second }).toEqual({ at, call: made.made[at], second: undefined });
      expectDone(root);
      rmSync(root, { recursive: true });
    }
  });

  test.each(['killed before', 'killed after'] as const)(
    'loses nothing when it is %s any call, again and again',
    async (kind) => {
      for (let step = 1; step < 60; step += 7) {
        const root = folderWithWindows();
        const options = optionsFor(root, { maxKeep: KEEP });
        for (let round = 0; round < 12; round++) {
          await process(options, base, step + round * 3, kind);
          expectNothingLost(root);
        }
        await process(options, base);
        expectDone(root);
      }
    },
  );
});

/** It said that it was done: then it is. */
function expectNothingMissing(root: string): void {
  expect(namesIn(join(root, 'latest')).filter((name) => name.startsWith('ITER')).length).toBe(KEEP);
}

describe('the removal of old archives', () => {
  const OLD = ['ts-20250101_000000', 'ts-20250102_000000', 'ts-20250103_000000'];
  const prepare = (root: string): void => {
    for (const folder of OLD) writeFiles(join(root, folder), ['ITER_SUMMARY_1.json', 'FILLS_1.json', REPORTS[0]!]);
  };

  test.each(KINDS)(
    'that is %s at any call takes nothing that is to stay, and the next one completes it',
    async (kind) => {
      const own = { maxKeep: KEEP, maxArchives: 2, maxBytes: 1e9 };
      const calls = await numberOfCalls(systemFiles, own, prepare);
      for (let at = 0; at < calls; at++) {
        const root = folderWithWindows();
        prepare(root);
        await process(optionsFor(root, own), systemFiles, at, kind);
        expectNothingLost(root);
        await process(optionsFor(root, own), systemFiles);
        expectNothingLost(root);
        expect(readdirSync(join(root, 'latest')).filter((name) => name.startsWith('.'))).toEqual([]);
        // An archive that was interrupted may count as one; it is the newest ones that are left, and no half of one.
        const left = readdirSync(root).sort();
        expect(left.filter((name) => name.startsWith('.'))).toEqual([]);
        expect(archivesIn(root).length).toBe(2);
        expect(left).not.toContain(OLD[0]);
        rmSync(root, { recursive: true });
      }
    },
  );
});
