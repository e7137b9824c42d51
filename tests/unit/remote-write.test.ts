import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { publishedFill } from '../../collector/src/artifacts/window-fills.ts';
import { gridOf } from '../../collector/src/feed/decimal.ts';
import type { VirtualFill } from '../../collector/src/fills/shadow-quote.ts';
import { PUSHED } from '../../collector/src/metrics/catalog.ts';
import { FillQueue } from '../../collector/src/metrics/fill-queue.ts';
import type { Sample } from '../../collector/src/metrics/fill-series.ts';
import {
  FillSeries,
  inOrder,
  MAX_FILLS_PER_MS,
  REMEMBERED_MS,
  timeseriesOf,
} from '../../collector/src/metrics/fill-series.ts';
import { verdictOf } from '../../collector/src/metrics/remote-write-request.ts';
import { FLUSH_MS, MAX_SAMPLES_PER_REQUEST, retryWaitMs } from '../../collector/src/metrics/remote-write.ts';
import { Scope, waitFor } from '../e2e/support/scope.ts';
import { WriteReceiver } from '../e2e/support/write-receiver.ts';
import { BTC, fillAt, market, sumOf, writerTo } from '../support/remote-write.ts';

const T = 1_790_000_000_000;

describe('fills as series', () => {
  const labelsOf = (fills: readonly VirtualFill[]): (string | undefined)[] => {
    const series = new FillSeries();
    return fills.map((fill) => {
      const samples = series.samplesOf({ instrument: BTC, fill });
      return samples === undefined ? 'none' : samples[0]!.labels['nth'];
    });
  };

  test('a fill is its price and its size, at its millisecond, labels sorted by name', () => {
    const fill = fillAt(T, { timeUs: T * 1_000 + 999, side: -1, liquidity: 'taker' });
    const labels = { liquidity: 'taker', side: 'sell', symbol: 'BTCUSDT' };
    const [price, size] = new FillSeries().samplesOf({ instrument: BTC, fill })!;
    expect(price).toMatchObject({
      labels: { __name__: 'shadow_fill_price', ...labels },
      timestamp: T,
      value: 65_000.1,
    });
    expect(size).toMatchObject({ labels: { __name__: 'shadow_fill_size', ...labels }, timestamp: T, value: 0.015 });
  });

  test.each([
    { name: 'a price between two ticks, as a taker pays it', fill: { priceTicks: 650_001 + 1 / 3 }, tick: '0.10' },
    { name: 'a coarse tick', fill: { priceTicks: 7 }, tick: '25' },
    { name: 'a fine one', fill: { priceTicks: 123_457, lots: 1 }, tick: '0.00000001' },
    { name: 'a fraction of a microsecond', fill: { timeUs: T * 1_000 + 999.6 }, tick: '0.10' },
  ])('the numbers are those of FILLS_<n>.json: $name', ({ fill, tick }) => {
    const instrument = { ...BTC, tick: gridOf(tick)! };
    const published = publishedFill(fillAt(T, fill), instrument);
    const [price, size] = new FillSeries().samplesOf({ instrument, fill: fillAt(T, fill) })!;
    expect([price!.value, size!.value]).toEqual([published.price, published.quantity]);
    expect([price!.timestamp, size!.timestamp]).toEqual(Array(2).fill(Math.floor(published.time_us / 1_000)));
  });

  test.each([
    { name: 'one a millisecond', fills: [fillAt(T), fillAt(T + 1)], nth: [undefined, undefined] },
    { name: 'three in one', fills: [fillAt(T), fillAt(T), fillAt(T + 0.9)], nth: [undefined, '2', '3'] },
    { name: 'two sides', fills: [fillAt(T), fillAt(T, { side: -1 })], nth: [undefined, undefined] },
    { name: 'maker and taker', fills: [fillAt(T), fillAt(T, { liquidity: 'taker' })], nth: [undefined, undefined] },
    { name: 'a late one', fills: [fillAt(T), fillAt(T + 9), fillAt(T)], nth: [undefined, undefined, '2'] },
    {
      name: 'more than can be told apart',
      fills: Array.from({ length: MAX_FILLS_PER_MS + 2 }, () => fillAt(T)),
      nth: [undefined, ...Array.from({ length: MAX_FILLS_PER_MS - 1 }, (_, n) => String(n + 2)), 'none', 'none'],
    },
    {
      name: 'one so late that its millisecond is forgotten, and one that is not',
      fills: [
        ...Array.from({ length: REMEMBERED_MS + 1 }, (_, n) => fillAt(T + n)),
        fillAt(T + REMEMBERED_MS / 2 - 1),
        fillAt(T + REMEMBERED_MS / 2),
      ],
      nth: [...Array<undefined>(REMEMBERED_MS + 1).fill(undefined), 'none', '2'],
    },
  ])('nth tells fills of one millisecond apart: $name', ({ fills, nth }) => {
    expect(labelsOf(fills)).toEqual(nth);
  });

  test('a clock that steps back by the time of a hundred fills costs none', () => {
    const steady = Array.from({ length: 3 * REMEMBERED_MS }, (_, n) => fillAt(T + n * 1_000));
    const back = Array.from({ length: 3 * REMEMBERED_MS }, (_, n) =>
      fillAt(T + 500 + (3 * REMEMBERED_MS - 100 + n) * 1_000),
    );
    expect(new Set(labelsOf([...steady, ...back]))).toEqual(new Set([undefined]));
  });

  test('no two fills are ever one sample, whatever their times', () => {
    const times = fc.array(fc.nat({ max: 2 * REMEMBERED_MS }), { maxLength: 900 });
    fc.assert(
      fc.property(times, (offsets) => {
        const series = new FillSeries();
        const samples = offsets.flatMap((ms) => series.samplesOf({ instrument: BTC, fill: fillAt(T + ms) }) ?? []);
        const places = samples.map((sample) => `${sample.series} ${sample.timestamp}`);
        expect(new Set(places).size).toBe(places.length);
      }),
    );
  });

  test('symbols do not share a series, and the names and labels are those of the catalog', () => {
    const series = new FillSeries();
    const samples = [BTC, market('ETHUSDT')].flatMap((instrument) => [
      ...series.samplesOf({ instrument, fill: fillAt(T) })!,
      ...series.samplesOf({ instrument, fill: fillAt(T) })!,
    ]);
    expect(timeseriesOf(samples)).toHaveLength(8);
    for (const { labels } of samples) {
      const { __name__: name, ...rest } = labels;
      expect(PUSHED[name].labels).toEqual(expect.arrayContaining(Object.keys(rest)));
    }
  });

  test('a request has each series once, and in the order of time', () => {
    const series = new FillSeries();
    const samples = [T + 2, T, T + 1].flatMap((ms) => series.samplesOf({ instrument: BTC, fill: fillAt(ms) })!);
    const times = timeseriesOf(inOrder(samples)).map((one) => one.samples.map(({ timestamp }) => timestamp));
    expect(times).toEqual([
      [T, T + 1, T + 2],
      [T, T + 1, T + 2],
    ]);
  });
});

