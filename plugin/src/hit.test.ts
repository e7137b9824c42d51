import * as fc from 'fast-check';
import type { Fills } from './fills';
import { KINDS } from './fills';
import type { Placing } from './hit';
import { nearestFill, nextFill, OVERLAP_PX, overlapping, REACH_PX } from './hit';

interface Point {
  readonly ms: number;
  readonly price: number;
  readonly kind: number;
}

function fillsOf(points: readonly Point[]): Fills {
  const count = points.length;
  return {
    sources: [],
    times: Float64Array.from(points, ({ ms }) => ms),
    prices: Float64Array.from(points, ({ price }) => price),
    sizes: new Float64Array(count),
    kinds: Uint8Array.from(points, ({ kind }) => kind),
    source: new Uint16Array(count),
    row: new Uint32Array(count),
  };
}

const SHOWN = [true, true, false, true];
const placing = (points: readonly Point[]): Placing => ({
  fills: fillsOf(points),
  shown: SHOWN,
  fromMs: 0,
  pxPerMs: 0.5,
  topOf: (price) => 100 - price,
});

const points = fc
  .array(
    fc.record({
      ms: fc.integer({ min: -20, max: 220 }),
      price: fc.integer({ min: 0, max: 100 }),
      kind: fc.integer({ min: 0, max: KINDS.length - 1 }),
    }),
    { maxLength: 40 }
  )
  .map((all) => [...all].sort((a, b) => a.ms - b.ms));

const distance = ({ ms, price }: Point, left: number, top: number): number =>
  Math.hypot(ms * 0.5 - left, 100 - price - top);

test('the nearest shown fill within reach is hit, the first of those equally near', () => {
  fc.assert(
    fc.property(points, fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), (all, left, top) => {
      const near = all
        .map((point, index) => ({ index, far: SHOWN[point.kind] ? distance(point, left, top) : Infinity }))
        .filter(({ far }) => far < REACH_PX);
      const best = near.reduce((least, one) => (one.far < least.far ? one : least), { index: -1, far: Infinity });
      expect(nearestFill(placing(all), left, top)).toBe(best.index);
    })
  );
});

test('all that overlap a fill are listed with it, in order', () => {
  fc.assert(
    fc.property(points, fc.nat(), (all, pick) => {
      fc.pre(all.some(({ kind }) => SHOWN[kind]));
      const shown = all.flatMap(({ kind }, index) => (SHOWN[kind] ? [index] : []));
      const index = shown[pick % shown.length]!;
      const at = all[index]!;
      const near = shown.filter((other) => distance(all[other]!, at.ms * 0.5, 100 - at.price) < OVERLAP_PX);
      expect(overlapping(placing(all), index)).toEqual(near);
    })
  );
});

test.each([
  ['before it', 0, 1, 2],
  ['before it, backwards', 0, -1, -1],
  ['behind it', 4, -1, 3],
  ['behind it, onwards', 4, 1, -1],
] as const)('from a fill that has left the time shown, %s, the keyboard comes back', (_name, index, step, expected) => {
  const fills = fillsOf([0, 10, 100, 110, 300].map((ms) => ({ ms, price: 1, kind: 0 })));
  expect(nextFill(fills, SHOWN, index, step, 50, 200)).toBe(expected);
});

test('fills at the very edges of the time shown are in it, at the size of real times', () => {
  const T = 1_800_000_000_000;
  const fills = fillsOf([T, T + 1, T + 5_000].map((ms) => ({ ms, price: 1, kind: 0 })));
  expect(nextFill(fills, SHOWN, -1, 1, T, T + 5_000)).toBe(0);
  expect(nextFill(fills, SHOWN, -1, -1, T, T + 5_000)).toBe(2);
});

test('the keyboard reaches each shown fill of the time shown once, there and back', () => {
  fc.assert(
    fc.property(points, (all) => {
      const fills = fillsOf(all);
      const expected = all.flatMap(({ ms, kind }, index) => (SHOWN[kind] && ms >= 0 && ms <= 200 ? [index] : []));
      const walk = (step: 1 | -1): number[] => {
        const visited: number[] = [];
        for (
          let at = nextFill(fills, SHOWN, -1, step, 0, 200);
          at >= 0;
          at = nextFill(fills, SHOWN, at, step, 0, 200)
        ) {
          visited.push(at);
        }
        return visited;
      };
      expect(walk(1)).toEqual(expected);
      expect(walk(-1)).toEqual([...expected].reverse());
    })
  );
});
