import type { OrderedEvent } from '../book/reorder.ts';
import { DriftEwma } from '../clock/drift.ts';
import type { Instrument } from '../events.ts';
import type { FeesBps } from '../fills/fees.ts';
import type { SkipReason } from '../fills/quoter.ts';
import type { ModelIndex, Outcome, ShadowQuote, VirtualFill } from '../fills/shadow-quote.ts';
import type { Bps, Lots, Us } from '../units.ts';
import { msFromUs, sideOf, US_PER_S } from '../units.ts';
import { Inventory } from './inventory.ts';
import { adverseSelectionBps, effectiveHalfSpreadBps, markoutBps } from './markout.ts';
import type { FillGroup, OrderEventName } from './window.ts';
import { WindowStats } from './window.ts';

export interface KpiParameters {
  readonly fees: FeesBps;
  readonly driver: ModelIndex;
  readonly horizonsUs: readonly Us[];
  /** Place of τ*, the KPI horizon, in `horizonsUs`. */
  readonly kpiHorizon: number;
  readonly inventoryLimitQuote: number;
}

/** A fill whose markouts are still to come; they count in the window of the fill. */
export interface PendingFill {
  readonly modelIndex: ModelIndex;
  readonly fill: VirtualFill;
  readonly notionalQuote: number;
  /** m₀, the mid before the fill, in half ticks. */
  readonly midHalf: number;
  readonly stats: WindowStats;
}

/** Keeps the books of one symbol: turns what happens in the simulation into the statistics of the window it happens in. */
export class KpiRecorder {
  readonly inventory: Inventory;
  readonly drift = new DriftEwma();
  readonly #parameters: KpiParameters;
  readonly #quotePerTickLot: number;
  #stats: WindowStats;
  /** Until here time is accounted for. */
  #accountedUs: Us;
  #live = false;
  #midHalf: number | undefined;
  #sampledLots: Lots = 0;
  #realizedBefore = 0;
  #feesBefore = 0;

