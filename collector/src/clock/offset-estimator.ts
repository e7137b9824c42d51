import type { Us } from '../units.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';
import { BoundRing, BUCKET_US, bucketOf } from './bound-ring.ts';
import type { Band, UpperLine } from './envelope.ts';
import { boundsOf, oneSidedLine, provenLowerAt, provenUpperAt, twoSidedBand } from './envelope.ts';
import { ShiftWatch } from './shift-watch.ts';

/** Nothing is published before so many probes and so much time. */
export const MIN_PROBES = 8;
export const MIN_SPAN_US: Us = 60 * US_PER_S;
/** A bound that is not renewed loses its hold at this rate (RFC 5905, PHI). */
export const AGING_PPM = 15;
/** A server stamp coarser than this measures nothing that is wanted. */
export const COARSEST_STAMP_US: Us = 50 * US_PER_MS;
/** So many probes in a row outside the band prove it wrong; one may be a wrong stamp. */
const WITNESSES = 3;
/** What is kept when bounds contradict each other and no probe says since when. */
const RECENT_BUCKETS = 12;

export interface StampGranularity {
  /** Of the stamps in feed messages, and of those in answers to probes. */
  readonly feedUs: Us;
  readonly probeUs: Us;
}

/** A server-time probe: T1 and T4 on the local timeline, the server's stamp between them. */
export interface ProbeTimes {
  readonly sentUs: Us;
  readonly serverUs: Us;
  readonly receivedUs: Us;
}

/** What is known of the offset (local − exchange; + is local ahead) at a local time. */
export interface OffsetEstimate {
  readonly offsetUs: Us;
  /** The truth lies within offset ± this, granularity and age included. */
  readonly uncertaintyUs: Us;
  /** Rate of change of the offset. */
  readonly skewPpm: number;
  /** The true rate lies within skew ± this. */
  readonly skewErrorPpm: number;
}

export type EstimatorChange = 'exchange-step' | 'route-change';

/**
 * The offset of the local clock to the exchange's by a two-sided envelope. Every feed message and every answer to a probe proves `offset ≤ received − stamp`,
 * every probe `offset ≥ sent − stamp − granularity`, whatever the path does; the best of each through fifteen minutes, and a common slope, leave
 * a band that holds the truth. The middle is the estimate: an asymmetric path shifts it by half the difference of its least delays, and nothing a client
 * can measure tells.
 *
 * Pure: it lives on a local timeline that does not step. Sources: Cristian 1989; Moon, Skelly & Towsley 1999; Zhang, Liu & Xia 2002.
 */
export class OffsetEstimator {
  readonly #granularity: StampGranularity;
  readonly #onChange: (change: EstimatorChange) => void;
  readonly #feed = new BoundRing(1);
  readonly #inbound = new BoundRing(1);
  readonly #outbound = new BoundRing(-1);
  readonly #shift = new ShiftWatch();
  readonly #witnesses: ProbeTimes[] = [];
  #band: Band | undefined;
  #line: UpperLine | undefined;
  #startUs: Us | undefined;
  #probes = 0;
  #lastProbeUs: Us = 0;
  #ready = false;
  /** A feed message said what the probes deny; the next probe will show who is right. */
  #doubted = false;
  /** The least bound of the feed in the bucket that ends then. */
  #leastUs: Us = Infinity;
  #bucketEndUs: Us = -Infinity;

  /** Throws RangeError for a probe stamp that is too coarse. */
  constructor(granularity: StampGranularity, onChange: (change: EstimatorChange) => void) {
    if (!(granularity.probeUs <= COARSEST_STAMP_US)) {
      throw new RangeError(
        `expected a server stamp of at most ${COARSEST_STAMP_US / US_PER_MS} ms, got ${granularity.probeUs / US_PER_MS} ms`,
      );
    }
    this.#granularity = granularity;
    this.#onChange = onChange;
  }

  /** Whether there is an estimate to publish. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Something does not fit: a probe soon would tell what. */
  get suspicious(): boolean {
    return this.#doubted || this.#witnesses.length > 0 || this.#shift.undecided;
  }

