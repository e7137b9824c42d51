import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { archive, archiveName } from '../../collector/src/artifacts/archive.ts';
import { systemFiles } from '../../collector/src/artifacts/archive-files.ts';
import { archivesToPrune, planArchive } from '../../collector/src/artifacts/archive-plan.ts';
import { archive as archiveCommand, parentOf } from '../../collector/src/commands/archive.ts';
import { archivesAt } from '../../collector/src/commands/auto-archive.ts';
import type { CommandDeps } from '../../collector/src/commands/deps.ts';
import type { ArchiveOptions } from '../../collector/src/artifacts/archive.ts';
import {
  archivesIn,
  archiveWorld,
  contentsOf,
  namesIn,
  NOON_US,
  optionsFor,
  range,
  textOf,
  writeFiles,
  writeWindows,
} from '../support/archive.ts';

const CWD = process.cwd();
let root: string;
let src: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'shadow-archive-'));
  src = join(root, 'latest');
  mkdirSync(src);
});
afterEach(() => {
  process.chdir(CWD);
  rmSync(root, { recursive: true, force: true });
});

const iter = (numbers: readonly number[]): string[] => numbers.map((number) => `ITER_SUMMARY_${number}.json`);
const fills = (numbers: readonly number[]): string[] => numbers.map((number) => `FILLS_${number}.json`);

describe('the plan of an archive', () => {
  test.each([
    { name: 'keeps 10 and 11 and not 9', there: iter([9, 10, 11]), keep: 2, files: iter([9]) },
    { name: 'is in order of number', there: iter([100, 2, 10, 1, 9]), keep: 1, files: iter([1, 2, 9, 10]) },
    { name: 'is of numbers with holes', there: iter([5, 70, 3_000, 3_001]), keep: 2, files: iter([5, 70]) },
    { name: 'is empty where as many are there as may stay', there: iter([1, 2, 3]), keep: 3, files: [] },
    { name: 'is empty where fewer are there', there: iter([1, 2]), keep: 300, files: [] },
    { name: 'is one where one more is there', there: iter([1, 2, 3, 4]), keep: 3, files: iter([1]) },
    { name: 'leaves one where one may stay', there: iter([1, 2, 3]), keep: 1, files: iter([1, 2]) },
    { name: 'is empty of nothing', there: [], keep: 1, files: [] },
    {
      name: 'takes the fills of a window along, before it',
      there: [...iter([1, 2, 3]), ...fills([1, 2, 3])],
      keep: 1,
      files: ['FILLS_1.json', 'ITER_SUMMARY_1.json', 'FILLS_2.json', 'ITER_SUMMARY_2.json'],
    },
    {
      name: 'takes fills along whose window is gone, but none as new as what stays',
      there: [...iter([5, 6, 7]), ...fills([2, 5, 6, 8])],
      keep: 2,
      files: ['FILLS_2.json', 'FILLS_5.json', 'ITER_SUMMARY_5.json'],
    },
    {
      name: 'knows no other spelling',
      there: [...iter([1, 2]), 'ITER_SUMMARY_01.json', 'ITER_SUMMARY_0.json', 'ITER_SUMMARY_1.json.bak', 'x.json'],
      keep: 1,
      files: iter([1]),
    },
  ])('$name', ({ there, keep, files }) => {
    const plan = planArchive(
      there.map((name) => ({ name, kind: 'file' })),
      keep,
    );
    expect(plan.files).toEqual(files);
    expect(iter(plan.windows)).toEqual(files.filter((name) => name.startsWith('ITER')));
  });

  test('windows that are held stay with their fills, and no newer one goes in their place', () => {
    const entries = [...iter([1, 2, 3, 4]), ...fills([1, 2, 3, 4])].map((name) => ({ name, kind: 'file' as const }));
    expect(planArchive(entries, 2, new Set([2]))).toMatchObject({ windows: [1], files: [...fills([1]), ...iter([1])] });
  });

  test('folders, symbolic links and strangers stay and are named; hidden files and what else a run writes are not', () => {
    const plan = planArchive(
      [
        { name: 'ITER_SUMMARY_1.json', kind: 'folder' },
        { name: 'ITER_SUMMARY_2.json', kind: 'other' },
        { name: 'FILLS_2.json', kind: 'file' },
        { name: 'ITER_SUMMARY_3.json', kind: 'file' },
        { name: 'ITER_SUMMARY_4.json', kind: 'file' },
        { name: 'notes.txt', kind: 'file' },
        { name: 'reports', kind: 'folder' },
        { name: 'SHADOW_RUN_SUMMARY.json', kind: 'file' },
        { name: '.shadow.lock', kind: 'file' },
      ],
      1,
    );
    expect(plan).toEqual({
      found: 2,
      windows: [3],
      files: ['ITER_SUMMARY_3.json'],
      strangers: ['ITER_SUMMARY_1.json', 'ITER_SUMMARY_2.json', 'notes.txt'],
    });
  });
});

