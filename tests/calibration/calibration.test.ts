import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Cell, CellResult } from '../../collector/src/calibration/cell.ts';
import { CANDIDATES, EXPONENTS, runCell } from '../../collector/src/calibration/cell.ts';
import { allCells, FEEDS } from '../../collector/src/calibration/report.ts';
import type { CellStatistics } from '../../collector/src/calibration/statistics.ts';
import { statisticsOf } from '../../collector/src/calibration/statistics.ts';

/** A quarter of an hour of market instead of the two hours behind docs/CALIBRATION.md. */
const SECONDS = 900;

const cell = (overrides: Partial<Cell>): Cell => ({
  symbol: 'DOGEUSDT',
  cancelLaw: 'uniform',
  channels: FEEDS['20 ms'],
  spreadBps: 0,
  seconds: SECONDS,
  seed: 1,
  scenarios: [],
  ...overrides,
});

describe.each([
  { name: 'large tick, uniform cancels', ...cell({}) },
  { name: 'large tick, back-heavy cancels', ...cell({ cancelLaw: 'back-heavy' }) },
  { name: 'small tick, uniform cancels', ...cell({ symbol: 'BTCUSDT', seconds: 600 }) },
  { name: 'small tick, back-heavy cancels', ...cell({ symbol: 'BTCUSDT', cancelLaw: 'back-heavy', seconds: 600 }) },
  { name: 'the default feed', ...cell({ channels: FEEDS['50+1'] }) },
  { name: 'a feed of 100 ms', ...cell({ channels: FEEDS['100 ms'] }) },
  { name: 'a feed of 1 s', ...cell({ channels: FEEDS['1000 ms'] }) },
])('against the truth, $name', ({ name: _name, ...each }) => {
  let result: CellResult;
  let statistics: CellStatistics;
  beforeAll(() => {
    result = runCell(each);
    statistics = statisticsOf(result);
  }, 60_000);
  const of = (candidate: (typeof CANDIDATES)[number]) =>
    statistics.candidates.find((own) => own.candidate === candidate)!;

  test('there are orders to judge by, filled and not', () => {
    expect(statistics.orders).toBeGreaterThan(500);
    expect(statistics.trueFillShare).toBeGreaterThan(0.2);
    expect(statistics.trueFillShare).toBeLessThan(0.9);
  });

  test('at least 99 % of the true fills lie between touch and trade-through', () => {
    expect(statistics.bandCoverage).toBeGreaterThanOrEqual(0.99);
  });

  test('every model fills an order no later than the next more cautious one', () => {
    const sequence = [
      'touch',
      ...EXPONENTS.map((n) => `queue n=${n === Infinity ? '∞' : n}` as const),
      'trade-through',
    ];
    for (const { fills } of result.orders) {
      const times = sequence.map((candidate) => fills.get(candidate as (typeof CANDIDATES)[number]) ?? Infinity);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  });

  test('touch is early and trade-through late', () => {
    expect(of('touch').timeBiasShare).toBeLessThan(-0.2);
    expect(of('trade-through').timeBiasShare).toBeGreaterThan(0.1);
  });

  if (each.channels === FEEDS['20 ms'] || each.channels === FEEDS['50+1']) {
    test('the default exponent errs by less than 15 % of the waiting time', () => {
      expect(Math.abs(of('queue n=2').timeBiasShare)).toBeLessThanOrEqual(0.15);
    });
  }
});

test('the same seed gives the same comparison', () => {
  const short = cell({ seconds: 120 });
  expect(runCell(short).orders).toEqual(runCell(short).orders);
  expect(runCell({ ...short, seed: 2 }).orders).not.toEqual(runCell(short).orders);
});

test('the README shows rows of the document that was made', () => {
  const read = (name: string): string => readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8');
  const cells = (row: string): string => row.replace(/ +/g, ' ');
  const table = /<!-- calibration -->([\s\S]*)<!-- \/calibration -->/.exec(read('README.md'))![1]!;
  const rows = table.split('\n').filter((line) => /^\| [A-Z]+USDT/.test(line));
  const document = read('docs/CALIBRATION.md').split('\n').map(cells);
  expect(rows.length).toBe(allCells(60, 1).filter(({ symbol }) => symbol === 'DOGEUSDT').length + 2);
  for (const row of rows) expect(document).toContain(cells(row));
});
