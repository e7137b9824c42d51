import { expect } from '@jest/globals';
import type { IterSummary } from '../../../schema/types.gen.js';
import { faultless, sum } from '../support/scenario-run.ts';
import { expectNoFault } from './story.ts';
import type { Story } from './story.ts';

const BTC_ETH = ['BTCUSDT', 'ETHUSDT'] as const;
const SIX = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'DOGEUSDT', 'SIM1USDT'] as const;
const JOIN = { spread_bps: 0, kpi_horizon_s: '1' } as const;

type Own = IterSummary['summary'];
const coverages = (windows: readonly IterSummary[]): number[] => windows.map(({ summary }) => summary.feed.coverage!);

/** Every symbol's summaries of the windows, in order. */
const bySymbol = (windows: readonly IterSummary[]): (readonly Own[])[] =>
  Object.keys(windows[0]!.by_symbol).map((symbol) => windows.map((window) => window.by_symbol[symbol]!));

/** A symbol that lost nothing in a window, nor shortly before, was covered all the time, whatever befell the others. */
function expectIndependent(windows: readonly IterSummary[], lost: (own: Own) => boolean): void {
  const untouched = bySymbol(windows).flatMap((own) =>
    own.filter((_, at) => !lost(own[at]!) && (at === 0 || !lost(own[at - 1]!))),
  );
  expect(untouched.length).toBeGreaterThan(0);
  for (const { feed, orders } of untouched) expect([feed.coverage, orders.censored]).toEqual([1, 0]);
}

