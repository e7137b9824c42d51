import type { MiniLob } from '../book/mini-lob.ts';
import type { Instrument } from '../events.ts';
import type { Bps, Lots, Sign, Ticks, Us } from '../units.ts';
import type { ModelIndex, ShadowQuote, VirtualFill } from './shadow-quote.ts';
import { FILL_MODELS } from './shadow-quote.ts';

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

/** The fill of an order that took, under one model; all models take alike. */
export const takenBy = (order: ShadowQuote, model: ModelIndex, taken: TakerFill, timeUs: Us): VirtualFill => ({
  orderId: order.id,
  model: FILL_MODELS[model],
  side: order.sign,
  liquidity: 'taker',
  cause: 'taker',
  timeUs,
  priceTicks: taken.priceTicks,
  lots: taken.lots,
  lateCancel: false,
  queueSeed: undefined,
  queueAheadAtPlacementLots: undefined,
  tradeId: undefined,
});

/** Implementation shortfall against the mid at the decision (Perold 1988), + is cost; mids in half ticks. */
export const takerSlippageBps = (sign: Sign, priceTicks: Ticks, decisionMidHalf: number): Bps =>
  ((sign * (2 * priceTicks - decisionMidHalf)) / decisionMidHalf) * 1e4;

/**
 * A maker's fill against the price the quoting rule would give from the book just before it; + when we would now quote less
 * aggressively. It is the cost of latency and of requote hysteresis.
 */
export const makerSlippageBps = (sign: Sign, priceTicks: Ticks, targetTicks: Ticks, midHalf: number): Bps =>
  ((sign * 2 * (priceTicks - targetTicks)) / midHalf) * 1e4;
