import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { MiniLob } from '../../collector/src/book/mini-lob.ts';
import type { MarketEvent } from '../../collector/src/events.ts';
import { BookFrameScanner } from '../../collector/src/feed/bybit-scanner.ts';
import { bybitLinear } from '../../collector/src/feed/bybit.ts';
import { parseOnGrid } from '../../collector/src/feed/decimal.ts';
import { BOOK_CHANNELS, BookPublisher } from '../../collector/src/simulator/market-data.ts';
import { instrumentOf, LISTED_SYMBOLS, marketOf } from '../../collector/src/simulator/markets.ts';
import { MatchingEngine } from '../../collector/src/simulator/matching-engine.ts';
import { parseScenarios } from '../../collector/src/simulator/scenario.ts';
import type { ExchangeOptions } from '../../collector/src/simulator/simulated-exchange.ts';
import { SimulatedExchange, STEP_US } from '../../collector/src/simulator/simulated-exchange.ts';
import type { Frame } from '../../collector/src/simulator/simulated-symbol.ts';
import type { Sign, Us } from '../../collector/src/units.ts';

const MS = 1_000;
const S = 1_000 * MS;
const T0 = 1_767_225_600 * S;
const SIGNS: readonly Sign[] = [1, -1];
const SYMBOLS = [...LISTED_SYMBOLS, 'SIM1USDT', 'SIM9999USDT'];
const CHANNELS = [...BOOK_CHANNELS.map(({ name }) => name), 'publicTrade'];

const exchangeOf = (options: Partial<Omit<ExchangeOptions, 'scenarios'>> & { scenario?: string } = {}) => {
  const { scenario = 'calm', ...rest } = options;
  return new SimulatedExchange({
    symbols: ['BTCUSDT'],
    seed: 1,
    startUs: T0,
    scenarios: parseScenarios(scenario),
    ...rest,
  });
};

/** Subscribes to every channel of every symbol; the books as they are. */
const subscribe = (exchange: SimulatedExchange, channels: readonly string[] = CHANNELS): Frame[] =>
  [...exchange.symbols.keys()].flatMap((symbol) =>
    channels.flatMap((channel) => {
      exchange.subscribe(`${channel}.${symbol}`);
      return exchange.snapshot(`${channel}.${symbol}`) ?? [];
    }),
  );

interface BookMessage {
  readonly topic: string;
  readonly type: 'snapshot' | 'delta';
  readonly ts: number;
  readonly cts: number;
  readonly data: {
    readonly s: string;
    readonly b: readonly (readonly [string, string])[];
    readonly a: readonly (readonly [string, string])[];
    readonly u: number;
    readonly seq: number;
  };
}

interface TradeMessage {
  readonly ts: number;
  readonly data: readonly {
    readonly T: number;
    readonly s: string;
    readonly S: 'Buy' | 'Sell';
    readonly v: string;
    readonly p: string;
    readonly i: string;
    readonly seq: number;
  }[];
}

const isBook = ({ topic }: Frame): boolean => topic.startsWith('orderbook');
const channelOf = ({ topic }: Frame): string => topic.slice(0, topic.lastIndexOf('.'));
const bookOf = ({ text }: Frame): BookMessage => JSON.parse(text) as BookMessage;
const tradesOf = ({ text }: Frame): TradeMessage => JSON.parse(text) as TradeMessage;

/** A client's book by the letter of the exchange's document: maps of texts. Throws where an update is missing. */
class NaiveBook {
  readonly sides = { 1: new Map<string, string>(), [-1]: new Map<string, string>() };
  u = 0;

  apply({ type, data }: BookMessage): void {
    if (type === 'snapshot') {
      this.sides[1].clear();
      this.sides[-1].clear();
    } else if (data.u !== this.u + 1) throw new Error(`expected u ${this.u + 1}, got ${data.u}`);
    this.u = data.u;
    for (const [side, levels] of [
      [1, data.b],
      [-1, data.a],
    ] as const) {
      for (const [price, size] of levels) {
        if (size === '0') {
          if (!this.sides[side].delete(price)) throw new Error(`${price} is deleted and was not there`);
        } else this.sides[side].set(price, size);
      }
    }
  }

  /** Best first, as numbers. */
  levels(side: Sign): [number, number][] {
    const levels = [...this.sides[side]].map(([price, size]): [number, number] => [Number(price), Number(size)]);
    return levels.sort((a, b) => side * (b[0] - a[0]));
  }
}

