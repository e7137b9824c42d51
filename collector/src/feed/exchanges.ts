import { bybitLinear, bybitSpot } from './bybit.ts';
import type { Exchange } from './exchange.ts';

/** Every exchange there is, by id: the one place that a new adapter is added to. */
export const EXCHANGES: ReadonlyMap<string, Exchange> = new Map(
  [bybitLinear, bybitSpot].map((exchange) => [exchange.id, exchange]),
);
