import type { MiniLob } from '../book/mini-lob.ts';
import type { Instrument } from '../events.ts';
import type { Lots, Sign, Ticks } from '../units.ts';

/** What an order that crosses pays on the displayed book. */
export interface TakerFill {
  readonly lots: Lots;
  /** Quantity-weighted average price; fractional ticks. */
  readonly priceTicks: Ticks;
  readonly notionalQuote: number;
}

/**
 * Walks the opposite side from its best price up to `limitTicks` (undefined: as deep as is visible). Undefined when nothing is
 * there. Our own impact on the book is ignored.
 */
export function takerFill(
  book: MiniLob,
  sign: Sign,
  limitTicks: Ticks | undefined,
  sizeLots: Lots,
  instrument: Instrument,
): TakerFill | undefined {
  let lots = 0;
  let cost = 0;
  book.walk(-sign as Sign, (ticks, displayed) => {
    if (limitTicks !== undefined && sign * (limitTicks - ticks) < 0) return false;
    const taken = Math.min(displayed, sizeLots - lots);
    lots += taken;
    cost += taken * ticks;
    return lots < sizeLots;
  });
  if (lots === 0) return undefined;
  return { lots, priceTicks: cost / lots, notionalQuote: cost * instrument.tick.size * instrument.lot.size };
}