const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-9 * Math.abs(b);

/** What is wrong with a book of at most `depth` levels a side, as a sentence; undefined for nothing. */
function difference(book: NaiveBook, exchange: SimulatedExchange, symbol: string, depth: number): string | undefined {
  const { engine, instrument } = exchange.symbols.get(symbol)!;
  for (const side of SIGNS) {
    const levels = engine.levels(side).filter(({ lots }) => lots > 0);
    const truth = levels.reverse().slice(0, depth);
    const seen = book.levels(side);
    const same =
      seen.length === truth.length &&
      truth.every(
        ({ ticks, lots }, at) =>
          close(seen[at]![0], ticks * instrument.tick.size) && close(seen[at]![1], lots * instrument.lot.size),
      );
    if (!same) return `side ${side}: ${JSON.stringify(seen.slice(0, 3))} after ${exchange.nowUs - T0} µs`;
  }
  return undefined;
}

describe('determinism', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 4_000_000 }), { minLength: 1, maxLength: 12 });
  const options = fc.record({
    seed: fc.integer({ min: 0, max: 4_294_967_295 }),
    scenario: fc.constantFrom('calm', 'maker-low', 'feed-stop:1s+1s', 'volatile:500ms', 'clock-drift,crossed'),
  });

  test('the same options give the same frames, byte for byte, however the time is cut', () => {
    fc.assert(
      fc.property(options, cuts, (given, lengths) => {
        const totalUs = 3 * S;
        const symbols = ['SOLUSDT', 'DOGEUSDT'];
        const whole = exchangeOf({ ...given, symbols });
        const steps = exchangeOf({ ...given, symbols });
        const cut = exchangeOf({ ...given, symbols });
        const expected = [...subscribe(whole), ...whole.advance(T0 + totalUs)];
        const stepped = subscribe(steps);
        while (steps.nowUs < T0 + totalUs) stepped.push(...steps.step());
        const pieces = subscribe(cut);
        let nowUs = T0;
        for (const length of lengths) pieces.push(...cut.advance((nowUs = Math.min(T0 + totalUs, nowUs + length))));
        pieces.push(...cut.advance(T0 + totalUs));
        expect(stepped).toEqual(expected);
        expect(pieces).toEqual(expected);
        expect(cut.nowUs).toBe(T0 + totalUs);
      }),
      { numRuns: 12 },
    );
  });

  const texts = (given: Parameters<typeof exchangeOf>[0]): string[] => {
    const exchange = exchangeOf({ symbols: ['DOGEUSDT'], ...given });
    return [...subscribe(exchange), ...exchange.advance(T0 + S)].map(({ text }) => text);
  };

  test('another seed, law of cancels or symbol gives another market', () => {
    expect(texts({})).toEqual(texts({ seed: 1, cancelLaw: 'back-heavy' }));
    expect(texts({ seed: 2 })).not.toEqual(texts({}));
    expect(texts({ cancelLaw: 'uniform' })).not.toEqual(texts({}));
    const named = ['SIM1USDT', 'SIM2USDT'].map((symbol) => texts({ symbols: [symbol] }).join('\n'));
    expect(named[1]!.replaceAll('SIM2USDT', 'SIM1USDT')).not.toBe(named[0]);
  });

  test('a symbol trades the same whatever else is listed', () => {
    const own = (text: string): boolean => text.includes('DOGEUSDT');
    expect(texts({ symbols: ['XRPUSDT', 'DOGEUSDT', 'SIM1USDT'] }).filter(own)).toEqual(texts({}));
  });

  test('frames come in the order of their publication, those of several symbols too', () => {
    const exchange = exchangeOf({ symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'] });
    subscribe(exchange);
    const published = exchange.advance(T0 + 4 * S).map(({ publishUs }) => publishUs);
    expect(published).toEqual([...published].sort((a, b) => a - b));
  });

  test('time between two steps of 10 ms gives nothing, and a start between two is moved to the one before', () => {
    const exchange = exchangeOf({ startUs: T0 + 7_777 });
    expect(exchange.nowUs).toBe(T0);
    subscribe(exchange);
    expect(exchange.advance(T0 + STEP_US - 1)).toEqual([]);
    expect(exchange.nowUs).toBe(T0);
    exchange.advance(T0 + 2 * STEP_US - 1);
    expect(exchange.nowUs).toBe(T0 + STEP_US);
  });

  test('a symbol that is not listed is refused by name', () => {
    expect(() => exchangeOf({ symbols: ['BTCUSDT', 'NOPEUSDT'] })).toThrow(/lists BTCUSDT.*not NOPEUSDT/);
  });
});

