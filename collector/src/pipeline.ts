import type { ClockChange, ClockReading } from './clock/exchange-clock.ts';
import { ExchangeClock } from './clock/exchange-clock.ts';
import type { StampGranularity } from './clock/offset-estimator.ts';
import type { BadDataEvent, GapReason, Instrument, MarketEvent } from './events.ts';
import type { LatencyModel } from './fills/latency-model.ts';
import type { ShadowQuote, VirtualFill } from './fills/shadow-quote.ts';
import { WindowStats } from './kpi/window.ts';
import type { BookChannel, SymbolParameters } from './symbol-shadow.ts';
import { SymbolShadow } from './symbol-shadow.ts';
import type { Us } from './units.ts';
import { US_PER_S } from './units.ts';

export interface SymbolSetup {
  readonly instrument: Instrument;
  readonly channels: readonly BookChannel[];
  readonly parameters: SymbolParameters;
  readonly latency: LatencyModel;
}

export interface PipelineParameters {
  readonly symbols: readonly SymbolSetup[];
  readonly windowUs: Us;
  /** Windows to run; 0 for as long as events come. */
  readonly iterations: number;
  /** How long a finite run goes on after its last window, for markouts to become known. */
  readonly drainUs: Us;
  readonly horizons: number;
  readonly stampGranularity: StampGranularity;
}

/** A window of all symbols. It is reported when it ends and once more, final, when none of its markouts is still to come. */
export interface WindowReport {
  /** 0 is the first of the run. */
  readonly index: number;
  readonly startUs: Us;
  readonly endUs: Us;
  /** More may become known (markouts), or the window was cut short by the end of the run. */
  readonly provisional: boolean;
  readonly cutShort: boolean;
  readonly bySymbol: ReadonlyMap<string, WindowStats>;
  readonly total: WindowStats;
  readonly driftMs: number | undefined;
  /** The clocks as they were known when the window closed. */
  readonly clock: ClockReading;
}

export interface PipelineOutputs {
  /** One symbol's window has ended: what it counted is complete, but for markouts. */
  readonly onSymbolWindow: (symbol: string, stats: WindowStats) => void;
  /** The statistics in a report may still change: what is wanted of them is to be taken at once. */
  readonly onWindow: (report: WindowReport) => void;
  readonly onFill: (symbol: string, fill: VirtualFill) => void;
  /** An order has joined the book; it goes on changing. For calibration. */
  readonly onRest?: (symbol: string, order: ShadowQuote) => void;
  readonly onResync: (symbol: string, channel: string, reason: GapReason) => void;
  readonly onClock?: (change: ClockChange) => void;
}

/**
 * Time passes in steps of this on the receive clock, worked out from stamps alone: before an event is looked at, every step
 * up to its stamp is made. So a live run, whose timers fire when they can, and its replay make the same steps.
 */
const STEP_US = 50_000;
/** Every so often a step also looks for silence and for windows that have ended or become final. A multiple of `STEP_US`. */
const SLOW_STEP_US = US_PER_S;
/** A window keeps about so many best prices of each symbol, for reports to draw; never more than one a second. */
const BEST_PRICES_PER_WINDOW = 240;
/** After a pause longer than this only the steps at its end are made. */
const LONGEST_WALK_US = 3_600 * US_PER_S;
/** A window without a later event is closed this long after its end, by the local clock less the offset. */
const WINDOW_GRACE_US = US_PER_S;

interface OpenWindow {
  readonly bySymbol: Map<string, WindowStats>;
  atClose: Pick<WindowReport, 'driftMs' | 'clock'> | undefined;
}

/** events → reorder → book → quotes and fill models → KPIs, for all symbols. Pure: it knows time only from stamps. */
export class Pipeline {
  readonly symbols = new Map<string, SymbolShadow>();
  readonly clock: ExchangeClock;
  /** Frames that could not be used and name no configured symbol. */
  unattributedBad = 0;
  rejectedSubscriptions = 0;
  disconnects = 0;
  readonly #parameters: PipelineParameters;
  readonly #outputs: PipelineOutputs;
  readonly #open = new Map<number, OpenWindow>();
  #startUs: Us | undefined;
  #stepUs: Us = 0;
  /** The next slow step behind it. */
  #slowUs: Us = 0;
  /** No symbol holds an event that is due before this. */
  #dueUs: Us = Infinity;
  #lastMonoUs: Us = 0;
  #connected = false;
  #done = false;

  constructor(parameters: PipelineParameters, outputs: PipelineOutputs) {
    this.#parameters = parameters;
    this.#outputs = outputs;
    this.clock = new ExchangeClock(parameters.stampGranularity, (change) => outputs.onClock?.(change));
  }

  /** All windows asked for are complete; further events change nothing. */
  get done(): boolean {
    return this.#done;
  }

  /** Start of the first window, exchange time; undefined before the first event. */
  get startUs(): Us | undefined {
    return this.#startUs;
  }

