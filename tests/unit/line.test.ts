import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { MarketEvent } from '../../collector/src/events.ts';
import { bybitLinear } from '../../collector/src/feed/bybit.ts';
import type { Delivery } from '../../collector/src/simulator/line.ts';
import { Line } from '../../collector/src/simulator/line.ts';
import { instrumentOf, marketOf } from '../../collector/src/simulator/markets.ts';
import type { Conditions, ScenarioName } from '../../collector/src/simulator/scenario.ts';
import { CALM, SCENARIO_NAMES, SCENARIOS } from '../../collector/src/simulator/scenario.ts';
import { SimulatedExchange } from '../../collector/src/simulator/simulated-exchange.ts';
import type { Frame } from '../../collector/src/simulator/simulated-symbol.ts';
import type { Us } from '../../collector/src/units.ts';

const MS = 1_000;
const S = 1_000 * MS;
/** A beginning of a stall period. */
const T0 = 7.5 * S * 235_000_000;

const under = (change: Partial<Conditions>): Conditions => ({ ...CALM, ...change });
const named = (name: ScenarioName): Conditions => under(SCENARIOS[name].change);

const delta = (number: number, publishUs: Us): Frame => ({
  publishUs,
  topic: 'orderbook.50.BTCUSDT',
  text: `{"topic":"orderbook.50.BTCUSDT","type":"delta","n":${number}}`,
});
const snapshot = (number: number, publishUs: Us): Frame => ({
  publishUs,
  topic: 'orderbook.1.BTCUSDT',
  text: `{"topic":"orderbook.1.BTCUSDT","type":"snapshot","n":${number}}`,
});
const trade = (number: number, publishUs: Us): Frame => ({
  publishUs,
  topic: 'publicTrade.BTCUSDT',
  text: `{"topic":"publicTrade.BTCUSDT","type":"snapshot","n":${number}}`,
});

const all = (line: Line): Delivery[] => line.arrived(Infinity);

/** Sends one frame every `everyUs`, and gives what arrives. */
function carried(frames: readonly Frame[], conditions: Conditions, seed = 1): Delivery[] {
  const line = new Line(seed, '1');
  for (const frame of frames) line.send(frame, conditions);
  return all(line);
}

const stream = (of: (number: number, publishUs: Us) => Frame, count: number, everyUs: Us = 5 * MS): Frame[] =>
  Array.from({ length: count }, (_, number) => of(number, T0 + number * everyUs));

const texts = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ data }) => data.toString());

