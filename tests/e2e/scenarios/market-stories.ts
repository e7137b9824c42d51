import { expect } from '@jest/globals';
import type { IterSummary } from '../../../schema/types.gen.js';
import type { Sample } from '../support/scenario-run.ts';
import { mean, sum, total } from '../support/scenario-run.ts';
import { expectNoFault } from './story.ts';
import type { Story } from './story.ts';

const numbered = (count: number): string[] => Array.from({ length: count }, (_, at) => `SIM${at + 1}USDT`);

/** Net edge by notional, over the windows that know theirs. */
function edgeBps(windows: readonly IterSummary[]): number {
  const known = windows.filter(({ summary }) => summary.net_bps !== null);
  const notional = ({ summary }: IterSummary): number => summary.notional_quote.maker + summary.notional_quote.taker;
  return sum(known, (window) => window.summary.net_bps! * notional(window)) / sum(known, notional);
}

/** Maker shares of the windows that know theirs. On a machine under load quotes are late too, and would take. */
const makerShares = (windows: readonly IterSummary[]): number[] =>
  windows.flatMap(({ summary }) => summary.maker_taker_ratio ?? []);

const perWindow = (windows: readonly IterSummary[], of: (window: IterSummary) => number): number =>
  sum(windows, of) / windows.length;

const fillsOf = (windows: readonly IterSummary[], side: 'buy' | 'sell'): number =>
  sum(windows, ({ summary }) => summary.by_side[side].fills);

const frames = ({ summary }: IterSummary): number => summary.feed.messages;
const trades = ({ summary }: IterSummary): number => summary.feed.trades;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** How fast the price rises, basis points a second: each symbol's first and last quarter of the samples, the median symbol. */
function slopeBpsPerS(samples: readonly Sample[], symbols: readonly string[]): number {
  const quarter = Math.ceil(samples.length / 4);
  const [first, last] = [samples.slice(0, quarter), samples.slice(-quarter)];
  const middleS = (part: readonly Sample[]): number => mean(part.map(({ atS }) => atS));
  const slopes = symbols.map((symbol) => {
    const bid = (part: readonly Sample[]): number =>
      median(part.flatMap(({ metrics }) => metrics.value('shadow_best_bid', { symbol }) ?? []));
    return (Math.log(bid(last) / bid(first)) * 1e4) / (middleS(last) - middleS(first));
  });
  return median(slopes);
}

const between = (samples: readonly Sample[], fromS: number, toS: number): Sample[] =>
  samples.filter(({ atS }) => atS >= fromS && atS <= toS);

