import { channelsOf } from './channels';
import { fillsOf } from './fills';
import type { MarkerStyle, Sprites } from './markers';
import { drawMarkers, largestSize, radiusOf } from './markers';
import { MAKER_BUY, MAKER_SELL, series } from './testing/frames';

const style: MarkerStyle = { colors: {} as never, outline: '', radius: 10, byQuantity: true };

describe('the radius of a marker', () => {
  test.each([
    ['of the largest is the whole', 4, 10],
    ['of a quarter is half: the area tells', 1, 5],
    ['of next to nothing can still be seen', 1e-9, 5],
    ['of an unknown size is the least', NaN, 5],
    ['in between', 2, 7],
  ])('%s', (_name, size, radius) => {
    expect(radiusOf(size, 4, style)).toBe(radius);
  });

  test('is one for all where quantity is not to be seen', () => {
    expect(radiusOf(1e-9, 4, { ...style, byQuantity: false })).toBe(10);
  });

  test('of fills without any size is the least', () => {
    expect(radiusOf(NaN, 0, style)).toBe(5);
  });
});

describe('markers', () => {
  const fills = fillsOf(
    channelsOf([
      series('shadow_fill_price', [0, 50, 50.001, 100, 150], [5, 5, 5, 5, 5], { labels: MAKER_BUY }),
      series('shadow_fill_price', [50, 60], [5, 50], { labels: MAKER_SELL }),
    ]).found,
    []
  );
  const area = { left: 10, top: 20, width: 300, height: 100, fromMs: 0, toMs: 100, low: 0, high: 10 };

  function draw(shown: readonly boolean[]) {
    const drawn: number[][] = [];
    const context = {
      drawImage: (_image: unknown, x: number, y: number) => drawn.push([x, y]),
    } as unknown as CanvasRenderingContext2D;
    const sprites = { style, of: () => ({ width: 4, height: 4 }) } as unknown as Sprites;
    return { drawn, ...drawMarkers(context, fills, shown, area, sprites, largestSize(fills)) };
  }

  test('stand at their time and price, those outside the plot are left out', () => {
    const { drawn, inside } = draw([true, true, true, true]);
    expect(drawn).toEqual([
      [8, 68],
      [158, 68],
      [158, 68],
      [308, 68],
    ]);
    expect(inside).toBe(5);
  });

  test('that cover each other are drawn once a kind', () => {
    expect(draw([true, true, true, true])).toMatchObject({ inside: 5, copied: 4 });
  });

  test('of a hidden kind are not drawn', () => {
    expect(draw([true, false, true, true])).toMatchObject({ inside: 4, copied: 3 });
  });
});
