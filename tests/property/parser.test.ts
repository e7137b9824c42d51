import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { canonicalJson } from '../../collector/src/artifacts/canonical-json.ts';
import type { Grid, Instrument, MarketEvent } from '../../collector/src/events.ts';
import { bybitLinear } from '../../collector/src/feed/bybit.ts';
import { gridOf as parseGrid, MALFORMED, OFF_GRID, parseOnGrid } from '../../collector/src/feed/decimal.ts';
import { gridOf, instrument, stampsAt, SYMBOL, T0 } from '../support/market.ts';

const instruments = (own: Instrument): ReadonlyMap<string, Instrument> => new Map([[SYMBOL, own]]);
const decoderOf = (own: Instrument = instrument()) =>
  bybitLinear.createDecoder(instruments(own), bybitLinear.bookChannels(50));

const STAMPS = stampsAt(T0);
const MAX_AHEAD_US = 60_000_000;

/** What any frame at all turns into; throws where an event is not fit for the core. */
function decodeSafely(frame: Buffer | string, own?: Instrument): MarketEvent[] {
  const events: MarketEvent[] = [];
  decoderOf(own).decode(typeof frame === 'string' ? Buffer.from(frame) : frame, STAMPS, events);
  for (const event of events) expectUsable(event);
  return events;
}

function expectUsable(event: MarketEvent): void {
  const problems: string[] = [];
  const need = (good: boolean, what: string): void => {
    if (!good) problems.push(what);
  };
  const whole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  const time = (us: number): boolean => whole(us) && us > 0 && us <= T0 + MAX_AHEAD_US;
  need(event.receiveTimeUs === STAMPS.receiveTimeUs && event.monoUs === STAMPS.monoUs, 'receive stamps');
  if (event.kind === 'book' || event.kind === 'trade') {
    need(event.symbol === SYMBOL, 'symbol');
    need(time(event.exchangeTimeUs), 'exchange time');
    need(event.publishTimeUs === undefined || time(event.publishTimeUs), 'publish time');
    need(Number.isSafeInteger(event.sequence) && (event.kind === 'trade' || event.sequence >= 0), 'sequence');
  }
  if (event.kind === 'book') {
    for (const side of [event.bids, event.asks]) {
      need(side.length % 2 === 0, 'pairs');
      for (let at = 0; at < side.length; at += 2)
        need(whole(side[at]!) && side[at]! > 0 && whole(side[at + 1]!), 'levels');
    }
  }
  if (event.kind === 'trade') {
    need(whole(event.priceTicks) && event.priceTicks > 0, 'price');
    need(whole(event.sizeLots) && event.sizeLots > 0, 'size');
    need(Math.abs(event.takerSign) === 1, 'side');
    need(whole(event.index) && typeof event.tradeId === 'string' && typeof event.offBook === 'boolean', 'trade');
  }
  if (problems.length > 0) throw new Error(`${problems.join(', ')} of ${JSON.stringify(event)}`);
}

const TS = T0 / 1_000;
const bookFrame = (): Record<string, unknown> => ({
  topic: `orderbook.50.${SYMBOL}`,
  ts: TS,
  type: 'delta',
  data: {
    s: SYMBOL,
    b: [
      ['65114.20', '6.054'],
      ['65114.10', '0'],
    ],
    a: [['65114.30', '0.001']],
    u: 6_250_542,
    seq: 7_538,
  },
  cts: TS - 3,
});
const tradeFrame = (): Record<string, unknown> => ({
  topic: `publicTrade.${SYMBOL}`,
  type: 'snapshot',
  ts: TS,
  data: [
    { T: TS - 1, s: SYMBOL, S: 'Sell', v: '0.004', p: '65114.20', i: 'a9188a0a', BT: false, RPI: false, seq: 7_538 },
    { T: TS - 1, s: SYMBOL, S: 'Buy', v: '0.1', p: '65114.30', i: 'b', BT: true, RPI: false, seq: 7_539 },
  ],
});
const ackFrame = (): Record<string, unknown> => ({
  success: true,
  ret_msg: '',
  op: 'subscribe',
  req_id: '1',
  conn_id: 'c',
});

/** What a field may hold when things go wrong. */
const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(
    null,
    '',
    '-1',
    'NaN',
    'Infinity',
    '1e5',
    '0x10',
    ' 1',
    '1.',
    '.5',
    '1..2',
    '0',
    '0.00',
    '65114.25',
    '9'.repeat(400),
    `0.${'0'.repeat(400)}`,
    0,
    -0,
    -1,
    1.5,
    1,
    2 ** 53,
    1e300,
    TS + 59_999,
    TS + 60_001,
    [],
    {},
    [[]],
    [['1', '1', '1']],
    [['1', -1]],
    [[-1]],
    [-1],
    '__proto__',
    { length: 2 },
  ),
);