  /** Monotonic clock at the last stamp seen. */
  get monoUs(): Us {
    return this.#lastMonoUs;
  }

  /** Exchange time of the last stamp seen. */
  get endUs(): Us {
    return this.clock.exchangeUs(this.#lastMonoUs);
  }

  push(events: readonly MarketEvent[]): void {
    for (const event of events) {
      // A run begins with what its recording begins with: a connection, not a timer.
      if (this.#startUs === undefined && (event.kind === 'heartbeat' || event.kind === 'probe')) continue;
      this.#advance(event.monoUs, event.receiveTimeUs);
      if (this.#done) return;
      this.#route(event);
    }
  }

  /**
   * The feed has ended, at the last stamp seen: what is held is processed, complete windows are closed, and the one under way is
   * reported as cut short.
   */
  finish(): void {
    if (this.#startUs === undefined || this.#done) return;
    this.#done = true;
    // An exchange stamp may lie ahead of the receive clock: nothing that was processed is left out.
    let endUs = this.endUs;
    for (const symbol of this.symbols.values()) {
      symbol.flush();
      endUs = Math.max(endUs, symbol.simulation.nowUs);
    }
    for (const symbol of this.symbols.values()) symbol.closeWindowsUntil(endUs);
    this.#reportFinal(true);
    this.#reportCutShort(endUs);
  }

  #route(event: MarketEvent): void {
    switch (event.kind) {
      case 'book':
      case 'trade': {
        if (event.publishTimeUs !== undefined) this.clock.onMessage(event, event.publishTimeUs);
        const symbol = this.symbols.get(event.symbol);
        if (symbol === undefined) return;
        symbol.push(event);
        if (symbol.dueUs < this.#dueUs) this.#dueUs = symbol.dueUs;
        return;
      }
      case 'gap':
        return this.symbols.get(event.symbol)?.lose(event.channel, event.reason, event.monoUs);
      case 'bad':
        return this.#onBad(event);
      case 'connect':
        this.#connected = true;
        for (const symbol of this.symbols.values()) symbol.connected(event.monoUs);
        return;
      case 'disconnect':
        return this.#onDisconnect(event.monoUs);
      case 'subscription':
        if (!event.accepted) this.rejectedSubscriptions++;
        return;
      case 'probe':
        return this.clock.onProbe(event);
      case 'heartbeat':
        return;
    }
  }

  #onBad(event: BadDataEvent): void {
    const symbol = event.symbol === undefined ? undefined : this.symbols.get(event.symbol);
    if (symbol === undefined) {
      this.unattributedBad++;
      return;
    }
    symbol.stats.feed.bad++;
    if (event.channel !== undefined) symbol.lose(event.channel, 'bad-data', event.monoUs);
  }

  /** An attempt that never came to a connection ends in a disconnect too, which is none to count. */
  #onDisconnect(monoUs: Us): void {
    const lost = this.#connected;
    this.#connected = false;
    if (lost) this.disconnects++;
    for (const symbol of this.symbols.values()) {
      symbol.lose(undefined, 'disconnect', monoUs);
      if (lost) symbol.stats.feed.reconnects++;
    }
  }

  /** Lets time pass up to a stamp. */
  #advance(monoUs: Us, receiveTimeUs: Us): void {
    if (this.#startUs === undefined) this.#begin(monoUs, receiveTimeUs);
    // Over a long pause what one clock says of the other is void: a recording may be damaged, a machine may have slept.
    if (monoUs - this.#lastMonoUs > LONGEST_WALK_US) this.clock.begin({ receiveTimeUs, monoUs });
    if (monoUs >= this.#dueUs || monoUs >= this.#slowUs) this.#walk(monoUs);
    if (monoUs > this.#lastMonoUs) this.#lastMonoUs = monoUs;
  }

  /** Makes the steps up to a stamp. Those at which nothing is due would do nothing, and are passed over. */
  #walk(monoUs: Us): void {
    if (monoUs - this.#stepUs > LONGEST_WALK_US) this.#setStep(gridBefore(monoUs, SLOW_STEP_US) - STEP_US);
    for (let next = this.#nextStepUs(); next <= monoUs && !this.#done; next = this.#nextStepUs()) {
      this.#setStep(next);
      this.#step();
    }
  }

  #setStep(stepUs: Us): void {
    this.#stepUs = stepUs;
    this.#slowUs = gridBefore(stepUs, SLOW_STEP_US) + SLOW_STEP_US;
  }

  #begin(monoUs: Us, receiveTimeUs: Us): void {
    this.#startUs = receiveTimeUs;
    this.#lastMonoUs = monoUs;
    this.clock.begin({ receiveTimeUs, monoUs });
    this.#setStep(gridBefore(monoUs, STEP_US));
    const windows = { startUs: receiveTimeUs, durationUs: this.#parameters.windowUs };
    for (const { instrument, channels, parameters, latency } of this.#parameters.symbols) {
      const symbol = new SymbolShadow(instrument, channels, parameters, latency, this.clock, windows, monoUs, {
        onFill: this.#outputs.onFill,
        onRest: this.#outputs.onRest,
        onResync: this.#outputs.onResync,
        onWindow: (name, index, stats) => this.#closed(name, index, stats),
      });
      this.symbols.set(instrument.symbol, symbol);
    }
  }

  #nextStepUs(): Us {
    if (this.#dueUs === Infinity) return this.#slowUs;
    const dueStepUs = Math.max(this.#stepUs + STEP_US, Math.ceil(this.#dueUs / STEP_US) * STEP_US);
    return Math.min(this.#slowUs, dueStepUs);
  }

  #step(): void {
    this.#dueUs = Infinity;
    for (const symbol of this.symbols.values()) {
      symbol.release(this.#stepUs);
      if (symbol.dueUs < this.#dueUs) this.#dueUs = symbol.dueUs;
    }
    if (this.#stepUs % SLOW_STEP_US !== 0) return;
    this.clock.tick(this.#stepUs);
    const nowUs = this.clock.exchangeUs(this.#stepUs);
    const overdueUs = nowUs - WINDOW_GRACE_US;
    const keep = this.#stepUs % bestPricesPeriodUs(this.#parameters.windowUs) === 0;
    for (const symbol of this.symbols.values()) {
      if (keep) symbol.keepBestPrices(nowUs);
      symbol.checkSilence(this.#stepUs);
      symbol.closeWindowsUntil(overdueUs);
    }
    this.#reportFinal(false);
    const { iterations, windowUs, drainUs } = this.#parameters;
    if (iterations === 0 || overdueUs < this.#startUs! + iterations * windowUs + drainUs) return;
    this.#reportFinal(true);
    this.#done = true;
  }

  /** At the last step: heartbeats, which a recording does not have, move the last stamp. */
  #clocks(): Pick<WindowReport, 'driftMs' | 'clock'> {
    return { driftMs: this.clock.drift.valueMs, clock: this.clock.reading(this.#stepUs) };
  }

  #wanted(index: number): boolean {
    return this.#parameters.iterations === 0 || index < this.#parameters.iterations;
  }

  #closed(symbol: string, index: number, stats: WindowStats): void {
    this.#outputs.onSymbolWindow(symbol, stats);
    if (!this.#wanted(index)) return;
    let window = this.#open.get(index);
    if (window === undefined) this.#open.set(index, (window = { bySymbol: new Map(), atClose: undefined }));
    window.bySymbol.set(symbol, stats);
    if (window.bySymbol.size < this.symbols.size) return;
    window.atClose = this.#clocks();
    const final = isFinal(window);
    if (final) this.#open.delete(index);
    this.#report(index, window, !final);
  }

  /** Reports the windows whose markouts are all known; with `all`, those too that will never know them. */
  #reportFinal(all: boolean): void {
    for (const [index, window] of this.#open) {
      if (window.bySymbol.size < this.symbols.size || !(all || isFinal(window))) continue;
      this.#open.delete(index);
      this.#report(index, window, false);
    }
  }

  #report(index: number, window: OpenWindow, provisional: boolean, cutAtUs?: Us): void {
    const startUs = this.#startUs! + index * this.#parameters.windowUs;
    const total = new WindowStats(this.#parameters.horizons);
    // In the order of configuration, so that sums round alike in every run.
    const bySymbol = new Map([...this.symbols.keys()].map((symbol) => [symbol, window.bySymbol.get(symbol)!]));
    for (const stats of bySymbol.values()) total.merge(stats);
    this.#outputs.onWindow({
      index,
      startUs,
      endUs: cutAtUs ?? startUs + this.#parameters.windowUs,
      provisional,
      cutShort: cutAtUs !== undefined,
      bySymbol,
      total,
      ...(window.atClose ?? this.#clocks()),
    });
  }

  #reportCutShort(endUs: Us): void {
    const [first] = this.symbols.values();
    if (first === undefined) return;
    const index = first.windowIndex;
    const startUs = this.#startUs! + index * this.#parameters.windowUs;
    if (!this.#wanted(index) || endUs <= startUs) return;
    const bySymbol = new Map([...this.symbols].map(([name, symbol]) => [name, symbol.simulation.closeWindow(endUs)]));
    this.#report(index, { bySymbol, atClose: this.#clocks() }, true, endUs);
  }
}

/** Whole seconds between two best prices that are kept of a window so long. */
export const bestPricesPeriodUs = (windowUs: Us): Us =>
  Math.ceil(windowUs / BEST_PRICES_PER_WINDOW / US_PER_S) * US_PER_S;

const gridBefore = (us: Us, gridUs: Us): Us => Math.floor(us / gridUs) * gridUs;

const isFinal = (window: OpenWindow): boolean =>
  [...window.bySymbol.values()].every((stats) => stats.markoutsOpen === 0);
