// What the clock costs: nanoseconds a message in the estimator and the histograms together, and milliseconds a solve with full rings. Prints JSON.
import { ExchangeClock } from '../../dist/clock/exchange-clock.js';
import { BucketHistogram } from '../../dist/clock/histogram.js';
import { FEED_LATENCY_BUCKETS, FeedLatency } from '../../dist/clock/latency.js';

const ROUNDS = 15;
const BATCH = 10_000;
const PASSES = 100;
/** 20 messages a second, as of one symbol; a message sees the estimator as it is after a quarter of an hour with probes. */
const SPACING_US = 50_000;
const T0 = 1_760_000_000_000_000;
const S = 1_000_000;

/** Delays that repeat, so that drawing them costs nothing: 20 ms and an exponential of 5 ms. */
const DELAYS = Float64Array.from({ length: 4_096 }, (_, at) => {
  const uniform = (Math.imul(at + 1, 2_654_435_761) >>> 0) / 2 ** 32;
  return Math.round(20_000 - 5_000 * Math.log(1 - uniform));
});
const pool = Array.from(DELAYS, () => ({
  kind: 'trade',
  snapshot: false,
  monoUs: 0,
  receiveTimeUs: 0,
  exchangeTimeUs: 0,
}));

/** A clock that has seen fifteen minutes of messages and probes. */
function seasoned() {
  const clock = new ExchangeClock({ feedUs: 1_000, probeUs: 1 });
  clock.begin({ receiveTimeUs: T0, monoUs: 0 });
  let nowUs = 0;
  for (let second = 1; second <= 900; second++) {
    for (; nowUs < second * S; nowUs += SPACING_US) message(clock, nowUs, nowUs / SPACING_US);
    if (second % 5 === 0) probe(clock, nowUs, second);
    clock.tick(second * S);
  }
  if (!clock.estimator.ready) throw new Error('the estimator is not ready');
  return { clock, nowUs };
}

function message(clock, nowUs, at) {
  const event = pool[at & 4_095];
  event.monoUs = nowUs;
  event.receiveTimeUs = T0 + nowUs;
  const publishTimeUs = T0 + nowUs - DELAYS[at & 4_095];
  event.exchangeTimeUs = publishTimeUs - 2_000;
  clock.onMessage(event, publishTimeUs);
}

function probe(clock, nowUs, at) {
  const [there, back] = [DELAYS[(7 * at) & 4_095], DELAYS[(13 * at) & 4_095]];
  clock.onProbe({
    kind: 'probe',
    result: 'ok',
    sentMonoUs: nowUs,
    serverTimeUs: T0 + nowUs + there,
    answeredMonoUs: nowUs + there + back,
    monoUs: nowUs + there + back,
    receiveTimeUs: T0 + nowUs + there + back,
  });
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Frames as a decoder makes them, one object each. */
function framesFrom(nowUs) {
  return Array.from({ length: BATCH }, (_, at) => {
    const publishTimeUs = T0 + nowUs + at - DELAYS[at & 4_095];
    return {
      kind: 'trade',
      monoUs: nowUs + at,
      receiveTimeUs: T0 + nowUs + at,
      exchangeTimeUs: publishTimeUs - 2_000,
      publishTimeUs,
    };
  });
}

/** Per message: drift, offset estimator, publish delay, one-way latency into the window's and the run's histogram; less a loop that only reads the frames. */
function messageNs() {
  const { clock, nowUs } = seasoned();
  const frames = framesFrom(nowUs);
  const window = new FeedLatency();
  const total = new BucketHistogram(FEED_LATENCY_BUCKETS);
  let sink = 0;
  const spin = () => {
    const start = process.cpuUsage();
    for (let pass = 0; pass < PASSES; pass++) {
      for (let at = 0; at < BATCH; at++) sink += frames[at].receiveTimeUs - frames[at].publishTimeUs;
    }
    return elapsedNs(start);
  };
  const work = () => {
    const start = process.cpuUsage();
    for (let pass = 0; pass < PASSES; pass++) {
      for (let at = 0; at < BATCH; at++) {
        const event = frames[at];
        clock.onMessage(event, event.publishTimeUs);
        const oneWayUs = clock.oneWayUs(event.monoUs, event.publishTimeUs);
        window.record(event.receiveTimeUs - event.publishTimeUs, oneWayUs);
        total.record(oneWayUs < 0 ? 0 : oneWayUs);
      }
    }
    return elapsedNs(start);
  };
  for (let warm = 0; warm < 3; warm++) {
    spin();
    work();
  }
  const rounds = Array.from({ length: ROUNDS }, () => (work() - spin()) / (PASSES * BATCH));
  if (sink === 0) throw new Error('nothing was measured');
  return median(rounds);
}

const elapsedNs = (start) => {
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1e3;
};

function solveMs() {
  const { clock, nowUs } = seasoned();
  const localUs = clock.localUs(nowUs);
  for (let at = 0; at < 200; at++) clock.estimator.solve(localUs);
  return median(
    Array.from({ length: ROUNDS }, () => {
      const start = process.cpuUsage();
      for (let at = 0; at < 200; at++) clock.estimator.solve(localUs);
      return elapsedNs(start) / 200 / 1e6;
    }),
  );
}

console.log(JSON.stringify({ messageNs: messageNs(), solveMs: solveMs() }));
