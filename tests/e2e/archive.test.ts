import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { archivesIn, contentsOf, namesIn, range, textOf, writeFiles, writeWindows } from '../support/archive.ts';
import {
  Collector,
  iterationsIn,
  plainEnv,
  Process,
  readRunSummary,
  readWindows,
  runCli,
} from './support/collector.ts';
import { testOnDisk } from './support/disk.ts';
import { Scope, waitFor } from './support/scope.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

let scope: Scope;
let root: string;
let src: string;
beforeEach(() => {
  scope = new Scope();
  root = scope.folder();
  src = join(root, 'latest');
  mkdirSync(src);
});
afterEach(() => scope.close());

const foldersOf = (home: string, folder = 'latest'): string[] =>
  [folder, ...archivesIn(home)].map((name) => join(home, name));

/** Each of the windows is there, whole; with `once`, at one place only. */
function expectAll(windows: readonly number[], folders: readonly string[], once = true): void {
  const contents = contentsOf(folders);
  const broken = windows.filter((number) => {
    const name = `ITER_SUMMARY_${number}.json`;
    const texts = contents.get(name) ?? [];
    return texts.length === 0 || (once && texts.length > 1) || texts.some((text) => text !== textOf(name));
  });
  expect(broken).toEqual([]);
}

const archiving = (...flags: string[]): Process => {
  const started = new Process(['archive', '--src', src, ...flags]);
  scope.add(() => started.kill());
  return started;
};

test('of 450 windows in the default folder the newest 300 stay, and the output is what scripts read', async () => {
  writeWindows(join(root, 'artifacts/shadow/latest'), range(1, 450));
  const { code, stdout, stderr } = await runCli(scope, ['archive'], {}, root);
  const [folder] = archivesIn(join(root, 'artifacts/shadow'));
  expect({ code, stderr, lines: stdout.split('\n') }).toEqual({
    code: 0,
    stderr: '',
    lines: [
      '[INFO] Found 450 ITER_SUMMARY files',
      `[ROTATE] Moving 150 files to artifacts/shadow/${folder}`,
      '[OK] Archived 150 files',
      '[OK] Kept 300 most recent files',
      '',
    ],
  });
  expect(iterationsIn(join(root, 'artifacts/shadow/latest'))).toEqual(range(151, 450));
  expectAll(range(1, 450), foldersOf(join(root, 'artifacts/shadow')));
});

test('make shadow-archive does it, with the flags it is given', async () => {
  writeWindows(src, range(1, 12));
  const args = ['shadow-archive', `ARGS=--src ${src} --max_keep 10`];
  const { stdout } = await promisify(execFile)('make', args, { cwd: PROJECT, env: plainEnv() });
  const [folder] = archivesIn(root);
  expect(stdout.split('\n')).toEqual([
    '[INFO] Found 12 ITER_SUMMARY files',
    `[ROTATE] Moving 2 files to ${join(root, folder!)}`,
    '[OK] Archived 2 files',
    '[OK] Kept 10 most recent files',
    '',
  ]);
  expectAll(range(1, 12), foldersOf(root));
});

test('a second archive while one is at it ends with exit code 3 and names it, and the first one goes on', async () => {
  writeWindows(src, range(1, 8_000));
  const first = archiving('--max_keep', '10');
  await waitFor('the first to have moved something', () =>
    archivesIn(root).some((name) => namesIn(join(root, name)).length > 0),
  );
  first.child.kill('SIGSTOP');
  const second = await runCli(scope, ['archive', '--src', src, '--max_keep', '10']);
  expect({ code: second.code, stdout: second.stdout }).toEqual({ code: 3, stdout: '' });
  expect(second.stderr).toContain(`SHADOW_ERR_OUTPUT: process ${first.child.pid!} already archives there`);
  expect(second.stderr).not.toMatch(/^\s+at /m);
  first.child.kill('SIGCONT');
  expect((await first.exit).code).toBe(0);
  expect(archivesIn(root).length).toBe(1);
  expect(iterationsIn(src)).toEqual(range(7_991, 8_000));
  expectAll(range(1, 8_000), foldersOf(root));
});