describe.each(SYMBOLS)('the frames of %s', (symbol) => {
  const instrument = instrumentOf(marketOf(symbol)!);
  const LENGTH_US = 12 * S;

  test('keep the book of every channel: equal to the engine at each of its updates, never crossed, u without a gap', () => {
    const exchange = exchangeOf({ symbols: [symbol], seed: 11 });
    const books = new Map(BOOK_CHANNELS.map((rule) => [rule.name as string, { rule, book: new NaiveBook() }]));
    for (const frame of subscribe(exchange)) books.get(channelOf(frame))!.book.apply(bookOf(frame));
    const problems: string[] = [];
    let lastU = books.get('orderbook.1')!.book.u;
    while (exchange.nowUs < T0 + LENGTH_US) {
      for (const frame of exchange.step().filter(isBook)) {
        const message = bookOf(frame);
        books.get(channelOf(frame))!.book.apply(message);
        if (channelOf(frame) !== 'orderbook.1') continue;
        if (message.type !== 'snapshot' || message.data.u !== lastU + 1) problems.push(frame.text);
        lastU = message.data.u;
      }
      const { engine } = exchange.symbols.get(symbol)!;
      const [bid, ask] = [engine.best(1), engine.best(-1)];
      if (bid !== undefined && ask !== undefined && bid.ticks >= ask.ticks)
        problems.push(`crossed at ${exchange.nowUs}`);
      for (const { rule, book } of books.values()) {
        if (exchange.nowUs % rule.cadenceUs !== 0) continue;
        const problem = difference(book, exchange, symbol, rule.depth);
        if (problem !== undefined) problems.push(`${rule.name}: ${problem}`);
        const [best, opposite] = [book.levels(1)[0], book.levels(-1)[0]];
        if (best !== undefined && opposite !== undefined && best[0] >= opposite[0])
          problems.push(`${rule.name} crossed`);
      }
    }
    expect(problems).toEqual([]);
  });

  test.each([50, 200])("keep the collector's own book of depth %d with the best price of every 10 ms", (depth) => {
    const exchange = exchangeOf({ symbols: [symbol], seed: 12 });
    const channels = bybitLinear.bookChannels(depth);
    const decoder = bybitLinear.createDecoder(new Map([[symbol, instrument]]), channels);
    const lob = new MiniLob(channels);
    const problems: string[] = [];
    const receive = (frames: readonly Frame[]): void => {
      for (const frame of frames) {
        const events: MarketEvent[] = [];
        decoder.decode(Buffer.from(frame.text), { receiveTimeUs: Math.round(frame.publishUs), monoUs: 1 }, events);
        for (const event of events) {
          if (event.kind === 'book') {
            const outcome = lob.apply(event);
            if (outcome !== 'changed') problems.push(`${String(outcome)}: ${frame.text}`);
          } else if (event.kind !== 'trade') problems.push(`${event.kind}: ${frame.text}`);
        }
      }
    };
    receive(subscribe(exchange, [...channels.map(({ name }) => name), 'publicTrade']));
    while (exchange.nowUs < T0 + LENGTH_US) {
      receive(exchange.step());
      for (const side of SIGNS) {
        const best = exchange.symbols.get(symbol)!.engine.best(side);
        const seen = [lob.bestTicks(side), lob.bestLots(side)];
        if (seen[0] !== best?.ticks || seen[1] !== (best?.lots ?? 0)) {
          problems.push(`after ${exchange.nowUs - T0} µs: ${JSON.stringify([side, seen, best?.ticks, best?.lots])}`);
        }
      }
    }
    expect(problems).toEqual([]);
  });

  test('are in the layout that the byte scanner reads, on the grid, with stamps in order', () => {
    const exchange = exchangeOf({ symbols: [symbol], seed: 13 });
    const frames = [...subscribe(exchange), ...exchange.advance(T0 + 3 * S)];
    const scanner = new BookFrameScanner();
    const problems: string[] = [];
    const onGrid = (price: string, size: string, least: number): boolean =>
      parseOnGrid(price, instrument.tick) > 0 && parseOnGrid(size, instrument.lot) >= least;
    let publishedUs = 0;
    for (const frame of frames) {
      const { topic, text, publishUs } = frame;
      if (publishUs < publishedUs) problems.push(`published before the frame before: ${text}`);
      publishedUs = publishUs;
      if (isBook(frame)) {
        const { ts, cts, data } = bookOf(frame);
        const read = scanner.topic(Buffer.from(text)) === topic && scanner.read(instrument.tick, instrument.lot, 2_048);
        const levels = [...data.b, ...data.a];
        const good = levels.every(([price, size]) => onGrid(price, size, 0)) && data.s === symbol;
        if (!read || !good || cts > ts || ts !== Math.floor(publishUs / MS)) problems.push(text);
      } else {
        const { ts, data } = tradesOf(frame);
        const good = data.every(({ p, v, s, T }) => onGrid(p, v, 1) && s === symbol && T <= ts);
        if (!good || data.length === 0 || ts !== Math.floor(publishUs / MS)) problems.push(text);
      }
    }
    expect(problems).toEqual([]);
    expect(new Set(frames.map(channelOf))).toEqual(new Set(CHANNELS));
  });
});

