import type { IterSummary } from '../../../schema/types.gen.js';
import { CAUSES, FILL_MODELS } from '../fills/shadow-quote.ts';
import type { FillModelName, ModelIndex } from '../fills/shadow-quote.ts';
import type { ClockReading } from '../clock/exchange-clock.ts';
import { US_PER_MS } from '../units.ts';
import type { WeightedMean } from './markout.ts';
import { quantileOf } from './quantile.ts';
import { timeToFillQuantile } from './survival.ts';
import type { FillGroup, WindowStats } from './window.ts';

export type Summary = IterSummary['summary'];

export interface SummaryParameters {
  readonly driver: FillModelName;
  /** Names of the markout horizons as artifacts spell them: 100ms, 1s, … */
  readonly horizons: readonly string[];
  readonly inventoryLimitQuote: number;
  readonly windowUs: number;
  /** Symbols that the statistics add up. */
  readonly symbols: number;
}

/** Above this share of the opposite volume our fills would have moved the market they are simulated in. */
const IMPACT_SUSPECT = 0.1;

/** What is not known is null, never 0; numbers carry six decimals. */
const known = (value: number | undefined): number | null =>
  value === undefined || !Number.isFinite(value) ? null : Math.round(value * 1e6) / 1e6 + 0;

const ratio = (part: number, whole: number): number | undefined => (whole > 0 ? part / whole : undefined);
const msOf = (us: number | undefined): number | undefined => (us === undefined ? undefined : us / US_PER_MS);

/** What was known of the clocks when the window closed. */
export interface Clocks {
  readonly driftMs: number | undefined;
  readonly clock: ClockReading;
}

/** The published KPIs of one window, of one symbol or of all together. Formulas: FILLS specification §6, §9 to §14. */
export function summarize(stats: WindowStats, clocks: Clocks, parameters: SummaryParameters): Summary {
  const { maker, taker } = stats.byLiquidity;
  const notional = maker.notionalQuote + taker.notionalQuote;
  const gross = stats.halfSpread.mean;
  const adverse = stats.adverse.mean;
  const participation = ratio(notional, stats.oppositeQuote);
  return {
    maker_count: maker.fills,
    taker_count: taker.fills,
    maker_taker_ratio: known(ratio(maker.notionalQuote, notional + stats.wouldBeTakerQuote)),
    net_bps: known(netOf(stats, parameters.driver)),
    p95_latency_ms: known(msOf(stats.latency.histogramUs.quantile(0.95))),
    risk_ratio: known(clip(inventoryUse(stats, parameters))),
    slippage_bps_p95: known(quantileOf(stats.slippageBps, 0.95)),
    adverse_bps_p95: known(quantileOf(stats.adverseBps, 0.95)),
    clock_drift_ms: known(clocks.driftMs),

    fills: stats.fills,
    fill_model: parameters.driver,
    notional_quote: {
      maker: money(maker.notionalQuote),
      taker: money(taker.notionalQuote),
      would_be_taker: money(stats.wouldBeTakerQuote),
    },
    model_band: modelBand(stats),
    by_cause: Object.fromEntries(
      CAUSES.map((cause) => [cause, group(stats.byCause[cause])]),
    ) as unknown as Summary['by_cause'],
    by_side: { buy: group(stats.bySide.buy), sell: group(stats.bySide.sell) },
    markouts: Object.fromEntries(
      parameters.horizons.map((name, index) => [name, markout(stats.markouts[index]!)]),
    ) as unknown as Summary['markouts'],
    markout_pending: stats.markoutsPending,
    markout_invalid: stats.markoutsInvalid,
    gross_bps: known(gross),
    adverse_bps: known(adverse),
    toxicity: known(toxicity(gross, adverse)),
    loss_share: known(ratio(stats.lossQuoteBps, stats.absoluteEdgeQuoteBps)),
    fees_bps: known(notional > 0 ? (stats.feesQuote / notional) * 1e4 : undefined),
    participation: known(participation),
    impact_suspect: participation === undefined ? null : participation > IMPACT_SUSPECT,

    orders: { ...stats.orders },
    skips: { ...stats.skips },
    fill_ratio: known(ratio(stats.endedFilledOrders, stats.endedOrders)),
    fill_ratio_qty: known(ratio(stats.endedFilledQuote, stats.endedQuote)),
    time_to_fill_ms: {
      p50: known(msOf(timeToFillQuantile(stats.lifetimes, 0.5))),
      p95: known(msOf(timeToFillQuantile(stats.lifetimes, 0.95))),
    },
    distance_bps: known(ratio(stats.distanceBpsSum, stats.orders.activated)),
    post_only_rejects: stats.orders.rejected_post_only,
    would_be_taker: stats.wouldBeTakerCount,
    late_cancel_fills: stats.lateCancelFills,
    activation_clamps: stats.activationClamps,
    no_fill_reasons: { ...stats.noFill },
    queue: {
      seed_observed: stats.seedObserved,
      seed_deferred: stats.seedDeferred,
      seed_inside: stats.seedInside,
      confidence: known(ratio(stats.queueTradesConsumed, stats.queueTradesConsumed + stats.queueCancelsAttributed)),
    },

    inventory: {
      time_weighted: known(inventoryUse(stats, parameters)),
      max: known(stats.liveUs > 0 ? stats.inventoryMaxQuote / parameters.inventoryLimitQuote : undefined),
      half_life_s: known(halfLifeSeconds(stats.inventoryLagProduct, stats.inventoryLagSquare)),
    },
    pnl: {
      realized: money(stats.realizedQuote),
      unrealized_mid: known(stats.unrealizedMidQuote),
      unrealized_liquidation: known(stats.unrealizedLiquidationQuote),
      fees: money(stats.feesQuote),
    },
    latency_ms: { feed: latency(stats) },
    clock: clockOf(clocks.clock),
    feed: {
      ...stats.feed,
      suspect_ms: money(stats.suspectUs / US_PER_MS),
      coverage: known(Math.min(1, stats.liveUs / (parameters.windowUs * parameters.symbols))),
    },
  };
}

