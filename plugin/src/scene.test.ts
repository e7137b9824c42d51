import { partsOf, sceneOf } from './scene';
import { MAKER_BUY, pictureOf, series, TAKER_BUY } from './testing/frames';
import { toggled } from './visibility';

const frames = [
  series('shadow_best_bid', [0, 20], [10, 11]),
  series('shadow_best_ask', [0, 20], [12, 13]),
  series('shadow_fill_price', [0, 10], [10, 10], { labels: MAKER_BUY }),
  series('shadow_fill_price', [10], [13], { labels: TAKER_BUY }),
  series('shadow_clock_offset_ms', [0, 10, 20], [5, 6, 7]),
  series('shadow_clock_offset_uncertainty_ms', [0, 20], [1, 2]),
];
const picture = pictureOf(...frames);

describe('a scene', () => {
  test('has a row for each sample and each fill, quotes that are not there have none', () => {
    const _ = undefined;
    expect(sceneOf(picture, new Set(), true).book).toEqual([
      [0, 0, 0, 10, 10, 20, 20],
      [10, _, _, _, _, 11, _],
      [_, 12, _, _, _, _, 13],
      [_, _, _, _, _, _, _],
      [_, _, _, _, _, _, _],
      [_, _, 10, 10, 13, _, _],
    ]);
  });

  test('knows the row of each fill', () => {
    expect([...sceneOf(picture, new Set(), true).fillRows]).toEqual([2, 3, 4]);
  });

  test('keeps hidden fills off the axis', () => {
    expect(sceneOf(picture, new Set(['taker']), true).book[5]).toEqual([
      undefined,
      undefined,
      10,
      10,
      null,
      undefined,
      undefined,
    ]);
    expect(sceneOf(picture, new Set(), false).shown).toEqual([false, false, false, false]);
  });

  test('has a band only where offset and uncertainty are both known', () => {
    const [, high, low, offset] = sceneOf(picture, new Set(), true).clock as unknown[][];
    expect(high!.filter((value) => value !== undefined)).toEqual([6, null, 9]);
    expect(low!.filter((value) => value !== undefined)).toEqual([4, null, 5]);
    expect(offset!.filter((value) => value !== undefined)).toEqual([5, 6, 7]);
  });

  test('has those parts in its legend that there is something of', () => {
    expect(partsOf(picture, { quotes: true, fills: true, clock: true })).toEqual([
      'bid',
      'ask',
      'makerBuy',
      'taker',
      'offset',
    ]);
    expect(partsOf(picture, { quotes: true, fills: false, clock: false })).toEqual(['bid', 'ask']);
  });
});

describe('a click in the legend', () => {
  const parts = ['bid', 'ask', 'taker'] as const;
  test.each([
    ['hides what is shown', [], 'ask', false, ['ask']],
    ['shows what is hidden', ['ask', 'bid'], 'ask', false, ['bid']],
    ['with a key shows one alone', [], 'ask', true, ['bid', 'taker']],
    ['with a key on the only one shows all again', ['bid', 'taker'], 'ask', true, []],
    ['with a key on a hidden one shows that alone', ['ask', 'bid', 'taker'], 'ask', true, ['bid', 'taker']],
  ] as const)('%s', (_name, hidden, part, alone, expected) => {
    expect([...toggled(parts, new Set(hidden), part, alone)]).toEqual([...expected]);
  });
});
