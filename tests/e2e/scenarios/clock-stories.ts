import { expect } from '@jest/globals';
import type { IterSummary } from '../../../schema/types.gen.js';
import type { ScenarioName } from '../../../collector/src/simulator/scenario.ts';
import { faultless, sum, total } from '../support/scenario-run.ts';
import type { Story } from './story.ts';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'DOGEUSDT', 'SIM1USDT'] as const;
/** Delays of a loaded machine are in the drift too. */
const TOLERANCE_MS = 60;

/** The least drift at the end of a window: that of its symbol least held up. */
const drift = (windows: readonly IterSummary[]): number =>
  Math.min(...windows.flatMap(({ by_symbol: bySymbol }) => Object.values(bySymbol).map((own) => own.clock_drift_ms!)));

/** The exchange's clock goes ahead: frames arrive before they were sent, by the local clock. */
function clockStory(scenario: ScenarioName, aheadMs: number): Story {
  return {
    scenario,
    shows: `an exchange's clock ahead by ${aheadMs} ms takes that off the drift, latencies are not known, and quoting goes on`,
    plan: { symbols: SYMBOLS, windowS: 2, fromS: 10, lengthS: 10, flags: { spread_bps: 0, kpi_horizon_s: '1' } },
    watch: async (run, calm) => {
      for (const ms of calm.values('shadow_clock_drift_ms')) expect(ms).toBeGreaterThan(0);
      expect(calm.values('shadow_latency_ms')).toHaveLength(SYMBOLS.length);
      await run.series('the drift of every symbol to move, and no latency', (metrics) => {
        const drifts = metrics.values('shadow_clock_drift_ms');
        const moved = drifts.length === SYMBOLS.length && drifts.every((ms) => ms > -aheadMs && ms < -aheadMs / 2);
        return moved && metrics.values('shadow_latency_ms').length === 0;
      });
      const metrics = await run.collector.scrape();
      expect(metrics.values('shadow_best_bid')).toHaveLength(SYMBOLS.length);
      expect(total(metrics, 'shadow_clock_synced')).toBe(0);
    },
    again: ({ before, after }) => Math.abs(drift(after) - drift(before)) < TOLERANCE_MS,
    watchAfter: (run) =>
      run.series('a drift as before', (metrics) => metrics.values('shadow_clock_drift_ms').every((ms) => ms > 0)),
    check: ({ before, during }) => {
      expect(Math.abs(drift(before) - drift(during) - aheadMs)).toBeLessThan(TOLERANCE_MS);
      for (const { summary } of before) expect(summary.latency_ms.feed.negative).toBe(0);
      for (const window of during) {
        const { feed } = window.summary.latency_ms;
        expect(feed.n).toBeGreaterThan(0);
        expect(feed.negative).toBe(feed.n);
        expect(window.summary.p95_latency_ms).toBeNull();
        // A clock that is ahead is no fault of the feed.
        expect(faultless({ ...window, by_symbol: { all: { ...window.summary, p95_latency_ms: 0 } } })).toBe(true);
      }
      expect(sum(during, ({ summary }) => summary.orders.new)).toBeGreaterThan(0);
      expect(sum(during, ({ summary }) => summary.fills)).toBeGreaterThan(0);
    },
  };
}

export const CLOCK_STORIES: readonly Story[] = [clockStory('clock-drift', 620), clockStory('clock-step', 250)];
