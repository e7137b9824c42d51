import type { MiniLob } from '../book/mini-lob.ts';
import { RANK } from '../book/reorder.ts';
import type { BookEvent, GapReason, Instrument, TradeEvent } from '../events.ts';
import type { KpiParameters, PendingFill } from '../kpi/recorder.ts';
import { KpiRecorder } from '../kpi/recorder.ts';
import type { WindowStats } from '../kpi/window.ts';
import type { Bps, Lots, Sign, Ticks, Us } from '../units.ts';
import type { LatencyModel } from './latency-model.ts';
import type { DeskParameters } from './order-desk.ts';
import { OrderDesk } from './order-desk.ts';
import type { QuoterParameters } from './quoter.ts';
import { Quoter, targetTicks } from './quoter.ts';
import type { ModelIndex, Outcome, ShadowQuote, VirtualFill } from './shadow-quote.ts';
import { MODEL_INDEXES } from './shadow-quote.ts';
import { makerSlippageBps, takenBy, takerFill, takerSlippageBps } from './execution.ts';
import type { Task } from './tasks.ts';
import { MidChain } from './mid-chain.ts';
import { TimerQueue } from './timers.ts';

export interface SimulationParameters {
  readonly quoter: QuoterParameters;
  readonly desk: DeskParameters;
  readonly kpi: KpiParameters;
  /** False: an order that would take is let take, instead of being rejected as post-only. */
  readonly postOnly: boolean;
}

export interface SimulationListener {
  readonly onFill: (fill: VirtualFill) => void;
  /** The order has joined the book; it goes on changing. For those who know the truth and compare. */
  readonly onRest?: ((order: ShadowQuote) => void) | undefined;
}

/**
 * The shadow of one symbol in exchange time: events come in order, timers run between them by (time, rank), and every stage
 * sees exactly what it would have known by then. Pure: time and randomness are in the events and the seed.
 */
export class Simulation {
  readonly kpi: KpiRecorder;
  readonly #parameters: SimulationParameters;
  readonly #instrument: Instrument;
  readonly #book: MiniLob;
  readonly #desk: OrderDesk;
  readonly #quoter: Quoter;
  readonly #latency: LatencyModel;
  readonly #timers = new TimerQueue<Task>();
  readonly #listener: SimulationListener;
  /** Orders sent and not yet in the book, rejected or censored. */
  readonly #inFlight = new Set<ShadowQuote>();
  /** Time of the last event or timer processed. */
  #nowUs: Us;
  /** Counts what invalidates markouts that span it: a gap, a stale period, a crossed book. */
  readonly #chain = new MidChain();
  /** Counts suspicions: a view of the book that was under way when one came is void. */
  #era = 0;
  #live = false;
  /** Twice the mid of the last valid book, and of the one before the event in hand. */
  #midHalf: number | undefined;
  #midBeforeHalf: number | undefined;
  #bidBefore: Ticks = 0;
  #askBefore: Ticks = 0;
  #viewedBid: Ticks | undefined;
  #viewedAsk: Ticks | undefined;
  #lastArrivalUs: Us = -Infinity;
  #wakeUs: Us = -Infinity;

