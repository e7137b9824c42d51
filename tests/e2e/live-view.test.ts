import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Fill, WindowFills } from '../../schema/types.gen.js';
import { validated, windowFillsValidator } from '../../collector/src/artifacts/validate.ts';
import { ask } from '../support/ask.ts';
import { EventStream } from '../support/event-stream.ts';
import { Collector, Process, runCli } from './support/collector.ts';
import { Scope, waitFor } from './support/scope.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope.close());

/** At the best price, under the model that fills most often. */
const QUOTES = {
  symbols: 'BTCUSDT,ETHUSDT',
  spread_bps: 0,
  min_requote_interval_ms: 50,
  kpi_horizon_s: '1',
  fill_model: 'touch',
};
const streamOf = (address: string, symbol: string): string => `http://${address}/live/stream?symbol=${symbol}`;

/** The fills of a symbol in every FILLS_<n>.json, in their order. */
function fillsIn(folder: string, symbol: string): Fill[] {
  const fills: Fill[] = [];
  for (let number = 1; existsSync(join(folder, `FILLS_${number}.json`)); number++) {
    const name = `FILLS_${number}.json`;
    const value: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    const document: WindowFills = validated(windowFillsValidator, value, name);
    fills.push(...document.fills.filter((fill) => fill.symbol === symbol));
  }
  return fills;
}

const byTime = (fills: readonly Fill[]): Fill[] => [...fills].sort((a, b) => a.time_us - b.time_us);

