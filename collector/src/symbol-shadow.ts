import { MiniLob } from './book/mini-lob.ts';
import type { OrderedEvent } from './book/reorder.ts';
import { ReorderBuffer } from './book/reorder.ts';
import type { OffsetBound } from './clock/offset-bound.ts';
import type { BookEvent, GapReason, Instrument } from './events.ts';
import type { LatencyModel } from './fills/latency-model.ts';
import type { VirtualFill } from './fills/shadow-quote.ts';
import type { SimulationParameters } from './fills/simulation.ts';
import { Simulation } from './fills/simulation.ts';
import type { WindowStats } from './kpi/window.ts';
import type { Us } from './units.ts';

/** A book channel of the subscription, and how long it may say nothing. */
export interface BookChannel {
  readonly name: string;
  readonly depth: number;
  readonly silenceLimitUs: Us;
}

export interface SymbolParameters {
  readonly simulation: SimulationParameters;
  readonly reorderWindowUs: Us;
}

/** What one symbol asks of the outside. */
export interface SymbolOutputs {
  readonly onFill: (symbol: string, fill: VirtualFill) => void;
  /** Unsubscribe and subscribe the channel again, for a new snapshot. */
  readonly onResync: (symbol: string, channel: string, reason: GapReason) => void;
  readonly onWindow: (symbol: string, index: number, stats: WindowStats) => void;
}

export interface WindowClock {
  readonly startUs: Us;
  readonly durationUs: Us;
}

/** A resynchronisation that brings no snapshot is asked for again after this. */
const RESYNC_RETRY_US = 5_000_000;

/** One symbol behind the adapter: reorder → book → simulation → windows. Nothing here is shared with another symbol. */
export class SymbolShadow {
  readonly symbol: string;
  readonly instrument: Instrument;
  readonly book: MiniLob;
  readonly simulation: Simulation;
  readonly #channels: readonly BookChannel[];
  readonly #reorder: ReorderBuffer;
  readonly #offset: OffsetBound;
  readonly #windows: WindowClock;
  readonly #outputs: SymbolOutputs;
  readonly #lastHeardUs = new Map<string, Us>();
  readonly #resyncAskedUs = new Map<string, Us>();
  #windowIndex = 0;
  /** Book updates in a row that left the book locked or crossed. One may be a race of the exchange; two are not. */
  #crossedRun = 0;
  /** Wall time of the last message received; undefined before one. */
  lastReceiveUs: Us | undefined;

  constructor(
    instrument: Instrument,
    channels: readonly BookChannel[],
    parameters: SymbolParameters,
    latency: LatencyModel,
    offset: OffsetBound,
    windows: WindowClock,
    monoUs: Us,
    outputs: SymbolOutputs,
  ) {
    this.symbol = instrument.symbol;
    this.instrument = instrument;
    this.book = new MiniLob(channels);
    this.#channels = channels;
    this.#reorder = new ReorderBuffer(parameters.reorderWindowUs);
    this.#offset = offset;
    this.#windows = windows;
    this.#outputs = outputs;
    this.simulation = new Simulation(parameters.simulation, instrument, this.book, latency, windows.startUs, (fill) =>
      outputs.onFill(this.symbol, fill),
    );
    for (const channel of channels) this.#lastHeardUs.set(channel.name, monoUs);
  }

  get windowIndex(): number {
    return this.#windowIndex;
  }

  get stats(): WindowStats {
    return this.simulation.kpi.stats;
  }

  /** When `release` will have something to do, on the monotonic clock; Infinity when nothing is held. */
  get dueUs(): Us {
    return this.#reorder.dueUs;
  }

  push(event: OrderedEvent): void {
    this.lastReceiveUs = event.receiveTimeUs;
    if (event.kind === 'book') this.#lastHeardUs.set(event.channel, event.monoUs);
    this.release(event.monoUs);
    const verdict = this.#reorder.push(event);
    if (verdict === 'held') return;
    if (verdict === 'late') {
      this.stats.feed.late++;
      this.#process(event);
      return;
    }
    this.stats.feed.dropped++;
    this.lose(undefined, 'overflow', event.monoUs);
  }