  constructor(
    parameters: SimulationParameters,
    instrument: Instrument,
    book: MiniLob,
    latency: LatencyModel,
    startUs: Us,
    listener: SimulationListener,
  ) {
    this.#parameters = parameters;
    this.#instrument = instrument;
    this.#book = book;
    this.#latency = latency;
    this.#nowUs = startUs;
    this.#listener = listener;
    this.kpi = new KpiRecorder(parameters.kpi, instrument, startUs);
    this.#desk = new OrderDesk(book, parameters.desk, {
      onFill: (order, modelIndex, fill) => this.#filled(order, modelIndex, fill),
      onTouchStart: (order, touchStartUs) =>
        this.#timers.schedule(touchStartUs + parameters.desk.dwellUs, RANK.dwell, {
          kind: 'dwell',
          order,
          touchStartUs,
        }),
      onOppositeVolume: (priceTicks, lots) => this.kpi.onOppositeVolume(priceTicks, lots),
    });
    this.#quoter = new Quoter(parameters.quoter, instrument, latency, {
      send: (order, sentUs) => this.#send(order, sentUs),
      cancel: (order, effectiveUs) => this.#cancel(order, effectiveUs),
      wake: (timeUs) => this.#wake(timeUs),
      skipped: (reason) => this.kpi.onSkipped(reason),
    });
  }

  get nowUs(): Us {
    return this.#nowUs;
  }

  /** Synchronised, uncrossed and not suspect. */
  get live(): boolean {
    return this.#live;
  }

  get midHalf(): number | undefined {
    return this.#midHalf;
  }

  /** Prices of the quotes the strategy has working, for publishing; undefined on a side without one. */
  quoteTicks(sign: Sign): Ticks | undefined {
    return this.#quoter.working.find((order) => order.sign === sign && order.cancelEffectiveUs === undefined)
      ?.priceTicks;
  }

  onTrade(trade: TradeEvent): void {
    const nowUs = this.#runUntil(trade.exchangeTimeUs, RANK.trade);
    if (trade.offBook || !this.#live) return;
    this.#desk.onTrade(trade, nowUs);
  }

  /** The book has just applied this event. `arrivalUs`: when the strategy sees it, in exchange time. */
  onBook(event: BookEvent, arrivalUs: Us): void {
    const nowUs = this.#nowUs;
    const midHalf = this.#book.synchronized ? this.#book.midHalfTicks : undefined;
    this.#chain.onBook(nowUs, midHalf, this.#book.synchronized && !this.#book.crossed);
    this.#midBeforeHalf = this.#midHalf;
    this.#live = this.#book.synchronized;
    this.#midHalf = midHalf ?? this.#midHalf;
    this.kpi.setState(nowUs, this.#live, this.#midHalf);
    // Depth-1 channels send nothing but snapshots; there one is an ordinary change.
    this.#desk.onBook(nowUs, midHalf !== undefined, event.snapshot && event.depth > 1);
    this.#midBeforeHalf = this.#midHalf;
    if (midHalf !== undefined) {
      this.#bidBefore = this.#book.bestTicks(1)!;
      this.#askBefore = this.#book.bestTicks(-1)!;
    }
    this.#show(midHalf !== undefined, arrivalUs);
  }

  /** Runs the timers that come before an event of this time and rank; call before the book applies the event. Returns now. */
  runUntil(timeUs: Us): Us {
    return this.#runUntil(timeUs, RANK.depth);
  }

  /** The book can no longer be trusted: open orders are censored, and markouts that span this are invalid. */
  suspect(reason: GapReason): void {
    this.#live = false;
    this.#chain.break();
    this.#era++;
    this.kpi.setState(this.#nowUs, false, this.#midHalf);
    if (reason === 'sequence') this.kpi.stats.feed.gaps++;
    for (const sign of [1, -1] as const) {
      for (const order of [...this.#desk.resting(sign)]) this.#remove(order, 'censored');
    }
    for (const order of this.#inFlight) this.#end(order, 'censored');
    this.#inFlight.clear();
    this.#quoter.reset(this.kpi.inventory.positionLots);
    this.#viewedBid = undefined;
    this.#viewedAsk = undefined;
  }

  /** Lets time pass to the end of a window without an event, and closes it. */
  closeWindow(endUs: Us): WindowStats {
    this.#runUntil(endUs, RANK.trade);
    const position = this.kpi.inventory.positionLots;
    const exit = this.#live && position !== 0 ? this.#book.bestTicks(position > 0 ? 1 : -1) : undefined;
    return this.kpi.closeWindow(endUs, position === 0 ? 0 : exit === undefined ? undefined : 2 * exit);
  }

  #runUntil(timeUs: Us, rank: number): Us {
    const timers = this.#timers;
    while (timers.nextTimeUs < timeUs || (timers.nextTimeUs === timeUs && timers.nextRank! < rank)) {
      const timer = timers.pop()!;
      if (timer.timeUs > this.#nowUs) this.#nowUs = timer.timeUs;
      this.#run(timer.task);
    }
    if (timeUs > this.#nowUs) this.#nowUs = timeUs;
    return this.#nowUs;
  }

  #run(task: Task): void {
    switch (task.kind) {
      case 'activate':
        return this.#activate(task.order);
      case 'cancel':
        return this.#cancelTakesEffect(task.order);
      case 'dwell':
        return this.#desk.onDwellTimer(task.order, task.touchStartUs, this.#nowUs);
      case 'markout':
        return this.kpi.onMarkout(task.pending, task.horizon, this.#chain.midHalfAt(this.#nowUs, task.link));
      case 'response':
        return this.#quoter.onResponse(task.order, task.lots, task.closed, this.#nowUs);
      case 'view':
        if (task.era === this.#era) this.#quoter.onView(this.#nowUs, task.bidTicks, task.askTicks);
        return;
      case 'decide':
        return this.#quoter.decide(this.#nowUs);
    }
  }

  /** The strategy sees best prices when they arrive, and only when they changed. */
  #show(valid: boolean, arrivalUs: Us): void {
    const bidTicks = valid ? this.#book.bestTicks(1) : undefined;
    const askTicks = valid ? this.#book.bestTicks(-1) : undefined;
    if (bidTicks === this.#viewedBid && askTicks === this.#viewedAsk) return;
    this.#viewedBid = bidTicks;
    this.#viewedAsk = askTicks;
    this.#lastArrivalUs = Math.max(arrivalUs, this.#lastArrivalUs, this.#nowUs);
    this.#timers.schedule(this.#lastArrivalUs, RANK.decision, { kind: 'view', bidTicks, askTicks, era: this.#era });
  }

  #wake(timeUs: Us): void {
    if (this.#wakeUs > this.#nowUs && this.#wakeUs <= timeUs) return;
    this.#wakeUs = timeUs;
    this.#timers.schedule(timeUs, RANK.decision, { kind: 'decide' });
  }

  #send(order: ShadowQuote, sentUs: Us): void {
    this.kpi.onOrder('new');
    this.#inFlight.add(order);
    const activationUs = sentUs + this.#latency.drawUs('entry', order.id);
    if (activationUs < this.#nowUs) this.kpi.onActivationClamp();
    this.#timers.schedule(Math.max(activationUs, this.#nowUs), RANK.activation, { kind: 'activate', order });
  }

  #cancel(order: ShadowQuote, effectiveUs: Us): void {
    order.cancelEffectiveUs = Math.max(effectiveUs, this.#nowUs);
    this.#timers.schedule(order.cancelEffectiveUs, RANK.cancelEffective, { kind: 'cancel', order });
  }

  #activate(order: ShadowQuote): void {
    if (!this.#inFlight.delete(order)) return;
    const opposite = this.#book.bestTicks(-order.sign as Sign);
    const takes = order.flatten || (opposite !== undefined && order.reach(opposite) >= 0);
    if (takes && this.#parameters.postOnly && !order.flatten) {
      this.kpi.onWouldBeTaker(this.#takerFill(order)?.notionalQuote ?? 0);
      this.#end(order, 'rejected_post_only');
      return this.#respond(order, 0, true);
    }
    order.liveSinceUs = this.#nowUs;
    if (takes) this.#take(order);
    if (order.outcome === undefined) {
      this.#desk.rest(order, takes);
      this.#listener.onRest?.(order);
      this.#timers.schedule(this.#nowUs + this.#parameters.quoter.maxAgeUs, RANK.decision, { kind: 'decide' });
    }
    this.kpi.onActivated(order, ((order.sign * (this.#midHalf! - 2 * order.priceTicks)) / this.#midHalf!) * 1e4);
  }

  /** Takes what is displayed, alike under all models; a flattening order never rests. */
  #take(order: ShadowQuote): void {
    const taken = this.#takerFill(order);
    if (taken !== undefined) {
      for (const index of MODEL_INDEXES) {
        order.leavesLots[index]! -= taken.lots;
        this.#filled(order, index, takenBy(order, index, taken, this.#nowUs));
      }
    }
    if (order.flatten && order.outcome === undefined) {
      this.#end(order, 'canceled');
      this.#respond(order, 0, true);
    }
  }

  #takerFill(order: ShadowQuote): ReturnType<typeof takerFill> {
    const limit = order.flatten ? undefined : order.priceTicks;
    return takerFill(this.#book, order.sign, limit, order.sizeLots, this.#instrument);
  }

  #cancelTakesEffect(order: ShadowQuote): void {
    if (this.#inFlight.delete(order)) {
      this.#end(order, 'canceled');
    } else if (order.outcome === 'censored' || order.outcome === 'rejected_post_only') {
      return;
    } else {
      this.#desk.remove(order);
      if (order.outcome !== undefined) return;
      this.#end(order, 'canceled');
    }
    this.#respond(order, 0, true);
  }

  #filled(order: ShadowQuote, modelIndex: ModelIndex, fill: VirtualFill): void {
    const midHalf = this.#midBeforeHalf ?? this.#midHalf!;
    const driving = modelIndex === this.#parameters.kpi.driver;
    const pending = this.kpi.onFill(
      modelIndex,
      fill,
      midHalf,
      driving ? this.#slippageBps(order, fill, midHalf) : undefined,
    );
    this.#scheduleMarkouts(pending, driving);
    this.#listener.onFill(fill);
    if (driving) this.#driverFilled(order, fill);
    if (!order.openUnderAnyModel()) this.#desk.remove(order);
  }

  #driverFilled(order: ShadowQuote, fill: VirtualFill): void {
    order.firstFillUs ??= fill.timeUs;
    const closed = order.leavesLots[this.#parameters.kpi.driver] === 0;
    if (closed) this.#end(order, 'filled');
    this.#respond(order, fill.lots, closed);
  }

  #scheduleMarkouts(pending: PendingFill, driving: boolean): void {
    const { horizonsUs, kpiHorizon } = this.#parameters.kpi;
    for (let horizon = 0; horizon < horizonsUs.length; horizon++) {
      if (!driving && horizon !== kpiHorizon) continue;
      const task = { kind: 'markout', pending, horizon, link: this.#chain.link } as const;
      this.#timers.schedule(pending.fill.timeUs + horizonsUs[horizon]!, RANK.markout, task);
    }
  }

  #slippageBps(order: ShadowQuote, fill: VirtualFill, midHalf: number): Bps {
    if (fill.liquidity === 'taker') return takerSlippageBps(order.sign, fill.priceTicks, order.decisionMidHalf);
    const target = targetTicks(order.sign, this.#bidBefore, this.#askBefore, this.#parameters.quoter.spreadBps);
    return makerSlippageBps(order.sign, fill.priceTicks, target, midHalf);
  }

  #respond(order: ShadowQuote, lots: Lots, closed: boolean): void {
    const atUs = this.#nowUs + this.#latency.drawUs('resp', order.id);
    this.#timers.schedule(atUs, RANK.decision, { kind: 'response', order, lots, closed });
  }

  #remove(order: ShadowQuote, outcome: Outcome): void {
    this.#desk.remove(order);
    if (order.outcome === undefined) this.#end(order, outcome);
  }

  #end(order: ShadowQuote, outcome: Outcome): void {
    order.outcome = outcome;
    this.kpi.onEnded(order, outcome, this.#nowUs);
  }
}