  /** A feed message. Nearly all of them end at the comparison. */
  onFeed(localUs: Us, publishTimeUs: Us): void {
    const boundUs = localUs - publishTimeUs;
    if (boundUs < this.#leastUs || localUs >= this.#bucketEndUs) this.#onFeedBound(localUs, boundUs);
  }

  onProbe(probe: ProbeTimes): void {
    this.#doubted = false;
    if (this.#band === undefined || !this.#outside(probe, this.#band)) {
      this.#witnesses.length = 0;
      this.#record(probe);
      return;
    }
    this.#witnesses.push(probe);
    if (this.#witnesses.length < WITNESSES) return;
    const witnesses = [...this.#witnesses];
    this.#restart();
    for (const witness of witnesses) this.#record(witness);
    this.#onChange('exchange-step');
  }

  /** To be called every five seconds of local time. */
  solve(nowUs: Us): void {
    const before = this.#band;
    if (before !== undefined && this.#ready) this.#lookForShift(before, nowUs);
    this.#band = this.#consistentBand(nowUs);
    // The last probe is fifteen minutes old: what comes then begins anew.
    if (this.#band === undefined) this.#forgetProbes();
    this.#line = this.#band === undefined ? oneSidedLine([this.#feed, this.#inbound], nowUs) : undefined;
    this.#ready =
      this.#band !== undefined && this.#probes >= MIN_PROBES && nowUs - (this.#startUs ?? nowUs) >= MIN_SPAN_US;
  }

  /** The estimate at a local time; undefined until it is ready. */
  at(localUs: Us): OffsetEstimate | undefined {
    return this.#ready ? this.bandAt(localUs) : undefined;
  }

  /** The same also before it is ready: proven, but wide, and its slope may be noise. Undefined without probes. */
  bandAt(localUs: Us): OffsetEstimate | undefined {
    const band = this.#band;
    if (band === undefined) return undefined;
    const middleUs = (band.lowerUs + band.upperUs) / 2;
    return {
      offsetUs: this.offsetUs(localUs)!,
      uncertaintyUs:
        Math.max(band.provenUpperUs - middleUs, middleUs - band.provenLowerUs) + this.#toleranceUs(localUs),
      skewPpm: band.skewPpm,
      skewErrorPpm: Math.max(band.mostSkewPpm - band.skewPpm, band.skewPpm - band.leastSkewPpm),
    };
  }

  /** The middle of the band at a local time, also before it is good enough to be published; undefined without probes. */
  offsetUs(localUs: Us): Us | undefined {
    const band = this.#band;
    if (band === undefined) return undefined;
    return (band.lowerUs + band.upperUs) / 2 + band.skewPpm * 1e-6 * (localUs - band.atUs);
  }

  /** Without probes all that is known: the offset is at most this. Undefined with probes, and before anything has been received. */
  upperLine(): UpperLine | undefined {
    return this.#line;
  }

  #onFeedBound(localUs: Us, boundUs: Us): void {
    const band = this.#band;
    // The probes deny it: a wrong stamp, or a clock that has stepped. Kept out until they have said which.
    if (band !== undefined && boundUs < provenLowerAt(band, localUs) - this.#toleranceUs(localUs)) {
      this.#doubted = true;
      return;
    }
    this.#leastUs = boundUs;
    this.#bucketEndUs = (bucketOf(localUs) + 1) * BUCKET_US;
    this.#feed.record(localUs, boundUs);
  }

  #record({ sentUs, serverUs, receivedUs }: ProbeTimes): void {
    this.#inbound.record(receivedUs, receivedUs - serverUs);
    this.#outbound.record(sentUs, sentUs - serverUs - this.#granularity.probeUs);
    this.#startUs ??= sentUs;
    this.#lastProbeUs = receivedUs;
    this.#probes++;
  }

  #outside({ sentUs, serverUs, receivedUs }: ProbeTimes, band: Band): boolean {
    const toleranceUs = this.#toleranceUs(receivedUs);
    return (
      sentUs - serverUs - this.#granularity.probeUs > provenUpperAt(band, sentUs) + toleranceUs ||
      receivedUs - serverUs < provenLowerAt(band, receivedUs) - toleranceUs
    );
  }

  /** Stamps that are rounded and not cut off, and clocks that do not run evenly, may go beyond the band by so much. */
  #toleranceUs(localUs: Us): Us {
    const ageUs = Math.max(0, localUs - this.#lastProbeUs);
    return Math.max(this.#granularity.feedUs, this.#granularity.probeUs) + AGING_PPM * 1e-6 * ageUs;
  }

  #lookForShift(before: Band, nowUs: Us): void {
    const bounds = {
      upper: boundsOf([this.#feed, this.#inbound], nowUs),
      lower: boundsOf([this.#outbound], nowUs),
    };
    const verdict = this.#shift.look(before, bounds, nowUs);
    if (verdict === undefined) return;
    if (verdict.kind === 'step') this.#forgetBefore(verdict.sinceBucket, nowUs);
    // What the longer way of before says is still true and says nothing any more; the slope is better off without it.
    if (verdict.kind === 'shorter') {
      for (const ring of verdict.way === 'in' ? [this.#feed, this.#inbound] : [this.#outbound]) {
        ring.clear(verdict.sinceBucket);
      }
    }
    this.#onChange(verdict.kind === 'step' ? 'exchange-step' : 'route-change');
  }

  /** Of the probes alone where the feed's stamps contradict them: they may be of another clock. */
  #consistentBand(nowUs: Us): Band | undefined {
    const all = this.#bandOf([this.#feed, this.#inbound], nowUs);
    if (all === undefined || this.#isConsistent(all)) return all;
    this.#feed.clear();
    this.#leastUs = Infinity;
    const probes = this.#bandOf([this.#inbound], nowUs);
    if (probes === undefined || this.#isConsistent(probes)) return probes;
    this.#forgetBefore(bucketOf(nowUs) - RECENT_BUCKETS, nowUs);
    this.#onChange('exchange-step');
    return this.#bandOf([this.#inbound], nowUs);
  }

  #bandOf(upper: readonly BoundRing[], nowUs: Us): Band | undefined {
    return twoSidedBand(upper, this.#outbound, nowUs, this.#shift.longerSince);
  }

  #isConsistent({ lowerUs, upperUs }: Band): boolean {
    return upperUs - lowerUs >= -2 * Math.max(this.#granularity.feedUs, this.#granularity.probeUs);
  }

  #forgetBefore(bucket: number, nowUs: Us): void {
    for (const ring of [this.#feed, this.#inbound, this.#outbound]) ring.clear(bucket);
    this.#shift.clear();
    this.#witnesses.length = 0;
    this.#forgetProbes();
    this.#probes = this.#outbound.range(bucket, bucketOf(nowUs)).length;
    if (this.#probes > 0) this.#startUs = bucket * BUCKET_US;
    this.#band = undefined;
  }

  #forgetProbes(): void {
    this.#probes = 0;
    this.#startUs = undefined;
  }

  #restart(): void {
    this.#forgetBefore(Infinity, 0);
    this.#ready = false;
    this.#leastUs = Infinity;
  }
}
