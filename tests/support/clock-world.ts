import type { ClockChange } from '../../collector/src/clock/exchange-clock.ts';
import { ExchangeClock, TICK_US } from '../../collector/src/clock/exchange-clock.ts';
import type { OffsetEstimate } from '../../collector/src/clock/offset-estimator.ts';
import { ProbeSchedule } from '../../collector/src/clock/probe-schedule.ts';
import type { BookEvent, ProbeEvent } from '../../collector/src/events.ts';
import type { Us } from '../../collector/src/units.ts';

const { floor, log, max, imul } = Math;

const MS = 1_000;
const S = 1_000_000;
const HOUR_US = 3_600 * S;
/** True time at the start. */
const START_US: Us = 1_760_000_000 * S;
const MONO_START_US: Us = 5 * S;

/** One way of a path: a least delay, and an exponential one on top, in ms. */
export interface Way {
  readonly leastMs: number;
  readonly jitterMs: number;
}

/** Two clocks and the paths between them. Times are seconds since the start. */
export interface World {
  readonly seconds: number;
  /** Local − exchange at the start, and its rate of change. */
  readonly offsetMs: number;
  readonly skewPpm: number;
  readonly messagesPerS: number;
  /** From the exchange, and to it. */
  readonly inbound: Way;
  readonly outbound: Way;
  readonly feedStampUs: Us;
  readonly probeStampUs: Us;
  /** Share of probes that get no answer; of the others as many have one way delayed by a retransmission. */
  readonly loss: number;
  /** Every so often everything that is on its way in waits for so long. */
  readonly burst?: { readonly everyS: number; readonly ms: number };
  /** The exchange's clock goes forward by so much. */
  readonly serverStep?: { readonly atS: number; readonly ms: number };
  /** The local wall clock goes forward by so much. */
  readonly wallStep?: { readonly atS: number; readonly ms: number };
  /** No probe is answered in that time. */
  readonly outage?: { readonly fromS: number; readonly toS: number };
  /** From then on the clock that stamps the feed is ahead of the one that answers probes, which is the exchange's. */
  readonly feedAhead?: { readonly atS: number; readonly ms: number };
  /** So many of the first answers, and one of a hundred later, are an hour off. */
  readonly wrongAnswers?: number;
  readonly route?: { readonly atS: number; readonly inMs: number; readonly outMs: number };
}

export interface Solve {
  readonly atS: number;
  readonly estimate: OffsetEstimate;
  readonly trueOffsetUs: Us;
  /** What an NTP client would say: the offset of the sample with the least delay of the last eight. */
  readonly ntpOffsetUs: Us;
}

export interface Outcome {
  readonly solves: readonly Solve[];
  readonly changes: readonly { readonly atS: number; readonly change: ClockChange }[];
  readonly clock: ExchangeClock;
}

const NONE: readonly number[] = [];
const PHI = 15e-6;

/** RFC 5905 §10, the clock filter: eight stages; the sample with the least delay, its dispersion by age included, gives the offset. */
class NtpFilter {
  readonly #stages: { readonly offsetUs: Us; readonly delayUs: Us; readonly atUs: Us }[] = [];

