import type { BookEvent, ProbeEvent, ProbeResult, ReceiveStamps, TradeEvent } from '../events.ts';
import { PROBE_RESULTS } from '../events.ts';
import type { Us } from '../units.ts';
import { msFromUs, US_PER_S } from '../units.ts';
import { BUCKET_US } from './bound-ring.ts';
import { DriftEwma } from './drift.ts';
import { BucketHistogram } from './histogram.ts';
import { FEED_LATENCY_BUCKETS } from './latency.ts';
import { OffsetBound } from './offset-bound.ts';
import type { EstimatorChange, StampGranularity } from './offset-estimator.ts';
import { OffsetEstimator } from './offset-estimator.ts';
import { WallSteps } from './wall-steps.ts';

/** What happened to the clocks, for whoever keeps a log or makes probes. */
export type ClockChange = EstimatorChange | 'synced' | 'unsynced' | 'wall-step' | 'suspicion';

/** What is published of the clocks at a moment. */
export interface ClockReading {
  /** The offset has been measured: from both sides, with a band. */
  readonly synced: boolean;
  /** There are no probes: the offset is an upper bound by the fastest messages, with the least delay of the path in it. */
  readonly oneSided: boolean;
  /** Local − exchange; + is local ahead. */
  readonly offsetUs: Us | undefined;
  /** The truth lies within offset ± this; undefined when nothing bounds it from below. */
  readonly uncertaintyUs: Us | undefined;
  /** Rate of change of the offset. */
  readonly skewPpm: number | undefined;
}

/** Exchange time is not taken to be further off local time than this. */
const MAX_ASSUMED_US: Us = 3_600 * US_PER_S;
/** How often `tick` is to be called, and every which of them the offset is worked out anew. */
export const TICK_US: Us = US_PER_S;
const TICKS_PER_SOLVE = BUCKET_US / TICK_US;

/**
 * All that is known of the exchange's clock: drift, offset, latency, steps. Local time here is the monotonic clock, set once to what the wall clock showed:
 * it does not step. Pure: stamps in, numbers out.
 */
export class ExchangeClock {
  /** Over the messages of all symbols; by the wall clock, steps included. */
  readonly drift = new DriftEwma();
  readonly estimator: OffsetEstimator;
  /** Matching engine to wire, by the exchange's own stamps. */
  readonly publishDelay = new BucketHistogram(FEED_LATENCY_BUCKETS);
  /** Messages stamped as published before they were matched. */
  publishDelayNegatives = 0;
  readonly probeRtt = new BucketHistogram(FEED_LATENCY_BUCKETS);
  readonly probes = Object.fromEntries(PROBE_RESULTS.map((result) => [result, 0])) as Record<ProbeResult, number>;
  /** Steps of the exchange's clock against local time. */
  exchangeSteps = 0;
  readonly #onChange: (change: ClockChange) => void;
  readonly #bound = new OffsetBound();
  readonly #wall = new WallSteps();
  #localMinusMonoUs: Us = 0;
  /** Of the last message; NaN before one, since a field that once was undefined would allocate at every store. */
  #wallMinusMonoUs: Us = NaN;
  /** The last offset that was measured. */
  #assumedUs: Us = 0;
  #ticks = 0;
  #synced = false;

  /** Throws RangeError for a probe stamp that is too coarse. */
  constructor(granularity: StampGranularity, onChange: (change: ClockChange) => void = () => undefined) {
    this.#onChange = onChange;
    this.estimator = new OffsetEstimator(granularity, (change) => {
      if (change === 'exchange-step') this.exchangeSteps++;
      onChange(change);
    });
  }

  /** Steps of the local wall clock. */
  get localSteps(): number {
    return this.#wall.count;
  }

  /** Sets local time to what the wall clock shows; what was known of the exchange's by the local time of before is void. */
  begin({ receiveTimeUs, monoUs }: ReceiveStamps): void {
    this.#localMinusMonoUs = receiveTimeUs - monoUs;
    this.#wall.clear();
    this.#bound.clear();
    this.#assumedUs = 0;
    this.estimator.restart();
  }

  localUs(monoUs: Us): Us {
    return monoUs + this.#localMinusMonoUs;
  }

