import type { SymbolShadow } from '../symbol-shadow.ts';
import type { Us } from '../units.ts';
import { US_PER_S } from '../units.ts';

/** A symbol not heard of for longer has no KPIs: a kept last value would certify a dead feed as healthy. */
export const STALE_AFTER_US = 60 * US_PER_S;

export const isHeard = ({ lastMonoUs }: SymbolShadow, nowUs: Us): boolean =>
  lastMonoUs !== undefined && nowUs - lastMonoUs <= STALE_AFTER_US;

/** Heard of, with a book that is trusted. */
export const isTrusted = (shadow: SymbolShadow, nowUs: Us): boolean => isHeard(shadow, nowUs) && shadow.simulation.live;