/** Adverse selection over what was captured. A capture that is nothing but rounding, as published, is none. */
function toxicity(grossBps: number | undefined, adverseBps: number | undefined): number | undefined {
  if (grossBps === undefined || adverseBps === undefined || known(grossBps)! <= 0) return undefined;
  return adverseBps / grossBps;
}

/** Net edge at the KPI horizon, notional-weighted, under a model. */
const netOf = (stats: WindowStats, model: FillModelName): number | undefined =>
  stats.byModel[FILL_MODELS.indexOf(model) as ModelIndex].net.mean;

const clip = (value: number | undefined): number | undefined => (value === undefined ? undefined : Math.min(1, value));
const money = (value: number): number => Math.round(value * 1e6) / 1e6 + 0;

/** Time-weighted |inventory| as a share of the limit, over the time the book was live; undefined when it never was. */
const inventoryUse = (stats: WindowStats, parameters: SummaryParameters): number | undefined =>
  ratio(stats.inventoryIntegral, stats.liveUs * parameters.inventoryLimitQuote);

/**
 * Seconds in which a deviation of inventory halves, from the lag-one autocorrelation φ of one-second samples: ln ½ / ln φ. Undefined
 * where φ is not between 0 and 1: inventory that was never held, or does not revert.
 */
export function halfLifeSeconds(lagProduct: number, lagSquare: number): number | undefined {
  if (lagSquare <= 0) return undefined;
  const phi = lagProduct / lagSquare;
  return phi > 0 && phi < 1 ? Math.log(0.5) / Math.log(phi) : undefined;
}

function modelBand(stats: WindowStats): Summary['model_band'] {
  const band = (index: ModelIndex): Summary['model_band']['queue'] => ({
    fills: stats.byModel[index].fills,
    n: stats.byModel[index].net.count,
    weight_quote: money(stats.byModel[index].net.weight),
    net_bps: known(stats.byModel[index].net.mean),
  });
  return { trade_through: band(0), queue: band(1), touch: band(2), touch_dwell: band(3) };
}

const group = (fills: FillGroup): Summary['by_side']['buy'] => ({
  fills: fills.fills,
  notional_quote: money(fills.notionalQuote),
  net_bps: known(fills.net.mean),
});

const markout = (mean: WeightedMean): Summary['markouts']['1s'] => ({
  n: mean.count,
  weight_quote: money(mean.weight),
  mean_bps: known(mean.mean),
  se_bps: known(mean.standardError),
});

/** Feed latency. Null where messages that arrived before they were sent reach the rank of the raw one. */
function latency({
  latency: { histogramUs, corrected, uncorrected, negatives, minUs },
}: WindowStats): Summary['latency_ms']['feed'] {
  return {
    n: histogramUs.count,
    corrected,
    uncorrected,
    negative: negatives,
    min: known(msOf(minUs)),
    p50: known(msOf(histogramUs.quantile(0.5))),
    p95: known(msOf(histogramUs.quantile(0.95))),
    p99: known(msOf(histogramUs.quantile(0.99))),
    histogram_us: histogramUs.buckets(),
  };
}

const clockOf = ({ synced, oneSided, offsetUs, uncertaintyUs, skewPpm }: ClockReading): Summary['clock'] => ({
  synced,
  one_sided: oneSided,
  offset_ms: known(msOf(offsetUs)),
  uncertainty_ms: known(msOf(uncertaintyUs)),
  skew_ppm: known(skewPpm),
});