  /**
   * Exchange time at a moment: by the offset as measured, while there is none by the last that was, at first as if the clocks agreed; never so that
   * messages arrive before they were sent.
   */
  exchangeUs(monoUs: Us): Us {
    const localUs = this.localUs(monoUs);
    return Math.round(localUs - this.#bound.applied(this.#offsetUs(localUs)));
  }

  #offsetUs(localUs: Us): Us {
    const offsetUs = this.estimator.ready ? this.estimator.offsetUs(localUs)! : this.#assumedUs;
    // A clock that is further off is not corrected for: frames are refused by their stamps then, and one wrong server must not move the windows.
    return Math.abs(offsetUs) <= MAX_ASSUMED_US ? offsetUs : this.#assumedUs;
  }

  /** A frame with the exchange's stamp before the wire. */
  onMessage(event: BookEvent | TradeEvent, publishTimeUs: Us): void {
    const { monoUs, receiveTimeUs } = event;
    const localUs = monoUs + this.#localMinusMonoUs;
    this.#wallMinusMonoUs = receiveTimeUs - monoUs;
    this.drift.record(msFromUs(receiveTimeUs - publishTimeUs));
    this.estimator.onFeed(localUs, publishTimeUs);
    this.#bound.record(localUs - publishTimeUs);
    // A snapshot tells of a book that may not have changed for seconds.
    if (event.kind === 'book' && event.snapshot) return;
    const delayUs = publishTimeUs - event.exchangeTimeUs;
    if (delayUs < 0) this.publishDelayNegatives++;
    else this.publishDelay.record(delayUs);
  }

  onProbe(event: ProbeEvent): void {
    this.probes[event.result]++;
    this.#wallMinusMonoUs = event.receiveTimeUs - event.monoUs;
    const { sentMonoUs, answeredMonoUs, serverTimeUs } = event;
    if (answeredMonoUs === undefined || serverTimeUs === undefined) return;
    this.probeRtt.record(Math.max(0, answeredMonoUs - sentMonoUs));
    const [sentUs, receivedUs] = [this.localUs(sentMonoUs), this.localUs(answeredMonoUs)];
    this.estimator.onProbe({ sentUs, serverUs: serverTimeUs, receivedUs });
    if (this.estimator.suspicious) this.#onChange('suspicion');
  }

  /** To be called once a second of the monotonic clock. */
  tick(monoUs: Us): void {
    if (!Number.isNaN(this.#wallMinusMonoUs) && this.#wall.look(this.#wallMinusMonoUs)) this.#onChange('wall-step');
    if (++this.#ticks % TICKS_PER_SOLVE === 0) this.estimator.solve(this.localUs(monoUs));
    if (this.estimator.suspicious) this.#onChange('suspicion');
    if (this.estimator.ready) this.#assumedUs = this.#offsetUs(this.localUs(monoUs));
    if (this.estimator.ready === this.#synced) return;
    this.#synced = this.estimator.ready;
    this.#onChange(this.#synced ? 'synced' : 'unsynced');
  }

  /** Receive − publish − offset, µs, where the offset has been measured; negative when the estimate was too high. */
  oneWayUs(monoUs: Us, publishTimeUs: Us): Us | undefined {
    if (!this.estimator.trusted) return undefined;
    const localUs = monoUs + this.#localMinusMonoUs;
    return Math.round(localUs - publishTimeUs - this.estimator.offsetUs(localUs)!);
  }

  reading(monoUs: Us): ClockReading {
    const localUs = this.localUs(monoUs);
    const estimate = this.estimator.at(localUs);
    if (estimate !== undefined) return { synced: true, oneSided: false, ...estimate };
    const line = this.estimator.upperLine(localUs);
    if (line === undefined) return UNKNOWN;
    const { skewPpm } = line;
    const offsetUs = line.upperUs + (skewPpm ?? 0) * 1e-6 * (localUs - line.atUs);
    return { synced: false, oneSided: true, offsetUs, uncertaintyUs: undefined, skewPpm };
  }
}

const UNKNOWN: ClockReading = {
  synced: false,
  oneSided: false,
  offsetUs: undefined,
  uncertaintyUs: undefined,
  skewPpm: undefined,
};
