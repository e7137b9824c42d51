import { channelsOf } from './channels';
import { fillsOf } from './fills';
import { detailsOf, formatExact, formatTime, sideOfFill, signed } from './format';
import { field, frame, MAKER_BUY, series } from './testing/frames';

const NOON = Date.UTC(2026, 10, 24, 12);

test.each([
  ['to the millisecond', NOON + 7, 'utc', '2026-11-24 12:00:00.007'],
  ['to the microsecond where it is known', NOON + 7.25, 'utc', '2026-11-24 12:00:00.007250'],
  ['in a time zone', NOON, 'Asia/Tokyo', '2026-11-24 21:00:00.000'],
  ['without the noise of a fraction', NOON + 0.0001, 'utc', '2026-11-24 12:00:00.000'],
])('a time reads %s', (_name, ms, timeZone, text) => {
  expect(formatTime(ms, timeZone)).toBe(text);
});

test.each([
  ['no unit', {}, 64_000.53, '64000.53'],
  ['the unit that rounds', { unit: 'short' }, 64_000.53, '64000.53'],
  ['many digits', {}, 0.00001234, '0.00001234'],
])('a value with %s keeps its digits', (_name, config, value, text) => {
  expect(formatExact(field('x', 'number', [], { config }), value)).toBe(text);
});

test('a value with a unit of the user reads as the user wants it', () => {
  const one = {
    ...field('x', 'number', [], { config: { unit: 'currencyUSD' } }),
    display: (value: unknown) => ({ text: String(value), prefix: '$', numeric: 1 }),
  };
  expect(formatExact(one, 64_000.53)).toBe('$64000.53');
});

test.each([
  [1.234, '+1.23'],
  [-1.235, '−1.24'],
  [0, '0.00'],
  [-0.001, '0.00'],
])('%d has its sign', (value, text) => {
  expect(signed(value, 2)).toBe(text);
});

test('details of a fill are the other labels of its series, or the other columns of its row', () => {
  const labelled = fillsOf(
    channelsOf([series('shadow_fill_price', [1], [2], { labels: { ...MAKER_BUY, nth: '2', job: 'shadow' } })]).found,
    []
  );
  expect(detailsOf(labelled, 0)).toEqual([{ name: 'nth', text: '2' }]);
  const table = frame(
    'A',
    field('time', 'time', [1]),
    field('price', 'number', [2]),
    field('side', 'string', ['sell']),
    field('cause', 'string', ['queue']),
    field('order_id', 'number', [12]),
    field('note', 'string', [null])
  );
  const rows = fillsOf(channelsOf([table]).found, []);
  expect(detailsOf(rows, 0)).toEqual([
    { name: 'cause', text: 'queue' },
    { name: 'order_id', text: '12' },
  ]);
  expect([sideOfFill(labelled, 0), sideOfFill(rows, 0)]).toEqual(['buy', 'sell']);
});