describe('the line', () => {
  const seed = fc.nat(1_000_000);
  const gaps = fc.array(fc.nat(40 * MS), { minLength: 1, maxLength: 200 });

  test.each(SCENARIO_NAMES.filter((name) => name !== 'out-of-order'))(
    'keeps the order of frames and answers under %s, and nothing arrives before it was sent',
    (name) => {
      fc.assert(
        fc.property(seed, gaps, (lineSeed, pauses) => {
          const line = new Line(lineSeed, 'x');
          const sentUs: Us[] = [];
          const conditions = { ...named(name), badShare: 0 };
          let nowUs = T0;
          pauses.forEach((pause, number) => {
            nowUs += pause;
            sentUs.push(nowUs);
            if (number % 5 === 4) line.answer(nowUs, JSON.stringify({ n: number }), conditions);
            else line.send(delta(number, nowUs), conditions);
          });
          const deliveries = all(line);
          const due = deliveries.map(({ dueUs }) => dueUs);
          expect(due).toEqual([...due].sort((a, b) => a - b));
          const numbers = deliveries
            .filter(({ data }) => data.length > 0)
            .map(({ data, dueUs }) => {
              const { n } = JSON.parse(data.toString()) as { n: number };
              if (dueUs <= sentUs[n]!) throw new Error(`frame ${n} arrived at ${dueUs}, sent at ${sentUs[n]!}`);
              return n;
            });
          expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
          const lost = deliveries.filter(({ lostTopic }) => lostTopic !== undefined).length;
          expect(new Set(numbers).size + lost).toBe(pauses.length);
        }),
        { numRuns: 20 },
      );
    },
  );

  test('delivers each frame once, when it is due and not before', () => {
    const line = new Line(3, '1');
    expect(line.dueUs).toBe(Infinity);
    for (const frame of stream(delta, 100)) line.send(frame, CALM);
    const seen: string[] = [];
    while (line.dueUs !== Infinity) {
      const { dueUs } = line;
      expect(line.arrived(dueUs - 1)).toEqual([]);
      const arrived = line.arrived(dueUs);
      expect(arrived.length).toBeGreaterThan(0);
      expect(arrived.every((delivery) => delivery.dueUs <= dueUs)).toBe(true);
      seen.push(...texts(arrived));
    }
    expect(seen).toEqual(stream(delta, 100).map(({ text }) => text));
    expect(all(line)).toEqual([]);
  });

  test('is the same for the same seed and name, and another for another', () => {
    const conditions = under({ dropShare: 0.1, duplicateShare: 0.1, badShare: 0.1, disorderMs: 50 });
    const run = (lineSeed: number, name: string): Delivery[] => {
      const line = new Line(lineSeed, name);
      for (const frame of stream(delta, 200)) line.send(frame, conditions);
      return all(line);
    };
    expect(run(1, '1')).toEqual(run(1, '1'));
    expect(run(1, '1')).not.toEqual(run(2, '1'));
    expect(run(1, '1')).not.toEqual(run(1, '2'));
  });

  test('takes a median of 16 ms and in one of twenty cases more than 18 ms', () => {
    const line = new Line(1, 'x');
    const delays = Array.from({ length: 10_000 }, () => line.delayUs(CALM) / MS).sort((a, b) => a - b);
    expect(Math.min(...delays)).toBeGreaterThan(0);
    expect(Math.abs(delays[5_000]! - 16)).toBeLessThan(0.1);
    expect(Math.abs(delays[9_500]! - 18)).toBeLessThan(0.2);
  });

  test('adds no delay of its own to frames that are far apart', () => {
    const frames = stream(delta, 2_000, 100 * MS);
    const delays = carried(frames, CALM).map(({ dueUs }, at) => (dueUs - frames[at]!.publishUs) / MS);
    delays.sort((a, b) => a - b);
    expect(Math.abs(delays[1_000]! - 16)).toBeLessThan(0.2);
    expect(delays.at(-1)).toBeLessThan(25);
  });
});

