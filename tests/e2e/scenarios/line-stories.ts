import { expect } from '@jest/globals';
import type { IterSummary } from '../../../schema/types.gen.js';
import { mean, sum, total } from '../support/scenario-run.ts';
import { expectNoFault } from './story.ts';
import type { Story } from './story.ts';

const BTC_ETH = ['BTCUSDT', 'ETHUSDT'] as const;
/** Joining the best price, quotes are filled every few seconds; the markouts of their KPIs are known a second later. */
const JOIN = { spread_bps: 0, kpi_horizon_s: '1' } as const;
/** orderbook.1 is suspect after 3 s; that is longer than a loaded machine sleeps. */
const SOON_SILENT = { ...JOIN, silence_ms: 9_000 } as const;
/** What is exposed of a symbol only while its book is trusted. */
const TRUSTED_SERIES = [
  'shadow_best_bid',
  'shadow_best_ask',
  'shadow_quote_price',
  'shadow_latency_ms',
  'shadow_clock_drift_ms',
  'shadow_risk_ratio',
  'shadow_coverage_ratio',
  'shadow_edge_bps',
  'shadow_maker_taker_ratio',
] as const;

/** Beyond what a loaded machine adds, but for moments. */
const STALLED_MS = 450;
const fast = ({ summary }: IterSummary): boolean => summary.p95_latency_ms! < STALLED_MS / 2;

