import type { World } from '../support/clock-world.ts';

/** One world a scenario of the specification; an hour each where errors are judged, less where it is enough. Delays: 20 ms at least and exponential jitter of 5 ms in the mean, each way. */
const HOUR = 3_600;
const near = { leastMs: 20, jitterMs: 5 };
const jittery = { leastMs: 20, jitterMs: 40 };

export const SYMMETRIC: World = {
  seconds: HOUR,
  offsetMs: 37,
  skewPpm: 20,
  messagesPerS: 20,
  inbound: near,
  outbound: near,
  feedStampUs: 1_000,
  probeStampUs: 1,
  loss: 0,
};

const HALF: World = { ...SYMMETRIC, seconds: HOUR / 2 };
/** When a world changes: after all that is remembered is full. */
export const CHANGE_S = 1_200;
/** Until all of before has been forgotten, and some more. */
const CHANGING: World = { ...SYMMETRIC, seconds: CHANGE_S + 1_200 };
export const STEPS_MS = [15, -15, 120, -120] as const;

export const WORLDS = {
  symmetric: SYMMETRIC,
  'large-offset': { ...HALF, offsetMs: -10_800_000 },
  drift: { ...SYMMETRIC, skewPpm: -50 },
  jitter: { ...SYMMETRIC, inbound: jittery, outbound: jittery },
  asymmetric: { ...SYMMETRIC, inbound: { leastMs: 60, jitterMs: 5 } },
  burst: { ...HALF, burst: { everyS: 17, ms: 900 } },
  'packet-loss': { ...HALF, loss: 0.2 },
  'wall-step': { ...SYMMETRIC, seconds: 900, wallStep: { atS: 450, ms: -2_000 } },
  'quiet-symbol': { ...SYMMETRIC, messagesPerS: 0.05 },
  'coarse-stamp': { ...HALF, probeStampUs: 50_000 },
  'route-change in longer': { ...CHANGING, route: { atS: CHANGE_S, inMs: 20, outMs: 0 } },
  'route-change out shorter': { ...CHANGING, route: { atS: CHANGE_S, inMs: 0, outMs: -15 } },
  'route-change in shorter': { ...CHANGING, route: { atS: CHANGE_S, inMs: -12, outMs: 0 } },
  'route-change out shorter, jitter': {
    ...CHANGING,
    inbound: jittery,
    outbound: jittery,
    route: { atS: CHANGE_S, inMs: 0, outMs: -15 },
  },
  'probe-outage': { ...SYMMETRIC, outage: { fromS: CHANGE_S, toS: CHANGE_S + 1_500 }, seconds: 3_600 },
  'wrong-stamps': { ...HALF, wrongAnswers: 2 },
  'other-clock': {
    ...HALF,
    inbound: { leastMs: 1, jitterMs: 0.3 },
    outbound: { leastMs: 1, jitterMs: 0.3 },
    feedAhead: { atS: 0, ms: 5 },
  },
} satisfies Record<string, World>;

export const serverStep = (ms: number): World => ({
  ...SYMMETRIC,
  seconds: CHANGE_S + 600,
  serverStep: { atS: CHANGE_S, ms },
});