describe('a scenario on the line', () => {
  test('drops the given share of deltas, says of which topic, and never a snapshot or a trade', () => {
    const conditions = under({ dropShare: 0.2 });
    const deltas = carried(stream(delta, 5_000), conditions);
    const lost = deltas.filter(({ lostTopic }) => lostTopic !== undefined);
    expect(deltas).toHaveLength(5_000);
    expect(lost.length / 5_000).toBeGreaterThan(0.17);
    expect(lost.length / 5_000).toBeLessThan(0.23);
    expect(new Set(lost.map(({ lostTopic, data }) => `${lostTopic ?? ''}${data.toString()}`))).toEqual(
      new Set(['orderbook.50.BTCUSDT']),
    );
    for (const kind of [snapshot, trade]) {
      const frames = stream(kind, 500);
      expect(texts(carried(frames, under({ dropShare: 1 })))).toEqual(frames.map(({ text }) => text));
    }
    expect(texts(carried(stream(delta, 500), under({ dropShare: 1 })))).toEqual(Array.from({ length: 500 }, () => ''));
  });

  test('sends the given share of frames twice, the second behind the first and the same', () => {
    const frames = stream(delta, 5_000);
    const deliveries = texts(carried(frames, under({ duplicateShare: 0.1 })));
    const twice = deliveries.length - 5_000;
    expect(twice / 5_000).toBeGreaterThan(0.08);
    expect(twice / 5_000).toBeLessThan(0.12);
    expect(deliveries.filter((text, at) => text !== deliveries[at - 1])).toEqual(frames.map(({ text }) => text));
    const every = texts(carried(stream(trade, 50), under({ duplicateShare: 1 })));
    expect(every).toEqual(stream(trade, 50).flatMap(({ text }) => [text, text]));
  });

  test('damages the given share of frames and leaves the others as they are', () => {
    const frames = stream(delta, 5_000);
    const deliveries = carried(frames, under({ badShare: 0.1 }));
    const marked = deliveries.filter(({ lostTopic }) => lostTopic === 'orderbook.50.BTCUSDT');
    expect(deliveries).toHaveLength(5_000);
    expect(marked.length / 5_000).toBeGreaterThan(0.08);
    expect(marked.length / 5_000).toBeLessThan(0.12);
    const whole = new Map(deliveries.map((delivery, at) => [delivery, frames[at]!.text]));
    for (const [{ lostTopic, data }, text] of whole) if (lostTopic === undefined) expect(data).toBe(text);
  });

  test('makes a quarter of the frames late by up to so much, and the rest keep their order', () => {
    const frames = stream(delta, 5_000, 10 * MS);
    const deliveries = carried(frames, under({ disorderMs: 120 }));
    expect(deliveries).toHaveLength(5_000);
    const due = deliveries.map(({ dueUs }) => dueUs);
    expect(due).toEqual([...due].sort((a, b) => a - b));
    const numbers = deliveries.map(({ data }) => (JSON.parse(data.toString()) as { n: number }).n);
    const lateMs = deliveries.map(({ dueUs }, at) => (dueUs - frames[numbers[at]!]!.publishUs) / MS);
    expect(Math.max(...lateMs)).toBeLessThan(120 + 25);
    expect(Math.max(...lateMs)).toBeGreaterThan(110);
    // Frames behind a later one: some of the quarter are late by less than the time to the next frame.
    let highest = -1;
    const behind = numbers.filter((number) => {
      highest = Math.max(highest, number);
      return number < highest;
    });
    expect(behind.length / 5_000).toBeGreaterThan(0.19);
    expect(behind.length / 5_000).toBeLessThan(0.27);
    const inTime = numbers.filter((_, at) => lateMs[at]! < 25);
    expect(inTime.length / 5_000).toBeGreaterThan(0.7);
  });

  test('stalls: what is sent in the first 800 ms of each 7.5 s arrives at once at their end, the rest as ever', () => {
    const frames = stream(delta, 3_000, 10 * MS);
    const deliveries = carried(frames, named('latency-high'));
    expect(texts(deliveries)).toEqual(frames.map(({ text }) => text));
    let stalled = 0;
    deliveries.forEach(({ dueUs }, at) => {
      const { publishUs } = frames[at]!;
      const intoUs = publishUs % (7.5 * S);
      const endUs = publishUs - intoUs + 800 * MS;
      if (intoUs < 750 * MS) {
        expect(dueUs).toBe(endUs);
        stalled++;
      } else if (intoUs > 850 * MS) expect(dueUs - publishUs).toBeLessThan(25 * MS);
    });
    expect(stalled).toBe(4 * 75);
  });

  test('does nothing to answers: none is lost, doubled, damaged or out of order', () => {
    const conditions = under({ dropShare: 1, duplicateShare: 1, badShare: 1, disorderMs: 1_000, stallMs: 800 });
    const line = new Line(1, '1');
    const sent = Array.from({ length: 500 }, (_, number) => `{"op":"subscribe","n":${number}}`);
    sent.forEach((text, number) => line.answer(T0 + number * MS, text, conditions));
    const deliveries = all(line);
    expect(texts(deliveries)).toEqual(sent);
    expect(deliveries.every(({ lostTopic }) => lostTopic === undefined)).toBe(true);
  });
});

