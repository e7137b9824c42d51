import type { DataFrame } from '@grafana/data';
import { suggestions } from './suggestions';
import { series } from './testing/frames';

const suited = [series('shadow_best_bid', [0], [1])];
const cases: Array<[string, DataFrame[], number]> = [
  ['a best price', suited, 1],
  ['fills', [series('shadow_fill_price', [0], [1])], 1],
  ['other series', [series('up', [0], [1])], 0],
  ['two symbols', [...suited, series('shadow_best_bid', [0], [1], { labels: { symbol: 'ETHUSDT' } })], 0],
  ['nothing', [], 0],
];

test.each(cases)('is suggested in the way of Grafana since 12.3 for %s: %p', (_name, rawFrames, count) => {
  expect(suggestions({ rawFrames }) ?? []).toHaveLength(count);
});

test.each(cases)('is suggested in the way of Grafana before for %s: %p', (_name, frames, count) => {
  const list: object[] = [];
  suggestions.getSuggestionsForData({
    data: { series: frames },
    getListAppender: (defaults) => ({ append: (one) => list.push({ ...defaults, ...one }) }),
  });
  expect(list).toHaveLength(count);
  expect(list.every((one) => 'pluginId' in one && one.pluginId === 'shadowmode-fills-panel')).toBe(true);
});
