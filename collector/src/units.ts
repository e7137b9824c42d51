/**
 * Scalars that get mixed up carry their unit in the type. A plain number may become any of them (a literal, a result of
 * arithmetic); one unit never silently becomes another.
 */
type Unit<Name extends string> = number & { readonly __unit?: Name };

/** Integer microseconds: an instant since the Unix epoch, an instant of a monotonic clock, or a duration. */
export type Us = Unit<'us'>;
/** Milliseconds, fractional. Only at the edges: flags, artifacts, metrics. */
export type Ms = Unit<'ms'>;
/** Basis points, 1e-4. */
export type Bps = Unit<'bps'>;
/** Price as an integer multiple of the instrument's tick size. */
export type Ticks = Unit<'ticks'>;
/** Size as an integer multiple of the instrument's lot size. */
export type Lots = Unit<'lots'>;

/** +1 for the buyer's side, −1 for the seller's: our side `s`, or the taker's side `D`. */
export type Sign = 1 | -1;
export type Side = 'buy' | 'sell';

export const US_PER_MS = 1_000;
export const US_PER_S = 1_000_000;

export const usFromMs = (ms: Ms): Us => Math.round(ms * US_PER_MS);
export const msFromUs = (us: Us): Ms => us / US_PER_MS;
export const sideOf = (sign: Sign): Side => (sign === 1 ? 'buy' : 'sell');