describe('trades', () => {
  test('all matches of one taker are one frame, in the order in which they happened, with ids that go on', () => {
    const exchange = exchangeOf({ seed: 21 });
    const { engine } = exchange.symbols.get('BTCUSDT')!;
    const takers: { sign: Sign; lots: number; timeUs: Us }[] = [];
    const take = engine.take.bind(engine);
    engine.take = (sign, lots, limitTicks, timeUs) => {
      const traded = take(sign, lots, limitTicks, timeUs);
      if (traded > 0) takers.push({ sign, lots: traded, timeUs });
      return traded;
    };
    subscribe(exchange, ['publicTrade']);
    // No more than 5 s at once are caught up.
    const frames = [1, 2, 3, 4, 5].flatMap((part) => exchange.advance(T0 + part * 4 * S));
    const seen = frames.map((frame) => {
      const { data } = tradesOf(frame);
      const sign: Sign = data[0]!.S === 'Buy' ? 1 : -1;
      const prices = data.map(({ p }) => Number(p));
      expect(new Set(data.map(({ S: side, T }) => `${side}${T}`)).size).toBe(1);
      // A taker eats from the best price on.
      expect(prices).toEqual([...prices].sort((a, b) => sign * (a - b)));
      return { sign, lots: Math.round(data.reduce((sum, { v }) => sum + Number(v), 0) * 1_000), ms: data[0]!.T };
    });
    expect(seen).toEqual(takers.map(({ sign, lots, timeUs }) => ({ sign, lots, ms: Math.floor(timeUs / MS) })));
    expect(seen.length).toBeGreaterThan(50);
    expect(frames.some((frame) => tradesOf(frame).data.length > 1)).toBe(true);
    const ids = frames.flatMap((frame) => tradesOf(frame).data.map(({ i }) => Number(i.slice(-12))));
    expect(ids).toEqual(ids.map((_, at) => at));
  });

  test('nobody subscribed, nobody is told', () => {
    const exchange = exchangeOf();
    expect(exchange.advance(T0 + 4 * S)).toEqual([]);
    subscribe(exchange);
    expect(exchange.advance(T0 + 5 * S).length).toBeGreaterThan(0);
    for (const channel of CHANNELS) exchange.release(`${channel}.BTCUSDT`);
    expect(exchange.advance(T0 + 6 * S)).toEqual([]);
  });

  test('a topic goes on while one of two subscribers is left, and begins with a snapshot when there is one again', () => {
    const exchange = exchangeOf();
    const topic = 'orderbook.50.BTCUSDT';
    const book = new NaiveBook();
    for (let count = 0; count < 2; count++) {
      exchange.subscribe(topic);
      book.apply(bookOf(exchange.snapshot(topic)!));
    }
    exchange.release(topic);
    for (const frame of exchange.advance(T0 + S)) book.apply(bookOf(frame));
    expect(difference(book, exchange, 'BTCUSDT', 50)).toBeUndefined();
    // A subscriber that comes later gets the book as last published, and the updates that follow it.
    const late = new NaiveBook();
    exchange.subscribe(topic);
    late.apply(bookOf(exchange.snapshot(topic)!));
    expect(late.u).toBe(book.u);
    for (const frame of exchange.advance(T0 + 2 * S)) {
      book.apply(bookOf(frame));
      late.apply(bookOf(frame));
    }
    expect(late).toEqual(book);
    exchange.release(topic);
    exchange.release(topic);
    exchange.advance(T0 + 3 * S);
    const anew = new NaiveBook();
    exchange.subscribe(topic);
    anew.apply(bookOf(exchange.snapshot(topic)!));
    expect(difference(anew, exchange, 'BTCUSDT', 50)).toBeUndefined();
    for (const frame of exchange.advance(T0 + 4 * S)) anew.apply(bookOf(frame));
    expect(difference(anew, exchange, 'BTCUSDT', 50)).toBeUndefined();
  });
});

