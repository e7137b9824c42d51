import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { archive } from '../../collector/src/artifacts/archive.ts';
import { ArtifactStore } from '../../collector/src/artifacts/store.ts';
import { fillsFileName, iterFileName } from '../../collector/src/artifacts/window-files.ts';
import type { IterSummary } from '../../schema/types.gen.js';
import { archivesIn, archiveWorld, namesIn, optionsFor, range, writeFiles, writeWindows } from '../support/archive.ts';

let root: string;
let src: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'shadow-traps-'));
  src = join(root, 'latest');
  mkdirSync(src);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const names = (numbers: readonly number[]): string[] => numbers.map(iterFileName).sort();

test('trap 16: an archive of 5 to 12 that keeps five takes 5, 6 and 7, and not those that sort first as text', async () => {
  writeWindows(src, range(5, 12));
  await archive(optionsFor(root, { maxKeep: 5 }), archiveWorld());
  expect(namesIn(src)).toEqual(names(range(8, 12)));
  expect(namesIn(join(root, archivesIn(root)[0]!))).toEqual(names([5, 6, 7]));
});

test('trap 16: whatever the digits, the windows that stay are those of the highest numbers, and their fills with them', async () => {
  for (const [maxKeep, last] of [
    [1, 2],
    [2, 10],
    [10, 11],
    [99, 100],
    [3, 1_001],
  ] as const) {
    writeWindows(src, range(1, last));
    writeFiles(src, range(1, last).map(fillsFileName));
    await archive(optionsFor(root, { maxKeep }), archiveWorld());
    const kept = range(last - maxKeep + 1, last);
    expect(namesIn(src)).toEqual([...names(kept), ...kept.map(fillsFileName)].sort());
    for (const folder of ['latest', ...archivesIn(root)]) rmSync(join(root, folder), { recursive: true });
    mkdirSync(src);
  }
});

const golden = async (number: number): Promise<IterSummary> =>
  JSON.parse(
    await readFile(new URL(`../golden/queue/ITER_SUMMARY_${number}.json`, import.meta.url), 'utf8'),
  ) as IterSummary;

test('trap 17: a run counts on behind what an archive left, and one made again finds its numbers without its first windows', async () => {
  const [second, third] = [await golden(2), await golden(3)];
  const startUs = (Date.parse(second.timestamp) - 2 * second.duration_seconds * 1_000) * 1_000;
  const firstIteration = async (windows: readonly IterSummary[], runId: string): Promise<number> => {
    rmSync(src, { recursive: true });
    mkdirSync(src);
    for (const window of windows) await writeFile(join(src, iterFileName(window.iteration)), JSON.stringify(window));
    const store = await ArtifactStore.open(src, { onError: () => undefined });
    try {
      // A start is not of whole milliseconds, an artifact's stamp is.
      return store.firstIteration(runId, startUs - 999);
    } finally {
      await store.close();
    }
  };
  const other = '20260101T000000Z-000000000000';
  const behind = { ...second, iteration: 41 };
  expect(await firstIteration([second, third], second.run_id)).toBe(1);
  expect(await firstIteration([behind], second.run_id)).toBe(40);
  expect(await firstIteration([behind], other)).toBe(42);
  expect(await firstIteration([{ ...second, iteration: 1 }], second.run_id)).toBe(1);
  expect(await firstIteration([{ ...second, iteration: 9, run_id: other }, behind], second.run_id)).toBe(40);
  // A window that was cut short does not tell which it was.
  expect(await firstIteration([{ ...behind, cut_short: true }], second.run_id)).toBe(41);
});
