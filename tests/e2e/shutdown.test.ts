import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Collector, temporaryFiles } from './support/collector.ts';
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

const GRACE_MS = 2_000;

function expectTidy(folder: string): void {
  expect(temporaryFiles(folder)).toEqual([]);
  expect(existsSync(join(folder, '.shadow.lock'))).toBe(false);
}

test('SIGTERM ends the run with code 0 within 2 s, and the window under way is written as cut short', async () => {
  const collector = await Collector.start(scope, exchange, { duration: 1 });
  await collector.until('two windows', () => collector.windows().length >= 2);
  expect(collector.runSummary()?.completed_at).toBeNull();

  const { code, signal, ms, stdout, stderr } = await collector.stop();
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  expect(ms).toBeLessThan(GRACE_MS);
  expect(stderr).not.toContain('did not stop in time');
  const windows = collector.windows();
  const cut = windows.at(-1)!;
  expect(cut).toMatchObject({ provisional: true, cut_short: true });
  expect(cut.summary.feed.messages).toBeGreaterThan(0);
  expect(windows.slice(0, -1).map((window) => window.cut_short)).toEqual(windows.slice(1).map(() => false));
  expect(windows.map((window) => window.iteration)).toEqual(windows.map((_, index) => index + 1));
  expect(collector.runSummary()).toMatchObject({
    completed_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    total_iterations: windows.length,
    first_iteration: 1,
    last_iteration: windows.length,
  });
  expect(stdout.trimEnd().split('\n').at(-1)).toContain(`${windows.length} windows in ${collector.output}`);
  expectTidy(collector.output);
});

test('SIGTERM in the first window leaves that window and a run summary', async () => {
  const collector = await Collector.start(scope, exchange, { duration: 3_600 });
  await collector.untilReady();
  const { code, ms } = await collector.stop();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(GRACE_MS);
  expect(collector.windows()).toEqual([expect.objectContaining({ iteration: 1, provisional: true, cut_short: true })]);
  expect(collector.runSummary()?.completed_at).not.toBeNull();
  expectTidy(collector.output);
});

test('a restart in the same folder goes on counting and uses no number again', async () => {
  const first = await Collector.start(scope, exchange, { duration: 1 });
  await first.until('a window', () => first.windows().length >= 1);
  await first.stop();
  const before = first.windows();

  const second = await Collector.start(scope, exchange, { duration: 1, output: first.output });
  await second.until('a window more', () => second.windows().length > before.length);
  await second.stop();
  const after = second.windows();
  expect(after.slice(0, before.length)).toEqual(before);
  expect(after.map((window) => window.iteration)).toEqual(after.map((_, index) => index + 1));
  const [oldRun, newRun] = [before[0]!.run_id, after.at(-1)!.run_id];
  expect(newRun).not.toBe(oldRun);
  expect(after.slice(before.length).every((window) => window.run_id === newRun)).toBe(true);
  expect(second.runSummary()).toMatchObject({ run_id: newRun, first_iteration: before.length + 1 });
});

test('a finite run ends by itself with code 0 after its windows, none of them cut short', async () => {
  const collector = await Collector.start(scope, exchange, { duration: 1, iterations: 2, drain: 0 });
  const { code, stdout } = await collector.end();
  expect(code).toBe(0);
  const windows = collector.windows();
  expect(windows.map(({ iteration, cut_short }) => ({ iteration, cut_short }))).toEqual([
    { iteration: 1, cut_short: false },
    { iteration: 2, cut_short: false },
  ]);
  expect(windows.some((window) => window.provisional)).toBe(false);
  expect(stdout.match(/^\[ITER \d+\]/gm)).toEqual(['[ITER 1]', '[ITER 2]']);
  expectTidy(collector.output);
});

test('SIGTERM while the exchange floods the line still ends the run within 2 s', async () => {
  const collector = await Collector.start(scope, exchange, { symbols: 'BTCUSDT' });
  await collector.untilReady();
  const market = exchange.market('BTCUSDT');
  exchange.every(5, () => {
    const texts = Array.from({ length: 200 }, () => market.book('orderbook.50', 'delta', [[market.bidTicks, 7]], []));
    exchange.burst(texts).catch(() => undefined); // The line ends under it: that is the test.
  });
  await collector.metric('shadow_feed_messages_total', { symbol: 'BTCUSDT' }, (messages) => messages > 20_000);
  const { code, ms } = await collector.stop();
  exchange.pause();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(GRACE_MS);
  expect(collector.windows().at(-1)).toMatchObject({ cut_short: true });
});

test('SIGTERM while the exchange cannot be reached ends the process within 2 s', async () => {
  await exchange.stop();
  const collector = await Collector.start(scope, exchange);
  await collector.until('an attempt', () => collector.stderr.includes('not to be had yet'));
  const { signal, ms } = await collector.stop();
  expect(signal).toBeNull();
  expect(ms).toBeLessThan(GRACE_MS);
  expect(collector.windows()).toEqual([]);
});
