import { execFile } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Collector } from './support/collector.ts';
import { Scope } from './support/scope.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope.close());

/** What `promtool check metrics` has to say. */
const promtool = async (text: string): Promise<string[]> =>
  new Promise((resolve, reject) => {
    const child = execFile('promtool', ['check', 'metrics'], (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(new Error('promtool did not run', { cause: error }));
      else resolve(`${stdout}${stderr}`.split('\n').filter((line) => line !== ''));
    });
    child.stdin!.end(text);
  });

describe('the metrics of a run', () => {
  test('promtool finds fault with none but the two names the user fixed', async () => {
    // A markout that is known within the window, so that every kind of series is there.
    const flags = { symbols: 'BTCUSDT,ETHUSDT', spread_bps: 0, duration: 2, kpi_horizon_s: 0.1 };
    const collector = await Collector.startMock(scope, flags);
    await collector.metric('shadow_edge_bps', { symbol: 'BTCUSDT' }, (value) => value !== 0);
    await collector.metric('shadow_feed_latency_seconds_count', { symbol: 'BTCUSDT' }, () => true);
    const { text } = await collector.scrape();
    expect(await promtool(text)).toEqual([
      expect.stringMatching(/^shadow_clock_drift_ms .*abbreviated units/),
      expect.stringMatching(/^shadow_latency_ms .*abbreviated units/),
    ]);
    const broken = await promtool(text.replace('# TYPE shadow_edge_bps gauge', '# TYPE shadow_edge_bps counter'));
    expect(broken.join('\n')).toContain('shadow_edge_bps');
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const names = series.map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(names).size).toBe(names.length);
    expect((await collector.stop()).code).toBe(0);
  });
});