describe('a damaged frame', () => {
  const SYMBOLS = ['BTCUSDT', 'DOGEUSDT'];
  const instruments = new Map(SYMBOLS.map((symbol) => [symbol, instrumentOf(marketOf(symbol)!)]));
  const channels = ['orderbook.1', 'orderbook.50', 'orderbook.200', 'publicTrade'];

  /** Real frames of the simulated exchange. */
  function realFrames(): Frame[] {
    const exchange = new SimulatedExchange({ symbols: SYMBOLS, seed: 5, startUs: T0, scenarios: [] });
    const first = SYMBOLS.flatMap((symbol) =>
      channels.map((channel) => {
        exchange.subscribe(`${channel}.${symbol}`);
        return exchange.snapshot(`${channel}.${symbol}`);
      }),
    ).filter((frame) => frame !== undefined);
    return [...first, ...exchange.advance(T0 + 4 * S)];
  }

  function decoded(delivery: Delivery): MarketEvent[] {
    const decoder = bybitLinear.createDecoder(instruments, bybitLinear.bookChannels(50));
    const deep = bybitLinear.createDecoder(instruments, bybitLinear.bookChannels(200));
    const events: MarketEvent[] = [];
    const { data, dueUs } = delivery;
    const frame = typeof data === 'string' ? Buffer.from(data) : data;
    const own = frame.includes('orderbook.200') ? deep : decoder;
    own.decode(frame, { receiveTimeUs: Math.round(dueUs), monoUs: 1 }, events);
    return events;
  }

  const frames = realFrames();
  const damaged = [1, 2, 3].flatMap((seed) =>
    carried(frames, under({ badShare: 1 }), seed).map((delivery, at) => ({ frame: frames[at]!, delivery })),
  );

  test('undamaged, the same frames are all good', () => {
    expect(frames.length).toBeGreaterThan(500);
    for (const frame of frames) {
      const events = decoded(carried([frame], CALM)[0]!);
      expect(events.length).toBeGreaterThan(0);
      expect(events.filter(({ kind }) => kind !== 'book' && kind !== 'trade')).toEqual([]);
    }
  });

  test('never makes the decoder throw, and is always marked by its topic', () => {
    for (const { frame, delivery } of damaged) {
      expect(() => decoded(delivery)).not.toThrow();
      expect(decoded(delivery).length).toBeGreaterThan(0);
      expect(delivery.lostTopic).toBe(frame.topic);
    }
  });

  test('of a book is refused and counted, or only a sign of life: never a book', () => {
    const books = damaged.filter(({ frame }) => frame.topic.startsWith('orderbook'));
    const kinds = new Set(books.flatMap(({ delivery }) => decoded(delivery)).map(({ kind }) => kind));
    expect(['bad', 'heartbeat']).toEqual(expect.arrayContaining([...kinds]));
  });

  test.each(['orderbook', 'publicTrade'])(
    'of %s is damaged in fact: its bytes differ, and it is counted',
    (channel) => {
      const own = damaged.filter(({ frame }) => frame.topic.startsWith(channel));
      const untouched = own.filter(({ frame, delivery }) => delivery.data === frame.text);
      const uncounted = own.filter(({ delivery }) => !decoded(delivery).some(({ kind }) => kind === 'bad'));
      expect({ frames: own.length, untouched: untouched.length, uncounted: uncounted.length }).toEqual({
        frames: own.length,
        untouched: 0,
        uncounted: 0,
      });
    },
  );

  test('covers what the decoder can refuse a frame for', () => {
    const events = damaged.flatMap(({ delivery }) => decoded(delivery));
    const reasons = new Set(events.map((event) => (event.kind === 'bad' ? event.reason : event.kind)));
    for (const reason of ['json', 'utf8', 'shape', 'number', 'off-grid', 'time'])
      expect([...reasons]).toContain(reason);
  });
});
