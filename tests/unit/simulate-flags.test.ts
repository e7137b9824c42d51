import { describe, expect, test } from '@jest/globals';
import { simulate } from '../../collector/src/commands/simulate.ts';
import { RecordingWriter } from '../../collector/src/feed/recording-writer.ts';
import { FlagReader } from '../../collector/src/flags.ts';
import { SIMULATE_FLAGS } from '../../collector/src/simulate-flags.ts';
import { parseScenarios } from '../../collector/src/simulator/scenario.ts';

const deps = {
  env: {},
  readText: () => '',
  clock: { wallUs: () => 0, monoUs: () => 0 },
  print: () => undefined,
  say: () => undefined,
  signal: AbortSignal.abort(),
};

describe('shadow simulate', () => {
  test.each([
    { argv: ['--seconds', '5'], says: '--seconds needs --record' },
    { argv: ['--start', '2026-01-01T00:00:00Z'], says: '--start needs --record' },
    { argv: ['--record', 'a.br', '--port', '1'], says: '--port is of the server; --record makes none' },
    { argv: ['--record', 'a.br', '--host', 'x'], says: '--host is of the server; --record makes none' },
    { argv: ['--start', 'yesterday'], says: 'a UTC time such as 2026-01-01T00:00:00Z' },
    { argv: ['--symbols', 'FOOUSDT', '--port', '0'], says: 'the simulated exchange lists BTCUSDT' },
    { argv: ['--symbols', 'SIM0USDT', '--port', '0'], says: 'not SIM0USDT' },
  ])('refuses $argv', async ({ argv, says }) => {
    await expect(simulate(argv, deps)).rejects.toThrow(says);
  });

  test('reads its own environment, not that of run', () => {
    const env = { SHADOW_SEED: '7', SHADOW_RECORD: 'x.br', SHADOW_SIMULATE_SEED: '9' };
    const reader = new FlagReader('simulate', SIMULATE_FLAGS, { argv: [], env, readText: () => '' });
    expect(reader.explicit).toEqual({ seed: '9' });
  });
});

test('a recording is refused a name that says it is not compressed', () => {
  const make = () =>
    new RecordingWriter('/tmp/a.jsonl', { exchange: 'bybit', subscriptions: [], notes: [] }, () => undefined);
  expect(make).toThrow('ending in .br');
});

test.each(['silent-socket', 'clock-step'])('%s needs a before, and begins after 30 s unless told otherwise', (name) => {
  expect(parseScenarios(name)).toEqual([{ name, fromUs: 30_000_000, toUs: Infinity }]);
  expect(parseScenarios(`${name}:0s`)).toEqual([{ name, fromUs: 0, toUs: Infinity }]);
});
