import type { WindowFills } from '../../../schema/types.gen.js';
import type { Instrument } from '../events.ts';
import { numberOnGrid } from '../feed/decimal.ts';
import type { VirtualFill } from '../fills/shadow-quote.ts';
import type { WindowReport } from '../pipeline.ts';
import { bestPricesPeriodUs } from '../pipeline.ts';
import type { Us } from '../units.ts';
import { sideOf, US_PER_MS, US_PER_S } from '../units.ts';
import type { RunIdentity } from './run-artifacts.ts';
import { configHash, runId, SCHEMA_VERSION } from './run-artifacts.ts';
import { validated, windowFillsValidator } from './validate.ts';
import { fillsFileName } from './window-files.ts';

type Fill = WindowFills['fills'][number];

/** FILLS_<n>.json: the fills of a window one by one, and the prices around them; validated. Complete as soon as the window has ended. */
export function windowFills(
  identity: RunIdentity,
  instruments: ReadonlyMap<string, Instrument>,
  report: WindowReport,
  runStartUs: Us,
  iteration: number,
): WindowFills {
  const symbols = [...report.bySymbol];
  const fills = symbols.flatMap(([symbol, { virtualFills }]) =>
    virtualFills.map((fill) => publishedFill(fill, instruments.get(symbol)!)),
  );
  const document: WindowFills = {
    schema_version: SCHEMA_VERSION,
    run_id: runId(runStartUs, configHash(identity.config)),
    iteration,
    source: identity.source,
    exchange: identity.exchange,
    fill_model: identity.summary.driver,
    // Sorting is stable: fills of one symbol in the same microsecond keep their order.
    fills: fills.sort((a, b) => a.time_us - b.time_us),
    best_prices_period_ms: bestPricesPeriodUs(identity.durationSeconds * US_PER_S) / US_PER_MS,
    best_prices: Object.fromEntries(
      symbols.map(([symbol, { bestPrices }]) => {
        const { tick } = instruments.get(symbol)!;
        const rows = bestPrices.map(({ timeUs, bidTicks, askTicks }): [number, number, number] => [
          Math.round(timeUs),
          numberOnGrid(bidTicks, tick),
          numberOnGrid(askTicks, tick),
        ]);
        return [symbol, rows];
      }),
    ),
  };
  return validated(windowFillsValidator, document, fillsFileName(iteration));
}

/** A fill as the world sees it, in the units of its market. */
export function publishedFill(fill: VirtualFill, { symbol, tick, lot }: Instrument): Fill {
  return {
    time_us: Math.round(fill.timeUs),
    symbol,
    side: sideOf(fill.side),
    // A taker's average may lie between two ticks: six more places than the grid are exact enough, and stable.
    price: rounded(numberOnGrid(fill.priceTicks, tick), tick.decimals + 6),
    quantity: numberOnGrid(fill.lots, lot),
    liquidity: fill.liquidity,
    cause: fill.cause,
    order_id: fill.orderId,
    late_cancel: fill.lateCancel,
  };
}

const rounded = (value: number, decimals: number): number => Number(value.toFixed(Math.min(decimals, 15)));
