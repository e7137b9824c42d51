import { existsSync, mkdirSync, readdirSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Collector, iterationsIn, readRunSummary, readWindows, temporaryFiles } from './support/collector.ts';
import { disk, reported, testOnDisk } from './support/disk.ts';
import { Scope } from './support/scope.ts';
import { TestExchange } from './support/test-exchange.ts';

let scope: Scope;
let exchange: TestExchange;
beforeEach(async () => {
  scope = new Scope();
  exchange = await TestExchange.start(scope);
  exchange.stream(20);
});
afterEach(() => scope.close());

/** Everything in the folder is whole, and windows are numbered from 1 on without a hole. */
function expectWhole(folder: string): void {
  const windows = readWindows(folder);
  expect(windows.map((window) => window.iteration)).toEqual(windows.map((_, index) => index + 1));
  readRunSummary(folder);
}

type Moment = (collector: Collector) => Promise<void>;

/** So long after the metrics address: the moment itself is what is varied. */
const afterMs =
  (ms: number): Moment =>
  async () => {
    await setTimeout(ms);
  };

/** At the n-th change of an artifact or of its temporary file: in the middle of writing. */
const atChange =
  (count: number): Moment =>
  async (collector) => {
    let seen = 0;
    const watcher = watch(collector.output, (_, name) => {
      if (name?.endsWith('.json') === true || name?.endsWith('.tmp') === true) seen++;
    });
    await collector.until(`change ${count} in the folder`, () => seen >= count).finally(() => watcher.close());
  };

async function killAt(folder: string, moments: readonly Moment[]): Promise<void> {
  for (const moment of moments) {
    const collector = await Collector.start(scope, exchange, { duration: 1, output: folder });
    await moment(collector);
    await collector.kill();
    expectWhole(folder);
  }
}

test('SIGKILL at any moment leaves whole files, and the next start cleans up and goes on counting', async () => {
  const [spread, within] = [scope.folder(), scope.folder()];
  for (const folder of [spread, within]) {
    writeFileSync(join(folder, '.ITER_SUMMARY_7.json.4194304.tmp'), '{"iteration": 7, "torn');
    writeFileSync(join(folder, '.SHADOW_RUN_SUMMARY.json.4194304.tmp'), '');
    writeFileSync(join(folder, 'notes.txt'), 'not ours');
  }
  const ten = Array.from({ length: 10 }, (_, index) => index);
  await Promise.all([
    killAt(
      spread,
      ten.map((index) => afterMs(index * 340)),
    ),
    killAt(
      within,
      ten.map((index) => atChange(index + 1)),
    ),
  ]);
  for (const folder of [spread, within]) {
    const before = readWindows(folder);
    if (folder === within) expect(before.length).toBeGreaterThan(0);
    const collector = await Collector.start(scope, exchange, { duration: 1, output: folder });
    await collector.until('the next window', () => iterationsIn(folder).length > before.length);
    expect((await collector.stop()).code).toBe(0);
    expectWhole(folder);
    const after = readWindows(folder);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(new Set(before.map((window) => window.run_id)).has(after.at(-1)!.run_id)).toBe(false);
    expect(temporaryFiles(folder)).toEqual([]);
    expect(readdirSync(folder)).toContain('notes.txt');
  }
});

testOnDisk(reported('a full disk is counted and delays windows, and none is lost once there is space'), async () => {
  const { folder, fill, free } = disk(scope);
  const output = join(folder, 'shadow');
  mkdirSync(output);
  const collector = await Collector.start(scope, exchange, { duration: 1, output });
  await collector.until('a window', () => iterationsIn(output).length >= 1);
  fill();
  await collector.metric('shadow_artifact_write_errors_total', {}, (errors) => errors >= 2);
  const written = iterationsIn(output).length;
  const windows = (await collector.scrape()).value('shadow_windows_total')!;
  await collector.metric('shadow_windows_total', {}, (value) => value >= windows + 2);
  // Refused meanwhile: nothing new, nothing torn, nothing left behind.
  expect(iterationsIn(output).length).toBe(written);
  expectWhole(output);
  await collector.until('no temporary file between two attempts', () => temporaryFiles(output).length === 0);
  await collector.untilReady();

  free();
  await collector.until('the windows that were missing', () => iterationsIn(output).length >= windows + 2);
  expectWhole(output);
  const { code } = await collector.stop();
  expect(code).toBe(0);
  expectWhole(output);
  expect(temporaryFiles(output)).toEqual([]);
  expect(collector.runSummary()?.completed_at).not.toBeNull();
});

testOnDisk(reported('a run that ends on a full disk says so with exit code 3, and leaves whole files'), async () => {
  const { folder, fill } = disk(scope);
  const output = join(folder, 'shadow');
  const collector = await Collector.start(scope, exchange, { duration: 1, output });
  await collector.until('a window', () => iterationsIn(output).length >= 1);
  fill();
  await collector.metric('shadow_artifact_write_errors_total', {}, (errors) => errors >= 1);
  const { code, ms, stderr } = await collector.stop();
  expect(code).toBe(3);
  expect(ms).toBeLessThan(2_000);
  expect(stderr).toContain('artifacts could not be written');
  expectWhole(output);
  expect(temporaryFiles(output)).toEqual([]);
  expect(existsSync(join(output, '.shadow.lock'))).toBe(false);
});