type Path = readonly (string | number)[];

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const children = Object.entries(value).flatMap(([key, child]) =>
    pathsOf(child, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return path.length === 0 ? children : [path, ...children];
}

/** A copy with the value at the path replaced, or removed where `to` is undefined. */
function replaced(value: unknown, [key, ...rest]: Path, to: unknown): unknown {
  if (key === undefined) return to;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<
    string | number,
    unknown
  >;
  copy[key] = replaced(copy[key], rest, to);
  return copy;
}

const spoiled = fc
  .tuple(fc.constantFrom(bookFrame, tradeFrame, ackFrame), fc.nat(), fc.option(anything, { nil: undefined, freq: 8 }))
  .map(([make, at, value]) => {
    const frame = make();
    const paths = pathsOf(frame);
    return JSON.stringify(replaced(frame, paths[at % paths.length]!, value));
  });

describe('decoding a frame', () => {
  test('never throws and gives one thing or another for arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decodeSafely(Buffer.from(bytes)).length).toBe(1);
      }),
      { numRuns: 1_000 },
    );
  });

  test('never throws for arbitrary JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(decodeSafely(text).length).toBe(1);
      }),
      { numRuns: 1_000 },
    );
  });

  test('of a good frame with one field replaced by anything gives whole ticks and lots and plausible stamps, or bad data', () => {
    fc.assert(
      fc.property(spoiled, (text) => {
        // A frame of no trades says nothing; every other one says something.
        expect(decodeSafely(text).length > 0 || text.includes('"data":[]')).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('of a good frame cut anywhere, or with any byte changed, is bad data or fit for use', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(bookFrame, tradeFrame),
        fc.nat(),
        fc.nat(255),
        fc.boolean(),
        (make, place, byte, cut) => {
          const frame = Buffer.from(JSON.stringify(make()));
          const at = place % frame.length;
          if (cut) {
            const [event] = decodeSafely(frame.subarray(0, at));
            expect(event?.kind).toBe('bad');
            return;
          }
          frame[at] = byte;
          expect(decodeSafely(frame).length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('does not depend on white space: spoiled or not, a frame means the same with it', () => {
    const changed = fc
      .tuple(fc.constantFrom(bookFrame, tradeFrame), fc.nat(), fc.nat(127))
      .map(([make, place, byte]) => {
        const frame = Buffer.from(JSON.stringify(make()));
        frame[place % frame.length] = byte;
        return frame.toString('latin1');
      });
    fc.assert(
      fc.property(fc.oneof(spoiled, changed), (text) => {
        expect(decodeSafely(` ${text}`)).toEqual(decodeSafely(text));
      }),
      { numRuns: 3_000 },
    );
  });

  test('a level list that is not the book’s own is not taken for it', () => {
    const [first] = decodeSafely(JSON.stringify(bookFrame()));
    expect(first).toMatchObject({ kind: 'book', bids: [651_142, 6_054, 651_141, 0], asks: [651_143, 1] });
    const other = { b: [['1.0', '1']], a: [['2.0', '1']] };
    for (const frame of [
      { topic: bookFrame()['topic'], extra: other, ...bookFrame() },
      { ...bookFrame(), extra: other },
      {
        topic: bookFrame()['topic'],
        extra: other,
        ...bookFrame(),
        data: { ...(bookFrame()['data'] as object), b: [-1], a: [-1] },
      },
      { ...bookFrame(), data: { ...(bookFrame()['data'] as object), s: '"b":[["1.0","1"]]' } },
      { ...bookFrame(), data: { inner: other, ...(bookFrame()['data'] as object) } },
      { ...bookFrame(), data: { ...(bookFrame()['data'] as object), inner: other } },
    ]) {
      expect(decodeSafely(JSON.stringify(frame))).toEqual(decodeSafely(` ${JSON.stringify(frame)}`));
    }
  });

  test('on a grid k times as wide, of prices k times as large, gives the same ticks', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999 }), fc.integer({ min: 1, max: 99_999 }), (price, size) => {
        const text = (value: number, decimals: number): string => (value / 10 ** decimals).toFixed(decimals);
        const frameOf = (priceDecimals: number, sizeDecimals: number): string =>
          JSON.stringify({
            ...bookFrame(),
            data: { b: [[text(price, priceDecimals), text(size, sizeDecimals)]], a: [], u: 2 },
          });
        const [one] = decodeSafely(frameOf(1, 3), instrument({ tick: gridOf(1, 1), lot: gridOf(3, 1) }));
        const [other] = decodeSafely(frameOf(2, 0), instrument({ tick: gridOf(2, 1), lot: gridOf(0, 1) }));
        expect(other).toEqual(one);
        expect(one).toMatchObject({ kind: 'book', bids: [price, size] });
      }),
      { numRuns: 300 },
    );
  });
});

const grid: fc.Arbitrary<Grid> = fc
  .tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom(1, 2, 5, 25, 10, 7))
  .map(([decimals, step]) => gridOf(decimals, step));

