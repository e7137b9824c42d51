import type { Fill, LiveHistory, LiveKpis, LiveSamples } from '@shadow-mode/schema';
import * as fc from 'fast-check';
import { kpiAt, readFrames } from '../../src/frames';
import { sideOfFill } from '../../src/format';
import { frameOf } from '../host/frames';
import { dataOf, framesOf, shownRange, withUpdate } from './data';

const KPIS: LiveKpis = {
  edge_bps: 3,
  maker_taker_ratio: 0.9,
  latency_ms: 20,
  risk_ratio: 0.1,
  clock_drift_ms: 16,
  markouts_bps: { '100ms': null, '1s': -0.5, '5s': null, '30s': null, '60s': null },
  fills: 2,
};

const samplesAt = (times: readonly number[]): LiveSamples => ({
  times_ms: [...times],
  bid: times.map((ms) => 100 + ms),
  ask: times.map((ms) => 101 + ms),
  quote_buy: times.map(() => 90),
  quote_sell: times.map(() => null),
  drift_ms: times.map(() => 16),
  offset_ms: times.map(() => null),
  uncertainty_ms: times.map(() => null),
  latency_ms: times.map(() => 20),
});

const fillAt = (timeUs: number): Fill => ({
  time_us: timeUs,
  symbol: 'BTCUSDT',
  side: 'sell',
  price: 64_000.5,
  quantity: 0.015,
  liquidity: 'maker',
  cause: 'dwell',
  order_id: 7,
  late_cancel: false,
});

const historyOf = (times: readonly number[], fillsUs: readonly number[]): LiveHistory => ({
  symbol: 'BTCUSDT',
  samples: samplesAt(times),
  fills: fillsUs.map(fillAt),
  kpis: KPIS,
  given_up_fills: 0,
});

test('updates put together are the history they were cut from, as far as it is kept', () => {
  const times = fc
    .uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 2, maxLength: 40 })
    .map((all) => all.sort((a, b) => a - b));
  fc.assert(
    fc.property(times, fc.nat(), fc.integer({ min: 1, max: 300 }), (all, cut, keptMs) => {
      const at = 1 + (cut % (all.length - 1));
      const fills = all.map((ms) => ms * 1_000 + 1);
      const first = dataOf(historyOf(all.slice(0, at), fills.slice(0, at)));
      const { kpis: _, ...rest } = historyOf(all.slice(at), fills.slice(at));
      const whole = withUpdate(first, rest, keptMs);
      const kept = all.filter((ms) => ms >= all.at(-1)! - keptMs);
      expect(whole.samples).toEqual(samplesAt(kept));
      expect(whole.fills.map(({ time_us }) => time_us)).toEqual(
        fills.filter((us) => us >= (all.at(-1)! - keptMs) * 1_000)
      );
      expect(whole.kpis).toEqual(KPIS);
    })
  );
});

test.each([
  ['a run that has just begun', [1_000], { from: -29_000, to: 1_000 }],
  ['a young one', [0, 45_000], { from: 0, to: 45_000 }],
  ['an old one', [0, 400_000], { from: 100_000, to: 400_000 }],
])('%s shows what there is, and no more than was asked for', (_name, times, range) => {
  expect(shownRange(dataOf(historyOf(times, [])), 300_000)).toEqual(range);
});

test.each([
  ['inside is shown as it is', { from: 10_000, to: 20_000 }, { from: 10_000, to: 20_000 }],
  [
    'that goes back further than is kept begins with what is kept',
    { from: -50_000, to: 20_000 },
    { from: 0, to: 20_000 },
  ],
  ['that has left what is kept is given up', { from: -50_000, to: -20_000 }, { from: 0, to: 45_000 }],
  ['of the future is given up', { from: 46_000, to: 50_000 }, { from: 0, to: 45_000 }],
])('a zoomed time %s', (_name, zoomed, range) => {
  expect(shownRange(dataOf(historyOf([0, 45_000], [])), 300_000, zoomed)).toEqual(range);
});

test('where fills were given up nothing of before the first kept one is shown: their number is not known', () => {
  const data = dataOf({ ...historyOf([0, 100_000], [60_000_000, 90_000_000]), given_up_fills: 3 });
  expect(shownRange(data, 300_000)).toEqual({ from: 60_000, to: 100_000 });
  expect(shownRange(data, 300_000, { from: 10_000, to: 80_000 })).toEqual({ from: 60_000, to: 80_000 });
});

test('nothing is shown before the first sample', () => {
  expect(shownRange(dataOf(historyOf([], [])), 300_000)).toBeUndefined();
});

test('the panel reads from the frames what was told, to the microsecond', () => {
  const frames = framesOf(dataOf(historyOf([1_000, 1_250, 9_000], [1_800_000_000_123_456])), 250).map(frameOf);
  const { picture } = readFrames(frames, '1s');
  expect(picture!.notices).toEqual([]);
  expect(picture!.lines.bid!.values).toEqual([1_100, 1_350, null, 9_100]);
  expect(picture!.lines.quoteSell!.values).toEqual([null, null, null, null]);
  const kpis = (ms: number) => (['edge', 'makerShare', 'markout'] as const).map((role) => kpiAt(picture!, role, ms));
  expect(kpis(9_000)).toEqual([3, 0.9, -0.5]);
  // They are of now, not of a time that is zoomed into.
  expect(kpis(1_250)).toEqual([null, null, null]);
  const { fills } = picture!;
  expect([Math.round(fills.times[0]! * 1_000), fills.prices[0], fills.sizes[0], sideOfFill(fills, 0)]).toEqual([
    1_800_000_000_123_456,
    64_000.5,
    0.015,
    'sell',
  ]);
});
