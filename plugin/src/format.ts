// Values as text, exact: what is shown on hover is what is in the data.
import type { Field } from '@grafana/data';
import { dateTimeFormat, formattedValueToString } from '@grafana/data';
import type { TimeZone } from '@grafana/schema';
import type { Fills } from './fills';
import { isFillTable } from './roles';

/** To the millisecond, and to the microsecond where the data tell it. */
export function formatTime(ms: number, timeZone: TimeZone, withDate = true): string {
  const us = Math.round(ms * 1_000);
  const rest = ((us % 1_000) + 1_000) % 1_000;
  const format = withDate ? 'YYYY-MM-DD HH:mm:ss.SSS' : 'HH:mm:ss.SSS';
  const text = dateTimeFormat((us - rest) / 1_000, { timeZone, format });
  return rest === 0 ? text : text + String(rest).padStart(3, '0');
}

/** All digits of a value, unless its field has a unit or decimals of the user's own; "short", which rounds, is not taken for one. */
export function formatExact(field: Field, value: number): string {
  const chosen = hasUnit(field) || typeof field.config.decimals === 'number';
  return chosen && field.display !== undefined ? formattedValueToString(field.display(value)) : String(value);
}

/** Whether the field's user chose a unit, which its text then tells. */
export const hasUnit = ({ config: { unit }, display }: Field): boolean =>
  display !== undefined && unit !== undefined && !['', 'none', 'short'].includes(unit);

/** With a sign, unless it is zero as shown. */
export function signed(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) {
    return text;
  }
  return `${value < 0 ? '−' : '+'}${text}`;
}

export interface Detail {
  readonly name: string;
  readonly text: string;
}

const TOLD_ELSEWHERE = new Set(['__name__', 'symbol', 'side', 'liquidity', 'price', 'size', 'quantity', 'job']);

/** What else its data tell of a fill: labels of its series, or the other columns of its row. */
export function detailsOf(fills: Fills, index: number): Detail[] {
  const { frame, price } = fills.sources[fills.source[index]!]!;
  const row = fills.row[index]!;
  const pairs: Array<[string, unknown]> = isFillTable(frame)
    ? frame.fields.filter(({ type }) => type !== 'time').map(({ name, values }) => [name.toLowerCase(), values[row]])
    : Object.entries(price.labels ?? {});
  return pairs
    .filter(([name, value]) => !TOLD_ELSEWHERE.has(name) && value !== null && value !== undefined && value !== '')
    .map(([name, value]) => ({ name, text: String(value) }));
}

/** "buy" or "sell"; undefined where the data do not say. */
export function sideOfFill(fills: Fills, index: number): string | undefined {
  const { frame, price } = fills.sources[fills.source[index]!]!;
  const column = isFillTable(frame) ? frame.fields.find(({ name }) => name.toLowerCase() === 'side') : undefined;
  const side: unknown = column === undefined ? price.labels?.['side'] : column.values[fills.row[index]!];
  return typeof side === 'string' ? side : undefined;
}