  /** Processes every event whose reorder window has passed. */
  release(monoUs: Us): void {
    for (let event = this.#reorder.release(monoUs); event !== undefined; event = this.#reorder.release(monoUs)) {
      this.#process(event);
    }
  }

  flush(): void {
    for (let event = this.#reorder.flush(); event !== undefined; event = this.#reorder.flush()) this.#process(event);
  }

  /** Something was lost of one channel, or of all: what is known of the book is void. Everything received before counts first. */
  lose(channel: string | undefined, reason: GapReason, monoUs: Us): void {
    if (channel !== undefined && !this.book.has(channel)) return;
    this.flush();
    this.book.reset(channel);
    this.simulation.suspect(reason);
    if (reason === 'disconnect') return;
    for (const { name } of this.#channels)
      if (channel === undefined || channel === name) this.#resync(name, reason, monoUs);
  }

  /** Looks for channels that are silent beyond their limit, and for resynchronisations that brought nothing. */
  checkSilence(monoUs: Us): void {
    for (const { name, silenceLimitUs } of this.#channels) {
      if (monoUs - this.#lastHeardUs.get(name)! > silenceLimitUs) {
        this.#lastHeardUs.set(name, monoUs);
        this.stats.feed.silences++;
        this.lose(name, 'silence', monoUs);
      } else {
        const askedUs = this.#resyncAskedUs.get(name);
        if (askedUs !== undefined && monoUs - askedUs > RESYNC_RETRY_US) this.#resync(name, 'sequence', monoUs);
      }
    }
  }

  /** A connection that carries this symbol is new: silence is counted from here. */
  connected(monoUs: Us): void {
    this.#resyncAskedUs.clear();
    for (const { name } of this.#channels) this.#lastHeardUs.set(name, monoUs);
  }

  /** Closes every window that ends at or before `timeUs`. */
  closeWindowsUntil(timeUs: Us): void {
    const { startUs, durationUs } = this.#windows;
    for (;;) {
      const endUs = startUs + (this.#windowIndex + 1) * durationUs;
      if (timeUs < endUs) return;
      const stats = this.simulation.closeWindow(endUs);
      this.#outputs.onWindow(this.symbol, this.#windowIndex++, stats);
    }
  }

  #process(event: OrderedEvent): void {
    this.closeWindowsUntil(event.exchangeTimeUs);
    if (event.kind === 'trade') {
      this.simulation.kpi.onMessage(event);
      this.simulation.onTrade(event);
      return;
    }
    this.simulation.runUntil(event.exchangeTimeUs);
    this.simulation.kpi.onMessage(event);
    this.#applyBook(event);
  }

  #applyBook(event: BookEvent): void {
    const outcome = this.book.apply(event);
    if (outcome === undefined || outcome === 'waiting') return;
    if (outcome === 'duplicate') {
      this.stats.feed.duplicates++;
      return;
    }
    if (outcome === 'gap' || outcome === 'overflow') {
      this.#suspect(event.channel, outcome === 'gap' ? 'sequence' : 'overflow', event.monoUs);
      return;
    }
    if (this.#resyncAskedUs.size > 0) this.#resyncAskedUs.delete(event.channel);
    if (this.book.crossed && this.#crossed(event)) return;
    this.simulation.onBook(event, event.receiveTimeUs - this.#offset.offsetUs);
  }

  /** True when the book has to be given up. */
  #crossed(event: BookEvent): boolean {
    this.stats.feed.crossed++;
    this.#crossedRun++;
    if (this.#crossedRun <= 1) return false;
    this.#crossedRun = 0;
    this.#suspect(undefined, 'crossed', event.monoUs);
    return true;
  }

  /** From within processing: no flush, later events are judged on their own. */
  #suspect(channel: string | undefined, reason: GapReason, monoUs: Us): void {
    this.book.reset(channel);
    this.simulation.suspect(reason);
    for (const { name } of this.#channels)
      if (channel === undefined || channel === name) this.#resync(name, reason, monoUs);
  }

  #resync(channel: string, reason: GapReason, monoUs: Us): void {
    this.stats.feed.resyncs++;
    this.#resyncAskedUs.set(channel, monoUs);
    this.#outputs.onResync(this.symbol, channel, reason);
  }
}