  constructor(parameters: KpiParameters, instrument: Instrument, startUs: Us) {
    this.#parameters = parameters;
    this.#quotePerTickLot = instrument.tick.size * instrument.lot.size;
    this.inventory = new Inventory(this.#quotePerTickLot, parameters.fees);
    this.#stats = new WindowStats(parameters.horizonsUs.length);
    this.#accountedUs = startUs;
  }

  /** Statistics of the running window. */
  get stats(): WindowStats {
    return this.#stats;
  }

  /**
   * Once per frame; a frame without the exchange's stamp gives no latency and no drift sample. `oneWayUs`: its latency by corrected clocks, undefined
   * while the offset has not been measured.
   */
  onMessage(event: OrderedEvent, oneWayUs: Us | undefined): void {
    const stats = this.#stats;
    if (event.kind === 'book') stats.feed.book_updates++;
    else {
      stats.feed.trades++;
      if (event.offBook) stats.feed.off_book_trades++;
      if (event.index > 0) return;
    }
    stats.feed.messages++;
    if (event.publishTimeUs === undefined) return;
    const delayUs = event.receiveTimeUs - event.publishTimeUs;
    stats.latency.record(delayUs, oneWayUs);
    this.drift.record(msFromUs(delayUs));
  }

  /** The book became live, suspect, or changed its mid; time before `nowUs` is accounted for under the old state. */
  setState(nowUs: Us, live: boolean, midHalf: number | undefined): void {
    if (live === this.#live && midHalf === this.#midHalf) return;
    this.account(nowUs);
    this.#live = live;
    this.#midHalf = midHalf;
  }

  account(nowUs: Us): void {
    const elapsed = nowUs - this.#accountedUs;
    if (elapsed <= 0) return;
    this.#sampleInventory(nowUs);
    this.#accountedUs = nowUs;
    if (!this.#live) {
      this.#stats.suspectUs += elapsed;
      return;
    }
    this.#stats.liveUs += elapsed;
    if (this.#midHalf === undefined || this.inventory.positionLots === 0) return;
    const exposure = this.inventory.exposureQuote(this.#midHalf);
    this.#stats.inventoryIntegral += exposure * elapsed;
    if (exposure > this.#stats.inventoryMaxQuote) this.#stats.inventoryMaxQuote = exposure;
  }

  /** Inventory at every whole second passed: between fills it is constant, so equal samples add up in one go. */
  #sampleInventory(nowUs: Us): void {
    const seconds = Math.floor(nowUs / US_PER_S) - Math.floor(this.#accountedUs / US_PER_S);
    if (seconds <= 0) return;
    const current = this.inventory.positionLots;
    const last = this.#sampledLots;
    this.#stats.inventoryLagProduct += last * current + (seconds - 1) * current * current;
    this.#stats.inventoryLagSquare += last * last + (seconds - 1) * current * current;
    this.#sampledLots = current;
  }

  onOrder(event: OrderEventName): void {
    this.#stats.orders[event]++;
  }

  onSkipped(reason: SkipReason): void {
    this.#stats.orders.skipped++;
    this.#stats.skips[reason]++;
  }

  /** `distanceBps`: s(mid − price)/mid at activation, + outside. */
  onActivated(order: ShadowQuote, distanceBps: Bps): void {
    this.#stats.orders.activated++;
    this.#stats.distanceBpsSum += distanceBps;
    const seed = order.queue?.seed;
    if (seed === 'observed') this.#stats.seedObserved++;
    else if (seed === 'deferred') this.#stats.seedDeferred++;
    else if (seed === 'inside') this.#stats.seedInside++;
  }

  onWouldBeTaker(notionalQuote: number): void {
    this.#stats.wouldBeTakerCount++;
    this.#stats.wouldBeTakerQuote += notionalQuote;
  }

  onOppositeVolume(priceTicks: number, lots: Lots): void {
    this.#stats.oppositeQuote += priceTicks * lots * this.#quotePerTickLot;
  }

  onActivationClamp(): void {
    this.#stats.activationClamps++;
  }

  /**
   * A fill under any model. `midHalf`: m₀. `slippageBps`: the driving model's, undefined without a reference price. Returns what
   * the markouts will need.
   */
  onFill(modelIndex: ModelIndex, fill: VirtualFill, midHalf: number, slippageBps: Bps | undefined): PendingFill {
    const stats = this.#stats;
    const notionalQuote = fill.priceTicks * fill.lots * this.#quotePerTickLot;
    addFill(stats.byModel[modelIndex], notionalQuote);
    stats.markoutsOpen++;
    if (modelIndex === this.#parameters.driver) {
      this.account(fill.timeUs);
      this.inventory.fill(fill.side, fill.priceTicks, fill.lots, fill.liquidity);
      stats.virtualFills.push(fill);
      for (const group of groupsOf(stats, fill)) addFill(group, notionalQuote);
      stats.halfSpread.add(fill.timeUs, notionalQuote, effectiveHalfSpreadBps(fill.side, fill.priceTicks, midHalf));
      if (slippageBps !== undefined) stats.slippageBps.push(slippageBps);
      if (fill.lateCancel) stats.lateCancelFills++;
      stats.markoutsPending++;
    }
    return { modelIndex, fill, notionalQuote, midHalf, stats };
  }

  /** m(τ) of a fill, in half ticks; undefined when a gap, a stale period or a crossed book lies between. */
  onMarkout(pending: PendingFill, horizon: number, midAfterHalf: number | undefined): void {
    const { fill, stats, notionalQuote, midHalf } = pending;
    const driving = pending.modelIndex === this.#parameters.driver;
    const isKpi = horizon === this.#parameters.kpiHorizon;
    // The driving model's fills wait for every horizon, the others' for that of the KPIs.
    if (horizon === (driving ? this.#parameters.horizonsUs.length - 1 : this.#parameters.kpiHorizon)) {
      stats.markoutsOpen--;
      if (driving) stats.markoutsPending--;
    }
    if (midAfterHalf === undefined) {
      if (driving && isKpi) stats.markoutsInvalid++;
      return;
    }
    const markout = markoutBps(fill.side, fill.priceTicks, midHalf, midAfterHalf);
    if (driving) stats.markouts[horizon]!.add(fill.timeUs, notionalQuote, markout);
    if (!isKpi) return;
    const edge = markout - this.#parameters.fees[fill.liquidity];
    stats.byModel[pending.modelIndex].net.add(fill.timeUs, notionalQuote, edge);
    if (!driving) return;
    for (const group of groupsOf(stats, fill)) group.net.add(fill.timeUs, notionalQuote, edge);
    const adverse = adverseSelectionBps(fill.side, midHalf, midAfterHalf);
    stats.adverse.add(fill.timeUs, notionalQuote, adverse);
    stats.adverseBps.push(adverse);
    stats.lossQuoteBps += notionalQuote * Math.max(0, -edge);
    stats.absoluteEdgeQuoteBps += notionalQuote * Math.abs(edge);
  }

  /** An order ended under the driving model; censored ones count nowhere but in their own number. */
  onEnded(order: ShadowQuote, outcome: Outcome, nowUs: Us): void {
    const stats = this.#stats;
    stats.orders[outcome]++;
    const leaves = order.leavesLots[this.#parameters.driver]!;
    const filled = leaves < order.sizeLots;
    if (!filled && outcome !== 'rejected_post_only') stats.noFill[order.noFillReason()]++;
    stats.queueTradesConsumed += order.queue?.tradesConsumed ?? 0;
    stats.queueCancelsAttributed += order.queue?.cancelsAttributed ?? 0;
    if (outcome === 'censored' || outcome === 'rejected_post_only' || order.liveSinceUs === undefined) return;
    const quotePerLot = order.priceTicks * this.#quotePerTickLot;
    stats.endedOrders++;
    stats.endedQuote += order.sizeLots * quotePerLot;
    stats.endedFilledQuote += (order.sizeLots - leaves) * quotePerLot;
    if (filled) stats.endedFilledOrders++;
    stats.lifetimes.push({ durationUs: (order.firstFillUs ?? nowUs) - order.liveSinceUs, filled });
  }

  /** Ends the running window at `endUs` and begins the next. `liquidationHalf`: twice the best bid if long, ask if short. */
  closeWindow(endUs: Us, liquidationHalf: number | undefined): WindowStats {
    this.account(endUs);
    const stats = this.#stats;
    stats.driftMs = this.drift.valueMs;
    stats.realizedQuote = this.inventory.realizedQuote - this.#realizedBefore;
    stats.feesQuote = this.inventory.feesQuote - this.#feesBefore;
    this.#realizedBefore = this.inventory.realizedQuote;
    this.#feesBefore = this.inventory.feesQuote;
    if (this.#midHalf !== undefined) stats.unrealizedMidQuote = this.inventory.unrealizedQuote(this.#midHalf);
    if (liquidationHalf !== undefined) {
      stats.unrealizedLiquidationQuote = this.inventory.unrealizedQuote(liquidationHalf);
    }
    this.#stats = new WindowStats(this.#parameters.horizonsUs.length);
    return stats;
  }
}

function addFill(group: { fills: number; notionalQuote: number }, notionalQuote: number): void {
  group.fills++;
  group.notionalQuote += notionalQuote;
}

const groupsOf = (stats: WindowStats, fill: VirtualFill): FillGroup[] => [
  stats.byLiquidity[fill.liquidity],
  stats.byCause[fill.cause],
  stats.bySide[sideOf(fill.side)],
];
