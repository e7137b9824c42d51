import { describe, expect, test } from '@jest/globals';
import type { MetricName } from '../../collector/src/metrics/catalog.ts';
import { CATALOG } from '../../collector/src/metrics/catalog.ts';
import type { Put } from '../../collector/src/metrics/registry.ts';
import { MetricsRegistry } from '../../collector/src/metrics/registry.ts';

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

  const rendered = async (collect: (put: Put) => void): Promise<string> => new MetricsRegistry(collect).render();

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
    const registry = new MetricsRegistry((put) => put('shadow_edge_bps', { symbol: 'A' }, there ? 0 : undefined));
    expect(await registry.render()).toMatch(/^shadow_edge_bps\{symbol="A"\} 0$/m);
    there = false;
    expect(await registry.render()).not.toMatch(/^shadow_edge_bps\{/m);
  });

  test('counters of several series of one family add up within a scrape and do not across scrapes', async () => {
    const registry = new MetricsRegistry((put) => put('shadow_windows_total', {}, 3));
    await registry.render();
    expect(await registry.render()).toMatch(/^shadow_windows_total 3$/m);
  });
});
