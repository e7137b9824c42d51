import type { DataFrame } from '@grafana/data';
import * as fc from 'fast-check';
import type { Picture } from './frames';
import { kpiAt, readFrames } from './frames';
import { field, frame, MAKER_BUY, pictureOf, series } from './testing/frames';

const TIMES = [0, 10, 20];

const book = [series('shadow_best_bid', TIMES, [1, 2, 3]), series('shadow_best_ask', TIMES, [2, 3, 4])];

describe('data with nothing to draw say what is missing', () => {
  test.each<[string, DataFrame[], string]>([
    ['no series', [], 'No series came. Expected are shadow_best_bid'],
    ['empty frames', [frame('A')], 'No series came.'],
    ['no time', [frame('A', field('price', 'number', [1]))], 'No field of type time came, only price.'],
    [
      'a role without a time',
      [frame('bid', field('shadow_best_bid', 'number', [1]))],
      'Best bid has no field of type time beside it.',
    ],
    [
      'text',
      [frame('A', field('Time', 'time', TIMES), field('shadow_best_bid', 'string', ['64000.5']))],
      'Best bid is text ("64000.5"), a number is expected',
    ],
    [
      'NaN alone',
      [series('shadow_best_bid', TIMES, [NaN, NaN, NaN])],
      'Best bid came with 3 samples, none of which is a number at a time.',
    ],
    [
      'no samples',
      [series('shadow_best_bid', [], []), series('shadow_fill_price', [], [])],
      'Best bid, Fill price came without a sample in this time.',
    ],
    [
      'two symbols',
      [...book, series('shadow_best_bid', TIMES, [1, 2, 3], { labels: { symbol: 'ETHUSDT' } })],
      'Series of 2 symbols came (BTCUSDT, ETHUSDT)',
    ],
    ['nothing that is known', [series('up', TIMES, [1, 1, 1])], 'None of the series is one that this panel knows: up.'],
    [
      'fills of a range query alone',
      [series('shadow_fill_price', TIMES, [1, 1, 1], { intervalMs: 10 })],
      'Fills are not drawn: they come from a range query',
    ],
  ])('%s', (_name, frames, sentence) => {
    expect(readFrames(frames, '1s').problem).toContain(sentence);
  });
});

describe('data that are not all there are drawn as far as they go, and say what is missing', () => {
  test.each<[string, DataFrame[], string]>([
    ['one point', [series('shadow_best_bid', [5], [1]), book[1]!], 'Only one sample of Best bid: a point, not a line.'],
    ['no ask', [book[0]!], 'Best ask not known in this time.'],
    ['no fills', book, 'No series of fills came'],
    [
      'text beside numbers',
      [...book, frame('drift', field('Time', 'time', TIMES), field('shadow_clock_drift_ms', 'string', ['a']))],
      'Clock drift is text ("a")',
    ],
    [
      'times out of order',
      [series('shadow_best_bid', [20, 0, 10], [3, 1, 2]), book[1]!],
      'The times of Best bid were not in order',
    ],
  ])('%s', (_name, frames, sentence) => {
    expect(pictureOf(...frames).notices.join(' ')).toContain(sentence);
  });
});

describe('the header', () => {
  const kpi = (metric: string, value: unknown, labels = {}): DataFrame => series(metric, [20], [value], { labels });

  const values = (read: Picture) => (['edge', 'makerShare', 'markout'] as const).map((role) => kpiAt(read, role, 20));

  test('takes each value from its own series, the markout from that of the horizon', () => {
    const read = pictureOf(
      ...book,
      kpi('shadow_edge_bps', 3),
      kpi('shadow_maker_taker_ratio', 0.9),
      kpi('shadow_markout_bps', 1, { horizon: '5s' }),
      kpi('shadow_markout_bps', 2, { horizon: '1s' })
    );
    expect(values(read)).toEqual([3, 0.9, 2]);
  });

  test('knows nothing of what is absent, NaN, or told by two', () => {
    const read = pictureOf(
      ...book,
      kpi('shadow_edge_bps', NaN),
      kpi('shadow_maker_taker_ratio', 1, { instance: 'a' }),
      kpi('shadow_maker_taker_ratio', 0, { instance: 'b' })
    );
    expect(values(read)).toEqual([null, null, null]);
  });

  test('tells no value of after the time shown, nor one of long before', () => {
    const edge = series('shadow_edge_bps', [10_000, 0, 5_000], [3, 1, 2], { intervalMs: 5_000 });
    const read = pictureOf(...book, edge);
    expect([-2_000, 4_000, 12_000, 30_000].map((ms) => kpiAt(read, 'edge', ms))).toEqual([null, 1, 3, null]);
  });

  test('no series of fills is no knowledge of them, an empty one is none', () => {
    expect(pictureOf(...book).fillsKnown).toBe(false);
    expect(pictureOf(...book, series('shadow_fill_price', [], [], { labels: MAKER_BUY })).fillsKnown).toBe(true);
  });

  test('has no drift once its series has ended', () => {
    const read = pictureOf(...book, series('shadow_clock_drift_ms', [0, 10], [7, 8], { intervalMs: 10 }));
    expect([kpiAt(read, 'drift', 12), kpiAt(read, 'drift', 60)]).toEqual([8, null]);
  });
});

const anything = fc.oneof(
  fc.double(),
  fc.string(),
  fc.constant(null),
  fc.constant(undefined),
  fc.boolean(),
  fc.integer({ min: 0, max: 50 })
);
const name = fc.constantFrom(
  'Time',
  'time',
  'price',
  'size',
  'side',
  'shadow_best_bid',
  'shadow_fill_price',
  'shadow_fill_size',
  'shadow_clock_offset_ms',
  'shadow_clock_offset_uncertainty_ms',
  'x'
);
const labels = fc.dictionary(
  fc.constantFrom('symbol', 'side', 'liquidity', '__name__'),
  fc.constantFrom('buy', 'maker', 'BTCUSDT', 'shadow_best_ask')
);
const anyField = fc
  .record({
    name,
    type: fc.constantFrom('time', 'number', 'string', 'boolean', 'other'),
    values: fc.array(anything, { maxLength: 8 }),
    labels,
  })
  .map((one) => field(one.name, one.type, one.values, { labels: one.labels }));
const anyFrame = fc
  .tuple(fc.constantFrom('A', 'bid', 'fills', 'offset'), fc.array(anyField, { maxLength: 4 }))
  .map(([refId, fields]) => frame(refId, ...fields));

/** A write to it throws. */
const frozen = (one: DataFrame): DataFrame => {
  one.fields.forEach((column) => [column, column.values, column.labels, column.config].forEach(Object.freeze));
  return Object.freeze({ ...one, fields: Object.freeze(one.fields) as typeof one.fields });
};

test('whatever comes is either drawn or explained, and left as it was', () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 5 }), (frames) => {
      const reading = readFrames(frames.map(frozen), '1s');
      if (reading.problem !== undefined) {
        expect(reading.problem).toMatch(/\w.*[.?;]|"$/);
        return;
      }
      const { lines, fills } = reading.picture;
      for (const { times, values } of Object.values(lines)) {
        expect(times.every((ms, index) => Number.isFinite(ms) && (index === 0 || ms >= times[index - 1]!))).toBe(true);
        expect(values.every((value) => value === null || Number.isFinite(value))).toBe(true);
      }
      expect([...fills.times].every((ms, index) => index === 0 || ms >= fills.times[index - 1]!)).toBe(true);
      expect([...fills.prices].every(Number.isFinite)).toBe(true);
    }),
    { numRuns: 1_000 }
  );
});
