import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { BucketHistogram, BucketScale } from '../../collector/src/clock/histogram.ts';
import type { MetricName } from '../../collector/src/metrics/catalog.ts';
import { CATALOG } from '../../collector/src/metrics/catalog.ts';
import type { Put } from '../../collector/src/metrics/registry.ts';
import { MAX_SAMPLES, MetricsRegistry, SAMPLES_PER_TURN } from '../../collector/src/metrics/registry.ts';

const FIXED_BY_THE_USER = [
  'shadow_edge_bps',
  'shadow_maker_taker_ratio',
  'shadow_latency_ms',
  'shadow_risk_ratio',
  'shadow_clock_drift_ms',
];

describe('the metrics catalog', () => {
  test('holds the five series of the user, by symbol alone', () => {
    for (const name of FIXED_BY_THE_USER) {
      expect(CATALOG[name as MetricName]).toMatchObject({ type: 'gauge', labels: ['symbol'] });
    }
  });

  test.each(Object.entries(CATALOG))('%s follows the naming rules', (name, { type, help, labels }) => {
    expect(name).toMatch(/^shadow_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(help.length).toBeGreaterThan(10);
    const known = [
      'exchange',
      'symbol',
      'side',
      'liquidity',
      'model',
      'cause',
      'event',
      'result',
      'horizon',
      'version',
      'commit',
    ];
    for (const label of labels) expect(known).toContain(label);
  });

  const registryOf = (collect: (put: Put) => void): MetricsRegistry =>
    new MetricsRegistry(function* (put) {
      collect(put);
      yield;
    });
  const rendered = async (collect: (put: Put) => void): Promise<string> =>
    (await registryOf(collect).render()).join('');

  test('every entry is exported with its help', async () => {
    const text = await rendered(() => undefined);
    for (const name of Object.keys(CATALOG)) expect(text).toContain(`# HELP ${name} `);
  });

  test.each([NaN, Infinity, -Infinity])('%p is kept out and counted', async (value) => {
    const text = await rendered((put) => {
      put('shadow_edge_bps', { symbol: 'A' }, value);
      put('shadow_feed_gaps_total', { exchange: 'e', symbol: 'A' }, value);
    });
    expect(text).not.toMatch(/^shadow_edge_bps\{/m);
    expect(text).not.toMatch(/^shadow_feed_gaps_total\{/m);
    expect(text).toMatch(/^shadow_metrics_rejected_total 2$/m);
  });

  test('a series whose source has gone is gone at the next scrape', async () => {
    let there = true;
    const registry = registryOf((put) => put('shadow_edge_bps', { symbol: 'A' }, there ? 0 : undefined));
    expect((await registry.render()).join('')).toMatch(/^shadow_edge_bps\{symbol="A"\} 0$/m);
    there = false;
    expect((await registry.render()).join('')).not.toMatch(/^shadow_edge_bps\{/m);
  });

  test('labels that the catalog does not promise are a mistake of the program', async () => {
    const label = { symbol: 'A', venue: 'x' };
    await expect(rendered((put) => put('shadow_edge_bps', label, 1))).rejects.toThrow('is a gauge of symbol, not of');
    await expect(rendered((put) => put('shadow_edge_bps', {}, 1))).rejects.toThrow('is a gauge of symbol, not of');
  });

  test('samples beyond the limit are left out and counted', async () => {
    const text = await rendered((put) => {
      for (let index = 0; index < MAX_SAMPLES + 5; index++) put('shadow_best_bid', { symbol: `S${index}` }, 1);
    });
    expect(text.match(/^shadow_best_bid\{/gm)).toHaveLength(MAX_SAMPLES);
    expect(text).toMatch(/^shadow_metrics_rejected_total 5$/m);
  });

  test('a large scrape gives the event loop its turns, and writes every series once under one help', async () => {
    const symbols = 1_000;
    const histogram = new BucketHistogram(new BucketScale([1_000, 10_000, 100_000]));
    histogram.record(5_000);
    const registry = new MetricsRegistry(function* (put) {
      for (let index = 0; index < symbols; index++) {
        const symbol = `S${index}`;
        put('shadow_edge_bps', { symbol }, index);
        put('shadow_feed_latency_seconds', { symbol }, histogram);
        yield;
      }
    });
    const rendering = registry.render();
    let turns = 0;
    const counting = new AbortController();
    const counted = (async () => {
      for (; !counting.signal.aborted; turns++) await turn();
    })();
    const text = (await rendering).join('');
    counting.abort();
    await counted;
    const samples = symbols * (1 + 4 + 2);
    expect(turns).toBeGreaterThan((2 * samples) / SAMPLES_PER_TURN - 4);
    expect(text.match(/^# HELP shadow_feed_latency_seconds /gm)).toHaveLength(1);
    const lines = text.split('\n').filter((line) => /^shadow_(edge|feed_latency_seconds)/.test(line));
    expect(lines).toHaveLength(samples);
    expect(new Set(lines.map((line) => line.split(' ')[0])).size).toBe(samples);
    expect(text).toContain('shadow_feed_latency_seconds_bucket{symbol="S7",le="0.01"} 1\n');
    expect(text).toContain('shadow_feed_latency_seconds_bucket{symbol="S7",le="+Inf"} 1\n');
    expect(text).toContain('shadow_feed_latency_seconds_sum{symbol="S7"} 0.005\n');
    expect(text).toContain('shadow_edge_bps{symbol="S999"} 999\n');
  });

  test('whoever asks while a scrape is rendered gets that one', async () => {
    let collected = 0;
    const registry = registryOf(() => collected++);
    const [one, two] = await Promise.all([registry.render(), registry.render()]);
    expect(one).toBe(two);
    await registry.render();
    expect(collected).toBe(2);
  });

  test('a label value is escaped', async () => {
    expect(await rendered((put) => put('shadow_edge_bps', { symbol: 'A"\n\\B' }, 1))).toContain(
      'shadow_edge_bps{symbol="A\\"\\n\\\\B"} 1\n',
    );
  });

  test('a counter of one scrape is not added to the one of the scrape before', async () => {
    const registry = registryOf((put) => put('shadow_windows_total', {}, 3));
    await registry.render();
    expect((await registry.render()).join('')).toMatch(/^shadow_windows_total 3$/m);
  });
});
