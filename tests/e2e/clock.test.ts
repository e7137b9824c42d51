import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { IterSummary } from '../../schema/types.gen.js';
import { canonicalJson } from '../../collector/src/artifacts/canonical-json.ts';
import type { Metrics } from './support/collector.ts';
import { argumentsOf, Collector, readWindows, runCli } from './support/collector.ts';
import { WallClock } from './support/faketime.ts';
import { Scope } from './support/scope.ts';

/** Measuring takes a minute: these run beside each other, in scopes of their own. */
const outer = new Scope();
afterAll(() => outer.close());

const TIMEOUT_MS = 400_000;
/** To be synced: a minute, the first answers, a solve, and what a busy machine adds. */
const SYNC_MS = 110_000;
/** A step shows at the third probe after it; then it takes as long as at first. */
const STEP_MS = 45_000;
const EXCHANGE = { exchange: 'bybit' };

const newScope = (): Scope => {
  const scope = new Scope();
  outer.add(() => scope.close());
  return scope;
};

const offset = (metrics: Metrics): number | undefined => metrics.value('shadow_clock_offset_ms', EXCHANGE);
const steps = (metrics: Metrics, side: string): number | undefined =>
  metrics.value('shadow_clock_steps_total', { ...EXCHANGE, side });

const synced = (collector: Collector, deadlineMs = SYNC_MS): Promise<void> =>
  collector.metric('shadow_clock_synced', EXCHANGE, (value) => value === 1, deadlineMs);

/** The band is what is promised; a busy machine makes it wider, not wrong. Clocks read one after the other differ a little. */
function expectInBand(metrics: Metrics, trueOffsetMs: number): void {
  const uncertaintyMs = metrics.value('shadow_clock_offset_uncertainty_ms', EXCHANGE)!;
  expect(Math.abs(offset(metrics)! - trueOffsetMs)).toBeLessThanOrEqual(uncertaintyMs + 1);
  expect(uncertaintyMs).toBeLessThan(100);
}

const QUOTES = { symbols: 'BTCUSDT,ETHUSDT', spread_bps: 0, kpi_horizon_s: '1', duration: 10 };

test.concurrent(
  'clock-step: the offset follows the step and back, each is counted once, and the recording replays to the same windows',
  async () => {
    const scope = newScope();
    const recording = join(scope.folder(), 'step.jsonl.br');
    const flags = { ...QUOTES, iterations: 26 };
    const collector = await Collector.startMock(scope, { ...flags, scenario: 'clock-step:95s+85s', record: recording });
    await collector.untilReady();
    const early = await collector.scrape();
    expect(early.value('shadow_clock_synced')).toBe(0);
    expect(offset(early)).toBeUndefined();
    expect(early.values('shadow_feed_latency_seconds_count').every((count) => count === 0)).toBe(true);

    await synced(collector, 90_000);
    const before = await collector.scrape();
    expectInBand(before, 0);
    expect([steps(before, 'exchange'), steps(before, 'local')]).toEqual([0, 0]);

    await collector.metric('shadow_clock_steps_total', { ...EXCHANGE, side: 'exchange' }, (n) => n === 1, 95_000);
    const stepped = await collector.scrape();
    expect(stepped.value('shadow_clock_synced')).toBe(0);
    expect(offset(stepped)).toBeUndefined();
    await synced(collector);
    const during = await collector.scrape();
    expectInBand(during, -250);
    expect(during.value('shadow_feed_latency_seconds_count', { symbol: 'BTCUSDT' })).toBeGreaterThan(0);

    await collector.metric('shadow_clock_steps_total', { ...EXCHANGE, side: 'exchange' }, (n) => n === 2, 90_000);
    await synced(collector);
    expectInBand(await collector.scrape(), 0);
    expect(steps(await collector.scrape(), 'local')).toBe(0);

    expect((await collector.end(60_000)).code).toBe(0);
    const live = collector.windows();
    const drifts = live.map(({ summary }) => summary.clock_drift_ms!);
    expect(Math.max(...drifts) - Math.min(...drifts)).toBeGreaterThan(200);
    const measured = live.filter(({ summary }) => summary.clock.synced);
    expect(measured.length).toBeGreaterThan(3);
    for (const { summary } of measured.filter(({ summary }) => summary.latency_ms.feed.n > 100)) {
      expect(summary.latency_ms.feed).toMatchObject({ corrected: true });
    }

    const output = scope.folder();
    const replayed = await runCli(scope, [
      'run',
      ...argumentsOf({ ...flags, replay: recording, output, metrics_port: 0 }),
    ]);
    expect(replayed.code).toBe(0);
    const ofMarket = (windows: readonly IterSummary[]): string[] =>
      windows.map((window) => canonicalJson({ ...window, source: null, process: null }));
    expect(ofMarket(readWindows(output))).toEqual(ofMarket(live));
  },
  TIMEOUT_MS,
);

