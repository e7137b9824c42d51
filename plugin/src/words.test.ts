import { sceneOf } from './scene';
import { MAKER_BUY, MAKER_SELL, pictureOf, series, TAKER_BUY } from './testing/frames';
import { announcement, fillAmounts, fillName, lineText, nameOfPart, summary, timeShown } from './words';

const picture = pictureOf(
  series('shadow_best_bid', [0, 20], [10, 11.5], { config: { displayName: 'Bid of Bybit' } }),
  series('shadow_fill_price', [0, 10], [10.5, 10], { labels: MAKER_BUY }),
  series('shadow_fill_size', [10], [0.004], { labels: MAKER_BUY }),
  series('shadow_fill_price', [5], [13], { labels: TAKER_BUY }),
  series('shadow_fill_price', [15], [14], { labels: MAKER_SELL }),
  series('shadow_clock_offset_ms', [0], [5]),
  series('shadow_clock_offset_uncertainty_ms', [0], [1.25])
);

test('parts go by the name of the user, or their own', () => {
  expect(['bid', 'taker', 'offset', 'drift'].map((part) => nameOfPart(picture, part as 'bid'))).toEqual([
    'Bid of Bybit',
    'Taker',
    'Clock offset ± uncertainty',
    'Clock drift',
  ]);
});

test('fills tell kind, size and price; a size that is not known is no 0', () => {
  const texts = [0, 1, 2, 3].map((index) => `${fillName(picture, index)} ${fillAmounts(picture, index)}`);
  expect(texts).toEqual([
    'Maker buy size not known @ 10.5',
    'Taker buy size not known @ 13',
    'Maker buy 0.004 @ 10',
    'Maker sell size not known @ 14',
  ]);
});

test('lines tell their value at a time, the offset its band', () => {
  expect(lineText(picture, 'bid', 25)).toBe('11.5');
  expect(lineText(picture, 'offset', 5)).toBe('5 ± 1.25 ms');
  expect(lineText(picture, 'drift', 5)).toBe('not known');
});

test('a screen reader is told what there is, and where the keyboard is', () => {
  expect(summary(picture, [1, 12])).toBe('2 virtual fills of BTCUSDT: 1 maker buy, 1 taker');
  expect(timeShown([1, 12], 'utc')).toMatch(/^From 1970-01-01 00:00:00.001 to .*012\. Arrow keys walk/);
  const scene = sceneOf(picture, new Set(['taker']), true);
  expect(announcement(scene, 2, [0, 20], 'utc')).toBe('Fill 2 of 3: Maker buy 0.004 @ 10 at 00:00:00.010');
});

test('only fills of the time shown are counted where the keyboard is', () => {
  const scene = sceneOf(picture, new Set(), true);
  expect(announcement(scene, 2, [8, 12], 'utc')).toMatch(/^Fill 1 of 1: /);
});

test('a unit that the user chose is told once', () => {
  const config = { unit: 'ms' };
  const [own] = [pictureOf(series('shadow_latency_ms', [0], [1_500.25], { config }))];
  const field = { ...own.lines.latency!.field, display: () => ({ text: '1.50', suffix: ' s', numeric: 1.5 }) };
  const latency = { ...own.lines.latency!, field };
  expect(lineText({ ...own, lines: { latency } }, 'latency', 0)).toBe('1.50 s');
  expect(lineText(pictureOf(series('shadow_latency_ms', [0], [1_500.25])), 'latency', 0)).toBe('1500.25 ms');
});