  add(sentUs: Us, serverUs: Us, receivedUs: Us): void {
    const offsetUs = (sentUs - serverUs + (receivedUs - serverUs)) / 2;
    this.#stages.push({ offsetUs, delayUs: receivedUs - sentUs, atUs: receivedUs });
    if (this.#stages.length > 8) this.#stages.shift();
  }

  offsetUs(nowUs: Us): Us {
    const distance = ({ delayUs, atUs }: { delayUs: Us; atUs: Us }): number => delayUs / 2 + PHI * (nowUs - atUs);
    return this.#stages.reduce((best, stage) => (distance(stage) < distance(best) ? stage : best)).offsetUs;
  }
}

/** Lives through a world: messages, probes and ticks in the order in which a collector would see them. */
export function live(world: World, seed: number): Outcome {
  const random = uniform(seed);
  const changes: { atS: number; change: ClockChange }[] = [];
  const solves: Solve[] = [];
  let trueS = 0;
  const schedule = new ProbeSchedule(random);
  const clock = new ExchangeClock({ feedUs: world.feedStampUs, probeUs: world.probeStampUs }, (change) => {
    if (change === 'suspicion') schedule.hurry();
    else changes.push({ atS: trueS, change });
  });
  const ntp = new NtpFilter();
  const monoAt = (s: number): Us => floor(0.5 + MONO_START_US + s * S * (1 + world.skewPpm * 1e-6));
  const localAt = (s: number): Us => monoAt(s) - MONO_START_US + START_US + world.offsetMs * MS;
  const exchangeAt = (s: number): Us => START_US + s * S + (stepped(world.serverStep, s) ?? 0) * MS;
  const wallAt = (s: number): Us => localAt(s) + (stepped(world.wallStep, s) ?? 0) * MS;
  const stamp = (us: Us, granularityUs: Us): Us => floor(us / granularityUs) * granularityUs;
  const delayS = (way: Way, s: number, shiftMs: number | undefined): number =>
    (way.leastMs + (stepped({ atS: world.route?.atS ?? Infinity, ms: shiftMs ?? 0 }, s) ?? 0) + jitter(way)) / 1e3;
  const jitter = ({ jitterMs }: Way): number => (jitterMs === 0 ? 0 : -jitterMs * log(1 - random()));
  const held = (s: number): number => {
    if (world.burst === undefined) return s;
    const intoS = s % world.burst.everyS;
    return intoS * 1e3 < world.burst.ms ? s - intoS + world.burst.ms / 1e3 : s;
  };

  clock.begin({ receiveTimeUs: wallAt(0), monoUs: monoAt(0) });
  let probes = 0;
  let lastArrivalS = 0;
  let nextMessageS = 0;
  let ticksAtUs = (1 + floor(monoAt(0) / TICK_US)) * TICK_US;
  const answers: { readonly atS: number; readonly event: ProbeEvent }[] = [];

  const message = (sentS: number): void => {
    const arrivalS = (lastArrivalS = max(lastArrivalS, held(sentS + delayS(world.inbound, sentS, world.route?.inMs))));
    const publishTimeUs = stamp(exchangeAt(sentS) + (stepped(world.feedAhead, sentS) ?? 0) * MS, world.feedStampUs);
    const event: BookEvent = {
      kind: 'book',
      symbol: 'X',
      channel: 'orderbook.50',
      depth: 50,
      snapshot: false,
      sequence: 1,
      exchangeTimeUs: publishTimeUs,
      publishTimeUs,
      receiveTimeUs: wallAt(arrivalS),
      monoUs: monoAt(arrivalS),
      bids: NONE,
      asks: NONE,
    };
    clock.onMessage(event, publishTimeUs);
  };
  const probe = (sentS: number): void => {
    const monoUs = monoAt(sentS);
    schedule.sent(monoUs);
    const retransmitS = (): number => (random() < world.loss ? 0.2 : 0);
    const thereS = sentS + delayS(world.outbound, sentS, world.route?.outMs) + retransmitS();
    const backS = held(thereS + delayS(world.inbound, thereS, world.route?.inMs)) + retransmitS();
    const { fromS = Infinity, toS = 0 } = world.outage ?? {};
    const lost = random() < world.loss || backS - sentS > 2 || (sentS >= fromS && sentS < toS);
    probes++;
    const wrong = world.wrongAnswers !== undefined && (probes <= world.wrongAnswers || random() < 0.01);
    const atS = lost ? sentS + 2 : backS;
    const serverTimeUs = lost ? undefined : stamp(exchangeAt(thereS), world.probeStampUs) + (wrong ? HOUR_US : 0);
    const result = lost ? ('timeout' as const) : ('ok' as const);
    const stamps = { receiveTimeUs: wallAt(atS), monoUs: monoAt(atS) };
    answers.push({
      atS,
      event: {
        kind: 'probe',
        result,
        sentMonoUs: monoUs,
        answeredMonoUs: lost ? undefined : stamps.monoUs,
        serverTimeUs,
        ...stamps,
      },
    });
  };

  for (; trueS < world.seconds; trueS++) {
    while (nextMessageS < trueS + 1) {
      message(nextMessageS);
      nextMessageS += -log(1 - random()) / world.messagesPerS;
    }
    if (schedule.dueUs < monoAt(trueS + 1)) probe(max(trueS, (schedule.dueUs - MONO_START_US) / S));
    while (answers.length > 0 && answers[0]!.atS <= trueS + 1) {
      const { event } = answers.shift()!;
      clock.onProbe(event);
      if (event.serverTimeUs === undefined) continue;
      ntp.add(clock.localUs(event.sentMonoUs), event.serverTimeUs, clock.localUs(event.answeredMonoUs!));
    }
    for (; ticksAtUs <= monoAt(trueS + 1); ticksAtUs += TICK_US) {
      clock.tick(ticksAtUs);
      const localUs = clock.localUs(ticksAtUs);
      const estimate = clock.estimator.at(localUs);
      if (estimate === undefined || (ticksAtUs / TICK_US) % 5 !== 0) continue;
      const atS = (ticksAtUs - MONO_START_US) / S / (1 + world.skewPpm * 1e-6);
      const trueOffsetUs = localAt(atS) - exchangeAt(atS);
      solves.push({ atS, estimate, trueOffsetUs, ntpOffsetUs: ntp.offsetUs(localUs) });
    }
  }
  return { solves, changes, clock };
}

const stepped = (step: { readonly atS: number; readonly ms: number } | undefined, s: number): number | undefined =>
  step === undefined || s < step.atS ? undefined : step.ms;

/** mulberry32 (T. Ettinger 2017): uniform in [0, 1), one stream a seed; a simulated hour draws some 150 000. */
function uniform(seed: number): () => number {
  let state = imul(seed, 0x9e37_79b1);
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