test.concurrent(
  'clock-drift: a clock that is 620 ms ahead and gains is measured, and latency is what it is without it',
  async () => {
    const collector = await Collector.startMock(newScope(), { ...QUOTES, scenario: 'clock-drift' });
    await collector.untilReady();
    await collector.until('the first window', () => collector.windows().length > 0);
    const early = await collector.scrape();
    expect(early.values('shadow_latency_ms')).toEqual([]);
    expect(early.value('shadow_clock_drift_ms', { symbol: 'BTCUSDT' })).toBeLessThan(-500);
    await synced(collector);
    await collector.metric('shadow_latency_ms', { symbol: 'BTCUSDT' }, (ms) => ms > 0, 30_000);
    // A slope takes time to be known; what bounds it is the band of the path over the time.
    await collector.metric('shadow_clock_skew_ppm', EXCHANGE, (ppm) => ppm < -20 && ppm > -80, 60_000);
    const metrics = await collector.scrape();
    const uncertaintyMs = metrics.value('shadow_clock_offset_uncertainty_ms', EXCHANGE)!;
    expect(Math.abs(offset(metrics)! + 625)).toBeLessThanOrEqual(uncertaintyMs + 10);
    for (const ms of metrics.values('shadow_latency_ms')) {
      expect(ms).toBeGreaterThan(5);
      expect(ms).toBeLessThan(200);
    }
    for (const ms of metrics.values('shadow_clock_drift_ms')) expect(ms).toBeLessThan(-500);
    expect([steps(metrics, 'exchange'), steps(metrics, 'local')]).toEqual([0, 0]);
    expect(metrics.value('shadow_clock_probes_total', { ...EXCHANGE, result: 'ok' })).toBeGreaterThanOrEqual(8);
    expect(metrics.value('shadow_clock_probes_total', { ...EXCHANGE, result: 'discarded' })).toBe(1);
    expect((await collector.stop()).code).toBe(0);
  },
  TIMEOUT_MS,
);

test.concurrent(
  'a wall clock that steps back by 2 s leaves the offset and the latency unmoved, and is counted once',
  async () => {
    const scope = newScope();
    const wall = new WallClock(scope);
    const collector = await Collector.startMock(scope, QUOTES, wall.env);
    await synced(collector);
    const before = await collector.scrape();
    expectInBand(before, 0);
    wall.step(-2);
    await collector.metric('shadow_clock_steps_total', { ...EXCHANGE, side: 'local' }, (n) => n === 1, STEP_MS);
    await collector.until(
      'a drift by the wall clock that is 2 s behind',
      async () => (await collector.scrape()).values('shadow_clock_drift_ms').every((ms) => ms < -1_800),
      STEP_MS,
    );
    const probed = before.value('shadow_clock_probes_total', { ...EXCHANGE, result: 'ok' })!;
    // Three more probes could have proved the estimate wrong.
    await collector.metric('shadow_clock_probes_total', { ...EXCHANGE, result: 'ok' }, (n) => n >= probed + 3, 60_000);
    const after = await collector.scrape();
    expectInBand(after, 0);
    expect(Math.abs(offset(after)! - offset(before)!)).toBeLessThan(10);
    expect([steps(after, 'exchange'), steps(after, 'local')]).toEqual([0, 1]);
    for (const ms of after.values('shadow_latency_ms')) expect(ms).toBeLessThan(300);
    expect(after.values('shadow_latency_ms')).toHaveLength(2);
    expect((await collector.stop()).code).toBe(0);
  },
  TIMEOUT_MS,
);
