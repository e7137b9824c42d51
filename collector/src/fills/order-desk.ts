import type { MiniLob } from '../book/mini-lob.ts';
import type { TradeEvent } from '../events.ts';
import type { Lots, Sign, Ticks, Us } from '../units.ts';
import type { Print } from './models.ts';
import { MODELS, QUEUE_MODEL } from './models.ts';
import type { QueueParameters } from './queue-position.ts';
import { QueuePosition } from './queue-position.ts';
import type { Cause, ModelIndex, ShadowQuote, VirtualFill } from './shadow-quote.ts';
import { MODEL_INDEXES } from './shadow-quote.ts';

export interface DeskParameters {
  readonly queue: QueueParameters;
  readonly dwellUs: Us;
  /** Volume check of touch-dwell; undefined switches it off. */
  readonly volume: VolumeCheck | undefined;
}

export interface VolumeCheck {
  readonly minLots: Lots;
  /** `last`: the last opposite trade since the touch began; `cumulative`: all of them at our price or worse. */
  readonly mode: 'last' | 'cumulative';
}

export interface DeskListener {
  onFill(order: ShadowQuote, modelIndex: ModelIndex, fill: VirtualFill): void;
  /** The touch began: call `onDwellTimer` a dwell later. */
  onTouchStart(order: ShadowQuote, touchStartUs: Us): void;
  /** Opposite volume that reached an open order, once per print. */
  onOppositeVolume(priceTicks: Ticks, lots: Lots): void;
}

/** One side's resting orders, best price first, then by time in the book; and what its queue-model crossing episode has taken. */
class RestingSide {
  readonly sign: Sign;
  readonly orders: ShadowQuote[] = [];
  crossUsedLots: Lots = 0;
  lastOppositeLots: Lots = 0;
  lastOppositeUs: Us = -Infinity;

  constructor(sign: Sign) {
    this.sign = sign;
  }

  insert(order: ShadowQuote): void {
    let at = this.orders.length;
    while (at > 0 && this.sign * (order.priceTicks - this.orders[at - 1]!.priceTicks) > 0) at--;
    this.orders.splice(at, 0, order);
  }

  remove(order: ShadowQuote): void {
    const at = this.orders.indexOf(order);
    if (at >= 0) this.orders.splice(at, 1);
  }
}

/**
 * The resting virtual orders of one symbol, matched against prints and book changes under all models at once. Liquidity is
 * shared among our own orders: a print's budget is spent best price first, then by time in the book.
 */
export class OrderDesk {
  readonly #book: MiniLob;
  readonly #parameters: DeskParameters;
  readonly #listener: DeskListener;
  readonly #buys = new RestingSide(1);
  readonly #sells = new RestingSide(-1);
  readonly #budgets = new Float64Array(MODELS.length);

  constructor(book: MiniLob, parameters: DeskParameters, listener: DeskListener) {
    this.#book = book;
    this.#parameters = parameters;
    this.#listener = listener;
  }

  get size(): number {
    return this.#buys.orders.length + this.#sells.orders.length;
  }

  resting(sign: Sign): readonly ShadowQuote[] {
    return this.#side(sign).orders;
  }

