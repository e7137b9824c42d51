// Data frames → the columns this panel knows, each with its role; and what is wrong with the others. Frames are never changed.
import type { DataFrame, Field } from '@grafana/data';
import type { Role } from './roles';
import { isFillTable, isText, REF_IDS, ROLE_NAMES, roleOf } from './roles';

export interface Channel {
  readonly role: Role;
  readonly frame: DataFrame;
  readonly time: Field;
  readonly value: Field;
}

export interface Channels {
  readonly found: readonly Channel[];
  /** What was found and cannot be used, a sentence each. */
  readonly faults: readonly string[];
  /** Every symbol that is named, by a label or in a column of a table; sorted. */
  readonly symbols: readonly string[];
}

export function channelsOf(frames: readonly DataFrame[]): Channels {
  const found: Channel[] = [];
  const faults: string[] = [];
  for (const frame of frames) {
    const time = frame.fields.find(({ type }) => type === 'time');
    for (const value of frame.fields) {
      if (value === time) {
        continue;
      }
      const role = roleOf(frame, value);
      if (role === undefined || role === 'ignore') {
        continue;
      }
      const fault = faultOf(role, time, value);
      if (fault !== undefined) {
        faults.push(fault);
      } else {
        found.push({ role, frame, time: time!, value });
      }
    }
  }
  return { found, faults, symbols: symbolsOf(found) };
}

function faultOf(role: Role, time: Field | undefined, { type, values }: Field): string | undefined {
  const name = ROLE_NAMES[role];
  if (time === undefined) {
    return `${name} has no field of type time beside it.`;
  }
  if (type === 'number') {
    return undefined;
  }
  const example = values.find((one) => one !== null && one !== undefined);
  const what = isText(type) ? 'text' : `of type ${type}`;
  return `${name} is ${what}${example === undefined ? '' : ` (${JSON.stringify(example)})`}, a number is expected: convert it with the transformation "Convert field type".`;
}

function symbolsOf(channels: readonly Channel[]): string[] {
  const symbols = new Set<string>();
  for (const { frame, value } of channels) {
    const label = value.labels?.['symbol'];
    if (label !== undefined) {
      symbols.add(label);
    }
    const column = isFillTable(frame) ? textColumn(frame, 'symbol') : undefined;
    for (const symbol of column?.values ?? []) {
      if (typeof symbol === 'string') {
        symbols.add(symbol);
      }
    }
  }
  return [...symbols].sort();
}

export const textColumn = (frame: DataFrame, name: string): Field | undefined =>
  frame.fields.find((field) => field.name.toLowerCase() === name && isText(field.type));

/** What is there, for a sentence that says what is not: at most five names. */
export function namesOf(frames: readonly DataFrame[]): string {
  const names = new Set(
    frames.flatMap((frame) =>
      frame.fields.filter(({ type }) => type !== 'time').map(({ labels, name }) => labels?.['__name__'] ?? name)
    )
  );
  const shown = [...names].slice(0, 5);
  return shown.join(', ') + (names.size > shown.length ? ` and ${names.size - shown.length} more` : '');
}

export const EXPECTED = `shadow_best_bid, shadow_best_ask, shadow_quote_price, shadow_fill_price, shadow_clock_drift_ms and the like, a query named ${Object.keys(REF_IDS).slice(0, 2).join(' or ')}, or a field override "Shows"`;
