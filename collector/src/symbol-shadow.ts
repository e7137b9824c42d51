import { MiniLob } from './book/mini-lob.ts';
import type { OrderedEvent } from './book/reorder.ts';
import { ReorderBuffer } from './book/reorder.ts';
import { TradeFrames } from './book/trade-frames.ts';
import type { ExchangeClock } from './clock/exchange-clock.ts';
import { BucketHistogram } from './clock/histogram.ts';
import { FEED_LATENCY_BUCKETS } from './clock/latency.ts';
import type { BookEvent, GapReason, Instrument } from './events.ts';
import type { LatencyModel } from './fills/latency-model.ts';
import type { ShadowQuote, VirtualFill } from './fills/shadow-quote.ts';
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
  readonly onRest?: ((symbol: string, order: ShadowQuote) => void) | undefined;
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
/** Where one has brought a snapshot that did not last, the next waits so long at least (it is looked for once a second): an exchange is not asked at the speed of its own line. */
const RESYNC_PAUSE_US = 500_000;

interface ChannelState extends BookChannel {
  lastHeardUs: Us;
  /** When a new snapshot was last asked for. */
  resyncAskedUs: Us;
  /** One is wanted, and when to ask for it (again); undefined when none is. */
  resyncDueUs: Us | undefined;
  resyncReason: GapReason;
}

/** One symbol behind the adapter: reorder → book → simulation → windows. Nothing here is shared with another symbol. */
export class SymbolShadow {
  readonly symbol: string;
  readonly instrument: Instrument;
  readonly book: MiniLob;
  readonly simulation: Simulation;
  readonly #channels: readonly ChannelState[];
  readonly #reorder: ReorderBuffer;
  readonly #tradeFrames = new TradeFrames();
  /** One-way latency of its messages since the start of the run, where it could be told. */
  readonly latency = new BucketHistogram(FEED_LATENCY_BUCKETS);
  /** Messages that arrived before they were sent, by the estimated offset. */
  negativeLatencies = 0;
  readonly #clock: ExchangeClock;
  readonly #windows: WindowClock;
  readonly #outputs: SymbolOutputs;
  #windowIndex = 0;
  /** Book updates in a row that left the book locked or crossed. One may be a race of the exchange; two are not. */
  #crossedRun = 0;
  /** Wall time of the last message received; undefined before one. */
  lastReceiveUs: Us | undefined;
  /** The same by the monotonic clock. */
  lastMonoUs: Us | undefined;

  constructor(
    instrument: Instrument,
    channels: readonly BookChannel[],
    parameters: SymbolParameters,
    latency: LatencyModel,
    clock: ExchangeClock,
    windows: WindowClock,
    monoUs: Us,
    outputs: SymbolOutputs,
  ) {
    this.symbol = instrument.symbol;
    this.instrument = instrument;
    this.book = new MiniLob(channels);
    this.#channels = channels.map((channel) => ({
      ...channel,
      lastHeardUs: monoUs,
      resyncAskedUs: -Infinity,
      resyncDueUs: undefined,
      resyncReason: 'sequence' as const,
    }));
    this.#reorder = new ReorderBuffer(parameters.reorderWindowUs);
    this.#clock = clock;
    this.#windows = windows;
    this.#outputs = outputs;
    this.simulation = new Simulation(parameters.simulation, instrument, this.book, latency, windows.startUs, {
      onFill: (fill) => outputs.onFill(this.symbol, fill),
      onRest: (order) => outputs.onRest?.(this.symbol, order),
    });
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
    this.lastMonoUs = event.monoUs;
    if (event.kind === 'book') {
      for (const channel of this.#channels) if (channel.name === event.channel) channel.lastHeardUs = event.monoUs;
    }
    this.release(event.monoUs);
    if (event.kind === 'trade' && this.#tradeFrames.repeats(event)) {
      this.#count(event);
      this.stats.feed.duplicates++;
      return;
    }
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
    if (reason !== 'disconnect') this.#resyncAll(channel, reason, monoUs);
  }

  /** Looks for channels that are silent beyond their limit, and for resynchronisations that brought nothing. */
  checkSilence(monoUs: Us): void {
    for (const channel of this.#channels) {
      if (monoUs - channel.lastHeardUs > channel.silenceLimitUs) {
        channel.lastHeardUs = monoUs;
        this.stats.feed.silences++;
        this.lose(channel.name, 'silence', monoUs);
      } else if (channel.resyncDueUs !== undefined && monoUs >= channel.resyncDueUs) {
        this.#resync(channel, monoUs);
      }
    }
  }

  /** A connection that carries this symbol is new: silence is counted from here. */
  connected(monoUs: Us): void {
    for (const channel of this.#channels) {
      channel.resyncAskedUs = -Infinity;
      channel.resyncDueUs = undefined;
      channel.lastHeardUs = monoUs;
    }
  }

  /** Keeps the best prices at `timeUs`, exchange time, if the book is trusted and the running window is still that of `timeUs`. */
  keepBestPrices(timeUs: Us): void {
    const { startUs, durationUs } = this.#windows;
    const inWindowUs = timeUs - startUs - this.#windowIndex * durationUs;
    if (!this.simulation.live || inWindowUs < 0 || inWindowUs >= durationUs) return;
    const [bidTicks, askTicks] = [this.book.bestTicks(1), this.book.bestTicks(-1)];
    if (bidTicks === undefined || askTicks === undefined || bidTicks >= askTicks) return;
    this.stats.bestPrices.push({ timeUs, bidTicks, askTicks });
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
      this.#count(event);
      this.simulation.onTrade(event);
      return;
    }
    this.simulation.runUntil(event.exchangeTimeUs);
    this.#count(event);
    this.#applyBook(event);
  }

  #count(event: OrderedEvent): void {
    const { monoUs, publishTimeUs } = event;
    const oneWayUs = publishTimeUs === undefined ? undefined : this.#clock.oneWayUs(monoUs, publishTimeUs);
    this.simulation.kpi.onMessage(event, oneWayUs);
    if (oneWayUs === undefined) return;
    if (oneWayUs < 0) this.negativeLatencies++;
    this.latency.record(oneWayUs < 0 ? 0 : oneWayUs);
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
    if (!this.book.crossed) this.#good(event.channel);
    else if (this.#crossed(event)) return;
    this.simulation.onBook(event, this.#clock.exchangeUs(event.monoUs));
  }

  #good(name: string): void {
    this.#crossedRun = 0;
    for (const channel of this.#channels) if (channel.name === name) channel.resyncDueUs = undefined;
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
    this.#resyncAll(channel, reason, monoUs);
  }

  /** Asks for new snapshots of one channel, or of all. */
  #resyncAll(name: string | undefined, reason: GapReason, monoUs: Us): void {
    for (const channel of this.#channels) {
      // One request at a time: bad frames, and snapshots that are bad themselves, would else ask at the speed of the line.
      if ((name !== undefined && name !== channel.name) || channel.resyncDueUs !== undefined) continue;
      const allowedUs = channel.resyncAskedUs + RESYNC_PAUSE_US;
      channel.resyncReason = reason;
      if (monoUs < allowedUs) channel.resyncDueUs = allowedUs;
      else this.#resync(channel, monoUs);
    }
  }

  #resync(channel: ChannelState, monoUs: Us): void {
    this.stats.feed.resyncs++;
    channel.resyncAskedUs = monoUs;
    channel.resyncDueUs = monoUs + RESYNC_RETRY_US;
    this.#outputs.onResync(this.symbol, channel.name, channel.resyncReason);
  }
}