describe('a book that does not change', () => {
  const engine = (): MatchingEngine => {
    const made = new MatchingEngine(() => undefined);
    made.add(1, 100, 5, 0);
    made.add(-1, 101, 5, 0);
    return made;
  };
  const stamps = (nowUs: Us): { engineMs: number; publishMs: number } => ({
    engineMs: Math.floor(nowUs / MS),
    publishMs: Math.floor(nowUs / MS) + 1,
  });
  const rule = (name: string) => BOOK_CHANNELS.find((each) => each.name === name)!;

  test('is pushed again by orderbook.1 every 3 s with the same u, and with a new one when it changes', () => {
    const still = engine();
    const publisher = new BookPublisher(rule('orderbook.1'), still, instrumentOf(marketOf('BTCUSDT')!));
    const first = JSON.parse(publisher.snapshot(0, stamps(0), 1)) as BookMessage;
    const sent: { atUs: Us; message: BookMessage }[] = [];
    for (let nowUs = STEP_US; nowUs <= 10 * S; nowUs += STEP_US) {
      if (nowUs === 8 * S) still.add(1, 100, 1, nowUs);
      const text = publisher.publish(nowUs, stamps(nowUs), 1, false);
      if (text !== undefined) sent.push({ atUs: nowUs, message: JSON.parse(text) as BookMessage });
    }
    const { u } = first.data;
    expect(sent.map(({ atUs, message }) => [atUs / S, message.data.u - u, message.type])).toEqual([
      [3, 0, 'snapshot'],
      [6, 0, 'snapshot'],
      [8, 1, 'snapshot'],
    ]);
    expect(sent.map(({ message }) => message.data.b)).toEqual([
      [['10.0', '0.005']],
      [['10.0', '0.005']],
      [['10.0', '0.006']],
    ]);
    // The engine's time is that of the change, the other that of the publication.
    expect(sent.map(({ message: { cts, ts } }) => [cts, ts])).toEqual([
      [0, 3_001],
      [0, 6_001],
      [8_000, 8_001],
    ]);
  });

  test.each(['orderbook.50', 'orderbook.200'])('gives nothing on %s', (name) => {
    const publisher = new BookPublisher(rule(name), engine(), instrumentOf(marketOf('BTCUSDT')!));
    publisher.snapshot(0, stamps(0), 1);
    for (let nowUs = STEP_US; nowUs <= 10 * S; nowUs += STEP_US) {
      expect(publisher.publish(nowUs, stamps(nowUs), 1, false)).toBeUndefined();
    }
  });
});

