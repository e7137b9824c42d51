import type { Grid } from '../events.ts';

/** What a decimal that cannot be used answers with; every good one is ≥ 0. */
export const MALFORMED = -1;
export const OFF_GRID = -2;

const ZERO = 48;
const DOT = 46;
const MAX_UNITS = Number.MAX_SAFE_INTEGER / 10;

/**
 * A decimal text as an integer multiple of the grid's step, by integer arithmetic alone: "65114.20" on a grid of 0.1 is 651142.
 * `MALFORMED` for anything that is not digits with at most one point (no sign, no exponent, no space, not a text) or that
 * exceeds 2^53 units; `OFF_GRID` for a number between two steps. Nothing is rounded.
 */
export function parseOnGrid(text: unknown, grid: Grid): number {
  if (typeof text !== 'string' || text.length === 0) return MALFORMED;
  let units = 0;
  let decimals = -1;
  let digits = 0;
  let beyond = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === DOT && decimals < 0) {
      decimals = 0;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9) return MALFORMED;
    digits++;
    if (decimals >= grid.decimals) {
      beyond ||= digit !== 0;
      continue;
    }
    if (decimals >= 0) decimals++;
    units = units * 10 + digit;
    if (units > MAX_UNITS) return MALFORMED;
  }
  if (digits === 0) return MALFORMED;
  for (let place = Math.max(0, decimals); place < grid.decimals; place++) {
    units *= 10;
    if (units > MAX_UNITS) return MALFORMED;
  }
  if (beyond) return OFF_GRID;
  if (grid.step === 1) return units;
  return units % grid.step === 0 ? units / grid.step : OFF_GRID;
}

/** The grid of a step such as "0.10" or "0.000001"; undefined when it is not a positive decimal. */
export function gridOf(step: unknown): Grid | undefined {
  if (typeof step !== 'string' || !/^\d{1,15}(\.\d{1,15})?$/.test(step)) return undefined;
  const [whole = '', fraction = ''] = step.replace(/(\.\d*?)0+$/, '$1').split('.');
  const units = Number(whole + fraction);
  if (units <= 0 || !Number.isSafeInteger(units)) return undefined;
  return { decimals: fraction.length, step: units, size: Number(step) };
}