/** What the simulated market itself does. */
export const MARKET_STORIES: readonly Story[] = [
  {
    scenario: 'edge-low',
    shows: 'fills at shocks that stay lose what they earned before',
    // Markouts of 5 s: of a window, the fills of its first seconds have theirs when it is first published.
    plan: { symbols: numbered(16), windowS: 8, fromS: 20, lengthS: 19, flags: { spread_bps: 8 } },
    watch: async (run) => {
      await run.series('an edge below -1.5 bps, as the mean of four symbols', (metrics) => {
        const edges = metrics.values('shadow_edge_bps');
        return edges.length >= 4 && mean(edges) < -1.5;
      });
    },
    watchAfter: (run) =>
      run.series('a positive edge, as the mean of two symbols', (metrics) => {
        const edges = metrics.values('shadow_edge_bps');
        return edges.length >= 2 && mean(edges) > 0;
      }),
    check: ({ before, during, after }) => {
      expect(edgeBps(before)).toBeGreaterThan(2);
      expect(edgeBps(during)).toBeLessThan(-1);
      expect(edgeBps(after)).toBeGreaterThan(2);
    },
  },
  {
    scenario: 'risk-high',
    shows: 'shocks that go down fill the inventory to its limit, and it empties again',
    plan: {
      symbols: numbered(12),
      windowS: 3,
      fromS: 14,
      lengthS: 20,
      // Two fills of one side fill it.
      flags: { spread_bps: 8, inventory_limit: 2_500, kpi_horizon_s: '1' },
    },
    watch: async (run, calm) => {
      const use = mean(calm.values('shadow_risk_ratio'));
      const held = total(calm, 'shadow_inventory_base');
      await run.series('much more inventory, long', (metrics) => {
        const more = mean(metrics.values('shadow_risk_ratio')) > use + 0.12;
        return more && total(metrics, 'shadow_inventory_base') > held + 80;
      });
    },
    watchAfter: (run) =>
      run.series('less inventory', (metrics) => {
        const less = mean(metrics.values('shadow_risk_ratio')) < 0.45;
        return less && total(metrics, 'shadow_inventory_base') < 80;
      }),
    check: ({ before, during, sinceBegin }) => {
      const uses = (windows: readonly IterSummary[]): number[] => windows.map(({ summary }) => summary.risk_ratio!);
      expect(Math.max(...uses(during))).toBeGreaterThan(Math.max(...uses(before)) + 0.1);
      expect(fillsOf(during, 'buy')).toBeGreaterThan(fillsOf(during, 'sell'));
      expect(Math.max(...sinceBegin.map(({ summary }) => summary.inventory.max!))).toBeGreaterThan(0.75);
    },
  },
  {
    scenario: 'trend',
    shows: 'the price rises by half a basis point a second, and quotes at the best price sell short',
    plan: {
      symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'DOGEUSDT', ...numbered(4)],
      windowS: 3,
      fromS: 14,
      lengthS: 12,
      flags: { spread_bps: 0, kpi_horizon_s: '1' },
    },
    watch: async (run, calm) => {
      const { symbols, fromS, lengthS } = run.plan;
      const samples = await run.samples(fromS + lengthS);
      const before = slopeBpsPerS(between(samples, 0, fromS), symbols);
      const during = slopeBpsPerS(between(samples, fromS, fromS + lengthS), symbols);
      expect(Math.abs(before)).toBeLessThan(0.25);
      expect(during).toBeGreaterThan(0.3);
      expect(during).toBeLessThan(0.7);
      const short = (symbol: string): boolean => {
        const now = samples.at(-1)!.metrics.value('shadow_inventory_base', { symbol })!;
        return now < calm.value('shadow_inventory_base', { symbol })!;
      };
      expect(symbols.filter(short).length).toBeGreaterThan(symbols.length / 2);
    },
    watchAfter: async (run) => {
      const samples = await run.samples(run.elapsedS + 6);
      expect(Math.abs(slopeBpsPerS(samples, run.plan.symbols))).toBeLessThan(0.25);
    },
    check: ({ before, during }) => {
      expect(fillsOf(during, 'sell')).toBeGreaterThan(fillsOf(during, 'buy'));
      const use = ({ summary }: IterSummary): number => summary.risk_ratio!;
      expect(use(during.at(-1)!)).toBeGreaterThan(use(before.at(-1)!) + 0.1);
      expect(during.every(({ summary }) => summary.feed.coverage === 1)).toBe(true);
    },
  },
  {
    scenario: 'volatile',
    shows: 'prices move more, and there are more frames and trades',
    plan: {
      symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT'],
      windowS: 3,
      fromS: 14,
      lengthS: 11,
      flags: { spread_bps: 8, kpi_horizon_s: '1' },
    },
    watch: async (run) => {
      const { symbols, fromS, lengthS } = run.plan;
      const samples = await run.samples(fromS + lengthS);
      // The way that prices go, basis points a second.
      const pathBps = (part: readonly Sample[]): number => {
        const steps = symbols.flatMap((symbol) => {
          const bids = part.flatMap(({ metrics }) => metrics.value('shadow_best_bid', { symbol }) ?? []);
          return bids.slice(1).map((bid, at) => Math.abs(Math.log(bid / bids[at]!)) * 1e4);
        });
        return steps.reduce((subtotal, step) => subtotal + step, 0) / (part.at(-1)!.atS - part[0]!.atS);
      };
      const before = pathBps(between(samples, 0, fromS));
      const during = between(samples, fromS + 1, fromS + lengthS);
      expect(pathBps(during)).toBeGreaterThan(1.5 * before);
      // A lively market is still one: every book has two sides.
      const whole = during.filter(({ metrics }) => metrics.values('shadow_best_bid').length === symbols.length);
      expect(whole.length / during.length).toBeGreaterThan(0.97);
    },
    again: ({ during, after }) => trades(after.at(-1)!) < 0.75 * perWindow(during, trades),
    check: ({ before, during, sinceBegin }) => {
      expect(perWindow(during, frames)).toBeGreaterThan(1.15 * perWindow(before, frames));
      expect(perWindow(during, trades)).toBeGreaterThan(1.8 * perWindow(before, trades));
      expect(sinceBegin.every(({ summary }) => summary.feed.coverage === 1)).toBe(true);
      expect(sum(sinceBegin, ({ summary }) => summary.markout_invalid)).toBe(0);
    },
  },
  {
    scenario: 'maker-low',
    shows: 'quotes that arrive where the price was a moment ago would take, and the maker share falls',
    plan: {
      symbols: numbered(10),
      windowS: 3,
      fromS: 16,
      lengthS: 12,
      flags: { spread_bps: 8, kpi_horizon_s: '1' },
    },
    usable: (before) => before.some(({ summary }) => summary.post_only_rejects <= 4),
    watch: async (run, calm) => {
      const rejected = { event: 'rejected_post_only' };
      await run.counts('shadow_orders_total', rejected, total(calm, 'shadow_orders_total', rejected) + 12);
      await run.series('a maker share below a half, as the mean of four symbols', (metrics) => {
        const shares = metrics.values('shadow_maker_taker_ratio');
        return shares.length >= 4 && mean(shares) < 0.5;
      });
      expectNoFault(await run.collector.scrape());
    },
    again: ({ after }) => Math.max(...makerShares(after)) > 0.7,
    check: ({ before, during }) => {
      const usual = Math.max(...makerShares(before));
      expect(mean(makerShares(during))).toBeLessThan(0.6 * usual);
      const rejects = ({ summary }: IterSummary): number => summary.post_only_rejects;
      expect(perWindow(during, rejects)).toBeGreaterThan(Math.min(...before.map(rejects)) + 3);
    },
  },
];
