import { FeedLatency } from '../clock/latency.ts';
import type { Liquidity } from '../fills/fees.ts';
import type { Cause, ModelIndex, NoFillReason, VirtualFill } from '../fills/shadow-quote.ts';
import { CAUSES, MODEL_INDEXES, NO_FILL_REASONS } from '../fills/shadow-quote.ts';
import type { SkipReason } from '../fills/quoter.ts';
import { SKIP_REASONS } from '../fills/quoter.ts';
import type { Bps, Side, Ticks, Us } from '../units.ts';
import { WeightedMean } from './markout.ts';
import type { Lifetime } from './survival.ts';

/** Fills of one kind: how many, for how much, and their net edge where the markout at the KPI horizon is known. */
export class FillGroup {
  fills = 0;
  notionalQuote = 0;
  readonly net = new WeightedMean();

  merge(other: FillGroup): void {
    this.fills += other.fills;
    this.notionalQuote += other.notionalQuote;
    this.net.merge(other.net);
  }
}

export const ORDER_EVENTS = [
  'new',
  'activated',
  'rejected_post_only',
  'filled',
  'canceled',
  'censored',
  'skipped',
] as const;
export type OrderEventName = (typeof ORDER_EVENTS)[number];

export const FEED_EVENTS = [
  'messages',
  'book_updates',
  'trades',
  'off_book_trades',
  'duplicates',
  'gaps',
  'resyncs',
  'crossed',
  'silences',
  'bad',
  'late',
  'dropped',
  'reconnects',
] as const;
export type FeedEventName = (typeof FEED_EVENTS)[number];

type Counts<Name extends string> = Record<Name, number>;

export const zeroCounts = <Name extends string>(names: readonly Name[]): Counts<Name> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Counts<Name>;

export function addCounts<Name extends string>(into: Counts<Name>, from: Counts<Name>, names: readonly Name[]): void {
  for (const name of names) into[name] += from[name];
}

/** Best prices at a moment, exchange time. */
export interface BestPrices {
  readonly timeUs: Us;
  readonly bidTicks: Ticks;
  readonly askTicks: Ticks;
}

/**
 * Everything counted about one symbol in one window, in a form that adds up: over symbols to the whole window, over windows
 * to the run. Plain sums, merged histograms and values; ratios and percentiles are made from it only when published.
 */
export class WindowStats {
  readonly feed = zeroCounts(FEED_EVENTS);
  readonly orders = zeroCounts(ORDER_EVENTS);
  readonly skips = zeroCounts<SkipReason>(SKIP_REASONS);
  readonly noFill = zeroCounts<NoFillReason>(NO_FILL_REASONS);
  readonly latency = new FeedLatency();
  /** Drift at the end of the window; the whole window's is that of all messages together. */
  driftMs: number | undefined;
  liveUs = 0;
  suspectUs = 0;

  /** The fills of the driving model themselves, and the best prices now and then while the book was trusted; of one symbol only. */
  readonly virtualFills: VirtualFill[] = [];
  readonly bestPrices: BestPrices[] = [];

  /** Fills of the driving model. */
  readonly byLiquidity: Record<Liquidity, FillGroup> = { maker: new FillGroup(), taker: new FillGroup() };
  readonly byCause = Object.fromEntries(CAUSES.map((cause) => [cause, new FillGroup()])) as Record<Cause, FillGroup>;
  readonly bySide: Record<Side, FillGroup> = { buy: new FillGroup(), sell: new FillGroup() };
  /** All four models, on the same orders. */
  readonly byModel = MODEL_INDEXES.map(() => new FillGroup()) as unknown as Record<ModelIndex, FillGroup>;
  readonly halfSpread = new WeightedMean();
  readonly adverse = new WeightedMean();
  readonly adverseBps: Bps[] = [];
  readonly slippageBps: Bps[] = [];
  readonly markouts: WeightedMean[];
  lossQuoteBps = 0;
  absoluteEdgeQuoteBps = 0;
  /** Fills of the driving model with a markout still to come. */
  markoutsPending = 0;
  /** Fills of any model with one still to come; the window is final when there are none. */
  markoutsOpen = 0;
  markoutsInvalid = 0;
  lateCancelFills = 0;
  wouldBeTakerCount = 0;
  wouldBeTakerQuote = 0;
  activationClamps = 0;
  oppositeQuote = 0;

