import type { WindowFills } from '../../../schema/types.gen.js';
import type { Finding } from './finding.ts';
import type { RunStats } from './run-stats.ts';
import { windowFillsValidator } from './validate.ts';
import { fillsFileName } from './window-files.ts';
import { readDocument } from './windows.ts';

export type Fill = WindowFills['fills'][number];

/** Best prices at a moment; undefined where the book was not trusted. */
export interface PricePoint {
  readonly timeMs: number;
  readonly bid: number | undefined;
  readonly ask: number | undefined;
}

/** Prices and fills of one symbol, by time. */
export interface PricePath {
  readonly prices: PricePoint[];
  readonly fills: Fill[];
}

export interface PricePaths {
  readonly bySymbol: ReadonlyMap<string, PricePath>;
  /** Windows that are drawn. */
  readonly windows: number;
  readonly findings: readonly Finding[];
}

/** More than can be told apart on a page. */
const MAX_WINDOWS = 60;
const MAX_POINTS = 1_500;
const MAX_FILLS = 2_000;

/** The prices and fills of the newest windows of a run, thinned to what a page can show. Fills are never thinned: beyond a limit older windows are not drawn. */
export function pricePathsOf(folder: string, stats: RunStats): PricePaths {
  const findings: Finding[] = [];
  const documents: WindowFills[] = [];
  let fills = 0;
  for (const { iteration, fills: expected } of stats.points.slice(-MAX_WINDOWS).reverse()) {
    fills += expected;
    if (documents.length > 0 && fills > MAX_FILLS) break;
    const file = fillsFileName(iteration);
    const read = readDocument(folder, file, windowFillsValidator);
    if ('findings' in read) findings.push(...read.findings);
    else if (!belongs(read.value, iteration, expected, stats)) {
      const { iteration: own, run_id: run, fills: given } = read.value;
      const message = `expected ${expected} fills of window ${iteration} of run ${stats.first.run_id}, got ${given.length} of ${own} of ${run}`;
      findings.push({ code: 'contradiction', file, message });
    } else documents.unshift(read.value);
  }
  const symbols = [...stats.bySymbol.keys()];
  const bySymbol = new Map(symbols.map((symbol) => [symbol, pathOf(symbol, documents)]));
  return { bySymbol, windows: documents.length, findings };
}

const belongs = (document: WindowFills, iteration: number, fills: number, { first }: RunStats): boolean =>
  document.iteration === iteration &&
  document.run_id === first.run_id &&
  document.source === first.source &&
  document.fills.length === fills;

function pathOf(symbol: string, documents: readonly WindowFills[]): PricePath {
  const prices: PricePoint[] = [];
  for (const { best_prices: bestPrices, best_prices_period_ms: periodMs } of documents) {
    for (const [timeUs, bid, ask] of bestPrices[symbol] ?? []) {
      const timeMs = timeUs / 1_000;
      const last = prices.at(-1);
      // At a window's border one sample may be missing; more is a hole.
      if (last !== undefined && timeMs - last.timeMs > 2.5 * periodMs) {
        prices.push({ timeMs: last.timeMs + periodMs, bid: undefined, ask: undefined });
      }
      prices.push({ timeMs, bid, ask });
    }
  }
  const stride = Math.ceil(prices.length / MAX_POINTS);
  return {
    prices: prices.filter(({ bid }, index) => index % stride === 0 || bid === undefined),
    fills: documents.flatMap((document) => document.fills.filter((fill) => fill.symbol === symbol)),
  };
}