describe('old archives', () => {
  const archives = [3, 1, 2, 4].map((day) => ({ name: `ts-2025010${day}_000000`, files: [], bytes: day * 100 }));
  test.each([
    { name: 'all stay without a limit', maxArchives: 0, maxBytes: 0, removed: [] },
    { name: 'the newest stay by their number', maxArchives: 2, maxBytes: 0, removed: [1, 2] },
    { name: 'as many as may stay do', maxArchives: 4, maxBytes: 0, removed: [] },
    { name: 'the oldest go until the others are small enough', maxArchives: 0, maxBytes: 750, removed: [1, 2] },
    { name: 'exactly as many bytes as there may be are fine', maxArchives: 0, maxBytes: 700, removed: [1, 2] },
    { name: 'the newest stays, however large', maxArchives: 0, maxBytes: 1, removed: [1, 2, 3] },
    { name: 'the stricter limit counts', maxArchives: 3, maxBytes: 400, removed: [1, 2, 3] },
    { name: 'the one just made stays, whatever its name', maxArchives: 1, maxBytes: 0, made: 2, removed: [1, 3] },
  ])('$name', ({ maxArchives, maxBytes, made, removed }) => {
    const pruned = archivesToPrune(archives, { maxArchives, maxBytes }, `ts-2025010${made ?? 4}_000000`);
    expect(pruned.map(({ name }) => Number(name[10]))).toEqual(removed);
  });
});