describe('the stream of a run', () => {
  test('has every fill of FILLS_<n>.json once, and goes on from what is kept without hole or overlap', async () => {
    const collector = await Collector.startMock(scope, { ...QUOTES, iterations: 2, duration: 3, drain: 1 });
    const first = await EventStream.open(scope, streamOf(collector.address, 'BTCUSDT'));
    await first.until('fills', () => first.fills.length >= 3);
    const [second, other] = await Promise.all(
      ['BTCUSDT', 'ETHUSDT'].map((symbol) => EventStream.open(scope, streamOf(collector.address, symbol))),
    );
    expect(second!.events[0]).toMatchObject({ name: 'history', data: { given_up_fills: 0 } });
    expect(second!.fills.length).toBeGreaterThanOrEqual(3);
    expect((await collector.end()).code).toBe(0);
    await Promise.all([first, second!, other!].map((stream) => stream.until('the end', () => stream.closed)));
    for (const stream of [first, second!, other!]) {
      expect(stream.events.filter(({ name }) => name === 'history')).toHaveLength(1);
      expect(stream.events.at(-1)).toEqual({ name: 'end', data: 'the run has ended' });
      const times = stream.rows.map(([time]) => time!);
      expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    }
    expect(byTime(first.fills)).toEqual(byTime(fillsIn(collector.output, 'BTCUSDT')));
    expect(byTime(other!.fills)).toEqual(byTime(fillsIn(collector.output, 'ETHUSDT')));
    // Whoever came later was told the same.
    expect(second!.fills).toEqual(first.fills);
    expect(second!.rows).toEqual(first.rows);
    const seconds = (first.rows.at(-1)![0]! - first.rows[0]![0]!) / 1_000;
    expect(first.rows.length).toBeGreaterThan(seconds * 3);
    expect(first.rows.length).toBeLessThanOrEqual(seconds * 4 + 2);
  });

  test('has the KPIs of a scrape', async () => {
    const collector = await Collector.startMock(scope, { ...QUOTES, duration: 2 });
    await collector.metric('shadow_edge_bps', { symbol: 'BTCUSDT' }, (value) => value !== 0);
    const stream = await EventStream.open(scope, streamOf(collector.address, 'BTCUSDT'));
    // Between two windows nothing but the count of fills moves.
    await collector.until('KPIs that are those of a scrape before and after', async () => {
      const gauges = async (): Promise<unknown[]> => {
        const metrics = await collector.scrape();
        const labels = { symbol: 'BTCUSDT' };
        const gauge = (name: string): number | null => metrics.value(name, labels) ?? null;
        const fills = metrics.values('shadow_fills_total', { ...labels, model: 'touch' });
        return [
          gauge('shadow_edge_bps'),
          gauge('shadow_maker_taker_ratio'),
          gauge('shadow_latency_ms'),
          gauge('shadow_risk_ratio'),
          gauge('shadow_clock_drift_ms'),
          fills.reduce((sum, count) => sum + count, 0),
        ];
      };
      const before = await gauges();
      const fresh = await EventStream.open(scope, streamOf(collector.address, 'BTCUSDT'));
      const [history] = fresh.events;
      fresh.close();
      if (history?.name !== 'history') throw new Error('expected a history');
      const { edge_bps, maker_taker_ratio, latency_ms, risk_ratio, clock_drift_ms, fills } = history.data.kpis;
      const told = [edge_bps, maker_taker_ratio, latency_ms, risk_ratio, clock_drift_ms, fills];
      const after = await gauges();
      if (JSON.stringify(before) !== JSON.stringify(after)) return false;
      expect(told).toEqual(before);
      return true;
    });
    await stream.until('KPIs that changed', () =>
      stream.events.some((event) => event.name === 'update' && event.data.kpis !== undefined),
    );
    expect(stream.fault).toBeUndefined();
  });

  test('of a replay is served too', async () => {
    const recording = join(scope.folder(), 'hour.jsonl.br');
    const made = await runCli(scope, ['simulate', '--record', recording, '--seconds', '60', '--symbols', 'BTCUSDT']);
    expect(made.code).toBe(0);
    const flags = [
      '--replay',
      recording,
      '--speed',
      '1',
      '--symbols',
      'BTCUSDT',
      '--metrics_port',
      '0',
      '--iterations',
      '0',
    ];
    const replay = new Process(['run', ...flags, '--output', scope.folder()]);
    scope.add(() => replay.kill());
    await waitFor('the address', () => /^live view: /m.test(replay.stdout));
    const url = /^live view: (http:\S+\/)$/m.exec(replay.stdout)![1]!;
    expect(await (await fetch(`${url}live/symbols`)).json()).toMatchObject({ source: 'replay', symbols: ['BTCUSDT'] });
    const stream = await EventStream.open(scope, `${url}live/stream?symbol=BTCUSDT`);
    await stream.until('prices', () => stream.rows.filter(([, bid, ask]) => bid! > 0 && ask! > bid!).length >= 4);
    replay.child.kill('SIGTERM');
    await stream.until('the end', () => stream.closed);
    expect(stream.events.at(-1)).toEqual({ name: 'end', data: 'the run has ended' });
    expect((await replay.exit).code).toBe(0);
  });

  test('there are sixteen at most, and one that ends makes room', async () => {
    const collector = await Collector.startMock(scope, QUOTES);
    const url = streamOf(collector.address, 'BTCUSDT');
    const streams = await Promise.all(Array.from({ length: 16 }, () => EventStream.open(scope, url)));
    expect(streams.map(({ status }) => status)).toEqual(Array(16).fill(200));
    const refused = await EventStream.open(scope, url);
    expect([refused.status, refused.refusal]).toEqual([503, expect.stringContaining('16 streams are open')]);
    streams[3]!.close();
    await collector.until('room for another', async () => (await EventStream.open(scope, url)).status === 200);
    // The run does not notice.
    expect((await collector.get('/healthz')).body).toBe('ok\n');
  });
});

test('/metrics of a run answers under every name, and the run says where the live view is', async () => {
  const collector = await Collector.startMock(scope, QUOTES);
  const url = `http://${collector.address}`;
  const headers = { Host: 'prometheus.example' };
  expect((await ask(url, '/metrics', { headers })).status).toBe(200);
  expect((await ask(url, '/', { headers })).status).toBe(403);
  expect((await ask(url, '/')).headers['content-security-policy']).toContain("default-src 'none'");
  const nowhere = await ask(url, '/nowhere', { headers });
  expect([nowhere.status, nowhere.body]).toEqual([404, 'here are / (the live view), /metrics, /healthz and /readyz\n']);
  const { stdout } = await collector.stop();
  expect(stdout.split('\n').slice(0, 2)).toEqual([`metrics: ${url}/metrics`, `live view: ${url}/`]);
});
