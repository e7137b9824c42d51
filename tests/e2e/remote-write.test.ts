import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { WindowFills } from '../../schema/types.gen.js';
import type { VirtualFill } from '../../collector/src/fills/shadow-quote.ts';
import { MAX_WAITING_FILLS } from '../../collector/src/metrics/remote-write.ts';
import { BTC, fillAt, sumOf, writerTo } from '../support/remote-write.ts';
import type { Flags } from './support/collector.ts';
import { argumentsOf, Collector, Process, runCli } from './support/collector.ts';
import type { PrometheusOptions } from './support/prometheus.ts';
import { Prometheus } from './support/prometheus.ts';
import { freePort } from './support/server-process.ts';
import { Scope, waitFor } from './support/scope.ts';
import { WriteReceiver } from './support/write-receiver.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope.close());

const RECEIVER: PrometheusOptions = { args: ['--web.enable-remote-write-receiver'] };
/** A stop that took longer than the program allows ends with another exit code; this only leaves a busy machine its time. */
const STOP_MS = 3_000;
/** As README asks for. */
const LATE_TOO: PrometheusOptions = {
  ...RECEIVER,
  config: { storage: { tsdb: { out_of_order_time_window: '10m' } } },
};
/** Two symbols, and a fill every second or so. */
const MANY_FILLS: Flags = {
  symbols: 'BTCUSDT,ETHUSDT',
  spread_bps: 0,
  fill_model: 'touch',
  quote_notional: 100,
  min_requote_interval_ms: 20,
  inventory_limit: 1e9,
};

/** What an artifact and a series both tell of a fill. */
interface Told {
  readonly symbol: string;
  readonly side: string;
  readonly liquidity: string;
  readonly timeMs: number;
  readonly price: number;
  readonly size: number;
}

const sorted = (fills: readonly Told[]): Told[] => {
  const key = ({ symbol, side, liquidity, timeMs, price, size }: Told): string =>
    [timeMs, symbol, side, liquidity, price, size].join(' ');
  return [...fills].sort((a, b) => key(a).localeCompare(key(b)));
};

function fillsIn(folder: string): Told[] {
  const names = readdirSync(folder).filter((name) => /^FILLS_\d+\.json$/.test(name));
  const documents = names.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as WindowFills);
  const fills = documents.flatMap(({ fills }) => fills);
  return sorted(
    fills.map(({ symbol, side, liquidity, time_us: timeUs, price, quantity: size }) => {
      return { symbol, side, liquidity, timeMs: Math.floor(timeUs / 1_000), price, size };
    }),
  );
}

/** By the query that the panel makes: an instant one over a range. Price and size meet by their labels and time. */
async function fillsOf(prometheus: Prometheus, time?: number): Promise<Told[]> {
  const read = async (name: string): Promise<Map<string, Omit<Told, 'price' | 'size'> & { value: number }>> => {
    const series = await prometheus.query(`${name}[1h]`, time);
    const all = series.flatMap(({ metric, values = [] }) =>
      values.map(([seconds, value]) => {
        const { symbol = '', side = '', liquidity = '', nth = '' } = metric;
        const timeMs = Math.round(seconds * 1_000);
        const key = [symbol, side, liquidity, nth, timeMs].join(' ');
        return [key, { symbol, side, liquidity, timeMs, value: Number(value) }] as const;
      }),
    );
    return new Map(all);
  };
  const [prices, sizes] = await Promise.all([read('shadow_fill_price'), read('shadow_fill_size')]);
  expect([...sizes.keys()].sort()).toEqual([...prices.keys()].sort());
  return sorted(
    [...prices].map(([key, { value, ...fill }]) => ({ ...fill, price: value, size: sizes.get(key)!.value })),
  );
}

async function balance(collector: Collector): Promise<Readonly<Record<string, number>>> {
  const metrics = await collector.scrape();
  const of = (result: string): number => metrics.value('shadow_remote_write_samples_total', { result })!;
  return {
    stored: of('stored'),
    refused: of('refused'),
    overflow: of('overflow'),
    abandoned: of('abandoned'),
    pending: metrics.value('shadow_remote_write_pending_samples')!,
    made: 2 * metrics.values('shadow_fills_total', { model: 'touch' }).reduce((sum, count) => sum + count, 0),
  };
}

const untilFills = (collector: Collector, count: number): Promise<void> =>
  collector.until(`${count} fills`, async () => (await balance(collector))['made']! >= 2 * count, 40_000);

