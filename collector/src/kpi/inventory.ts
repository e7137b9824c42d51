import type { FeesBps, Liquidity } from '../fills/fees.ts';
import { feeQuote } from '../fills/fees.ts';
import type { Lots, Sign, Ticks } from '../units.ts';

/**
 * Position and profit of one symbol, by weighted average cost; a fill that crosses zero closes, then opens. For linear
 * contracts and spot. Amounts are in quote currency; fees stand apart from realised profit.
 *
 * Identity, at any mark: cash + position·mark = realised + unrealised(mark) − fees.
 */
export class Inventory {
  readonly #quotePerTickLot: number;
  readonly #fees: FeesBps;
  /** Signed: + long, − short. */
  positionLots: Lots = 0;
  /** Average cost of the open position; meaningless at zero. */
  averageTicks: Ticks = 0;
  realizedQuote = 0;
  feesQuote = 0;
  cashQuote = 0;

  /** `quotePerTickLot`: tick size times lot size, the value of one lot moving by one tick. */
  constructor(quotePerTickLot: number, fees: FeesBps) {
    this.#quotePerTickLot = quotePerTickLot;
    this.#fees = fees;
  }

  fill(sign: Sign, priceTicks: Ticks, lots: Lots, liquidity: Liquidity): void {
    const notional = priceTicks * lots * this.#quotePerTickLot;
    const fee = feeQuote(this.#fees, liquidity, notional);
    this.feesQuote += fee;
    this.cashQuote -= sign * notional + fee;
    const closing = this.positionLots * sign < 0 ? Math.min(lots, Math.abs(this.positionLots)) : 0;
    if (closing > 0) this.#close(-sign as Sign, priceTicks, closing);
    if (lots > closing) this.#open(sign, priceTicks, lots - closing);
  }

  /** Profit of the open position at a mark, in half ticks (so that a mid is an integer): + is profit, 0 when flat. */
  unrealizedQuote(markHalfTicks: number): number {
    return this.positionLots * (markHalfTicks / 2 - this.averageTicks) * this.#quotePerTickLot;
  }

  /** |position| · mid. */
  exposureQuote(midHalfTicks: number): number {
    return Math.abs(this.positionLots) * (midHalfTicks / 2) * this.#quotePerTickLot;
  }

  #close(positionSign: Sign, priceTicks: Ticks, lots: Lots): void {
    this.realizedQuote += positionSign * lots * (priceTicks - this.averageTicks) * this.#quotePerTickLot;
    this.positionLots -= positionSign * lots;
  }

  #open(sign: Sign, priceTicks: Ticks, lots: Lots): void {
    const held = Math.abs(this.positionLots);
    this.averageTicks = held === 0 ? priceTicks : (this.averageTicks * held + priceTicks * lots) / (held + lots);
    this.positionLots += sign * lots;
  }
}