/** The line between exchange and collector, as a whole. */
export const LINE_STORIES: readonly Story[] = [
  {
    scenario: 'silent-socket',
    shows:
      'a line that says nothing more is noticed by its silence, nothing is known, and after 2.5 pings it is given up',
    // A ping goes out every 15 s: at the third the last byte is more than 37.5 s old.
    plan: { symbols: BTC_ETH, windowS: 1, fromS: 7, lengthS: 60, flags: SOON_SILENT },
    watch: async (run) => {
      await run.counts('shadow_feed_silences_total', {}, 2);
      await run.dark(2);
      const dark = await run.collector.scrape();
      for (const name of TRUSTED_SERIES) expect([name, dark.values(name)]).toEqual([name, []]);
      const heard = dark.values('shadow_last_message_timestamp_seconds');
      await run.windows('a window without a frame', (windows) => windows.at(-1)!.summary.feed.messages === 0);
      expect((await run.collector.scrape()).values('shadow_last_message_timestamp_seconds')).toEqual(heard);
      // No answer to any request comes, so no book is ready for as long as the line is kept.
      await run.collector.until(
        'the line to be given up',
        async () => {
          const metrics = await run.collector.scrape();
          const lost = total(metrics, 'shadow_reconnects_total') > 0;
          if (!lost) expect(metrics.values('shadow_best_bid')).toEqual([]);
          return lost;
        },
        60_000,
      );
      expect(run.elapsedS - run.plan.fromS).toBeGreaterThan(37);
      run.overNow(); // Connections made within the scenario speak.
    },
    check: ({ during, sinceBegin }) => {
      const silent = during.filter(({ summary }) => summary.feed.coverage === 0);
      expect(silent.length).toBeGreaterThan(20);
      for (const { summary } of silent) {
        expect(summary.feed.messages).toBe(0);
        expect(summary.fills).toBe(0);
        expect(summary).toMatchObject({
          p95_latency_ms: null,
          risk_ratio: null,
          net_bps: null,
          maker_taker_ratio: null,
        });
      }
      // One lost connection, of both symbols.
      for (const symbol of BTC_ETH) {
        expect(sum(sinceBegin, (window) => window.by_symbol[symbol]!.feed.reconnects)).toBe(1);
        expect(sum(sinceBegin, (window) => window.by_symbol[symbol]!.orders.censored)).toBeGreaterThan(0);
      }
    },
  },
  {
    scenario: 'silent-socket',
    shows: 'a line that speaks again before it is given up is kept, and its books are asked for again',
    plan: { symbols: BTC_ETH, windowS: 2, fromS: 10, lengthS: 7, flags: SOON_SILENT },
    watch: async (run) => {
      await run.counts('shadow_feed_silences_total', {}, 2);
      await run.dark(2);
    },
    watchAfter: async (run) => {
      expect(total(await run.collector.scrape(), 'shadow_reconnects_total')).toBe(0);
    },
    check: ({ sinceBegin }) => {
      expect(sinceBegin.some(({ summary }) => summary.feed.coverage! < 0.5)).toBe(true);
      expect(sum(sinceBegin, ({ summary }) => summary.feed.resyncs)).toBeGreaterThan(0);
    },
  },
  {
    scenario: 'feed-stop',
    shows: 'books that are no longer published are suspect, nothing is known of them, and a restart is no gap',
    plan: { symbols: BTC_ETH, windowS: 2, fromS: 10, lengthS: 14, flags: SOON_SILENT },
    watch: async (run) => {
      await run.counts('shadow_feed_silences_total', {}, 2);
      await run.counts('shadow_book_resyncs_total', {}, 2);
      await run.dark(2);
    },
    check: ({ before, during, sinceBegin }) => {
      expect(sum(before, ({ summary }) => summary.feed.trades)).toBeGreaterThan(0);
      for (const { summary } of during) {
        // Nothing but the answers to new subscriptions.
        expect(summary.feed.messages).toBeLessThan(20);
        expect(summary.feed.trades).toBe(0);
        expect(summary.fills).toBe(0);
        expect(summary).toMatchObject({ p95_latency_ms: null, net_bps: null, maker_taker_ratio: null });
      }
      expect(Math.min(...during.map(({ summary }) => summary.feed.coverage!))).toBeLessThan(0.5);
      expect(sum(sinceBegin, ({ summary }) => summary.orders.censored)).toBeGreaterThan(0);
      expect(sum(sinceBegin, ({ summary }) => summary.feed.gaps + summary.feed.reconnects)).toBe(0);
    },
  },
  {
    scenario: 'reconnect',
    shows: 'every cut is counted once, takes the books of all symbols, and is mended',
    plan: { symbols: BTC_ETH, windowS: 2, fromS: 10, lengthS: 8, flags: JOIN },
    watch: async (run) => {
      await run.dark(2);
      await run.counts('shadow_reconnects_total', { exchange: 'bybit' }, 2);
      await run.counts('shadow_orders_total', { event: 'censored' }, 2);
    },
    check: ({ sinceBegin }) => {
      for (const symbol of BTC_ETH) {
        const own = sinceBegin.map((window) => window.by_symbol[symbol]!);
        const cuts = own.reduce((subtotal, { feed }) => subtotal + feed.reconnects, 0);
        expect(cuts).toBeGreaterThanOrEqual(2);
        expect(cuts).toBeLessThanOrEqual(3);
        expect(Math.min(...own.map(({ feed }) => feed.coverage!))).toBeLessThan(1);
        expect(own.some(({ orders }) => orders.censored > 0)).toBe(true);
        expect(own.every(({ feed }) => feed.gaps === 0 && feed.bad === 0)).toBe(true);
      }
    },
  },
  {
    scenario: 'latency-high',
    shows: 'a line that stalls shows in the 95th percentile of latency, and costs no data',
    // Two stalls at least, wherever their period lies: each makes the 95th percentile of a window 700 ms, whatever windows it falls into.
    plan: { symbols: BTC_ETH, windowS: 2, fromS: 12, lengthS: 16, flags: JOIN },
    usable: (before) => before.some(fast),
    watch: async (run) => {
      await run.series('a latency of a stall, for every symbol', (metrics) => {
        const latencies = metrics.values('shadow_latency_ms');
        return latencies.length === 2 && latencies.every((ms) => ms > STALLED_MS);
      });
      expectNoFault(await run.collector.scrape());
    },
    again: ({ after }) => fast(after.at(-1)!),
    watchAfter: (run) =>
      run.series('latencies as before', (metrics) =>
        metrics.values('shadow_latency_ms').every((ms) => ms < STALLED_MS / 2),
      ),
    check: ({ before, sinceBegin }) => {
      expect(before.some(fast)).toBe(true);
      const stalled = sinceBegin.filter(({ summary }) => summary.p95_latency_ms! > STALLED_MS);
      expect(stalled.length).toBeGreaterThanOrEqual(2);
      // The half of all frames that came between the stalls is as fast as ever.
      const medians = sinceBegin.map(({ summary }) => summary.latency_ms.feed.p50!);
      expect(mean(medians)).toBeLessThan(STALLED_MS / 2);
      expect(sinceBegin.every(({ summary }) => summary.feed.coverage === 1)).toBe(true);
    },
  },
];
