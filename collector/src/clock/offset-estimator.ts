import type { Us } from '../units.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';
import { BoundRing, BUCKET_US, bucketOf, BUCKETS } from './bound-ring.ts';
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
/** So many probes in a row deny all that the feed says: its stamps are of another clock. */
const DENIALS = 10;
/** A feed whose stamps contradict the probes is tried again after this, when all that it said has been forgotten. */
const BAN_US: Us = BUCKETS * BUCKET_US;

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

export type EstimatorChange = 'exchange-step' | 'route-change' | 'feed-conflict';

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
  /** The middle of the band, for every message. */
  #middleUs: Us = 0;
  #middleAtUs: Us = 0;
  #slope = 0;
  #startUs: Us | undefined;
  #probes = 0;
  #lastProbeUs: Us = 0;
  #ready = false;
  /** Until then the feed's stamps are left out: the probes contradict them all the time, they are of another clock. */
  #feedBannedUntilUs: Us = -Infinity;
  /** A feed message said what the probes deny; the next probe will show who is right. */
  #doubted = false;
  /** Probes in a row that were in the band while nothing of the feed was. */
  #denials = 0;
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

  /** Whether it is to be relied on at this moment: no probe has just contradicted it. */
  get trusted(): boolean {
    return this.#ready && this.#witnesses.length === 0;
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
    const doubted = this.#doubted;
    this.#doubted = false;
    if (this.#band === undefined || !this.#outside(probe, this.#band)) {
      this.#witnesses.length = 0;
      this.#record(probe);
      if (doubted && ++this.#denials >= DENIALS) this.#banFeed(probe.receivedUs);
      return;
    }
    this.#witnesses.push(probe);
    if (this.#witnesses.length < WITNESSES) return;
    const witnesses = [...this.#witnesses];
    this.#stepped(() => this.restart());
    for (const witness of witnesses) this.#record(witness);
  }

  /** To be called about every five seconds of local time. */
  solve(nowUs: Us): void {
    const before = this.#band;
    if (before !== undefined && this.#ready) this.#lookForShift(before, nowUs);
    const fresh = this.#consistentBand(nowUs);
    // The last probe is fifteen minutes old: those that come then begin anew.
    if (fresh === undefined) this.#forgetProbes();
    const enough = this.#probes >= MIN_PROBES && nowUs - (this.#startUs ?? nowUs) >= MIN_SPAN_US;
    // An estimate is kept until there is a better one; its uncertainty grows.
    if (this.#ready && !(enough && fresh !== undefined)) return;
    this.#ready = enough && fresh !== undefined;
    this.#setBand(fresh);
  }

  /** Forgets everything. */
  restart(): void {
    this.#forgetBefore(Infinity, 0);
    this.#leastUs = Infinity;
    this.#feedBannedUntilUs = -Infinity;
    this.#doubted = false;
    this.#denials = 0;
  }

  /** The estimate at a local time; undefined until it is ready. */
  at(localUs: Us): OffsetEstimate | undefined {
    return this.#ready ? this.bandAt(localUs) : undefined;
  }

  /** The same also before it is ready: proven, but wide, and its slope may be noise. Undefined without probes. */
  bandAt(localUs: Us): OffsetEstimate | undefined {
    const band = this.#band;
    if (band === undefined) return undefined;
    const offsetUs = this.offsetUs(localUs)!;
    const upperUs = Math.abs(provenUpperAt(band, localUs) - offsetUs);
    const lowerUs = Math.abs(offsetUs - provenLowerAt(band, localUs));
    return {
      offsetUs,
      uncertaintyUs: Math.max(upperUs, lowerUs) + this.#toleranceUs(localUs),
      skewPpm: band.skewPpm,
      skewErrorPpm: Math.max(band.mostSkewPpm - band.skewPpm, band.skewPpm - band.leastSkewPpm),
    };
  }

  /** The middle of the band at a local time, also before it is good enough to be published; undefined without probes. */
  offsetUs(localUs: Us): Us | undefined {
    return this.#band === undefined ? undefined : this.#middleUs + this.#slope * (localUs - this.#middleAtUs);
  }

  /** Without probes all that is known: the offset is at most this. Undefined with probes, and before anything has been received. */
  upperLine(nowUs: Us): UpperLine | undefined {
    const probed = this.#ready || !this.#outbound.isEmptyAt(bucketOf(nowUs));
    return probed ? undefined : oneSidedLine([this.#feed, this.#inbound], nowUs);
  }

  #onFeedBound(localUs: Us, boundUs: Us): void {
    if (localUs < this.#feedBannedUntilUs) return;
    const band = this.#band;
    // The probes deny it: a wrong stamp, or a clock that has stepped. Kept out until they have said which.
    if (band !== undefined && boundUs < provenLowerAt(band, localUs) - this.#toleranceUs(localUs)) {
      this.#doubted = true;
      return;
    }
    this.#denials = 0;
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
    if (verdict.kind === 'step') {
      this.#stepped(() => this.#forgetBefore(verdict.sinceBucket, nowUs));
      return;
    }
    // What the longer way of before says is still true and says nothing any more; the slope is better off without it.
    if (verdict.kind === 'shorter') {
      for (const ring of verdict.way === 'in' ? [this.#feed, this.#inbound] : [this.#outbound]) {
        ring.clear(verdict.sinceBucket);
      }
    }
    this.#onChange('route-change');
  }

  /** Only against an estimate can a clock be seen to step; before there is one, something was wrong and is forgotten. */
  #stepped(forget: () => void): void {
    const known = this.#ready;
    forget();
    if (known) this.#onChange('exchange-step');
  }

  /** Of the probes alone where the feed's stamps contradict them. Undefined without probes, and where even they contradict each other. */
  #consistentBand(nowUs: Us): Band | undefined {
    if (this.#outbound.isEmptyAt(bucketOf(nowUs))) return undefined;
    const all = this.#bandOf([this.#feed, this.#inbound], nowUs);
    if (all === undefined || all.upperUs >= all.lowerUs) return all;
    const probes = this.#bandOf([this.#inbound], nowUs);
    if (probes !== undefined && probes.upperUs - probes.lowerUs >= -2 * this.#granularity.probeUs) {
      this.#banFeed(nowUs);
      return probes;
    }
    this.#stepped(() => this.restart());
    return undefined;
  }

  #banFeed(nowUs: Us): void {
    this.#feed.clear();
    this.#leastUs = Infinity;
    this.#denials = 0;
    this.#feedBannedUntilUs = nowUs + BAN_US;
    this.#onChange('feed-conflict');
  }

  #bandOf(upper: readonly BoundRing[], nowUs: Us): Band | undefined {
    return twoSidedBand(upper, this.#outbound, nowUs, this.#shift.longerSince);
  }

  #setBand(band: Band | undefined): void {
    this.#band = band;
    if (band === undefined) return;
    this.#middleUs = (band.lowerUs + band.upperUs) / 2;
    this.#middleAtUs = band.atUs;
    this.#slope = band.skewPpm * 1e-6;
  }

  #forgetBefore(bucket: number, nowUs: Us): void {
    for (const ring of [this.#feed, this.#inbound, this.#outbound]) ring.clear(bucket);
    this.#shift.clear();
    this.#witnesses.length = 0;
    this.#forgetProbes();
    const kept = this.#outbound.range(bucket, bucketOf(nowUs));
    this.#probes = kept.length;
    this.#startUs = kept[0]?.timeUs;
    this.#ready = false;
    this.#setBand(undefined);
  }

  #forgetProbes(): void {
    this.#probes = 0;
    this.#startUs = undefined;
  }
}
