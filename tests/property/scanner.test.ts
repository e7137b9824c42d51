import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Instrument, MarketEvent } from '../../collector/src/events.ts';
import { bybitLinear } from '../../collector/src/feed/bybit.ts';
import { gridOf } from '../../collector/src/feed/decimal.ts';

const NOW_MS = 1_767_322_000_000;
const STAMPS = { receiveTimeUs: NOW_MS * 1_000, monoUs: 7 };

const instrument = (tick: string, lot: string): Instrument => ({
  symbol: 'BTCUSDT',
  tick: gridOf(tick)!,
  lot: gridOf(lot)!,
  minSizeLots: 1,
  minNotionalQuote: 0,
});

function decode(bytes: Buffer, of: Instrument): MarketEvent[] {
  const decoder = bybitLinear.createDecoder(new Map([['BTCUSDT', of]]), [{ name: 'orderbook.50', depth: 50 }]);
  const events: MarketEvent[] = [];
  decoder.decode(bytes, STAMPS, events);
  return events;
}

/** A blank behind the first brace means nothing to JSON, and takes a frame off the short way. */
const theLongWay = (frame: Buffer): Buffer => Buffer.concat([Buffer.from('{ '), frame.subarray(1)]);

const decimal = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.nat(99_999), fc.nat(999)).map(([whole, part]) => `${whole}.${part}`) },
  { weight: 4, arbitrary: fc.nat(999_999).map((lots) => (lots / 1_000).toFixed(3)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      '.',
      '1.',
      '.1',
      '-1',
      '1e5',
      '0x1',
      'NaN',
      '1.2.3',
      '00',
      '1 ',
      '١',
      '9'.repeat(20),
      '0',
      '0.0000',
    ),
  },
);
const level = fc.tuple(decimal, decimal).map(([price, size]) => `["${price}","${size}"]`);
const strangeLevel = fc.constantFrom(
  '[]',
  '["1"]',
  '["1","2","3"]',
  '[1,2]',
  'null',
  '["1",2]',
  '[["1","2"]]',
  '["1" ,"2"]',
);
const list = fc
  .array(fc.oneof({ weight: 30, arbitrary: level }, { weight: 1, arbitrary: strangeLevel }), { maxLength: 6 })
  .map((levels) => `[${levels.join(',')}]`);
const integer = fc.oneof(
  { weight: 12, arbitrary: fc.nat(2_000_000_000).map(String) },
  { weight: 6, arbitrary: fc.nat(50_000).map((ms) => String(NOW_MS - ms)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '0',
      '01',
      '-1',
      '1.5',
      '1e400',
      '"1"',
      'null',
      '',
      '9'.repeat(16),
      String(NOW_MS + 3_600_000),
    ),
  },
);
const frame = fc
  .record({
    linear: fc.boolean(),
    type: fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom('snapshot', 'delta') },
      { weight: 1, arbitrary: fc.constantFrom('x', '', 'delta\\n') },
    ),
    symbol: fc.oneof(
      { weight: 20, arbitrary: fc.constant('BTCUSDT') },
      { weight: 1, arbitrary: fc.constantFrom('Ü', 'a\\"b', '') },
    ),
    ...{ b: list, a: list, u: integer, seq: integer, ts: integer, cts: integer },
    tail: fc.oneof(
      { weight: 20, arbitrary: fc.constant('}') },
      { weight: 1, arbitrary: fc.constantFrom('', '} ', '}}', ',"x":1}', '}\u0000') },
    ),
  })
  .map(({ linear, type, symbol, b, a, u, seq, ts, cts, tail }) => {
    const head = linear ? `"type":"${type}","ts":${ts}` : `"ts":${ts},"type":"${type}"`;
    const data = `{"s":"${symbol}","b":${b},"a":${a},"u":${u},"seq":${seq}}`;
    return Buffer.from(`{"topic":"orderbook.50.BTCUSDT",${head},"data":${data},"cts":${cts}${tail}`);
  });

describe('the byte scanner', () => {
  test.each([
    { tick: '0.1', lot: '0.001' },
    { tick: '0.05', lot: '1' },
    { tick: '0.000001', lot: '0.5' },
  ])('gives exactly the events of JSON.parse on tick $tick and lot $lot', ({ tick, lot }) => {
    const of = instrument(tick, lot);
    let books = 0;
    fc.assert(
      fc.property(frame, (bytes) => {
        const short = decode(bytes, of);
        expect(short).toEqual(decode(theLongWay(bytes), of));
        if (short[0]?.kind === 'book') books++;
      }),
      { numRuns: 4_000 },
    );
    // The comparison means something only while good frames are among them.
    expect(books).toBeGreaterThan(20);
  });

  test('gives exactly the events of JSON.parse when any byte of a good frame is changed, added or lost', () => {
    const good = Buffer.from(
      `{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":${NOW_MS},"data":{"s":"BTCUSDT",` +
        `"b":[["65114.2","6.054"],["65114.1","0"]],"a":[["65114.30","1"]],"u":62505425,"seq":7538},"cts":${NOW_MS - 3}}`,
    );
    const of = instrument('0.1', '0.001');
    expect(decode(good, of)).toMatchObject([{ kind: 'book', sequence: 62505425, bids: [651142, 6054, 651141, 0] }]);
    const edit = fc.record({
      at: fc.nat(good.length - 1),
      byte: fc.nat(255),
      how: fc.constantFrom('set', 'add', 'cut', 'drop'),
    });
    fc.assert(
      fc.property(edit, ({ at, byte, how }) => {
        const before = good.subarray(0, at);
        const middle = how === 'set' || how === 'add' ? Buffer.from([byte]) : Buffer.alloc(0);
        const after = how === 'cut' ? Buffer.alloc(0) : good.subarray(how === 'add' ? at : at + 1);
        const bytes = Buffer.concat([before, middle, after]);
        if (bytes[0] === 0x7b) expect(decode(bytes, of)).toEqual(decode(theLongWay(bytes), of));
      }),
      { numRuns: 6_000 },
    );
  });
});