test('the queue holds the newest up to its limit, in order, and counts the others', () => {
  const step = fc.oneof(fc.record({ push: fc.nat({ max: 9 }) }), fc.record({ take: fc.nat({ max: 9 }) }));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), fc.array(step), (limit, steps) => {
      const queue = new FillQueue(limit);
      let [naive, dropped, next] = [[] as number[], 0, 0];
      for (const one of steps) {
        if ('take' in one) {
          const taken = queue.take(one.take).map(({ fill }) => fill.orderId);
          expect(taken).toEqual(naive.splice(0, one.take));
        } else {
          for (let index = 0; index < one.push; index++) {
            naive.push(next);
            queue.push({ instrument: BTC, fill: fillAt(T, { orderId: next++ }) });
          }
          dropped += Math.max(0, naive.length - limit);
          naive = naive.slice(-limit);
        }
        expect({ size: queue.size, dropped: queue.dropped }).toEqual({ size: naive.length, dropped });
      }
    }),
  );
});

test.each([
  { attempt: 0, random: 0, asked: undefined, ms: 250 },
  { attempt: 0, random: 1, asked: undefined, ms: 500 },
  { attempt: 1, random: 0, asked: undefined, ms: 500 },
  { attempt: 3, random: 0.5, asked: undefined, ms: 3_000 },
  { attempt: 5, random: 1, asked: undefined, ms: 10_000 },
  { attempt: 1_000, random: 0, asked: undefined, ms: 5_000 },
  { attempt: 0, random: 0, asked: 7_000, ms: 7_000 },
  { attempt: 9, random: 1, asked: 7_000, ms: 10_000 },
  { attempt: 0, random: 0, asked: 86_400_000, ms: 60_000 },
])('attempt $attempt at random $random, asked for $asked, waits $ms ms', ({ attempt, random, asked, ms }) => {
  expect(retryWaitMs(attempt, random, asked)).toBe(ms);
});

