import { describe, expect, test } from '@jest/globals';
import { Channel } from '../../collector/src/live/channel.ts';
import { History } from '../../collector/src/live/history.ts';
import { limitsFor } from '../../collector/src/live/live-view.ts';
import { SampleRing } from '../../collector/src/live/sample-ring.ts';
import { NO_KPIS, publishedAt, sampleAt, T } from '../support/live.ts';

const LIMITS = { keptMs: 10_000, samples: 4, fills: 3 };
const timesOf = (history: History): number[] => history.all().samples.times_ms;

describe('the history of a symbol', () => {
  test('keeps the last samples when more come than it may hold', () => {
    const history = new History(LIMITS);
    for (let step = 0; step < 11; step++) history.addSample(sampleAt(T + step));
    expect(timesOf(history)).toEqual([T + 7, T + 8, T + 9, T + 10]);
  });

  test('keeps no sample and no fill that is older than its time', () => {
    const history = new History(LIMITS);
    history.addSample(sampleAt(T));
    history.addFill(publishedAt(T));
    history.addFill(publishedAt(T + 1));
    history.addSample(sampleAt(T + 10_000));
    expect([timesOf(history), history.all().fills.length]).toEqual([[T, T + 10_000], 2]);
    history.addSample(sampleAt(T + 10_001));
    expect(timesOf(history)).toEqual([T + 10_000, T + 10_001]);
    expect(history.all().fills).toEqual([publishedAt(T + 1)]);
    expect(history.givenUpFills).toBe(0);
  });

  test('gives up the oldest fill when there are too many, and counts it', () => {
    const history = new History(LIMITS);
    for (let order = 0; order < 5; order++) history.addFill(publishedAt(T, order));
    expect(history.all().fills.map(({ order_id }) => order_id)).toEqual([2, 3, 4]);
    expect(history.givenUpFills).toBe(2);
  });

  test('what is not known is null, and a zero is a zero', () => {
    const history = new History(LIMITS);
    history.addSample(sampleAt(T, { bid: undefined, ask: undefined, drift_ms: 0, offset_ms: -0.5 }));
    expect(history.all().samples).toEqual({
      times_ms: [T],
      bid: [null],
      ask: [null],
      quote_buy: [null],
      quote_sell: [null],
      drift_ms: [0],
      offset_ms: [-0.5],
      uncertainty_ms: [null],
      latency_ms: [null],
    });
  });

  test('where the clock goes back, the samples ahead of it are given up and all is told anew', () => {
    const history = new History(LIMITS);
    for (const ms of [0, 250, 500]) history.addSample(sampleAt(T + ms));
    const told = history.cursor;
    history.addSample(sampleAt(T + 250, { bid: 1 }));
    expect(timesOf(history)).toEqual([T, T + 250]);
    expect(history.all().samples.bid).toEqual([65_000, 1]);
    expect(history.since(told)).toBeUndefined();
    expect(history.since(history.cursor)?.samples.times_ms).toEqual([]);
  });

  test('there is no telling on from where something is missing', () => {
    const history = new History(LIMITS);
    history.addSample(sampleAt(T));
    const told = history.cursor;
    for (let step = 1; step <= 4; step++) history.addSample(sampleAt(T + step));
    expect(history.since(told)?.samples.times_ms).toEqual([T + 1, T + 2, T + 3, T + 4]);
    history.addSample(sampleAt(T + 5));
    expect(history.since(told)).toBeUndefined();
    for (let order = 0; order < 4; order++) history.addFill(publishedAt(T, order));
    expect(history.since({ ...history.cursor, fills: 0 })).toBeUndefined();
  });
});

