import { kpisOf } from './kpis';
import { DEFAULTS } from './options';
import { MAKER_BUY, MAKER_SELL, pictureOf, series } from './testing/frames';

function header(values: { edge?: number; maker?: number; drift?: number }) {
  const one = (metric: string, value: number | undefined) =>
    value === undefined ? [] : [series(metric, [20], [value])];
  const picture = pictureOf(
    series('shadow_best_bid', [0, 20], [1, 2]),
    series('shadow_fill_price', [-5, 5, 20], [1, 1, 1], { labels: MAKER_BUY }),
    series('shadow_fill_price', [5], [1], { labels: MAKER_SELL }),
    ...one('shadow_edge_bps', values.edge),
    ...one('shadow_maker_taker_ratio', values.maker),
    ...one('shadow_clock_drift_ms', values.drift)
  );
  return new Map(kpisOf(picture, DEFAULTS, 0, 20).map(({ name, ...rest }) => [name, rest]));
}

test.each([
  ['Net edge', { edge: 2.49 }, '+2.49 bps', 'bad'],
  ['Net edge', { edge: 2.5 }, '+2.50 bps', 'good'],
  ['Net edge', { edge: -0.001 }, '0.00 bps', 'bad'],
  ['Net edge', {}, undefined, 'unknown'],
  ['Maker share', { maker: 0.8299 }, '82.99 %', 'bad'],
  ['Net edge', { edge: 2.4951 }, '+2.495 bps', 'bad'],
  ['Maker share', { maker: 0.83 }, '83.0 %', 'good'],
  ['Clock drift', { drift: -500 }, '−500.0 ms', 'good'],
  ['Clock drift', { drift: -500.1 }, '−500.1 ms', 'bad'],
  ['Clock drift', { drift: 501 }, '+501.0 ms', 'bad'],
  ['Markout 1s', {}, undefined, 'unknown'],
])('%s of %p reads %s and is %s', (name, values, text, verdict) => {
  expect(header(values).get(name)).toMatchObject({ text, verdict });
});

test('fills are counted in the time shown, by kind', () => {
  const counts = [
    { kind: 'makerBuy', count: 2 },
    { kind: 'makerSell', count: 1 },
  ];
  expect(header({}).get('Fills')).toMatchObject({ text: '3', verdict: 'plain', counts });
});
