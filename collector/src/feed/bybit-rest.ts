import { ShadowError } from '../errors.ts';
import type { Instrument } from '../events.ts';
import type { Us } from '../units.ts';
import { gridOf, parseOnGrid } from './decimal.ts';

/** "params error: symbol invalid": the one answer that asking again does not change. */
const NO_SUCH_SYMBOL = 10_001;

/** See `Exchange.parseInstruments`. */
export function parseInstruments(body: string): readonly Instrument[] {
  const { retCode, retMsg, result } = parseAnswer(body);
  if (retCode !== 0) {
    const message = `Bybit answers retCode ${String(retCode)}: ${String(retMsg)}`;
    throw new ShadowError('SHADOW_ERR_INSTRUMENTS', message, { terminal: retCode === NO_SUCH_SYMBOL });
  }
  if (!Array.isArray(result?.list)) {
    throw new ShadowError('SHADOW_ERR_INSTRUMENTS', 'the instrument list has no result.list', { terminal: false });
  }
  return (result.list as readonly (RawInstrument | null)[]).map(parseInstrument).filter((item) => item !== undefined);
}

interface RawAnswer {
  readonly retCode?: unknown;
  readonly retMsg?: unknown;
  readonly result?: { readonly list?: unknown };
}

function parseAnswer(body: string): RawAnswer {
  try {
    const answer = JSON.parse(body) as RawAnswer | null;
    if (typeof answer === 'object' && answer?.retCode !== undefined) return answer;
  } catch {
    // Said below, with what came.
  }
  const message = `expected a Bybit instrument list, got ${JSON.stringify(body.slice(0, 120))}`;
  throw new ShadowError('SHADOW_ERR_INSTRUMENTS', message, { terminal: false });
}

/**
 * "Get Bybit Server Time": {"retCode":0,…,"result":{"timeSecond":"1688639403","timeNano":"1688639403423213947"},"time":1688639403423}.
 * Nanoseconds since the epoch exceed what a number holds, microseconds do not.
 */
export function parseServerTime(body: string): Us | undefined {
  const digits = /"timeNano"\s*:\s*"(\d{16,19})"/.exec(body)?.[1];
  const us = digits === undefined ? NaN : Number(digits.slice(0, -3));
  return Number.isSafeInteger(us) ? us : undefined;
}

interface RawInstrument {
  readonly symbol?: unknown;
  readonly priceFilter?: { readonly tickSize?: unknown };
  readonly lotSizeFilter?: Readonly<
    Partial<Record<'qtyStep' | 'basePrecision' | 'minOrderQty' | 'minNotionalValue' | 'minOrderAmt', unknown>>
  >;
}

/** Linear names the lot `qtyStep` and the smallest value `minNotionalValue`; spot `basePrecision` and `minOrderAmt`. */
function parseInstrument(raw: RawInstrument | null): Instrument | undefined {
  const sizes = raw?.lotSizeFilter;
  const tick = gridOf(raw?.priceFilter?.tickSize);
  const lot = gridOf(sizes?.qtyStep ?? sizes?.basePrecision);
  if (typeof raw?.symbol !== 'string' || tick === undefined || lot === undefined) return undefined;
  const minSizeLots = parseOnGrid(sizes?.minOrderQty, lot);
  const minNotional = Number(sizes?.minNotionalValue ?? sizes?.minOrderAmt ?? 0);
  return {
    symbol: raw.symbol,
    tick,
    lot,
    minSizeLots: Math.max(0, minSizeLots),
    minNotionalQuote: Number.isFinite(minNotional) && minNotional > 0 ? minNotional : 0,
  };
}