test('a ring takes no memory before its first sample, and the same for a million as for its length', () => {
  const ring = new SampleRing(100);
  const allocated: number[] = [];
  const original = globalThis.Float64Array;
  globalThis.Float64Array = new Proxy(original, {
    construct: (target, [length]: [number]) => {
      allocated.push(length);
      return new target(length);
    },
  });
  try {
    expect(ring.from(0).times_ms).toEqual([]);
    expect(allocated).toEqual([]);
    for (let step = 0; step < 1_000_000; step++) ring.push(sampleAt(T + step));
  } finally {
    globalThis.Float64Array = original;
  }
  expect(allocated).toEqual([900]);
  expect(ring.from(ring.first).times_ms).toEqual(Array.from({ length: 100 }, (_, index) => T + 999_900 + index));
});

test.each([
  { symbols: 1, samples: 3_600, fills: 10_000, keptMs: 900_000 },
  { symbols: 100, samples: 3_600, fills: 2_000, keptMs: 900_000 },
  { symbols: 1_000, samples: 360, fills: 200, keptMs: 90_000 },
  { symbols: 1_000_000, samples: 1, fills: 1, keptMs: 250 },
])('of each of $symbols symbols $samples samples are kept', ({ symbols, ...limits }) => {
  expect(limitsFor(symbols)).toEqual(limits);
});

describe('what is told of a symbol', () => {
  const parse = (bytes: Buffer | undefined): unknown => {
    const [, name, data] = /^event: (\w+)\ndata: (.*)\n\n$/.exec(bytes?.toString() ?? '') ?? [];
    return name === undefined ? undefined : { name, ...(JSON.parse(data!) as object) };
  };

  test('nothing while nothing is new, KPIs only when they are others', () => {
    const history = new History(LIMITS);
    let kpis = NO_KPIS;
    const channel = new Channel('BTCUSDT', history, () => kpis);
    history.addSample(sampleAt(T));
    expect(parse(channel.history())).toMatchObject({ name: 'history', samples: { times_ms: [T] }, kpis: NO_KPIS });
    expect(channel.update()).toBeUndefined();
    history.addFill(publishedAt(T));
    const update = parse(channel.update());
    expect(update).toMatchObject({ name: 'update', samples: { times_ms: [] }, fills: [publishedAt(T)] });
    expect(update).not.toHaveProperty('kpis');
    kpis = { ...NO_KPIS, edge_bps: 2.5 };
    expect(parse(channel.update())).toMatchObject({ name: 'update', fills: [], kpis: { edge_bps: 2.5 } });
    expect(channel.update()).toBeUndefined();
  });

  test('the history is written once for all who come before there is something new', () => {
    const history = new History(LIMITS);
    let kpis = NO_KPIS;
    const channel = new Channel('BTCUSDT', history, () => kpis);
    history.addSample(sampleAt(T));
    const first = channel.history();
    expect(channel.update()).toBeUndefined();
    expect(channel.history()).toBe(first);
    const changes = [
      () => history.addSample(sampleAt(T + 250)),
      () => history.addFill(publishedAt(T)),
      () => history.addSample(sampleAt(T + 250, { bid: 1 })),
      () => (kpis = { ...NO_KPIS, fills: 1 }),
    ];
    let last = first;
    for (const change of changes) {
      change();
      const next = channel.history();
      expect(next.equals(last)).toBe(false);
      last = next;
    }
    expect(parse(last)).toMatchObject({ samples: { bid: [65_000, 1] }, fills: [publishedAt(T)], kpis: { fills: 1 } });
    history.addSample(sampleAt(T + 500));
    channel.update();
    expect(parse(channel.history())).toMatchObject({ samples: { times_ms: [T, T + 250, T + 500] } });
  });

  test('all there is, where what was told does not hold any more', () => {
    const history = new History(LIMITS);
    const channel = new Channel('BTCUSDT', history, () => NO_KPIS);
    history.addSample(sampleAt(T));
    channel.history();
    history.addSample(sampleAt(T - 1_000));
    expect(parse(channel.update())).toMatchObject({ name: 'history', samples: { times_ms: [T - 1_000] } });
    expect(channel.update()).toBeUndefined();
  });
});
