import type { Grid } from '../events.ts';

/** What a decimal that cannot be used answers with; every good one is ≥ 0. */
export const MALFORMED = -1;
export const OFF_GRID = -2;

const ZERO = 48;
const DOT = 46;
/** Digits and a point: 15 digits are below 2^53, so every sum on the way is exact. */
const MAX_LENGTH = 16;

/**
 * A decimal text as an integer multiple of the grid's step, by integer arithmetic alone: "65114.20" on a grid of 0.1 is 651142.
 * `MALFORMED` for anything that is not digits with at most one point (no sign, no exponent, no space, not a text) or that has more
 * digits than can be exact; `OFF_GRID` for a number between two steps. Nothing is rounded.
 */
export function parseOnGrid(text: unknown, grid: Grid): number {
  if (typeof text !== 'string') return MALFORMED;
  const length = text.length;
  if (length === 0 || length > MAX_LENGTH) return MALFORMED;
  let units = 0;
  let at = 0;
  for (; at < length; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) break;
    units = units * 10 + digit;
  }
  if (at === length) return toSteps(units * POWERS[grid.decimals]!, grid);
  if (text.charCodeAt(at) !== DOT || length === 1) return MALFORMED;
  const end = Math.min(length, ++at + grid.decimals);
  const missing = grid.decimals - (end - at);
  for (; at < end; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return MALFORMED;
    units = units * 10 + digit;
  }
  return at === length ? toSteps(units * POWERS[missing]!, grid) : withTail(text, at, units, grid);
}

/** Digits beyond the grid's last place: only zeros are on the grid. */
function withTail(text: string, from: number, units: number, grid: Grid): number {
  let beyond = false;
  for (let at = from; at < text.length; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return MALFORMED;
    beyond ||= digit !== 0;
  }
  return beyond ? OFF_GRID : toSteps(units, grid);
}

function toSteps(units: number, grid: Grid): number {
  if (units > Number.MAX_SAFE_INTEGER) return MALFORMED;
  if (grid.step === 1) return units;
  return units % grid.step === 0 ? units / grid.step : OFF_GRID;
}

/** The decimal that so many steps of a grid are, as near as a number can be to it: the inverse of `parseOnGrid`. */
export const numberOnGrid = (steps: number, grid: Grid): number => (steps * grid.step) / 10 ** grid.decimals;

const POWERS = Array.from({ length: MAX_LENGTH + 1 }, (_, exponent) => 10 ** exponent);

/** The grid of a step such as "0.10" or "0.000001"; undefined when it is not a positive decimal. */
export function gridOf(step: unknown): Grid | undefined {
  if (typeof step !== 'string' || !/^\d{1,15}(\.\d{1,15})?$/.test(step)) return undefined;
  const [whole = '', fraction = ''] = step.replace(/(\.\d*?)0+$/, '$1').split('.');
  const units = Number(whole + fraction);
  if (units <= 0 || !Number.isSafeInteger(units)) return undefined;
  return { decimals: fraction.length, step: units, size: Number(step) };
}
