import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { iterSummaryValidator, runSummaryValidator, validated } from '../../collector/src/artifacts/validate.ts';
import type { Finished } from '../support/run.ts';
import { BYBIT_RECORDING, HAS_DATA, NEEDS_DATA, runShadow } from '../support/run.ts';

const replay = (exchange: string): string[] => ['--replay', BYBIT_RECORDING, '--exchange', exchange];
const TWO = ['--symbols', 'BTCUSDT,ETHUSDT', '--iterations', '0', '--duration', '10'];

/** 43.8 s of Bybit mainnet, 2026-08-09 (see ../shared/data/README.md). */
(HAS_DATA ? describe : describe.skip)(`the Bybit recording${NEEDS_DATA}`, () => {
  let joined: Finished;

  beforeAll(async () => {
    joined = await runShadow([...replay('bybit'), ...TWO, '--spread_bps', '0']);
  });

  test('gives at least four complete windows and one cut short, all valid', () => {
    expect(joined.exitCode).toBe(0);
    const complete = joined.iterations.filter(({ provisional }) => !provisional);
    expect(complete.length).toBeGreaterThanOrEqual(4);
    expect(joined.iterations.at(-1)).toMatchObject({ provisional: true, cut_short: true });
    for (const summary of joined.iterations) validated(iterSummaryValidator, summary, 'an iteration');
    validated(runSummaryValidator, joined.summary, 'the run summary');
  });

  test('fills under touch, loses nothing of the feed, and orders the models', () => {
    const { model_fills: fills, feed } = joined.summary.totals;
    expect(fills.touch).toBeGreaterThan(0);
    expect(fills.trade_through).toBeLessThanOrEqual(fills.queue);
    expect(fills.queue).toBeLessThanOrEqual(fills.touch);
    expect(feed).toMatchObject({ gaps: 0, dropped: 0, bad: 0, crossed: 0, resyncs: 0 });
    // 413 + 420 deltas, 2 snapshots, as counted in the recording.
    expect(feed.book_updates).toBe(835);
  });

  test('measures the latency floor that the recording has, once the start-up backlog is over', () => {
    const [first, ...later] = joined.iterations;
    expect(first!.summary.latency_ms.feed.p99).toBeGreaterThan(1_000);
    for (const { summary } of later) {
      expect(summary.latency_ms.feed.p50).toBeGreaterThanOrEqual(107);
      expect(summary.latency_ms.feed.p50).toBeLessThanOrEqual(110);
    }
  });

  test('takes its time from the recording, not from today', () => {
    expect(joined.summary.started_at).toMatch(/^2026-08-09T21:26:58/);
    expect(joined.iterations.map(({ timestamp }) => timestamp.slice(0, 16))).toContain('2026-08-09T21:27');
    expect(joined.iterations.every(({ process }) => process === null)).toBe(true);
  });

  test('gives the same bytes every time, also into the same folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shadow-same-'));
    try {
      for (let time = 0; time < 2; time++) {
        const again = await runShadow([...replay('bybit'), ...TWO, '--spread_bps', '0'], folder);
        expect([...again.files]).toEqual([...joined.files]);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('gives the same bytes at the speed of the recording', async () => {
    const paced = await runShadow([...replay('bybit'), ...TWO, '--spread_bps', '0', '--speed', '1']);
    expect([...paced.files]).toEqual([...joined.files]);
  }, 120_000);

  test('says why quotes 30 bps out did not fill, and null where there is no ratio', async () => {
    const { summary, iterations } = await runShadow([...replay('bybit'), ...TWO]);
    expect(summary.totals.model_fills).toEqual({ trade_through: 0, queue: 0, touch: 0, touch_dwell: 0 });
    expect(summary.totals.no_fill_reasons.not_reached).toBeGreaterThan(0);
    expect(summary.totals.net_bps).toBeNull();
    for (const { summary: window } of iterations) {
      expect(window).toMatchObject({ net_bps: null, maker_taker_ratio: null, gross_bps: null, toxicity: null });
      expect(window.slippage_bps_p95).toBeNull();
      expect(window.maker_count).toBe(0);
    }
    expect(iterations[0]!.summary.distance_bps).toBeCloseTo(30, 0);
    // 200 levels span about 2 bps: the queue at 30 is unknown, not empty.
    expect(iterations[0]!.summary.queue).toMatchObject({ seed_observed: 0, seed_inside: 0 });
    expect(iterations[0]!.summary.queue.seed_deferred).toBeGreaterThan(0);
  });

  test('replays the spot connection by the adapter of its address', async () => {
    const spot = await runShadow([...replay('bybit-spot'), ...TWO, '--spread_bps', '0']);
    expect(spot.exitCode).toBe(0);
    // 299 + 249 deltas and two snapshots.
    expect(spot.summary.totals.feed).toMatchObject({ book_updates: 550, gaps: 0, bad: 0 });
    expect(spot.iterations[0]!.by_symbol['BTCUSDT']!.fees_bps ?? 10).toBeCloseTo(10, 6);
  });

  test('every model can drive the quoting', async () => {
    for (const model of ['trade-through', 'queue', 'touch', 'touch-dwell']) {
      const { exitCode, iterations } = await runShadow([
        ...replay('bybit'),
        ...TWO,
        ...['--spread_bps', '0', '--fill_model', model],
      ]);
      expect(exitCode).toBe(0);
      expect(iterations.every(({ summary }) => summary.fill_model === model)).toBe(true);
    }
  });
});
