import type { Bps, Sign, Ticks, Us } from '../units.ts';

/**
 * The decomposition of a fill (Stoll 1989, Glosten 1987, Huang & Stoll 1996), in basis points of m₀, mids in half ticks:
 *
 *   h      = s(m₀ − p)/m₀         effective half-spread: what the fill captured
 *   AS(τ)  = −s(m(τ) − m₀)/m₀     adverse selection, the price impact against us; + is bad
 *   MO(τ)  = s(m(τ) − p)/m₀       markout, the realised half-spread; + is good
 *   MO(τ)  = h − AS(τ)
 */
export const effectiveHalfSpreadBps = (sign: Sign, priceTicks: Ticks, midHalf: number): Bps =>
  ((sign * (midHalf - 2 * priceTicks)) / midHalf) * 1e4;

export const adverseSelectionBps = (sign: Sign, midHalf: number, midAfterHalf: number): Bps =>
  ((-sign * (midAfterHalf - midHalf)) / midHalf) * 1e4;

export const markoutBps = (sign: Sign, priceTicks: Ticks, midHalf: number, midAfterHalf: number): Bps =>
  ((sign * (midAfterHalf - 2 * priceTicks)) / midHalf) * 1e4;

/** Fills of one sweep are not independent: those within the same second count as one draw. */
const CLUSTER_US = 1_000_000;

/**
 * Notional-weighted mean of a quantity over fills, with the standard error of a ratio mean clustered by second (Liang & Zeger
 * 1986): se² = C/(C−1) · Σ_c (Σ_{i∈c} w_i(x_i − mean))² / (Σw)². Values arrive in the order of their fills.
 */
export class WeightedMean {
  count = 0;
  weight = 0;
  #sum = 0;
  #clusters = 0;
  #clusterId: number | undefined;
  #clusterWeight = 0;
  #clusterSum = 0;
  /** Over closed clusters: ΣW², ΣWA, ΣA², with W the cluster's weight and A its weighted sum. */
  #ww = 0;
  #wa = 0;
  #aa = 0;

  add(fillTimeUs: Us, weight: number, value: number): void {
    const cluster = Math.floor(fillTimeUs / CLUSTER_US);
    if (cluster !== this.#clusterId) {
      this.#closeCluster();
      this.#clusterId = cluster;
    }
    this.count++;
    this.weight += weight;
    this.#sum += weight * value;
    this.#clusterWeight += weight;
    this.#clusterSum += weight * value;
  }

  /** Adds the values of another symbol; its clusters stay its own. The other is not changed. */
  merge(other: WeightedMean): void {
    this.count += other.count;
    this.weight += other.weight;
    this.#sum += other.#sum;
    const clusters = other.#clusterSums();
    this.#clusters += clusters.count;
    this.#ww += clusters.ww;
    this.#wa += clusters.wa;
    this.#aa += clusters.aa;
  }

  /** Undefined without values. */
  get mean(): number | undefined {
    return this.weight > 0 ? this.#sum / this.weight : undefined;
  }

  /** Undefined with fewer than two clusters. */
  get standardError(): number | undefined {
    const mean = this.mean;
    const { count, ww, wa, aa } = this.#clusterSums();
    if (mean === undefined || count < 2) return undefined;
    const squares = Math.max(0, aa - 2 * mean * wa + mean * mean * ww);
    return Math.sqrt((squares * count) / (count - 1)) / this.weight;
  }

  /** Closed clusters and the open one together. */
  #clusterSums(): { count: number; ww: number; wa: number; aa: number } {
    return {
      count: this.#clusters + (this.#clusterId === undefined ? 0 : 1),
      ww: this.#ww + this.#clusterWeight ** 2,
      wa: this.#wa + this.#clusterWeight * this.#clusterSum,
      aa: this.#aa + this.#clusterSum ** 2,
    };
  }

  #closeCluster(): void {
    if (this.#clusterId === undefined) return;
    this.#clusters++;
    this.#ww += this.#clusterWeight ** 2;
    this.#wa += this.#clusterWeight * this.#clusterSum;
    this.#aa += this.#clusterSum ** 2;
    this.#clusterId = undefined;
    this.#clusterWeight = 0;
    this.#clusterSum = 0;
  }
}
