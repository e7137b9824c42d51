import type { Bps } from '../units.ts';

export type Liquidity = 'maker' | 'taker';

/** Signed, cost positive, rebate negative. */
export interface FeesBps {
  readonly maker: Bps;
  readonly taker: Bps;
}

/** Fee of a fill in quote currency; negative when the exchange pays us. */
export const feeQuote = (fees: FeesBps, liquidity: Liquidity, notionalQuote: number): number =>
  fees[liquidity] * 1e-4 * notionalQuote;