test('an instant query gives back the fills of every FILLS_<n>.json one to one, and query_range does not', async () => {
  const prometheus = await Prometheus.start(scope, LATE_TOO);
  const flags = { ...MANY_FILLS, iterations: 4, duration: 5, drain: 5, remote_write_url: prometheus.writeUrl };
  const collector = await Collector.startMock(scope, flags);
  const first = await collector.scrape();
  for (const result of ['stored', 'refused', 'overflow', 'abandoned']) {
    expect(first.value('shadow_remote_write_samples_total', { result })).toBe(0);
  }
  expect(first.value('shadow_remote_write_retries_total')).toBe(0);
  expect(first.value('shadow_remote_write_pending_samples')).toBe(0);
  const { code, stderr } = await collector.end(40_000);
  expect(code).toBe(0);
  expect(stderr).not.toContain('remote write');

  const written = fillsIn(collector.output);
  expect(new Set(written.map(({ symbol }) => symbol))).toEqual(new Set(['BTCUSDT', 'ETHUSDT']));
  expect(written.length).toBeGreaterThan(20);
  expect(await fillsOf(prometheus)).toEqual(written);

  // The same by a range query: it repeats a fill for five minutes, at times when there was none.
  const [startMs, endMs] = [written[0]!.timeMs, written.at(-1)!.timeMs];
  const series = await prometheus.queryRange('shadow_fill_price', startMs / 1_000, endMs / 1_000, 1);
  const resampled = series.flatMap(({ values = [] }) => values.map(([seconds]) => Math.round(seconds * 1_000)));
  const times = new Set(written.map(({ timeMs }) => timeMs));
  expect(resampled.filter((ms) => !times.has(ms)).length).toBeGreaterThan(resampled.length / 2);
}, 90_000);

test('a restart, a crash and an outage of a minute lose nothing, and a run that is stopped flushes', async () => {
  const prometheus = await Prometheus.start(scope, LATE_TOO);
  const flags = { ...MANY_FILLS, duration: 5, remote_write_url: prometheus.writeUrl };
  const collector = await Collector.startMock(scope, flags);
  const stored = (await balance(collector))['stored']!;
  await collector.metric('shadow_remote_write_samples_total', { result: 'stored' }, (now) => now >= stored + 6);
  await prometheus.server.restart();
  await untilFills(collector, 10);
  await prometheus.server.restart('SIGKILL');
  await untilFills(collector, 15);

  await prometheus.server.stop();
  const downMs = performance.now();
  await collector.until('a minute to pass', () => performance.now() - downMs >= 60_000, 70_000);
  const down = await balance(collector);
  expect(down['pending']).toBeGreaterThan(40);
  expect(down['pending']).toBeLessThan(2 * MAX_WAITING_FILLS);
  expect(down['stored']! + down['pending']!).toBe(down['made']);
  await prometheus.server.launch();
  await collector.metric('shadow_remote_write_pending_samples', {}, (pending) => pending <= 2);
  const { refused, overflow, abandoned } = await balance(collector);
  expect({ refused, overflow, abandoned }).toEqual({ refused: 0, overflow: 0, abandoned: 0 });

  const { code, ms, stderr } = await collector.stop();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(STOP_MS);
  expect(await fillsOf(prometheus)).toEqual(fillsIn(collector.output));
  expect(stderr.match(/remote write of fills fails/g)!.length).toBeLessThanOrEqual(3);
  expect(stderr).toContain('remote write of fills works again');
  expect(stderr).not.toContain('given up');
}, 180_000);