  /** Orders that ended in the window, rejected and censored ones left out. */
  endedOrders = 0;
  endedFilledOrders = 0;
  endedQuote = 0;
  endedFilledQuote = 0;
  readonly lifetimes: Lifetime[] = [];
  seedObserved = 0;
  seedDeferred = 0;
  seedInside = 0;
  queueTradesConsumed = 0;
  queueCancelsAttributed = 0;
  distanceBpsSum = 0;

  /** ∫|inventory|·mid dt over live time, quote·µs; and the largest |inventory|·mid. */
  inventoryIntegral = 0;
  inventoryMaxQuote = 0;
  /** Lag-one products of the inventory sampled every second: Σ I_t·I_{t−1} and Σ I²_{t−1}. */
  inventoryLagProduct = 0;
  inventoryLagSquare = 0;
  realizedQuote = 0;
  feesQuote = 0;
  unrealizedMidQuote: number | undefined;
  unrealizedLiquidationQuote: number | undefined;

  constructor(horizons: number) {
    this.markouts = Array.from({ length: horizons }, () => new WeightedMean());
  }

  get fills(): number {
    return this.byLiquidity.maker.fills + this.byLiquidity.taker.fills;
  }

  /** Adds another symbol's or window's; `driftMs` stays this one's own, and so do the fills themselves and the prices. */
  merge(other: WindowStats): void {
    addCounts(this.feed, other.feed, FEED_EVENTS);
    addCounts(this.orders, other.orders, ORDER_EVENTS);
    addCounts(this.skips, other.skips, SKIP_REASONS);
    addCounts(this.noFill, other.noFill, NO_FILL_REASONS);
    this.latency.merge(other.latency);
    for (const key of ['maker', 'taker'] as const) this.byLiquidity[key].merge(other.byLiquidity[key]);
    for (const key of CAUSES) this.byCause[key].merge(other.byCause[key]);
    for (const key of ['buy', 'sell'] as const) this.bySide[key].merge(other.bySide[key]);
    for (const key of MODEL_INDEXES) this.byModel[key].merge(other.byModel[key]);
    this.halfSpread.merge(other.halfSpread);
    this.adverse.merge(other.adverse);
    for (const [index, mean] of this.markouts.entries()) mean.merge(other.markouts[index]!);
    this.adverseBps.push(...other.adverseBps);
    this.slippageBps.push(...other.slippageBps);
    this.lifetimes.push(...other.lifetimes);
    for (const key of SUMS) this[key] += other[key];
    this.inventoryMaxQuote = Math.max(this.inventoryMaxQuote, other.inventoryMaxQuote);
    this.unrealizedMidQuote = sumDefined(this.unrealizedMidQuote, other.unrealizedMidQuote);
    this.unrealizedLiquidationQuote = sumDefined(this.unrealizedLiquidationQuote, other.unrealizedLiquidationQuote);
  }
}

const SUMS = [
  'liveUs',
  'suspectUs',
  'lossQuoteBps',
  'absoluteEdgeQuoteBps',
  'markoutsPending',
  'markoutsOpen',
  'markoutsInvalid',
  'lateCancelFills',
  'wouldBeTakerCount',
  'wouldBeTakerQuote',
  'activationClamps',
  'oppositeQuote',
  'endedOrders',
  'endedFilledOrders',
  'endedQuote',
  'endedFilledQuote',
  'seedObserved',
  'seedDeferred',
  'seedInside',
  'queueTradesConsumed',
  'queueCancelsAttributed',
  'distanceBpsSum',
  'inventoryIntegral',
  'inventoryLagProduct',
  'inventoryLagSquare',
  'realizedQuote',
  'feesQuote',
] as const satisfies readonly (keyof WindowStats)[];

/** The sum of what is known; undefined when neither is. */
const sumDefined = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : a + b;