/** The text on the grid by exact arithmetic: units of the last place, or why there are none. */
function exactUnits(text: string, { decimals }: Grid): bigint | 'malformed' | 'off grid' {
  if (!/^(\d+\.?\d*|\.\d+)$/.test(text)) return 'malformed';
  const [whole = '', fraction = ''] = text.split('.');
  const beyond = /[1-9]/.test(fraction.slice(decimals));
  return beyond ? 'off grid' : BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, '0'));
}

const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);

describe('a decimal on a grid', () => {
  const digits = (maxLength: number) => fc.string({ unit: fc.constantFrom(...'0123456789'.split('')), maxLength });
  const decimal = fc.oneof(
    fc.tuple(digits(12), digits(12)).map(([whole, fraction]) => `${whole}.${fraction}`),
    digits(17),
    fc.bigInt({ min: LARGEST - 1_000n, max: LARGEST + 1_000n }).map(String),
    fc.bigInt({ min: 10n ** 15n, max: 10n ** 16n - 1n }).map(String),
    fc
      .tuple(fc.nat(10 ** 6), fc.constantFrom('', '.0', '.5', '.25', '.000', '.07'))
      .map(([whole, tail]) => `${whole}${tail}`),
    fc.string({ unit: fc.constantFrom(...'0123456789.-+eE _,xNaI'.split('')), maxLength: 8 }),
  );

  test('is exact where it is accepted, and refused where it is not a number, not on the grid or too large', () => {
    fc.assert(
      fc.property(decimal, grid, (text, own) => {
        const parsed = parseOnGrid(text, own);
        const exact = exactUnits(text, own);
        if (exact === 'malformed') return expect(parsed).toBe(MALFORMED);
        const step = BigInt(own.step);
        if (parsed === MALFORMED) {
          // Nothing of up to 15 digits and a point is refused that is exact with a digit to spare. A number between two steps may
          // be refused as either.
          if (exact !== 'off grid' && text.length <= 16) expect(exact * 10n).toBeGreaterThan(LARGEST);
          return;
        }
        if (exact === 'off grid' || exact % step !== 0n) return expect(parsed).toBe(OFF_GRID);
        expect(BigInt(parsed) * step).toBe(exact);
        expect(Number.isSafeInteger(parsed)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  test('reads back every multiple of the step that is written with the grid’s decimals', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), grid, (units, own) => {
        const text = String(units * own.step).padStart(own.decimals + 1, '0');
        const cut = text.length - own.decimals;
        expect(parseOnGrid(own.decimals === 0 ? text : `${text.slice(0, cut)}.${text.slice(cut)}`, own)).toBe(units);
      }),
      { numRuns: 1_000 },
    );
  });

  test('anything that is not a text is malformed', () => {
    fc.assert(
      fc.property(
        anything.filter((value) => typeof value !== 'string'),
        (value) => expect(parseOnGrid(value, gridOf(1, 1))).toBe(MALFORMED),
      ),
      { numRuns: 200 },
    );
  });

  test('a step such as 0.10, 0.05 or 1 becomes its grid, anything else none', () => {
    expect(parseGrid('0.10')).toEqual({ decimals: 1, step: 1, size: 0.1 });
    expect(parseGrid('0.05')).toEqual({ decimals: 2, step: 5, size: 0.05 });
    expect(parseGrid('1')).toEqual({ decimals: 0, step: 1, size: 1 });
    expect(parseGrid('10')).toEqual({ decimals: 0, step: 10, size: 10 });
    for (const step of ['0', '0.0', '', '-1', '1e-3', 'x', undefined, 1]) expect(parseGrid(step)).toBeUndefined();
  });
});

describe('canonical JSON', () => {
  /** JSON has one zero. */
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;

  const shuffled = (value: unknown, order: number): unknown => {
    if (Array.isArray(value)) return value.map((item) => shuffled(item, order));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, item]) => [key, shuffled(item, order)] as const);
    const cut = entries.length === 0 ? 0 : order % entries.length;
    return Object.fromEntries([...entries.slice(cut), ...entries.slice(0, cut)].reverse());
  };

  test('reads back as the value it was made from', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(plain(value));
        expect(text.endsWith('\n')).toBe(true);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
      { numRuns: 1_000 },
    );
  });

  test('is the same whatever the order of keys, at every depth', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.nat(), (value, order) => {
        expect(canonicalJson(shuffled(value, order))).toBe(canonicalJson(value));
      }),
      { numRuns: 1_000 },
    );
  });

  test('refuses a number that JSON cannot hold, wherever it is', () => {
    for (const number of [NaN, Infinity, -Infinity]) {
      expect(() => canonicalJson({ a: [{ b: number }] })).toThrow('$.a[0].b');
    }
  });

  test('leaves out what is undefined and tells null apart from it', () => {
    expect(canonicalJson({ b: null, a: undefined })).toBe('{\n  "b": null\n}\n');
  });
});