describe('the end of a run', () => {
  test('a run stopped while Prometheus is down ends in time, and says how many samples it gave up', async () => {
    const url = `http://user:hush@127.0.0.1:${await freePort()}/api/v1/write?token=hush`;
    const collector = await Collector.startMock(scope, { ...MANY_FILLS, remote_write_url: url });
    await untilFills(collector, 3);
    const { code, ms, stderr, stdout } = await collector.stop();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(STOP_MS);
    const fills = fillsIn(collector.output).length;
    expect(fills).toBeGreaterThanOrEqual(3);
    expect(stderr).toContain(`"abandonedSamples":${2 * fills}`);
    expect(stdout + stderr).not.toContain('hush');
    expect(
      readdirSync(collector.output)
        .map((name) => readFileSync(join(collector.output, name), 'utf8'))
        .join(''),
    ).not.toContain('hush');
  }, 60_000);

  test.each([
    { signals: 0, code: 0, leastMs: 3_000, mostMs: 9_000 },
    { signals: 1, code: 0, leastMs: 400, mostMs: STOP_MS },
    { signals: 2, code: 3, leastMs: 0, mostMs: 900 },
  ])(
    'a finished run waits 5 s for a silent receiver; $signals signals end that within $mostMs ms',
    async (end) => {
      const receiver = await WriteReceiver.start(scope);
      receiver.judge = () => 'hang';
      const run = { ...MANY_FILLS, mock: true, iterations: 2, duration: 4, drain: 0, metrics_port: 0 };
      const flags = { ...run, output: scope.folder(), remote_write_url: receiver.url };
      const started = new Process(['run', ...argumentsOf(flags)]);
      scope.add(() => started.kill());
      await waitFor('the last line', () => started.stdout.includes('2 windows in'), 30_000);
      const startMs = performance.now();
      for (let sent = 0; sent < end.signals; sent++) {
        const dueMs = performance.now() + 350; // Later than the echo of one Ctrl-C.
        started.child.kill('SIGTERM');
        if (sent + 1 < end.signals) await waitFor('time to pass', () => performance.now() >= dueMs);
      }
      const { code } = await started.exit;
      const ms = performance.now() - startMs;
      expect(code).toBe(end.code);
      expect(ms).toBeGreaterThan(end.leastMs);
      expect(ms).toBeLessThan(end.mostMs);
      expect(started.stderr.includes('given up')).toBe(end.code === 0);
    },
    60_000,
  );
});

