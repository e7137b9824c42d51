import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { SCHEMA_VERSION } from '../../collector/src/artifacts/run-artifacts.ts';
import { canonicalJson } from '../../collector/src/artifacts/canonical-json.ts';
import {
  auditValidator,
  comparisonValidator,
  iterSummaryValidator,
  runSummaryValidator,
  snapshotValidator,
  validated,
  windowFillsValidator,
} from '../../collector/src/artifacts/validate.ts';
import type { IterSummary } from '../../schema/types.gen.js';

const EXAMPLES = new URL('../../schema/examples/', import.meta.url);
const read = (name: string): IterSummary => JSON.parse(readFileSync(new URL(name, EXAMPLES), 'utf8')) as IterSummary;
const example = (): IterSummary => read('ITER_SUMMARY_1.json');

/** By the beginning of a file's name. */
const VALIDATORS = {
  FILLS: windowFillsValidator,
  ITER_SUMMARY: iterSummaryValidator,
  POST_SHADOW_AUDIT: auditValidator,
  POST_SHADOW_SNAPSHOT: snapshotValidator,
  SHADOW_COMPARISON: comparisonValidator,
  SHADOW_RUN_SUMMARY: runSummaryValidator,
};

/** The seed's own form, of a soak run: only its fields. */
const soak = (): Record<string, unknown> => ({
  iteration: 3,
  timestamp: '2026-01-02T03:04:05Z',
  duration_seconds: 60,
  exchange: 'bybit',
  symbols: ['BTCUSDT'],
  profile: 'moderate',
  mode: 'soak',
  summary: {
    maker_count: 9,
    taker_count: 1,
    maker_taker_ratio: 0.9,
    net_bps: 2.7,
    p95_latency_ms: 300,
    risk_ratio: 0.3,
    slippage_bps_p95: 1,
    adverse_bps_p95: 2,
  },
});

describe('the schemas', () => {
  test.each(readdirSync(EXAMPLES))('%s is a valid example, in canonical form', (name) => {
    const value: unknown = read(name);
    const [, validator] = Object.entries(VALIDATORS).find(([prefix]) => name.startsWith(prefix))!;
    validated(validator as typeof iterSummaryValidator, value, name);
    expect(readFileSync(new URL(name, EXAMPLES), 'utf8')).toBe(canonicalJson(value));
  });

  test('every schema has an example, and all are of one version', () => {
    // What the live view is told is kept nowhere, and has no version.
    const schemas = readdirSync(new URL('../../schema/', import.meta.url)).filter(
      (name) => name.endsWith('.schema.json') && name !== 'live_view.schema.json',
    );
    expect(schemas).toHaveLength(Object.keys(VALIDATORS).length);
    for (const prefix of Object.keys(VALIDATORS)) {
      const name = readdirSync(EXAMPLES).find((file) => file.startsWith(prefix))!;
      expect(read(name)).toMatchObject({ schema_version: SCHEMA_VERSION });
    }
    const migrations = readFileSync(new URL('../../schema/MIGRATIONS.md', import.meta.url), 'utf8');
    for (let version = 1; version <= SCHEMA_VERSION; version++) expect(migrations).toContain(`## Version ${version}\n`);
  });

  test('a soak artifact with the fields of the seed alone is valid', () => {
    expect(iterSummaryValidator(soak())).toBe(true);
  });

  test.each([
    { name: 'an undeclared field', change: (a: Record<string, unknown>) => (a['extra'] = 1) },
    { name: 'iteration 0', change: (a: Record<string, unknown>) => (a['iteration'] = 0) },
    {
      name: 'a timestamp that is none',
      change: (a: Record<string, unknown>) => (a['timestamp'] = '2026-13-45T99:00:00Z'),
    },
    { name: 'no symbols', change: (a: Record<string, unknown>) => (a['symbols'] = []) },
    { name: 'another mode', change: (a: Record<string, unknown>) => (a['mode'] = 'live') },
    { name: 'a fractional duration', change: (a: Record<string, unknown>) => (a['duration_seconds'] = 1.5) },
    { name: 'no summary', change: (a: Record<string, unknown>) => delete a['summary'] },
  ])('$name is refused, in shadow and in soak', ({ change }) => {
    for (const artifact of [example() as unknown as Record<string, unknown>, soak()]) {
      change(artifact);
      expect(iterSummaryValidator(artifact)).toBe(false);
    }
  });

  test.each([
    { field: 'maker_taker_ratio', bad: [1.01, -0.01, '0.9'], good: [0, 1, null] },
    { field: 'risk_ratio', bad: [1.01, -0.01], good: [0, 1, null] },
    { field: 'p95_latency_ms', bad: [-1, 'n/a'], good: [0, null] },
    { field: 'maker_count', bad: [-1, 1.5, null], good: [0] },
    { field: 'taker_count', bad: [-1, null], good: [0] },
    { field: 'net_bps', bad: ['1'], good: [-3, null] },
    { field: 'adverse_bps_p95', bad: ['1'], good: [-3, null] },
  ])('$field keeps its range', ({ field, bad, good }) => {
    const set = (value: unknown): unknown => {
      const artifact = example();
      (artifact.summary as unknown as Record<string, unknown>)[field] = value;
      return artifact;
    };
    for (const value of bad) expect(iterSummaryValidator(set(value))).toBe(false);
    for (const value of good) expect(iterSummaryValidator(set(value))).toBe(true);
  });

  test('in soak no ratio may be null and no p95 negative, as in the seed', () => {
    for (const [field, value] of [
      ['net_bps', null],
      ['adverse_bps_p95', -1],
      ['slippage_bps_p95', -1],
    ] as const) {
      const artifact = soak();
      (artifact['summary'] as Record<string, unknown>)[field] = value;
      expect(iterSummaryValidator(artifact)).toBe(false);
    }
  });

  test('a shadow artifact must carry all of its own fields', () => {
    for (const key of ['run_id', 'config_hash', 'provisional', 'by_symbol', 'process', 'source'] as const) {
      const { [key]: _removed, ...rest } = example();
      expect(iterSummaryValidator(rest)).toBe(false);
    }
    const artifact = example();
    delete (artifact.summary as Partial<IterSummary['summary']>).model_band;
    expect(iterSummaryValidator(artifact)).toBe(false);
  });

  test('a violation is named with its place and what came', () => {
    const artifact = { ...example(), iteration: 0 };
    expect(() => validated(iterSummaryValidator, artifact, 'X.json')).toThrow(/X\.json .*\/iteration must be >= 1/);
  });
});