test('of many archives at once on a lock that a dead process left, all but one refuse or find nothing to do', async () => {
  writeWindows(src, range(1, 600));
  writeFileSync(join(src, '.shadow-archive.lock'), '4194304');
  const all = await Promise.all(range(1, 6).map(() => archiving('--max_keep', '10').exit));
  for (const { code, stdout, stderr } of all) {
    if (code === 3) expect(stderr).toContain('already archives there');
    else expect(stdout).toMatch(/\[OK\] Archived 590 files|\[SKIP\] No rotation needed/);
  }
  expect(all.filter(({ stdout }) => stdout.includes('[OK] Archived')).length).toBe(1);
  expectAll(range(1, 600), foldersOf(root));
  expect(readdirSync(src).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('SIGKILL in the middle of an archive of thousands loses nothing, and the next one completes it', async () => {
  const windows = range(1, 5_000);
  writeWindows(src, windows);
  const movedBy = (folder: string): number => namesIn(join(root, folder)).length;
  for (const moved of [0, 1, 100, 300, 600]) {
    const before = archivesIn(root);
    const started = archiving('--max_keep', '10');
    await waitFor(`${moved} windows to be moved`, () => {
      const [folder] = archivesIn(root).filter((name) => !before.includes(name));
      return folder !== undefined && movedBy(folder) >= moved;
    });
    await started.kill();
    expect((await started.exit).signal).toBe('SIGKILL');
    expectAll(windows, foldersOf(root));
  }
  expect(iterationsIn(src).length).toBeGreaterThan(10);
  const { code, stdout } = await archiving('--max_keep', '10').exit;
  expect({ code, end: stdout.split('\n').at(-2) }).toEqual({ code: 0, end: '[OK] Kept 10 most recent files' });
  expect(readdirSync(src).sort()).toEqual(range(4_991, 5_000).map((number) => `ITER_SUMMARY_${number}.json`));
  expectAll(windows, foldersOf(root));
});

testOnDisk(
  'a full disk stops an archive with exit code 3, nothing is lost, and with space it is completed',
  async (disk) => {
    writeWindows(src, range(1, 30));
    writeFiles(join(src, 'reports/analysis'), ['POST_SHADOW_SNAPSHOT.json']);
    disk.fill();
    const flags = ['archive', '--src', src, '--dst_root', disk.folder, '--max_keep', '10'];
    const refused = await runCli(scope, flags);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toMatch(/^SHADOW_ERR_OUTPUT: cannot archive .*ENOSPC/);
    expect(iterationsIn(src)).toEqual(range(1, 30));
    expect(archivesIn(disk.folder)).toEqual([]);

    disk.free();
    expect((await runCli(scope, flags)).code).toBe(0);
    expect(iterationsIn(src)).toEqual(range(21, 30));
    expectAll(range(1, 30), [src, ...archivesIn(disk.folder).map((name) => join(disk.folder, name))]);
  },
);

testOnDisk('a disk that becomes full under way leaves each window whole at one of the two places', async (disk) => {
  const windows = range(1, 400); // Each takes 4 KiB of a disk of 1 MiB.
  writeWindows(src, windows);
  const flags = ['archive', '--src', src, '--dst_root', disk.folder, '--max_keep', '10'];
  const { code, stderr } = await runCli(scope, flags);
  expect(code).toBe(3);
  expect(stderr).toMatch(/ENOSPC.*; \d+ of 390 ITER_SUMMARY files are in /);
  const archived = archivesIn(disk.folder).map((name) => join(disk.folder, name));
  expect(namesIn(archived[0]!).length).toBeGreaterThan(100);
  expect(readdirSync(archived[0]!)).toEqual(expect.not.arrayContaining([expect.stringMatching(/^\./)]));
  expectAll(windows, [src, ...archived]);
});

/** Numbers of the windows that a run wrote, wherever they are; each of them once, valid, and final unless the run ended in it. */
function writtenBy(home: string, folder: string): number[] {
  const windows = foldersOf(home, folder).flatMap((path) => readWindows(path));
  for (const window of windows) if (window.provisional) expect(window.cut_short).toBe(true);
  return windows.map(({ iteration }) => iteration).sort((a, b) => a - b);
}

test('archives made while a run writes lose no window: each number is there once, and final', async () => {
  const flags = { output: src, duration: 1, iterations: 9, drain: 3, symbols: 'BTCUSDT', spread_bps: 0, seed: 3 };
  const collector = await Collector.startMock(scope, flags);
  let skipped = 0;
  let archived = 0;
  while (collector.running) {
    const { code, stdout, stderr } = await archiving('--max_keep', '1').exit;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    skipped += stdout.match(/is still provisional/g)?.length ?? 0;
    archived += Number(/Archived (\d+)/.exec(stdout)?.[1] ?? 0);
  }
  expect((await collector.end()).code).toBe(0);
  expect(skipped).toBeGreaterThan(0);
  const { code, stdout } = await archiving('--max_keep', '1').exit;
  archived += Number(/Archived (\d+)/.exec(stdout)?.[1] ?? 0);
  expect({ code, archived }).toEqual({ code: 0, archived: 8 });
  expect(iterationsIn(src)).toEqual([9]);
  expect(writtenBy(root, 'latest')).toEqual(range(1, 9));
});

test('a run with --auto_archive keeps its folder small by itself, and a later one counts on', async () => {
  const flags = { output: src, duration: 1, symbols: 'BTCUSDT', auto_archive: true, max_keep: 2, drain: 0 };
  for (const last of [6, 9]) {
    const collector = await Collector.startMock(scope, { ...flags, iterations: last === 6 ? 6 : 3 });
    const { code, stderr } = await collector.end();
    expect(code).toBe(0);
    expect(stderr).not.toContain('artifact error');
    expect(stderr).toContain('[OK] Archived');
    expect(iterationsIn(src)).toEqual([last - 1, last]);
    expect(writtenBy(root, 'latest')).toEqual(range(1, last));
    expect(readRunSummary(src)).toMatchObject({ total_iterations: last === 6 ? 6 : 3, last_iteration: last });
    expect(readdirSync(src).filter((name) => name.startsWith('.'))).toEqual([]);
  }
});

test('a run whose --auto_archive fails counts and logs it, and goes on', async () => {
  // The test itself is alive, and no archive.
  writeFileSync(join(src, '.shadow-archive.lock'), String(process.pid));
  const flags = { output: src, duration: 1, symbols: 'BTCUSDT', auto_archive: true, max_keep: 1 };
  const collector = await Collector.startMock(scope, flags);
  await collector.metric('shadow_artifact_write_errors_total', {}, (errors) => errors >= 1);
  const before = iterationsIn(src).length;
  await collector.until('another window', () => iterationsIn(src).length > before);
  const { code, stderr } = await collector.stop();
  expect(code).toBe(0);
  expect(stderr).toContain(`process ${process.pid} already archives there`);
  expect(writtenBy(root, 'latest')).toEqual(range(1, iterationsIn(src).length));
});

test('a replay made again after its first windows were archived writes the same files again', async () => {
  const recording = join(root, 'session.jsonl.br');
  const record = ['simulate', '--record', recording, '--symbols', 'BTCUSDT', '--seconds', '13', '--seed', '7'];
  expect((await runCli(scope, record)).code).toBe(0);
  const replay = ['run', '--replay', recording, '--symbols', 'BTCUSDT', '--duration', '2', '--iterations', '0'];
  const again = [...replay, '--output', src, '--metrics_port', '0', '--log_level', 'warn'];
  writeWindows(src, []);
  expect((await runCli(scope, again)).code).toBe(0);
  const numbers = iterationsIn(src);
  expect(numbers.length).toBeGreaterThan(5);
  expect((await archiving('--max_keep', '3').exit).code).toBe(0);
  expect(iterationsIn(src)).toEqual(numbers.slice(-3));
  expect((await runCli(scope, again)).code).toBe(0);
  expect(iterationsIn(src)).toEqual(numbers);
  for (const [name, texts] of contentsOf(foldersOf(root)))
    expect({ name, different: new Set(texts).size }).toEqual({ name, different: 1 });
  expect(existsSync(join(src, '.shadow.lock'))).toBe(false);
  expect(JSON.parse(readFileSync(join(src, 'SHADOW_RUN_SUMMARY.json'), 'utf8'))).toMatchObject({ first_iteration: 1 });
});