describe('a real receiver', () => {
  const BASE_MS = Date.now() - 60_000;
  const start = (url: string, options: Parameters<typeof writerTo>[1] = {}): ReturnType<typeof writerTo> => {
    const writer = writerTo(url, options);
    scope.add(() => writer.stop());
    return writer;
  };
  const pushed = async ({ write }: ReturnType<typeof writerTo>, fills: readonly VirtualFill[]): Promise<void> => {
    for (const fill of fills) write.push(BTC, fill);
    await waitFor('nothing to be pending', () => write.counts.pendingSamples === 0);
  };
  const told = (timeMs: number, priceTicks: number, lots = 15): Told => {
    const labels = { symbol: 'BTCUSDT', side: 'buy', liquidity: 'maker' };
    return { ...labels, timeMs, price: priceTicks / 10, size: lots / 1_000 };
  };

  test('fills of one millisecond are kept apart, also where one of them comes later', async () => {
    const prometheus = await Prometheus.start(scope, LATE_TOO);
    const writer = start(prometheus.writeUrl);
    const at = (us: number, priceTicks: number, lots: number): VirtualFill =>
      fillAt(BASE_MS, { timeUs: BASE_MS * 1_000 + us, priceTicks, lots });
    await pushed(writer, [at(0, 100, 1), at(400, 100, 1), at(999, 101, 3), at(1_000, 102, 4)]);
    await pushed(writer, [at(500, 103, 5)]);
    expect(writer.write.counts.samples).toEqual({ stored: 10, refused: 0, overflow: 0, abandoned: 0 });
    expect(await fillsOf(prometheus)).toEqual(
      sorted([
        told(BASE_MS, 100, 1),
        told(BASE_MS, 100, 1),
        told(BASE_MS, 101, 3),
        told(BASE_MS + 1, 102, 4),
        told(BASE_MS, 103, 5),
      ]),
    );
  });

  test.each([
    { name: 'with the out-of-order window they are stored', options: LATE_TOO, refused: 0 },
    { name: 'without it they are refused and counted', options: RECEIVER, refused: 4 },
  ])('fills that are late: $name, and those around them are stored', async ({ options, refused }) => {
    const prometheus = await Prometheus.start(scope, options);
    const writer = start(prometheus.writeUrl);
    const [early, late] = [
      [0, 9_000, 5_000],
      [1_000, 8_000, 10_000, 11_000],
    ];
    await pushed(
      writer,
      early.map((ms) => fillAt(BASE_MS + ms, { priceTicks: ms + 1 })),
    );
    await pushed(
      writer,
      late.map((ms) => fillAt(BASE_MS + ms, { priceTicks: ms + 1 })),
    );
    expect(writer.write.counts.samples).toEqual({ stored: 14 - refused, refused, overflow: 0, abandoned: 0 });
    const there = [...early, ...late].filter((ms) => refused === 0 || ![1_000, 8_000].includes(ms));
    expect(await fillsOf(prometheus)).toEqual(sorted(there.map((ms) => told(BASE_MS + ms, ms + 1))));
    expect(writer.lines.filter(({ msg }) => msg.includes('refused'))).toHaveLength(refused === 0 ? 0 : 1);
  });

  test.each([
    { name: 'with', options: LATE_TOO },
    { name: 'without', options: RECEIVER },
  ])(
    'fills too old for it are refused and counted, $name the out-of-order window, and hold up nothing',
    async (world) => {
      const prometheus = await Prometheus.start(scope, world.options);
      const writer = start(prometheus.writeUrl);
      await pushed(writer, [fillAt(BASE_MS)]);
      const ages = [3 * 3_600_000, 2 * 3_600_000];
      await pushed(writer, [...ages.map((ms) => fillAt(BASE_MS - ms)), fillAt(BASE_MS + 1)]);
      expect(writer.write.counts).toMatchObject({ samples: { stored: 4, refused: 4, overflow: 0 }, retries: 0 });
      expect(await fillsOf(prometheus)).toEqual(sorted([told(BASE_MS, 650_001), told(BASE_MS + 1, 650_001)]));
    },
  );

  test('what does not fit the queue in an outage is counted, and what counts as stored is there', async () => {
    const prometheus = await Prometheus.start(scope, LATE_TOO);
    await prometheus.server.stop();
    const writer = start(prometheus.writeUrl, { maxWaitingFills: 10 });
    const all = Array.from({ length: 60 }, (_, n) => fillAt(BASE_MS + n, { priceTicks: n + 1 }));
    for (const fill of all) writer.write.push(BTC, fill);
    await waitFor('an attempt', () => writer.write.counts.retries > 0);
    for (const fill of all) writer.write.push(BTC, { ...fill, timeUs: fill.timeUs + 1_000_000 });
    await prometheus.server.launch();
    await pushed(writer, []);
    await writer.write.close();
    const { counts } = writer.write;
    // Ten were taken out at the first attempt, and ten are the last that came.
    expect(counts.samples).toEqual({ stored: 40, refused: 0, overflow: 200, abandoned: 0 });
    expect(sumOf(counts)).toBe(2 * 120);
    const last = Array.from({ length: 10 }, (_, n) => n + 50);
    const there = [...last.map((n) => told(BASE_MS + n, n + 1)), ...last.map((n) => told(BASE_MS + 1_000 + n, n + 1))];
    expect(await fillsOf(prometheus)).toEqual(sorted(there));
  });

  test('fills whose answer was lost are sent again and are there once', async () => {
    const prometheus = await Prometheus.start(scope, LATE_TOO);
    const receiver = await WriteReceiver.start(scope);
    receiver.forwardTo = prometheus.writeUrl;
    receiver.answers.push('lost', 'lost');
    const writer = start(receiver.url);
    const fills = Array.from({ length: 30 }, (_, n) => fillAt(BASE_MS + n * 7, { priceTicks: n + 1 }));
    await pushed(writer, fills);
    expect(receiver.requests).toHaveLength(3);
    expect(writer.write.counts).toMatchObject({ samples: { stored: 60, refused: 0 }, retries: 2 });
    expect(await fillsOf(prometheus)).toEqual(sorted(fills.map((_, n) => told(BASE_MS + n * 7, n + 1))));
  });

  test('without the receiver enabled everything is refused and counted, and told once', async () => {
    const prometheus = await Prometheus.start(scope);
    const writer = start(prometheus.writeUrl);
    for (const from of [0, 1_000]) {
      await pushed(
        writer,
        Array.from({ length: 20 }, (_, n) => fillAt(BASE_MS + from + n)),
      );
    }
    expect(writer.write.counts).toMatchObject({ samples: { stored: 0, refused: 80 }, retries: 0 });
    expect(writer.lines).toEqual([expect.objectContaining({ reason: expect.stringContaining('status 404') })]);
  });
});

test('without the flag the series of remote write are absent', async () => {
  const collector = await Collector.startMock(scope, MANY_FILLS);
  await collector.untilReady();
  const { text } = await collector.scrape();
  expect(text).not.toMatch(/^shadow_remote_write/m);
});

test.each([
  {
    name: 'with a replay',
    args: ['--replay', 'a', '--remote_write_url', 'http://user:hush@127.0.0.1:1/'],
    says: '--remote_write_url pushes fills as they happen',
  },
  {
    name: 'with another protocol',
    args: ['--remote_write_url', 'htp://user:hush@127.0.0.1:1/'],
    says: '--remote_write_url: expected an address that begins with http:// or https://, got "…@127.0.0.1:1/"',
  },
])('$name it is a mistake of usage, and no password is repeated', async ({ args, says }) => {
  const { code, stdout, stderr } = await runCli(scope, ['run', ...args]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(says);
  expect(stderr).not.toContain('hush');
});
