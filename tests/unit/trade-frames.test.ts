import { expect, test } from '@jest/globals';
import { TradeFrames } from '../../collector/src/book/trade-frames.ts';
import { tradeEvent } from '../support/market.ts';

/** Frames as lists of trade ids; answers which trades are taken for repeated. */
const repeats = (...frames: readonly (readonly string[])[]): boolean[] => {
  const known = new TradeFrames();
  return frames.flatMap((ids) => ids.map((tradeId, index) => known.repeats(tradeEvent(0, { tradeId, index }))));
};

test.each([
  { name: 'other frames are new', frames: [['a', 'b'], ['c']], repeated: [false, false, false] },
  {
    name: 'a frame that comes twice is repeated as a whole',
    frames: [
      ['a', 'b'],
      ['a', 'b'],
    ],
    repeated: [false, false, true, true],
  },
  {
    name: 'what comes behind a repeated frame is new',
    frames: [['a'], ['a'], ['b', 'c']],
    repeated: [false, true, false, false],
  },
  { name: 'others may come between', frames: [['a'], ['b'], ['c'], ['a']], repeated: [false, false, false, true] },
  {
    name: 'trades without ids are never repeated',
    frames: [[''], [''], ['', '']],
    repeated: [false, false, false, false],
  },
])('$name', ({ frames, repeated }) => {
  expect(repeats(...frames)).toEqual(repeated);
});

test('a frame is forgotten after sixteen others', () => {
  const others = Array.from({ length: 16 }, (_, index) => [`other ${index}`]);
  expect(repeats(['a'], ...others.slice(1), ['a']).at(-1)).toBe(true);
  expect(repeats(['a'], ...others, ['a']).at(-1)).toBe(false);
});
