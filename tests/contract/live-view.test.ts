import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { expectLive } from '../support/live-schema.ts';
import { EventStream } from '../support/event-stream.ts';
import { NO_KPIS, publishedAt, sampleAt, serveLive, T } from '../support/live.ts';
import { Collector } from '../e2e/support/collector.ts';
import { Scope } from '../e2e/support/scope.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope.close());

test('what a run tells the live view follows the schema, every event of it', async () => {
  const flags = { symbols: 'BTCUSDT,ETHUSDT', spread_bps: 0, fill_model: 'touch', duration: 1, kpi_horizon_s: '0.1' };
  const collector = await Collector.startMock(scope, flags);
  const symbols = expectLive('symbols', JSON.parse((await collector.get('/live/symbols')).body));
  expect(symbols).toMatchObject({
    exchange: 'bybit',
    source: 'mock',
    fill_model: 'touch',
    symbols: ['BTCUSDT', 'ETHUSDT'],
    sample_period_ms: 250,
    history_ms: 900_000,
    window_s: 1,
  });
  // The reader checks each event it takes.
  const stream = await EventStream.open(scope, `http://${collector.address}/live/stream?symbol=ETHUSDT`);
  await stream.until('events with everything in them', () => {
    const known = stream.events.some(
      (event) => event.name === 'update' && typeof event.data.kpis?.edge_bps === 'number',
    );
    return known && stream.fills.length > 0 && stream.rows.some((row) => row[4] !== null);
  });
  expect(stream.events.map(({ name }) => name)).toEqual([
    'history',
    ...Array<string>(stream.events.length - 1).fill('update'),
  ]);
});

test.each([
  { name: 'a field nobody declared', change: { extra: 1 } },
  { name: 'KPIs that lack one', change: { kpis: { ...NO_KPIS, edge_bps: undefined } } },
  { name: 'half a fill', change: { fills: [{ ...publishedAt(T), fills: 0.5, quantity: 0 }] } },
  { name: 'a column that is missing', change: { samples: { times_ms: [] } } },
  { name: 'a price that is a text', change: { samples: { bid: ['1'] } } },
  { name: 'no symbol', change: { symbol: '' } },
  { name: 'fewer than no fills given up', change: { given_up_fills: -1 } },
])('$name is refused', async ({ change }) => {
  const live = await serveLive(scope);
  live.history.addSample(sampleAt(T));
  live.history.addFill(publishedAt(T));
  const stream = await EventStream.open(scope, `${live.url}/live/stream?symbol=BTCUSDT`);
  const [event] = stream.events;
  if (event?.name !== 'history') throw new Error('expected a history');
  expect(() => expectLive('history', event.data)).not.toThrow();
  const samples =
    'samples' in change && 'bid' in change.samples ? { ...event.data.samples, ...change.samples } : undefined;
  const changed: unknown = JSON.parse(JSON.stringify({ ...event.data, ...change, ...(samples && { samples }) }));
  for (const name of ['history', 'update'] as const) {
    expect(() => expectLive(name, changed)).toThrow(`no ${name} of the live view`);
  }
});
