import { describe, expect, test } from '@jest/globals';
import type { RunConfig } from '../../collector/src/config.ts';
import { resolveRunConfig } from '../../collector/src/config.ts';
import { runHelp } from '../../collector/src/commands/run.ts';
import { RUN_FLAG_NAMES } from '../../collector/src/run-flags.ts';
import { builtInProfiles } from '../../collector/src/resources.ts';

const FILES: Readonly<Record<string, string>> = {
  'latency.txt': '5\n1\n3\n',
  'config.json': JSON.stringify({ duration: 20, seed: 5, symbols: ['SOLUSDT'] }),
  'wrong.json': JSON.stringify({ duraton: 20 }),
  'profiles.json': JSON.stringify({
    wide: { spread_bps: 60, touch_dwell_ms: 50, symbols: { ETHUSDT: { spread_bps: 80, min_lot: 0.5 } } },
    bad: { metrics_port: 1 },
  }),
};

function resolve(argv: readonly string[], env: Readonly<Record<string, string>> = {}): RunConfig {
  return resolveRunConfig({
    argv,
    env,
    builtInProfiles: builtInProfiles(),
    readText: (path) => {
      const text = FILES[path];
      if (text === undefined) throw new Error(`no ${path}`);
      return text;
    },
  });
}

describe('the configuration of a run', () => {
  test('has the defaults of the specification', () => {
    const config = resolve([]);
    expect(config).toMatchObject({ exchange: 'bybit', symbols: ['BTCUSDT'], iterations: 6, duration: 60, drain: 5 });
    expect(config).toMatchObject({
      fill_model: 'touch-dwell',
      reorder_window_ms: 50,
      kpi_horizon_s: 5,
      metrics_port: 9109,
    });
    expect(config.latency_entry_ms).toEqual({ kind: 'lognormal', medianMs: 7, p95Ms: 15 });
    expect(config.latency_resp_ms).toEqual({ kind: 'const', ms: 3 });
    expect(config.bySymbol.get('BTCUSDT')).toMatchObject({
      spread_bps: 30,
      maker_fee_bps: 2,
      taker_fee_bps: 5.5,
      queue_exponent: 2,
    });
    expect(resolve(['--profile', 'aggressive']).bySymbol.get('BTCUSDT')!.spread_bps).toBe(15);
    expect(resolve(['--exchange', 'bybit-spot']).bySymbol.get('BTCUSDT')).toMatchObject({
      maker_fee_bps: 10,
      taker_fee_bps: 10,
    });
  });

  test.each([
    { name: 'several values', argv: ['--symbols', 'BTCUSDT', 'ETHUSDT'] },
    { name: 'a comma list', argv: ['--symbols', 'BTCUSDT,ETHUSDT'] },
    { name: 'a comma list with blanks', argv: ['--symbols', 'BTCUSDT, ETHUSDT'] },
    { name: 'an equals sign', argv: ['--symbols=BTCUSDT,ETHUSDT'] },
  ])('symbols come as $name', ({ argv }) => {
    expect(resolve(argv).symbols).toEqual(['BTCUSDT', 'ETHUSDT']);
  });

  test.each([
    { argv: ['--spread-bps', '-1.5'], expected: -1.5 },
    { argv: ['--spread_bps=-1.5'], expected: -1.5 },
    { argv: ['--spread_bps', '0'], expected: 0 },
  ])('$argv is read', ({ argv, expected }) => {
    expect(resolve(argv).bySymbol.get('BTCUSDT')!.spread_bps).toBe(expected);
  });

  test('a switch may stand alone or with its value', () => {
    const own = (argv: string[]): boolean => resolve(argv).bySymbol.get('BTCUSDT')!.require_volume;
    expect([
      own([]),
      own(['--require_volume']),
      own(['--require_volume', 'false']),
      own(['--require_volume', 'true']),
    ]).toEqual([false, true, false, true]);
  });

  test('a flag beats the environment, that the file, that the default', () => {
    const env = { SHADOW_DURATION: '30', SHADOW_CONFIG: 'config.json', SHADOW_SYMBOLS: '' };
    expect(resolve(['--duration', '10'], env).duration).toBe(10);
    expect(resolve([], env).duration).toBe(30);
    expect(resolve(['--config', 'config.json']).duration).toBe(20);
    expect(resolve(['--config', 'config.json'])).toMatchObject({ seed: 5, symbols: ['SOLUSDT'], iterations: 6 });
  });

  test('each symbol has its own profile, not that of the first', () => {
    const { bySymbol } = resolve(['--profiles', 'profiles.json', '--profile', 'wide', '--symbols', 'BTCUSDT,ETHUSDT']);
    expect(bySymbol.get('BTCUSDT')).toMatchObject({ spread_bps: 60, touch_dwell_ms: 50, min_lot: 0 });
    expect(bySymbol.get('ETHUSDT')).toMatchObject({ spread_bps: 80, touch_dwell_ms: 50, min_lot: 0.5 });
  });

  test('a flag whose value is the default overrides a profile all the same', () => {
    const argv = ['--profiles', 'profiles.json', '--profile', 'wide', '--touch_dwell_ms', '25'];
    expect(resolve(argv).bySymbol.get('BTCUSDT')!.touch_dwell_ms).toBe(25);
  });

  test('a latency is a constant, a lognormal or measurements', () => {
    expect(resolve(['--latency_entry_ms', '4']).latency_entry_ms).toEqual({ kind: 'const', ms: 4 });
    expect(resolve(['--latency_entry_ms', 'file:latency.txt']).latency_entry_ms).toEqual({
      kind: 'empirical',
      sortedMs: [1, 3, 5],
    });
  });

  test('all problems are told at once, with what was expected and what came', () => {
    const argv = [
      '--duration',
      '0',
      '--exchange',
      'nyse',
      '--depht',
      '5',
      '--symbols',
      'a b',
      '--latency_entry_ms',
      '15,7',
      'stray',
      '--seed',
      '1e400',
    ];
    let message = '';
    try {
      resolve(argv);
    } catch (error) {
      message = (error as Error).message;
      expect(error).toMatchObject({ code: 'SHADOW_ERR_USAGE', exitCode: 2 });
    }
    expect(message).toContain('--duration: expected a whole number from 1 to 86400, got "0"');
    expect(message).toContain('--exchange: expected one of bybit, bybit-spot, got "nyse"');
    expect(message).toContain('no such flag --depht');
    expect(message).toContain('--latency_entry_ms: expected');
    expect(message).toContain('--seed: expected a whole number');
    expect(message).toContain('shadow run --help');
  });

  test.each([
    { argv: ['--config', 'wrong.json'], says: 'no such key "duraton"' },
    { argv: ['--profile', 'nosuch'], says: '--profile: expected one of moderate, aggressive, got "nosuch"' },
    {
      argv: ['--profiles', 'profiles.json', '--profile', 'bad'],
      says: '"metrics_port" is not a value that a profile can set',
    },
    { argv: ['--replay', 'a', '--record', 'b'], says: 'cannot be used with --replay' },
    { argv: ['--from', '2026-01-01T00:00:00Z'], says: '--from is of a part of a recording: it needs --replay' },
    { argv: ['--to', '2026-01-01T00:00:00Z'], says: '--to is of a part of a recording: it needs --replay' },
    { argv: ['--replay', 'a', '--from', 'today'], says: '--from: expected a UTC time' },
    {
      argv: ['--replay', 'a', '--from', '2026-01-01T00:00:01Z', '--to', '2026-01-01T00:00:01Z'],
      says: '--from must be before --to',
    },
    { argv: ['--segment_s', '5'], says: '--segment_s is of a recording in a folder' },
    { argv: ['--record', 'a.jsonl.br', '--segment_mb', '5'], says: '--segment_mb is of a recording in a folder' },
    { argv: ['--record', 'a', '--segment_mb', '0'], says: '--segment_mb: expected a number from 0.01' },
    { argv: ['--replay', 'a', '--remote_write_url', 'http://x/'], says: 'it cannot be used with --replay' },
    { argv: ['--remote_write_url', 'ws://u:p@x/'], says: 'begins with http:// or https://, got "…@x/"' },
    { argv: ['--seed'], says: '--seed needs a value' },
    { argv: ['stray'], says: 'unexpected argument "stray"' },
    { argv: ['--spread', '5'], says: 'did you mean --spread_bps?' },
  ])('$argv is refused: $says', ({ argv, says }) => {
    expect(() => resolve(argv)).toThrow(says);
  });

  test('paths and ports do not make another run, results do', () => {
    const of = (argv: string[]): string => JSON.stringify(resolve(argv).results);
    expect(of(['--output', 'x', '--metrics_port', '0', '--log_level', 'error'])).toBe(of([]));
    expect(of(['--replay', 'x', '--from', '2026-01-01T00:00:00Z'])).toBe(of([]));
    expect(of(['--record', 'x', '--segment_s', '5'])).toBe(of([]));
    expect(of(['--remote_write_url', 'http://x/'])).toBe(of([]));
    expect(of(['--seed', '2'])).not.toBe(of([]));
    expect(of(['--spread_bps', '1'])).not.toBe(of([]));
  });

  test('help names every flag', () => {
    for (const name of RUN_FLAG_NAMES) expect(runHelp()).toContain(`--${name} `);
  });
});