test.each([
  { status: 200, verdict: { kind: 'stored' } },
  { status: 204, verdict: { kind: 'stored' } },
  { status: 302, verdict: { kind: 'retry' } },
  { status: 400, verdict: { kind: 'refused', whole: false } },
  { status: 401, verdict: { kind: 'refused', whole: true } },
  { status: 404, verdict: { kind: 'refused', whole: true } },
  { status: 408, verdict: { kind: 'retry' } },
  { status: 413, verdict: { kind: 'refused', whole: false } },
  { status: 429, retryAfter: '3', verdict: { kind: 'retry', retryAfterMs: 3_000 } },
  { status: 503, retryAfter: 'Thu, 01 Jan 1970 00:00:00 GMT', verdict: { kind: 'retry', retryAfterMs: 0 } },
  { status: 503, retryAfter: 'soon', verdict: { kind: 'retry', retryAfterMs: undefined } },
  { status: 500, verdict: { kind: 'retry' } },
  { status: 500, answer: 'too old sample', verdict: { kind: 'refused', reason: 'status 500 too old sample' } },
])('status $status, answer $answer, Retry-After $retryAfter: $verdict', ({ status, answer, retryAfter, verdict }) => {
  expect(verdictOf(status, answer ?? '', retryAfter ?? null)).toMatchObject(verdict);
});

