import { channelsOf } from './channels';
import type { Fills } from './fills';
import { fillsOf, KINDS, RESAMPLED } from './fills';
import { field, frame, MAKER_BUY, MAKER_SELL, series, TAKER_BUY } from './testing/frames';

function read(...frames: Parameters<typeof channelsOf>[0]) {
  const notices: string[] = [];
  return { fills: fillsOf(channelsOf(frames).found, notices), notices };
}

const rows = ({ times, prices, sizes, kinds }: Fills) =>
  [...times].map((ms, index) => [ms, prices[index], sizes[index], KINDS[kinds[index]!]]);

describe('fills', () => {
  test('of several series are in order of time, with the size of the same labels', () => {
    const { fills, notices } = read(
      series('shadow_fill_price', [10, 30], [100, 101], { labels: MAKER_BUY }),
      series('shadow_fill_size', [10, 30], [1, 3], { labels: MAKER_BUY }),
      series('shadow_fill_price', [20], [105], { labels: TAKER_BUY }),
      series('shadow_fill_size', [20], [2], { labels: TAKER_BUY })
    );
    expect(rows(fills)).toEqual([
      [10, 100, 1, 'makerBuy'],
      [20, 105, 2, 'taker'],
      [30, 101, 3, 'makerBuy'],
    ]);
    expect(notices).toEqual([]);
  });

  test('of one millisecond are each there, by the label nth', () => {
    const { fills } = read(
      series('shadow_fill_price', [10], [100], { labels: MAKER_SELL }),
      series('shadow_fill_price', [10], [100], { labels: { ...MAKER_SELL, nth: '2' } }),
      series('shadow_fill_size', [10], [7], { labels: { ...MAKER_SELL, nth: '2' } })
    );
    expect(rows(fills)).toEqual([
      [10, 100, NaN, 'makerSell'],
      [10, 100, 7, 'makerSell'],
    ]);
  });

  test('find their size by time where a size is missing', () => {
    const { fills } = read(
      series('shadow_fill_price', [10, 20, 30], [1, 2, 3], { labels: MAKER_BUY }),
      series('shadow_fill_size', [10, 30], [5, 6], { labels: MAKER_BUY })
    );
    expect([...fills.sizes]).toEqual([5, NaN, 6]);
  });

  test('of a table are its rows, with microseconds', () => {
    const table = frame(
      'fills',
      field('time', 'time', [20.5, 10.25, 30]),
      field('price', 'number', [101, 100, NaN]),
      field('quantity', 'number', [2, 1, 9]),
      field('side', 'string', ['sell', 'buy', 'buy']),
      field('liquidity', 'string', ['maker', 'taker', 'maker'])
    );
    const { fills, notices } = read(table);
    expect(rows(fills)).toEqual([
      [10.25, 100, 1, 'taker'],
      [20.5, 101, 2, 'makerSell'],
    ]);
    expect([...fills.row]).toEqual([1, 0]);
    expect(notices).toEqual(['1 fills without time or price are left out.']);
  });

  test('without side or liquidity are of unknown kind', () => {
    expect(rows(read(series('shadow_fill_price', [10], [100])).fills)).toEqual([[10, 100, NaN, 'unknown']]);
  });

  test.each([
    ['said by the data source', series('shadow_fill_price', [0, 15_000], [1, 2], { intervalMs: 15_000 })],
    [
      'on the grid of another time zone',
      series('shadow_fill_price', [7, 15_007, 45_007], [1, 2, 3], { intervalMs: 15_000 }),
    ],
    ['seen by its look', series('shadow_fill_price', [0, 15_000, 30_000, 45_000, 60_000], [1, 1, 1, 2, 2])],
  ])('of a range query are not drawn: %s', (_name, resampled) => {
    const { fills, notices } = read(resampled);
    expect(fills.times).toHaveLength(0);
    expect(notices).toEqual([RESAMPLED]);
  });

  test.each([
    ['at odd times', [1, 15_002, 30_003, 45_010, 60_020], [1, 1, 1, 1, 1]],
    ['each at another price', [0, 15_000, 30_000, 45_000, 60_000], [1, 2, 3, 4, 5]],
    ['in one millisecond', [5, 5, 5, 5, 5], [1, 1, 1, 1, 1]],
  ])('%s are no resampled ones', (_name, times, prices) => {
    expect(read(series('shadow_fill_price', times, prices)).fills.times).toHaveLength(5);
  });

  test.each([
    ['several at times of their own', [15_000, 30_000, 45_001]],
    ['two that are whole steps apart', [15_007, 30_007]],
    ['one', [15_000]],
  ])('%s are no resampled ones though their source tells a step', (_name, times) => {
    const frames = series(
      'shadow_fill_price',
      times,
      times.map(() => 1),
      { intervalMs: 15_000 }
    );
    expect(read(frames).fills.times).toHaveLength(times.length);
  });
});