  /** The order joins the book behind what is displayed. `joinsEmpty`: a remainder after taking rests at an emptied level. */
  rest(order: ShadowQuote, joinsEmpty: boolean): void {
    const visible = joinsEmpty ? 0 : this.#book.visibleLotsAt(order.sign, order.priceTicks);
    order.queue = new QueuePosition(visible, this.#parameters.queue);
    const side = this.#side(order.sign);
    // What it took is still displayed; it cannot be taken twice.
    if (joinsEmpty) side.crossUsedLots += order.sizeLots - order.leavesLots[QUEUE_MODEL]!;
    side.insert(order);
  }

  remove(order: ShadowQuote): void {
    // Its dwell timer may still be running; without a touch it is void.
    order.touchStartUs = undefined;
    this.#side(order.sign).remove(order);
  }

  onTrade(trade: TradeEvent, timeUs: Us): void {
    const side = trade.takerSign === -1 ? this.#buys : this.#sells;
    if (trade.exchangeTimeUs >= side.lastOppositeUs) {
      side.lastOppositeLots = trade.sizeLots;
      side.lastOppositeUs = trade.exchangeTimeUs;
    }
    if (side.orders.length === 0 || side.orders[0]!.reach(trade.priceTicks) < 0) return;
    this.#listener.onOppositeVolume(trade.priceTicks, trade.sizeLots);
    this.#budgets.fill(trade.sizeLots);
    // A fill may close orders; the list as it was is what the print meets.
    for (const order of [...side.orders]) {
      const reach = order.reach(trade.priceTicks);
      if (reach < 0) return;
      this.#printAt(order, trade, timeUs, reach);
    }
  }

  #printAt(order: ShadowQuote, trade: TradeEvent, timeUs: Us, reach: number): void {
    order.traded = true;
    const queue = order.queue!;
    const print: Print = { timeUs, lots: trade.sizeLots, budgetLots: 0, reach, queueExcessLots: 0 };
    if (reach > 0) queue.clearAhead();
    // Late trades are matched with depth by their own time, not by the time they were processed at.
    else print.queueExcessLots = queue.onTrade(trade.exchangeTimeUs, trade.sizeLots, this.#budgets[QUEUE_MODEL]!);
    for (const index of MODEL_INDEXES) {
      print.budgetLots = this.#budgets[index]!;
      const lots = MODELS[index]!.onPrint(order, order.leavesLots[index]!, print);
      if (lots <= 0) continue;
      this.#budgets[index]! -= lots;
      this.#fill(order, index, lots, MODELS[index]!.printCause(reach), timeUs, trade.tradeId);
    }
    if (order.touchStartUs === undefined || trade.exchangeTimeUs < order.touchStartUs) return;
    order.touchVolumeLots += trade.sizeLots;
    if (order.dwelledTouchUs === order.touchStartUs) this.#tryDwell(order, timeUs, trade.tradeId);
  }

  /** After each book change. `valid`: synchronised and neither locked nor crossed; otherwise touches end and nothing fills. */
  onBook(timeUs: Us, valid: boolean, snapshot: boolean): void {
    this.#bookAt(this.#buys, timeUs, valid, snapshot);
    this.#bookAt(this.#sells, timeUs, valid, snapshot);
  }

  #bookAt(side: RestingSide, timeUs: Us, valid: boolean, snapshot: boolean): void {
    const best = side.orders[0];
    if (best === undefined) {
      side.crossUsedLots = 0;
      return;
    }
    const opposite = this.#book.bestTicks(-side.sign as Sign);
    const touching = valid && opposite !== undefined && best.reach(opposite) >= 0;
    if (!touching) side.crossUsedLots = 0;
    for (const order of touching ? [...side.orders] : side.orders) {
      order.queue!.onDepth(timeUs, this.#book.visibleLotsAt(side.sign, order.priceTicks), snapshot);
      if (touching && order.reach(opposite) >= 0) this.#touch(side, order, timeUs);
      else order.touchStartUs = undefined;
    }
  }

  #touch(side: RestingSide, order: ShadowQuote, timeUs: Us): void {
    order.touched = true;
    if (order.touchStartUs === undefined) {
      order.touchStartUs = timeUs;
      order.touchVolumeLots = 0;
      this.#listener.onTouchStart(order, timeUs);
    }
    const crossing = {
      displayedLots: this.#book.lotsAtOrBetter(-side.sign as Sign, order.priceTicks),
      usedLots: side.crossUsedLots,
    };
    order.queue!.clearAhead();
    for (const index of MODEL_INDEXES) {
      const lots = MODELS[index]!.onTouch(order.leavesLots[index]!, crossing);
      if (lots <= 0) continue;
      if (index === QUEUE_MODEL) side.crossUsedLots += lots;
      this.#fill(order, index, lots, MODELS[index]!.touchCause, timeUs, undefined);
    }
  }

  /** A dwell after `touchStartUs`; void when the touch was broken meanwhile. */
  onDwellTimer(order: ShadowQuote, touchStartUs: Us, nowUs: Us): void {
    if (order.touchStartUs !== touchStartUs) return;
    order.dwelled = true;
    order.dwelledTouchUs = touchStartUs;
    this.#tryDwell(order, nowUs, undefined);
  }

  #tryDwell(order: ShadowQuote, nowUs: Us, tradeId: string | undefined): void {
    if (!this.#volumeOk(order)) return;
    for (const index of MODEL_INDEXES) {
      const lots = MODELS[index]!.onDwell(order.leavesLots[index]!);
      if (lots > 0) this.#fill(order, index, lots, 'dwell', nowUs, tradeId);
    }
  }

  #volumeOk(order: ShadowQuote): boolean {
    const check = this.#parameters.volume;
    if (check === undefined) return true;
    if (check.mode === 'cumulative') return order.touchVolumeLots >= check.minLots;
    const side = this.#side(order.sign);
    return side.lastOppositeUs >= order.touchStartUs! && side.lastOppositeLots >= check.minLots;
  }

  #fill(
    order: ShadowQuote,
    modelIndex: ModelIndex,
    lots: Lots,
    cause: Cause,
    timeUs: Us,
    tradeId: string | undefined,
  ): void {
    order.leavesLots[modelIndex]! -= lots;
    this.#listener.onFill(order, modelIndex, {
      orderId: order.id,
      model: MODELS[modelIndex]!.name,
      side: order.sign,
      liquidity: 'maker',
      cause,
      timeUs,
      priceTicks: order.priceTicks,
      lots,
      lateCancel: order.cancelEffectiveUs !== undefined,
      queueSeed: order.queue?.seed,
      queueAheadAtPlacementLots: order.queue?.aheadAtPlacement,
      tradeId,
    });
  }

  #side(sign: Sign): RestingSide {
    return sign === 1 ? this.#buys : this.#sells;
  }
}