describe('the writer', () => {
  let scope: Scope;
  let receiver: WriteReceiver;
  beforeEach(async () => {
    scope = new Scope();
    receiver = await WriteReceiver.start(scope);
  });
  afterEach(() => scope.close());

  const start = (options: Parameters<typeof writerTo>[1] = {}, url = receiver.url): ReturnType<typeof writerTo> => {
    const writer = writerTo(url, options);
    scope.add(() => writer.stop());
    return writer;
  };
  const push = ({ write }: ReturnType<typeof writerTo>, count: number, fromMs = T): void => {
    for (let n = 0; n < count; n++) write.push(BTC, fillAt(fromMs + n, { priceTicks: n + 1 }));
  };
  const settled = ({ write }: ReturnType<typeof writerTo>): Promise<void> =>
    waitFor('nothing to be pending', () => write.counts.pendingSamples === 0);
  const pricesStored = (): number[] =>
    receiver.stored.filter(({ labels }) => labels['__name__'] === 'shadow_fill_price').map(({ value }) => value);
  const pricesOf = (count: number): number[] => Array.from({ length: count }, (_, n) => (n + 1) / 10);

  test('speaks remote write 0.1.0: snappy, protobuf, sorted labels, batches of a bounded size, one request at a time', async () => {
    const writer = start();
    push(writer, 600);
    expect(writer.write.counts).toEqual({
      samples: { stored: 0, refused: 0, overflow: 0, abandoned: 0 },
      retries: 0,
      pendingSamples: 1_200,
    });
    await settled(writer);
    expect(pricesStored()).toEqual(pricesOf(600));
    expect(receiver.requests.map(({ samples }) => samples.length)).toEqual([500, 500, 200]);
    expect(receiver.mostInFlight).toBe(1);
    const [{ headers, path, labelNames }] = receiver.requests as [(typeof receiver.requests)[0]];
    expect(path).toBe('/api/v1/write');
    expect(headers).toMatchObject({
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
      'user-agent': 'shadow-mode/1.2.3',
    });
    expect(headers).not.toHaveProperty('authorization');
    for (const names of labelNames) expect(names).toEqual([...names].sort());
    expect(writer.lines).toEqual([]);
  });

  test('looks for new fills once a second', async () => {
    const writer = start();
    await waitFor('three waits', () => writer.waits.length >= 3);
    expect(new Set(writer.waits)).toEqual(new Set([1_000]));
    expect(receiver.requests).toEqual([]);
  });

  test('a batch refused for single bad samples is halved: those alone are dropped, the others are stored in order', async () => {
    const bad = new Set([0.1, 7.7, 25]);
    const isBad = ({ labels, value }: { labels: object; value: number }): boolean =>
      bad.has(value) && 'liquidity' in labels;
    receiver.judge = ({ samples }) =>
      samples.some(isBad) ? { status: 400, body: 'out of order sample' } : { status: 204 };
    const writer = start();
    push(writer, 250);
    await settled(writer);
    expect(writer.write.counts.samples).toEqual({ stored: 497, refused: 3, overflow: 0, abandoned: 0 });
    expect(pricesStored()).toEqual(pricesOf(250).filter((price) => !bad.has(price)));
    // Each needs about log2(500) steps, not 500.
    expect(receiver.requests.length).toBeLessThan(60);
    expect(writer.lines.map(({ msg, reason }) => ({ msg, reason }))).toEqual([
      { msg: expect.stringContaining('refused'), reason: 'status 400 out of order sample' },
    ]);
  });

  test('what is refused as a whole is not halved', async () => {
    receiver.judge = () => ({ status: 404, body: 'remote write receiver needs to be enabled' });
    const writer = start();
    push(writer, 250);
    await settled(writer);
    expect(receiver.requests).toHaveLength(1);
    expect(writer.write.counts).toMatchObject({ samples: { refused: 500, stored: 0 }, retries: 0 });
  });

  test.each([
    { name: 'status 500', answer: { status: 500 }, reason: 'status 500' },
    { name: 'status 503', answer: { status: 503, body: 'busy' }, reason: 'status 503 busy' },
    { name: 'status 429', answer: { status: 429 }, reason: 'status 429' },
    { name: 'a redirect', answer: { status: 307, headers: { location: '/elsewhere' } }, reason: 'status 307' },
    { name: 'a broken connection', answer: 'reset' as const, reason: 'UND_ERR_SOCKET' },
    { name: 'no answer', answer: 'hang' as const, reason: 'no answer within 100 ms' },
  ])('$name: the same samples are tried again, and nothing is lost or told twice', async ({ answer, reason }) => {
    receiver.answers.push(answer, answer, answer);
    const writer = start({ timeoutMs: 100 });
    push(writer, 300);
    await settled(writer);
    expect(writer.write.counts).toMatchObject({ samples: { stored: 600, refused: 0 }, retries: 3 });
    expect(pricesStored()).toEqual(pricesOf(300));
    expect(new Set(receiver.requests.map(({ path }) => path))).toEqual(new Set(['/api/v1/write']));
    expect(writer.waits.filter((ms) => ms !== 1_000)).toEqual([375, 750, 1_500]);
    expect(writer.lines.map(({ level, msg, reason }) => ({ level, msg, reason }))).toEqual([
      { level: 40, msg: expect.stringContaining('fails'), reason },
      { level: 30, msg: expect.stringContaining('works again'), reason: undefined },
    ]);
  });

  test('a receiver that asks for time gets it, within reason', async () => {
    receiver.answers.push(
      { status: 429, headers: { 'retry-after': '7' } },
      { status: 503, headers: { 'retry-after': '999999' } },
    );
    const writer = start();
    push(writer, 1);
    await settled(writer);
    expect(writer.waits.filter((ms) => ms !== 1_000)).toEqual([7_000, 60_000]);
  });

  test('a full queue gives up its oldest, and every sample is accounted for', async () => {
    await receiver.stop();
    const writer = start({ maxWaitingFills: 10 });
    push(writer, 4);
    await waitFor('a first attempt', () => writer.write.counts.retries > 0);
    push(writer, 50, T + 4);
    const full = writer.write.counts;
    expect(full).toMatchObject({ samples: { stored: 0, overflow: 80 }, pendingSamples: 28 });
    await receiver.listen();
    await settled(writer);
    expect(writer.write.counts.samples).toEqual({ stored: 28, refused: 0, overflow: 80, abandoned: 0 });
    expect(pricesStored()).toEqual([...pricesOf(4), ...pricesOf(50).slice(-10)]);
  });

  test('fills that no label can tell apart count as overflow', async () => {
    const writer = start();
    for (let n = 0; n < MAX_FILLS_PER_MS + 3; n++) writer.write.push(BTC, fillAt(T));
    await settled(writer);
    expect(writer.write.counts.samples).toEqual({
      stored: 2 * MAX_FILLS_PER_MS,
      refused: 0,
      overflow: 6,
      abandoned: 0,
    });
  });

  test('the end of a run sends what is left at once', async () => {
    const writer = start({ timer: () => () => undefined });
    push(writer, 300);
    await writer.write.close();
    expect(writer.write.counts.samples).toEqual({ stored: 600, refused: 0, overflow: 0, abandoned: 0 });
    expect(writer.lines).toEqual([]);
  });

  test.each([
    { name: 'ends by itself', signal: () => new AbortController().signal, limitMs: FLUSH_MS.ended },
    { name: 'was stopped', signal: () => AbortSignal.abort(), limitMs: FLUSH_MS.stopped },
    { name: 'is stopped while it waits', signal: () => AbortSignal.timeout(200), limitMs: 200 + FLUSH_MS.stopped },
  ])('a run that $name waits $limitMs ms for a silent receiver, and tells what it gave up', async (end) => {
    receiver.judge = () => 'hang';
    const writer = start({ signal: end.signal() });
    push(writer, 300);
    const startMs = performance.now();
    await writer.write.close();
    const ms = performance.now() - startMs;
    expect(ms).toBeGreaterThan(end.limitMs - 20);
    expect(ms).toBeLessThan(end.limitMs + 1_500);
    expect(writer.write.counts).toMatchObject({
      samples: { stored: 0, abandoned: 600 },
      retries: 0,
      pendingSamples: 0,
    });
    expect(writer.lines).toEqual([expect.objectContaining({ level: 50, abandonedSamples: 600 })]);
    await writer.write.close();
    expect(writer.write.counts.samples.abandoned).toBe(600);
  });

  test('a run whose feed is slow to end once it is stopped still sends what is left', async () => {
    const writer = start({ signal: AbortSignal.abort() });
    const stoppedMs = performance.now();
    await waitFor('its time to pass', () => performance.now() - stoppedMs > FLUSH_MS.stopped);
    push(writer, 3);
    await writer.write.close();
    expect(writer.write.counts.samples).toEqual({ stored: 6, refused: 0, overflow: 0, abandoned: 0 });
  });

  test('credentials become a header, and neither they nor the query are ever told', async () => {
    const url = `${receiver.url.replace('//', '//us%40er:p%3Aass@')}?token=secret`;
    receiver.answers.push({ status: 503 }, { status: 400 });
    const writer = start({}, url);
    push(writer, 1);
    await settled(writer);
    await receiver.stop();
    push(writer, 1, T + 9);
    await writer.stop();
    const [{ headers, path }] = receiver.requests as [(typeof receiver.requests)[0]];
    expect(headers.authorization).toBe(`Basic ${Buffer.from('us@er:p:ass').toString('base64')}`);
    expect(path).toBe('/api/v1/write?token=secret');
    expect(writer.lines.length).toBeGreaterThanOrEqual(3);
    expect(writer.text()).not.toMatch(/us(@|%40)er|p(:|%3A)ass|secret|Basic/);
  });

  test('an endless answer is not read to its end', async () => {
    let written = 0;
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(503);
      const more = (): void => {
        while (response.write('x'.repeat(65_536))) written += 65_536;
      };
      response.on('drain', more);
      more();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    scope.add(() => (server.closeAllConnections(), server.close()));
    const writer = start({}, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    push(writer, 1);
    await waitFor('an attempt', () => writer.write.counts.retries >= 2);
    expect(written).toBeLessThan(64 * 1024 * 1024);
    expect(writer.lines[0]!.reason!.length).toBeLessThan(300);
  });

  test('whatever the receiver answers, the balance holds and it has what counts as stored', async () => {
    const answer = fc.constantFrom(204, 204, 400, 404, 429, 500, 503);
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { maxLength: 30 }), fc.nat({ max: 700 }), async (statuses, fills) => {
        receiver.stored.length = 0;
        receiver.answers.splice(0, Infinity, ...statuses.map((status) => ({ status })));
        const writer = writerTo(receiver.url, { maxWaitingFills: 500 });
        push(writer, fills);
        await settled(writer);
        await writer.write.close();
        const { counts } = writer.write;
        expect(sumOf(counts)).toBe(2 * fills);
        expect(receiver.stored).toHaveLength(counts.samples.stored);
        const prices = pricesStored();
        expect(prices).toEqual([...new Set(prices)].sort((a, b) => a - b));
      }),
      { numRuns: 40 },
    );
  });

  test('no request is larger than the most a request may hold', async () => {
    const writer = start();
    push(writer, 2_000);
    await settled(writer);
    const sizes = receiver.requests.map(({ samples }: { samples: readonly unknown[] }) => samples.length);
    expect(Math.max(...sizes)).toBe(MAX_SAMPLES_PER_REQUEST);
  });
});

test('a sample is told by its labels', () => {
  const [price] = new FillSeries().samplesOf({ instrument: BTC, fill: fillAt(T) }) as [Sample];
  expect(price.series).toBe('shadow_fill_price maker buy BTCUSDT');
});
