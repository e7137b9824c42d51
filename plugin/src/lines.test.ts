import * as fc from 'fast-check';
import { channelsOf } from './channels';
import { countBefore, countUntil, lineOf, sortedOrder, valueAt } from './lines';
import { series } from './testing/frames';

function bidOf(...frames: Array<ReturnType<typeof series>>) {
  const notices: string[] = [];
  return { line: lineOf('bid', channelsOf(frames).found, notices)!, notices };
}

describe('a line', () => {
  test('has a hole where samples of a query are further apart than its step', () => {
    const { line } = bidOf(series('shadow_best_bid', [0, 10, 50, 60], [1, 2, 3, 4], { intervalMs: 10 }));
    expect(line.times).toEqual([0, 10, 20, 50, 60]);
    expect(line.values).toEqual([1, 2, null, 3, 4]);
  });

  test('has none where the step is not known', () => {
    expect(bidOf(series('shadow_best_bid', [0, 10, 50], [1, 2, 3])).line.values).toEqual([1, 2, 3]);
  });

  test('knows no NaN, no infinity and no text, and no sample without a time', () => {
    const { line } = bidOf(series('shadow_best_bid', [0, 1, 2, null, NaN], [NaN, Infinity, '7', 8, 9]));
    expect(line.times).toEqual([0, 1, 2]);
    expect(line.values).toEqual([null, null, null]);
  });

  test('is sorted, and says so', () => {
    const { line, notices } = bidOf(series('shadow_best_bid', [30, 10, 20], [3, 1, 2]));
    expect(line.values).toEqual([1, 2, 3]);
    expect(notices).toEqual(['The times of Best bid were not in order and have been sorted.']);
  });

  test('goes on over a restart of the collector', () => {
    const { line, notices } = bidOf(
      series('shadow_best_bid', [30, 40], [3, 4], { labels: { instance: 'b' }, intervalMs: 10 }),
      series('shadow_best_bid', [0, 10], [1, 2], { labels: { instance: 'a' }, intervalMs: 10 })
    );
    expect(line.values).toEqual([1, 2, null, 3, 4]);
    expect(notices).toEqual([]);
  });

  test('is one of two collectors that tell it at once, and says which', () => {
    const { line, notices } = bidOf(
      series('shadow_best_bid', [0, 10], [1, 2], { labels: { instance: 'a' } }),
      series('shadow_best_bid', [5, 15], [8, 9], { labels: { instance: 'b' } })
    );
    expect(line.values).toEqual([8, 9]);
    expect(notices[0]).toContain('2 series tell Best bid at once; shown is {symbol="BTCUSDT", instance="b"}');
  });

  test.each([
    [-1, null],
    [0, 1],
    [9, 1],
    [10, 2],
    [24, null],
    [50, 3],
    [64, 3],
    [66, null],
  ])('at %d ms is what the last sample said: %p', (ms, value) => {
    expect(valueAt(bidOf(series('shadow_best_bid', [0, 10, 50], [1, 2, 3], { intervalMs: 10 })).line, ms)).toBe(value);
  });
});

test('counts and sorts as a naive reference does', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.integer({ min: -1, max: 21 }), (times, ms) => {
      const sorted = times.map((time, index) => ({ time, index })).sort((a, b) => a.time - b.time || a.index - b.index);
      const order = sortedOrder(times) ?? times.map((_, index) => index);
      expect([...order]).toEqual(sorted.map(({ index }) => index));
      expect(
        countUntil(
          sorted.map(({ time }) => time),
          ms
        )
      ).toBe(times.filter((time) => time <= ms).length);
      expect(
        countBefore(
          sorted.map(({ time }) => time),
          ms
        )
      ).toBe(times.filter((time) => time < ms).length);
    })
  );
});
