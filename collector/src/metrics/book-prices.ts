import { numberOnGrid } from '../feed/decimal.ts';
import type { SymbolShadow } from '../symbol-shadow.ts';

/** Undefined on a side that has none. */
export interface BookPrices {
  readonly bid: number | undefined;
  readonly ask: number | undefined;
  readonly quoteBuy: number | undefined;
  readonly quoteSell: number | undefined;
}

/** Best prices and those of our quotes, in quote currency. */
export function bookPrices({ instrument, simulation, book }: SymbolShadow): BookPrices {
  const price = (ticks: number | undefined): number | undefined =>
    ticks === undefined ? undefined : numberOnGrid(ticks, instrument.tick);
  return {
    bid: price(book.bestTicks(1)),
    ask: price(book.bestTicks(-1)),
    quoteBuy: price(simulation.quoteTicks(1)),
    quoteSell: price(simulation.quoteTicks(-1)),
  };
}