/** What befalls frames on the line. */
export const FRAME_STORIES: readonly Story[] = [
  {
    scenario: 'calm',
    shows: 'nothing unusual: no fault is counted, every book is trusted all the time, quotes are filled',
    plan: { symbols: BTC_ETH, windowS: 2, fromS: 10, lengthS: 6, flags: JOIN },
    watch: async (run) => {
      await run.over();
      expectNoFault(await run.collector.scrape());
    },
    watchAfter: async (run) => expectNoFault(await run.collector.scrape()),
    check: ({ before, sinceBegin }) => {
      expect(sinceBegin.filter((window) => !faultless(window))).toEqual([]);
      expect(sum(sinceBegin, ({ summary }) => summary.fills)).toBeGreaterThan(0);
      for (const own of bySymbol([...before, ...sinceBegin])) {
        for (const { feed } of own) expect(feed.messages).toBeGreaterThan(20);
      }
    },
  },
  {
    scenario: 'gap',
    shows: 'lost updates are counted, censor the orders of their symbol alone, and are mended by snapshots',
    plan: { symbols: SIX, windowS: 2, fromS: 10, lengthS: 12, flags: JOIN },
    watch: async (run) => {
      await run.dark();
      await run.counts('shadow_feed_gaps_total', {}, 3);
      await run.counts('shadow_book_resyncs_total', {}, 3);
      await run.counts('shadow_orders_total', { event: 'censored' }, 2);
      await run.series('a coverage below 1', (metrics) => Math.min(...metrics.values('shadow_coverage_ratio')) < 1);
    },
    check: ({ during, sinceBegin }) => {
      expect(sum(during, ({ summary }) => summary.feed.gaps)).toBeGreaterThanOrEqual(2);
      expect(Math.min(...coverages(during))).toBeLessThan(1);
      // Each is mended within a fraction of a second.
      expect(Math.min(...coverages(sinceBegin))).toBeGreaterThan(0.3);
      expect(sum(sinceBegin, ({ summary }) => summary.no_fill_reasons.feed_censored)).toBeGreaterThan(0);
      expectIndependent(sinceBegin, ({ feed }) => feed.gaps > 0);
    },
  },
  {
    scenario: 'out-of-order',
    shows: 'frames that come behind later ones are late, break the sequence, and are mended by snapshots',
    plan: { symbols: BTC_ETH, windowS: 2, fromS: 10, lengthS: 7, flags: JOIN },
    watch: async (run) => {
      await run.counts('shadow_late_events_total', { symbol: 'BTCUSDT' }, 5);
      await run.counts('shadow_late_events_total', { symbol: 'ETHUSDT' }, 5);
      await run.counts('shadow_feed_gaps_total', {}, 2);
      await run.dark();
    },
    check: ({ before, during }) => {
      const late = bySymbol(during).map((own) => own.some(({ feed }) => feed.late > 0));
      expect(late).toEqual([true, true]);
      expect(Math.max(...coverages(during))).toBeLessThan(1);
      const latencies = (windows: readonly IterSummary[]): number[] =>
        windows.map(({ summary }) => summary.p95_latency_ms!);
      expect(Math.max(...latencies(during))).toBeGreaterThan(Math.min(...latencies(before)) + 30);
      expect(sum(during, ({ summary }) => summary.orders.censored)).toBeGreaterThan(0);
    },
  },
  {
    scenario: 'duplicate',
    shows: 'updates that come twice are counted and change nothing',
    plan: { symbols: BTC_ETH, windowS: 2, fromS: 10, lengthS: 7, flags: JOIN },
    watch: async (run) => {
      for (const symbol of BTC_ETH) await run.counts('shadow_feed_duplicates_total', { symbol }, 10);
      const metrics = await run.collector.scrape();
      expect(metrics.values('shadow_best_bid')).toHaveLength(2);
      expect((await run.collector.get('/readyz')).status).toBe(200);
    },
    check: ({ during, sinceBegin }) => {
      // Of eleven frames one is a second time. A frame of trades counts as often as it holds trades.
      for (const own of bySymbol(during)) {
        const duplicates = own.reduce((subtotal, { feed }) => subtotal + feed.duplicates, 0);
        const told = own.reduce((subtotal, { feed }) => subtotal + feed.book_updates + feed.trades, 0);
        expect(duplicates / told).toBeGreaterThan(0.03);
        expect(duplicates / told).toBeLessThan(0.2);
      }
      const others = { duplicates: 0 };
      const without = sinceBegin.map((window) => ({
        ...window,
        by_symbol: Object.fromEntries(
          Object.entries(window.by_symbol).map(([symbol, own]) => [
            symbol,
            { ...own, feed: { ...own.feed, ...others } },
          ]),
        ),
      }));
      expect(without.filter((window) => !faultless(window))).toEqual([]);
      expect(sum(sinceBegin, ({ summary }) => summary.fills)).toBeGreaterThan(0);
    },
  },
  {
    scenario: 'crossed',
    shows: 'a book that stays crossed is given up and asked for again, and no gap is counted',
    plan: { symbols: BTC_ETH, windowS: 2, fromS: 10, lengthS: 7, flags: JOIN },
    watch: async (run) => {
      for (const symbol of BTC_ETH) await run.counts('shadow_feed_crossed_total', { symbol }, 4);
      await run.dark();
      await run.counts('shadow_book_resyncs_total', {}, 4);
      await run.counts('shadow_orders_total', { event: 'censored' }, 2);
    },
    check: ({ during, sinceBegin }) => {
      for (const own of bySymbol(sinceBegin)) {
        expect(own.some(({ feed }) => feed.crossed >= 2 && feed.coverage! < 0.95)).toBe(true);
      }
      expect(Math.max(...coverages(during))).toBeLessThan(1);
      expect(sum(sinceBegin, ({ summary }) => summary.feed.gaps + summary.feed.bad)).toBe(0);
      // Every other second the book is right.
      expect(sum(during, ({ summary }) => summary.feed.coverage!)).toBeGreaterThan(0);
    },
  },
  {
    scenario: 'bad-frames',
    shows: 'damaged frames are counted, those that name a symbol cost it its book, and snapshots mend it',
    plan: { symbols: SIX, windowS: 2, fromS: 10, lengthS: 10, flags: JOIN },
    watch: async (run) => {
      await run.counts('shadow_feed_bad_total', {}, 3);
      await run.counts('shadow_feed_bad_unattributed_total', {}, 3);
      await run.counts('shadow_book_resyncs_total', {}, 2);
      await run.dark();
    },
    check: ({ during, sinceBegin }) => {
      expect(sum(during, ({ summary }) => summary.feed.bad)).toBeGreaterThanOrEqual(2);
      expect(Math.min(...coverages(during))).toBeLessThan(1);
      expect(sum(sinceBegin, ({ summary }) => summary.orders.censored)).toBeGreaterThan(0);
      expectIndependent(sinceBegin, ({ feed }) => feed.gaps + feed.bad > 0);
    },
  },
];