describe("the exchange's clock", () => {
  /** Frames of 60 s, but for the steps in which the scenario begins or ends. */
  function stamped(scenario: string): { elapsedUs: Us; aheadUs: Us }[] {
    const exchange = exchangeOf({ symbols: ['DOGEUSDT'], scenario });
    subscribe(exchange);
    const seen: { elapsedUs: Us; aheadUs: Us }[] = [];
    while (exchange.nowUs < T0 + 60 * S) {
      for (const frame of exchange.step()) {
        const { ts } = JSON.parse(frame.text) as { ts: number };
        seen.push({ elapsedUs: frame.publishUs - T0, aheadUs: ts * MS - frame.publishUs });
      }
    }
    return seen.filter(({ elapsedUs }) => elapsedUs % (10 * S) > 20 * MS && elapsedUs % (10 * S) < 9_980 * MS);
  }
  /** Stamps are whole milliseconds, rounded down. */
  const expectAhead = ({ elapsedUs, aheadUs }: { elapsedUs: Us; aheadUs: Us }, expectedUs: Us): void => {
    if (aheadUs > expectedUs + 1 || aheadUs <= expectedUs - MS - 1) {
      throw new Error(`after ${elapsedUs} µs: expected ${expectedUs} µs ahead, got ${aheadUs}`);
    }
  };

  test('is right in calm', () => {
    for (const each of stamped('calm')) expectAhead(each, 0);
  });

  test('under clock-drift is 620 ms ahead and gains 50 µs a second from the beginning of the scenario', () => {
    const seen = stamped('clock-drift:10s');
    for (const each of seen) {
      const { elapsedUs } = each;
      const drifts = elapsedUs > 10 * S;
      expectAhead(each, drifts ? 620 * MS + 50e-6 * (elapsedUs - 10 * S) : 0);
    }
    // A clock that did not gain would be outside by then: stamps are whole milliseconds.
    expect(seen.at(-1)!.aheadUs).toBeGreaterThan(621 * MS);
  });

  test('under clock-step is 250 ms ahead, and back at the end', () => {
    for (const each of stamped('clock-step:10s+10s')) {
      const { elapsedUs } = each;
      expectAhead(each, elapsedUs > 10 * S && elapsedUs < 20 * S ? 250 * MS : 0);
    }
  });

  test('never shows a match or a change of the book after its publication, also where it steps', () => {
    const exchange = exchangeOf({ scenario: 'clock-step:500ms+1s,clock-drift:3s+300ms' });
    for (const frame of [...subscribe(exchange), ...exchange.advance(T0 + 4 * S)]) {
      const {
        ts,
        cts = 0,
        data,
      } = JSON.parse(frame.text) as { ts: number; cts?: number; data: { T: number }[] | object };
      const latest = Array.isArray(data) ? Math.max(...data.map(({ T }: { T: number }) => T)) : cts;
      expect(latest).toBeLessThanOrEqual(ts);
    }
  });
});

describe('feed-stop', () => {
  test('publishes nothing, then every book begins anew with a snapshot of u = 1 and goes on from there', () => {
    const exchange = exchangeOf({ symbols: ['ETHUSDT', 'DOGEUSDT'], scenario: 'feed-stop:2s+3s' });
    const books = new Map<string, NaiveBook>();
    for (const frame of subscribe(exchange)) {
      books.set(frame.topic, new NaiveBook());
      books.get(frame.topic)!.apply(bookOf(frame));
    }
    const frames: Frame[] = [];
    while (exchange.nowUs < T0 + 8 * S) frames.push(...exchange.step());
    const during = frames.filter(({ publishUs }) => publishUs > T0 + 2 * S + 2 * MS && publishUs < T0 + 5 * S);
    expect(during).toEqual([]);
    const after = frames.filter(({ publishUs }) => publishUs >= T0 + 5 * S);
    for (const topic of books.keys()) {
      const first = after
        .filter((frame) => frame.topic === topic)
        .slice(0, 3)
        .map(bookOf);
      expect(first.map(({ type, data }) => [type, data.u])).toEqual(
        topic.startsWith('orderbook.1.')
          ? [
              ['snapshot', 1],
              ['snapshot', 2],
              ['snapshot', 3],
            ]
          : [
              ['snapshot', 1],
              ['delta', 2],
              ['delta', 3],
            ],
      );
    }
    for (const frame of frames.filter(isBook)) books.get(frame.topic)!.apply(bookOf(frame));
    expect(difference(books.get('orderbook.50.ETHUSDT')!, exchange, 'ETHUSDT', 50)).toBeUndefined();
    expect(difference(books.get('orderbook.200.DOGEUSDT')!, exchange, 'DOGEUSDT', 200)).toBeUndefined();
    // What traded meanwhile is not told later.
    const stamps = after.filter((frame) => !isBook(frame)).flatMap((frame) => tradesOf(frame).data.map(({ T }) => T));
    expect(Math.min(...stamps) * MS).toBeGreaterThanOrEqual(T0 + 5 * S - STEP_US);
  });

  test('a subscriber that comes meanwhile gets nothing either, and the book when the feed begins anew', () => {
    const exchange = exchangeOf({ scenario: 'feed-stop:0s+2s' });
    exchange.advance(T0 + S);
    expect(subscribe(exchange, ['orderbook.50'])).toEqual([]);
    const book = new NaiveBook();
    const frames = exchange.advance(T0 + 3 * S).filter(isBook);
    expect(bookOf(frames[0]!)).toMatchObject({ type: 'snapshot', data: { u: 1 } });
    for (const frame of frames) book.apply(bookOf(frame));
    expect(difference(book, exchange, 'BTCUSDT', 50)).toBeUndefined();
  });
});