describe('shadow archive', () => {
  const deps = (lines: string[]): CommandDeps => ({
    env: {},
    readText: (path) => readFileSync(path, 'utf8'),
    clock: { wallUs: () => NOON_US, monoUs: () => 0 },
    print: (line) => lines.push(line),
    say: (line) => lines.push(`stderr: ${line}`),
    signal: new AbortController().signal,
  });
  const command = async (...argv: string[]): Promise<string[]> => {
    const lines: string[] = [];
    expect(await archiveCommand(argv, deps(lines))).toBe(0);
    return lines;
  };

  test('of 450 windows the 300 of the highest numbers stay, and it says so in four lines', async () => {
    process.chdir(root);
    writeWindows('artifacts/shadow/latest', range(1, 450));
    expect(await command()).toEqual([
      '[INFO] Found 450 ITER_SUMMARY files',
      '[ROTATE] Moving 150 files to artifacts/shadow/ts-20251019_123045',
      '[OK] Archived 150 files',
      '[OK] Kept 300 most recent files',
    ]);
    expect(readdirSync('artifacts/shadow/latest').sort()).toEqual(iter(range(151, 450)).sort());
    expect(readdirSync('artifacts/shadow/ts-20251019_123045').sort()).toEqual(iter(range(1, 150)).sort());
    expect(await command()).toEqual([
      '[INFO] Found 300 ITER_SUMMARY files',
      '[SKIP] No rotation needed (count=300 <= max_keep=300)',
    ]);
  });

  test('nothing to do is said and no failure: no folder, no windows', async () => {
    process.chdir(root);
    expect(await command('--src', 'none')).toEqual(['[SKIP] Source directory not found: none']);
    expect(await command('--src', 'latest')).toEqual(['[SKIP] No ITER_SUMMARY files found in latest']);
    expect(readdirSync('latest')).toEqual([]);
  });

  test('reports are copied into the archive, and stay', async () => {
    process.chdir(root);
    const reports = ['POST_SHADOW_SNAPSHOT.json', 'POST_SHADOW_AUDIT_SUMMARY.json'];
    writeWindows('latest', range(1, 12));
    writeFiles('latest/reports/analysis', reports);
    expect(await command('--src', 'latest', '--max-keep', '10')).toEqual([
      '[INFO] Found 12 ITER_SUMMARY files',
      '[ROTATE] Moving 2 files to ts-20251019_123045',
      '[COPY] Snapshot copied to archive',
      '[COPY] Audit summary copied to archive',
      '[OK] Archived 2 files',
      '[OK] Kept 10 most recent files',
    ]);
    for (const name of reports) {
      expect(readFileSync(join('ts-20251019_123045', name), 'utf8')).toBe(textOf(name));
      expect(readFileSync(join('latest/reports/analysis', name), 'utf8')).toBe(textOf(name));
    }
  });

  test('a dry run tells what would be moved, copied and removed, and touches nothing', async () => {
    process.chdir(root);
    writeWindows('latest', range(1, 12));
    writeFiles('latest/reports/analysis', ['POST_SHADOW_SNAPSHOT.json']);
    writeFiles('old/ts-20250101_000000', ['ITER_SUMMARY_1.json']);
    const before = readdirSync('.', { recursive: true });
    const flags = ['--src', 'latest', '--dst_root', 'old', '--max_keep', '10', '--max_archives', '1', '--dry_run'];
    expect(await command(...flags)).toEqual([
      '[INFO] Found 12 ITER_SUMMARY files',
      '[DRY-RUN] Would move 2 files to old/ts-20251019_123045',
      '[DRY-RUN] Would copy snapshot to archive',
      `[DRY-RUN] Would remove old/ts-20250101_000000 (1 files, ${textOf('ITER_SUMMARY_1.json').length} bytes)`,
    ]);
    expect(readdirSync('.', { recursive: true })).toEqual(before);
  });

  test('the default for archives is beside the source, by the name that the user gave it', () => {
    const cases = ['artifacts/shadow/latest', 'artifacts/shadow/latest/', 'latest', '.', '/a/b', '..'];
    expect(cases.map(parentOf)).toEqual(['artifacts/shadow', 'artifacts/shadow', '.', '..', '/a', '../..']);
  });

  test.each([
    { flag: '--max_keep', value: '0' },
    { flag: '--max_keep', value: '1.5' },
    { flag: '--max_archives', value: '-1' },
    { flag: '--max_bytes', value: 'much' },
    { flag: '--dry_run', value: 'maybe' },
  ])('$flag $value is a mistake of usage', async ({ flag, value }) => {
    await expect(command(flag, value)).rejects.toMatchObject({ code: 'SHADOW_ERR_USAGE' });
  });
});

