import type { Instrument } from '../events.ts';
import { gridOf, parseOnGrid } from '../feed/decimal.ts';

/** How a symbol trades on the simulated exchange. Rates are of a calm market. */
export interface Market {
  readonly symbol: string;
  /** As the exchange writes them in its instrument list. */
  readonly tickSize: string;
  readonly lotSize: string;
  readonly minNotional: string;
  /** Price at the start, in quote currency. */
  readonly price: number;
  /** Median size of an order, in quote currency. */
  readonly orderNotional: number;
  /** Limit orders a second, both sides together. */
  readonly limitsPerS: number;
  /** Taker orders a second, both sides together. */
  readonly takersPerS: number;
  /** Of the fundamental price, basis points per square root of a second. */
  readonly volatilityBps: number;
}

const market = (
  symbol: string,
  tickSize: string,
  lotSize: string,
  price: number,
  orderNotional: number,
  limitsPerS: number,
  takersPerS: number,
): Market => ({
  symbol,
  tickSize,
  lotSize,
  minNotional: '5',
  price,
  orderNotional,
  limitsPerS,
  takersPerS,
  volatilityBps: 0.2,
});

/** Grids are those of Bybit's linear perpetuals in 2026; prices and rates are only of their order of magnitude. */
const LISTED: readonly Market[] = [
  market('BTCUSDT', '0.10', '0.001', 65_000, 4_000, 300, 6),
  market('ETHUSDT', '0.01', '0.01', 3_200, 3_000, 240, 5),
  market('SOLUSDT', '0.010', '0.1', 160, 2_000, 120, 4),
  market('XRPUSDT', '0.0001', '0.1', 2.2, 1_500, 100, 4),
  market('DOGEUSDT', '0.00001', '1', 0.2, 1_000, 100, 4),
];

/** Symbols of which there are as many as wanted, for load: SIM1USDT, SIM2USDT, … */
const NUMBERED = /^SIM[1-9]\d{0,3}USDT$/;

export const LISTED_SYMBOLS: readonly string[] = LISTED.map(({ symbol }) => symbol);

/** Undefined for a symbol that the simulated exchange does not list. */
export function marketOf(symbol: string): Market | undefined {
  if (NUMBERED.test(symbol)) return market(symbol, '0.01', '0.01', 100 + symbol.length, 2_000, 240, 5);
  return LISTED.find((listed) => listed.symbol === symbol);
}

/** Tick and lot size, as the collector understands them. */
export function instrumentOf({ symbol, tickSize, lotSize, minNotional }: Market): Instrument {
  const lot = gridOf(lotSize)!;
  return {
    symbol,
    tick: gridOf(tickSize)!,
    lot,
    minSizeLots: parseOnGrid(lotSize, lot),
    minNotionalQuote: Number(minNotional),
  };
}