describe('a machine that slept', () => {
  test('skips the pause: no market in it, no stamp of it, and the books go on without a gap', () => {
    const exchange = exchangeOf();
    const book = new NaiveBook();
    for (const frame of subscribe(exchange, ['orderbook.50', 'publicTrade'])) book.apply(bookOf(frame));
    for (const frame of exchange.advance(T0 + S).filter(isBook)) book.apply(bookOf(frame));
    const wokenUs = T0 + 3_600 * S;
    const frames = exchange.advance(wokenUs);
    expect(exchange.nowUs).toBe(wokenUs);
    expect(frames.length).toBeLessThan(20);
    for (const { publishUs } of frames) expect(publishUs).toBeGreaterThan(wokenUs - STEP_US);
    for (const frame of [...frames, ...exchange.advance(wokenUs + S)].filter(isBook)) book.apply(bookOf(frame));
    expect(difference(book, exchange, 'BTCUSDT', 50)).toBeUndefined();
  });

  test('catches up with a pause of up to 5 s', () => {
    const [slow, steady] = [exchangeOf(), exchangeOf()];
    subscribe(slow);
    subscribe(steady);
    expect(slow.advance(T0 + 5 * S)).toEqual([1, 2, 3, 4, 5].flatMap((second) => steady.advance(T0 + second * S)));
  });

  test('goes on from the scenario of the moment it woke in', () => {
    const exchange = exchangeOf({ scenario: 'clock-step:10s+10s' });
    exchange.advance(T0 + S);
    exchange.advance(T0 + 15 * S);
    expect(exchange.moment.conditions.clockOffsetMs).toBe(250);
    exchange.advance(T0 + 30 * S);
    expect(exchange.moment.conditions.clockOffsetMs).toBe(0);
  });

  // Not longer than 6 s: where time runs backwards in the flow, an hour of it would not end.
  test('takes no time back, whatever the market was doing when the machine fell asleep', () => {
    const exchange = exchangeOf({ symbols: ['ETHUSDT'], scenario: 'maker-low' });
    subscribe(exchange, ['publicTrade']);
    let published = 0;
    for (let count = 0; count < 2_500; count++) {
      exchange.advance(exchange.nowUs + 3 * STEP_US);
      const wokenUs = exchange.nowUs + 6 * S;
      const frames = exchange.advance(wokenUs);
      published += frames.length;
      const past = frames.filter(({ publishUs }) => publishUs < wokenUs - STEP_US).length;
      expect({ pause: count, past, more: frames.length - past > 20 }).toEqual({ pause: count, past: 0, more: false });
    }
    expect(published).toBeGreaterThan(0);
  });
});

