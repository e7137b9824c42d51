import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { simulate } from '../../collector/src/commands/simulate.ts';
import { systemClock } from '../../collector/src/system-clock.ts';
import { runShadow } from '../support/run.ts';

/** Means over a run of the five user series, null where no window knew; and the thresholds of the alerts on them. */
interface Means {
  readonly edge_bps: number | null;
  readonly maker_taker_ratio: number | null;
  readonly latency_ms: number | null;
  readonly risk_ratio: number | null;
  readonly clock_drift_ms: number | null;
}
const BREAKS: Readonly<Record<keyof Means, (value: number) => boolean>> = {
  edge_bps: (value) => value < 2.5,
  maker_taker_ratio: (value) => value < 0.83,
  latency_ms: (value) => value > 350,
  risk_ratio: (value) => value > 0.4,
  clock_drift_ms: (value) => Math.abs(value) > 500,
};

const folder = mkdtempSync(join(tmpdir(), 'shadow-scenarios-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Nine minutes of market, quoted as `npm start` does, of which the last seven count. */
async function meansIn(scenario: string): Promise<Means> {
  const recording = join(folder, `${scenario}.jsonl.br`);
  const argv = [
    '--record',
    recording,
    '--seconds',
    '540',
    '--symbols',
    'BTCUSDT',
    '--scenario',
    scenario,
    '--seed',
    '5',
  ];
  const exitCode = await simulate(argv, {
    env: {},
    readText: () => '',
    clock: systemClock(),
    print: () => undefined,
    say: () => undefined,
    signal: new AbortController().signal,
  });
  expect(exitCode).toBe(0);
  const flags = ['--spread_bps', '8', '--inventory_limit', '25000', '--iterations', '0'];
  const { iterations } = await runShadow(['--replay', recording, '--symbols', 'BTCUSDT', ...flags]);
  const windows = iterations.filter(({ iteration, cut_short: cutShort }) => iteration > 2 && !cutShort);
  expect(windows.length).toBeGreaterThanOrEqual(6);
  const mean = (key: 'net_bps' | 'maker_taker_ratio' | 'p95_latency_ms' | 'risk_ratio' | 'clock_drift_ms') => {
    const known = windows.map(({ summary }) => summary[key]).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  return {
    edge_bps: mean('net_bps'),
    maker_taker_ratio: mean('maker_taker_ratio'),
    latency_ms: mean('p95_latency_ms'),
    risk_ratio: mean('risk_ratio'),
    clock_drift_ms: mean('clock_drift_ms'),
  };
}

describe('a scenario breaks the threshold it is made for, and no other', () => {
  test.each<{ name: string; broken: readonly (keyof Means)[] }>([
    { name: 'calm', broken: [] },
    { name: 'edge-low', broken: ['edge_bps'] },
    { name: 'maker-low', broken: ['maker_taker_ratio'] },
    { name: 'latency-high', broken: ['latency_ms'] },
    { name: 'risk-high', broken: ['risk_ratio'] },
    { name: 'clock-drift', broken: ['clock_drift_ms'] },
  ])('$name', async ({ name, broken }) => {
    const means = await meansIn(name);
    const keys = Object.keys(BREAKS) as (keyof Means)[];
    expect({ means, broken: keys.filter((key) => means[key] !== null && BREAKS[key](means[key])) }).toEqual({
      means,
      broken,
    });
    expect(keys.filter((key) => means[key] === null)).toEqual([]);
  });
});
