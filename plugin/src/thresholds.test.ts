import { clockRange } from './thresholds';

const limits = [
  { value: 350, label: 'latency' },
  { value: 500, label: 'drift' },
  { value: -500, label: 'drift' },
];

test.each([
  ['of small values leaves the limits out, which would press them flat', 2, 30, 0, 33.6],
  ['reaches a limit that is near', 2, 180, 0, 392],
  ['reaches the next one too', 2, 260, 0, 560],
  ['goes below zero with its values', -10, 10, -12.4, 12.4],
  ['reaches a limit below zero', -300, 10, -561.2, 71.2],
  ['of nothing is something', null, null, -1, 1],
  ['of zero is something', 0, 0, -1, 1],
])('the axis of the clock pane %s', (_name, low, high, from, to) => {
  const [start, end] = clockRange(low, high, limits);
  expect(start).toBeCloseTo(from, 9);
  expect(end).toBeCloseTo(to, 9);
});