describe('an archive', () => {
  const run = async (own: Partial<ArchiveOptions> = {}, world = archiveWorld()): Promise<string[]> => {
    await archive(optionsFor(root, own), world);
    return world.lines;
  };

  test('has the second of its making as its name, in UTC', () => {
    expect(archiveName(Date.UTC(2026, 0, 2, 3, 4, 5, 999) * 1_000)).toBe('ts-20260102_030405');
  });

  test('is never an existing folder: the next free second is waited for, and where none comes it is an error', async () => {
    writeWindows(src, range(1, 5));
    for (const name of ['ts-20251019_123045', 'ts-20251019_123046']) mkdirSync(join(root, name));
    expect(await run()).toContain(`[ROTATE] Moving 2 files to ${join(root, 'ts-20251019_123047')}`);
    expect(namesIn(join(root, 'ts-20251019_123045'))).toEqual([]);
    writeWindows(src, [6]);
    const stopped = archiveWorld({ wait: () => Promise.resolve() });
    await expect(run({}, stopped)).rejects.toMatchObject({ code: 'SHADOW_ERR_OUTPUT' });
    expect(namesIn(src)).toEqual(iter([3, 4, 5, 6]));
    expect(readdirSync(src)).toEqual(namesIn(src));
  });

  test('never writes over a file that somebody put into its folder', async () => {
    writeWindows(src, range(1, 5));
    const folder = join(root, 'ts-20251019_123045');
    const files = {
      ...systemFiles,
      sync: async (path: string) => {
        writeFileSync(join(folder, 'ITER_SUMMARY_2.json'), 'of somebody');
        await systemFiles.sync(path);
      },
    };
    await expect(run({}, archiveWorld({ files }))).rejects.toThrow('ITER_SUMMARY_2.json is there already');
    expect(readFileSync(join(folder, 'ITER_SUMMARY_2.json'), 'utf8')).toBe('of somebody');
    expect(namesIn(src)).toEqual(iter([2, 3, 4, 5]));
  });

  test('leaves symbolic links, folders and strangers where they are and names them in one line', async () => {
    writeWindows(src, range(3, 8));
    writeFileSync(join(root, 'elsewhere'), 'a file of the user');
    symlinkSync(join(root, 'elsewhere'), join(src, 'ITER_SUMMARY_1.json'));
    mkdirSync(join(src, 'ITER_SUMMARY_2.json'));
    writeFileSync(join(src, 'notes.txt'), '');
    const lines = await run();
    const warnings = lines.filter((line) => line.startsWith('[WARN]'));
    expect(warnings.length).toBe(1);
    for (const name of ['ITER_SUMMARY_1.json', 'ITER_SUMMARY_2.json', 'notes.txt']) expect(warnings[0]).toContain(name);
    expect(namesIn(src)).toEqual([...iter([1, 2, 6, 7, 8]), 'notes.txt']);
    expect(namesIn(join(root, 'ts-20251019_123045'))).toEqual(iter([3, 4, 5]));
  });

  const provisional = (own: object): string => JSON.stringify({ provisional: true, ...own });
  test('leaves windows that a live run is still to complete, and moves them once it is dead', async () => {
    writeWindows(src, range(1, 7));
    writeFiles(src, fills([2, 3]));
    writeFileSync(join(src, 'ITER_SUMMARY_2.json'), provisional({ cut_short: false }));
    writeFileSync(join(src, 'ITER_SUMMARY_3.json'), provisional({ cut_short: true }));
    writeFileSync(join(src, 'ITER_SUMMARY_4.json'), '{"provisional": true, torn');
    writeFileSync(join(src, '.shadow.lock'), '7');
    const folder = join(root, 'ts-20251019_123045');
    expect(await run({ maxKeep: 2 })).toEqual([
      '[INFO] Found 7 ITER_SUMMARY files',
      '[SKIP] ITER_SUMMARY_2.json is still provisional',
      `[ROTATE] Moving 4 files to ${folder}`,
      '[OK] Archived 4 files',
      '[OK] Kept 3 most recent files',
    ]);
    expect(namesIn(src)).toEqual([...fills([2]), ...iter([2, 6, 7])]);
    expect(await run({ maxKeep: 2 })).toEqual([
      '[INFO] Found 3 ITER_SUMMARY files',
      '[SKIP] ITER_SUMMARY_2.json is still provisional',
    ]);
    expect(archivesIn(root)).toEqual(['ts-20251019_123045']);
    writeFileSync(join(src, '.shadow.lock'), '700');
    await run({ maxKeep: 2 });
    expect(namesIn(src)).toEqual(iter([6, 7]));
    expect(namesIn(join(root, 'ts-20251019_123046'))).toEqual([...fills([2]), ...iter([2])]);
  });

  test('ends with an error that names the process where another is at it, and takes over what a dead one left', async () => {
    writeWindows(src, range(1, 5));
    const path = join(src, '.shadow-archive.lock');
    writeFileSync(path, '42');
    await expect(run()).rejects.toMatchObject({
      code: 'SHADOW_ERR_OUTPUT',
      message: expect.stringMatching(/process 42 already archives there .*remove that file/),
    });
    expect(namesIn(root)).toEqual(['latest']);
    writeFileSync(path, '420');
    await run();
    expect(readdirSync(src)).toEqual(iter([3, 4, 5]));
  });

  test('that is stopped says how far it came, and the next one does the rest', async () => {
    writeWindows(src, range(1, 9));
    const controller = new AbortController();
    let moved = 0;
    const files = {
      ...systemFiles,
      rename: async (from: string, to: string) => {
        await systemFiles.rename(from, to);
        if (++moved === 2) controller.abort();
      },
    };
    const world = archiveWorld({ files: files as typeof systemFiles, signal: controller.signal });
    await expect(run({}, world)).rejects.toThrow('it was stopped; 2 of 6 ITER_SUMMARY files are in');
    await run();
    expect(namesIn(src)).toEqual(iter([7, 8, 9]));
    expect([...contentsOf([src, ...archivesIn(root).map((name) => join(root, name))]).keys()].length).toBe(9);
  });

  test('removes old archives, and of folders that hold anything else only the name is told', async () => {
    writeWindows(src, range(1, 5));
    writeFiles(join(root, 'ts-20250101_000000'), ['ITER_SUMMARY_1.json', 'FILLS_1.json', 'POST_SHADOW_SNAPSHOT.json']);
    writeFiles(join(root, 'ts-20250102_000000'), ['ITER_SUMMARY_1.json', 'notes.txt']);
    writeFiles(join(root, 'ts-20250103_000000'), ['ITER_SUMMARY_1.json']);
    writeFiles(join(root, 'ts-20250104_000000/ITER_SUMMARY_9.json'), ['deep']);
    writeFiles(join(root, '.deleting-ts-20240101_000000'), ['ITER_SUMMARY_1.json']);
    writeFiles(join(root, 'ts-2025'), ['ITER_SUMMARY_1.json']);
    mkdirSync(join(root, 'elsewhere'));
    symlinkSync(join(root, 'elsewhere'), join(root, 'ts-20250105_000000'));
    const size = (name: string): number => textOf(name).length;
    const bytes = size('ITER_SUMMARY_1.json') + size('FILLS_1.json') + size('POST_SHADOW_SNAPSHOT.json');
    const lines = await run({ maxArchives: 2 });
    expect(lines.slice(4)).toEqual([
      `[PRUNE] Removed ${join(root, '.deleting-ts-20240101_000000')} (1 files, ${size('ITER_SUMMARY_1.json')} bytes)`,
      `[WARN] Not removed, holding files that are not of an archive: ${join(root, 'ts-20250102_000000')}, ${join(root, 'ts-20250104_000000')}`,
      `[PRUNE] Removed ${join(root, 'ts-20250101_000000')} (3 files, ${bytes} bytes)`,
    ]);
    expect(readdirSync(root).sort()).toEqual([
      'elsewhere',
      'latest',
      'ts-2025',
      'ts-20250102_000000',
      'ts-20250103_000000',
      'ts-20250104_000000',
      'ts-20250105_000000',
      'ts-20251019_123045',
    ]);
  });

  test('removes what is too large also when there is nothing to move, but never the newest', async () => {
    writeWindows(src, range(1, 3));
    for (const day of [1, 2, 3]) writeFiles(join(root, `ts-2025010${day}_000000`), ['ITER_SUMMARY_1.json']);
    await run({ maxBytes: 1 });
    expect(archivesIn(root)).toEqual(['ts-20250103_000000']);
    expect(namesIn(src)).toEqual(iter([1, 2, 3]));
  });
});

test('a run archives by itself when a tenth more windows are there than are to stay, and at least one', () => {
  expect([1, 5, 10, 15, 300].map(archivesAt)).toEqual([2, 6, 11, 17, 330]);
});