describe('crossed', () => {
  test('shows a crossed book in every other second, and only then and in no other scenario', () => {
    const exchange = exchangeOf({ scenario: 'crossed:1s' });
    const books = new Map<string, NaiveBook>();
    for (const frame of subscribe(exchange, ['orderbook.1', 'orderbook.50'])) {
      books.set(frame.topic, new NaiveBook());
      books.get(frame.topic)!.apply(bookOf(frame));
    }
    const wrong: string[] = [];
    while (exchange.nowUs < T0 + 6 * S) {
      for (const frame of exchange.step()) books.get(frame.topic)!.apply(bookOf(frame));
      if (exchange.nowUs % (20 * MS) !== 0) continue;
      const crossed = exchange.nowUs >= T0 + S && Math.floor(exchange.nowUs / S) % 2 === 1;
      for (const [topic, book] of books) {
        const [bid, ask] = [book.levels(1)[0]![0], book.levels(-1)[0]![0]];
        if (bid > ask !== crossed) wrong.push(`${topic} after ${exchange.nowUs - T0} µs: ${bid} ${ask}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

interface Observed {
  /** Mid price every 100 ms. */
  readonly mids: number[];
  /** Ticks, ascending, of every 10 ms with a bid and an ask. */
  readonly spreads: number[];
  readonly emptyShare: number;
  /** Frames a second. */
  readonly rates: Readonly<Record<string, number>>;
}

function observe(symbol: string, scenario: string, seconds: number, seed: number): Observed {
  const exchange = exchangeOf({ symbols: [symbol], scenario, seed });
  subscribe(exchange);
  const { engine } = exchange.symbols.get(symbol)!;
  const rates: Record<string, number> = {};
  const mids: number[] = [];
  const spreads: number[] = [];
  let empty = 0;
  for (let step = 1; step <= seconds * 100; step++) {
    for (const frame of exchange.step()) rates[channelOf(frame)] = (rates[channelOf(frame)] ?? 0) + 1 / seconds;
    const [bid, ask] = [engine.best(1)?.ticks, engine.best(-1)?.ticks];
    if (bid === undefined || ask === undefined) empty++;
    else spreads.push(ask - bid);
    if (step % 10 === 0) mids.push(bid === undefined || ask === undefined ? mids.at(-1)! : (bid + ask) / 2);
  }
  return { mids, spreads: spreads.sort((a, b) => a - b), emptyShare: empty / (seconds * 100), rates };
}

const quantile = (sorted: readonly number[], share: number): number => sorted[Math.floor(share * (sorted.length - 1))]!;

describe('the market', () => {
  const expectWithin = (what: string, value: number, [low, high]: readonly [number, number]): void => {
    if (!(value >= low && value <= high)) throw new Error(`expected ${what} from ${low} to ${high}, got ${value}`);
  };

  test.each(SYMBOLS)(
    'of %s in calm has a spread of a tick or two, and as many messages as a liquid contract',
    (symbol) => {
      const { spreads, emptyShare, rates } = observe(symbol, 'calm', 60, 3);
      expectWithin('median spread, ticks', quantile(spreads, 0.5), [1, 2]);
      expectWithin('99th percentile of the spread, ticks', quantile(spreads, 0.99), [1, 5]);
      expectWithin('share of time with an empty side', emptyShare, [0, 0.005]);
      expectWithin('orderbook.1 a second', rates['orderbook.1']!, [20, 100]);
      expectWithin('orderbook.50 a second', rates['orderbook.50']!, [40, 50.01]);
      expectWithin('orderbook.200 a second', rates['orderbook.200']!, [9, 10.01]);
      expectWithin('trade messages a second', rates['publicTrade']!, [4, 80]);
    },
  );

  test.each(['volatile', 'trend', 'edge-low', 'maker-low', 'risk-high'])(
    'under %s stays a market: two sides, a spread that can be quoted, and not ten times the trades of calm',
    (scenario) => {
      const calm = observe('SOLUSDT', 'calm', 60, 4);
      const { spreads, emptyShare, rates } = observe('SOLUSDT', scenario, 60, 4);
      expectWithin('median spread, ticks', quantile(spreads, 0.5), [1, 5]);
      expectWithin('99th percentile of the spread, ticks', quantile(spreads, 0.99), [1, 50]);
      expectWithin('share of time with an empty side', emptyShare, [0, 0.01]);
      expectWithin('trade messages a second', rates['publicTrade']!, [
        0.3 * calm.rates['publicTrade']!,
        10 * calm.rates['publicTrade']!,
      ]);
    },
  );

  /** What is left of each price shock after so long, as a share of it; ascending. */
  function leftOfShocks({ mids }: Observed, afterS: number): number[] {
    const left: number[] = [];
    for (let at = 20; at + 10 * afterS + 5 < mids.length; at++) {
      const bps = (from: number, to: number): number => 1e4 * Math.log(mids[to]! / mids[from]!);
      const size = bps(at, at + 3);
      const calmBefore = Math.abs(bps(at - 15, at)) < 2;
      if (Math.abs(size) < 8 || !calmBefore) continue;
      left.push(bps(at, at + 10 * afterS) / size);
      at += 10 * afterS;
    }
    return left.sort((a, b) => a - b);
  }

  test('gives a shock back within four seconds in calm, in ten minutes of market', () => {
    const left = leftOfShocks(observe('SOLUSDT', 'calm', 600, 5), 3.8);
    expect(left.length).toBeGreaterThan(20);
    expectWithin('median of what is left', quantile(left, 0.5), [-0.15, 0.15]);
    expectWithin('nine tenths of what is left', quantile(left, 0.9), [-0.2, 0.5]);
  });

  test('keeps a shock under edge-low', () => {
    const left = leftOfShocks(observe('SOLUSDT', 'edge-low', 600, 5), 1.9);
    expect(left.length).toBeGreaterThan(20);
    expectWithin('median of what is left', quantile(left, 0.5), [0.85, 1.15]);
    expectWithin('a tenth of what is left', quantile(left, 0.1), [0.5, 1.1]);
  });
});
