import type { IterSummary, LiveKpis } from '../../../schema/types.gen.js';
import type { ClockReading, ExchangeClock } from '../clock/exchange-clock.ts';
import type { BucketHistogram } from '../clock/histogram.ts';
import { PROBE_RESULTS } from '../events.ts';
import type { Liquidity } from '../fills/fees.ts';
import type { Cause, FillModelName, VirtualFill } from '../fills/shadow-quote.ts';
import { FILL_MODELS } from '../fills/shadow-quote.ts';
import { HORIZON_NAMES } from '../kpi/pool.ts';
import type { Summary } from '../kpi/summary.ts';
import type { FeedEventName, WindowStats } from '../kpi/window.ts';
import { addCounts, FEED_EVENTS, ORDER_EVENTS, zeroCounts } from '../kpi/window.ts';
import type { Pipeline } from '../pipeline.ts';
import type { Build } from '../resources.ts';
import type { SymbolShadow } from '../symbol-shadow.ts';
import type { Us } from '../units.ts';
import { sideOf, US_PER_MS, US_PER_S } from '../units.ts';
import { bookPrices } from './book-prices.ts';
import type { MetricName } from './catalog.ts';
import type { Put } from './registry.ts';
import type { RemoteWriteCounts } from './remote-write.ts';
import { REMOTE_WRITE_RESULTS } from './remote-write.ts';
import { isTrusted } from './trust.ts';

const FEED_METRICS: Partial<Record<FeedEventName, MetricName>> = {
  messages: 'shadow_feed_messages_total',
  gaps: 'shadow_feed_gaps_total',
  bad: 'shadow_feed_bad_total',
  duplicates: 'shadow_feed_duplicates_total',
  crossed: 'shadow_feed_crossed_total',
  silences: 'shadow_feed_silences_total',
  dropped: 'shadow_feed_dropped_total',
  late: 'shadow_late_events_total',
  resyncs: 'shadow_book_resyncs_total',
};

/** The cause by which a model first fills: its count stands at 0 from the start, so that no fill yet can be told from no collector. */
const FIRST_CAUSE: Readonly<Record<FillModelName, Cause>> = {
  'trade-through': 'through',
  queue: 'queue',
  touch: 'touch',
  'touch-dwell': 'dwell',
};

/** The models as the artifacts spell them in `model_band`. */
const BAND_KEYS = {
  'trade-through': 'trade_through',
  queue: 'queue',
  touch: 'touch',
  'touch-dwell': 'touch_dwell',
} as const satisfies Record<FillModelName, keyof Summary['model_band']>;

interface FillCount {
  readonly labels: Readonly<Record<'exchange' | 'symbol' | 'side' | 'liquidity' | 'model' | 'cause', string>>;
  count: number;
  notionalQuote: number;
}

/** What the outside of the pipeline knows. */
export interface ProcessCounts {
  readonly artifactWriteErrors: number;
  readonly recordingDropped: number;
  /** Undefined in a replay, which has none. */
  readonly ingestQueue: BucketHistogram | undefined;
  readonly processing: BucketHistogram | undefined;
  /** Undefined without `--remote_write_url`. */
  readonly remoteWrite: RemoteWriteCounts | undefined;
}

export interface MetricsSource {
  readonly exchange: string;
  readonly configured: readonly string[];
  /** The model that drives quoting and the KPIs. */
  readonly fillModel: FillModelName;
  readonly build: Build;
  pipeline(): Pipeline | undefined;
  /** KPIs of the running window of a symbol, until a first one is complete. */
  running(symbol: SymbolShadow, clock: ClockReading): Summary;
  /** Monotonic clock. */
  nowUs(): Us;
  counts(): ProcessCounts;
}

/** Counts what a run does, in plain numbers, and hands them over at a scrape. */
export class RunMetrics {
  readonly #source: MetricsSource;
  readonly #closed = new Map<string, Pick<WindowStats, 'feed' | 'orders'>>();
  readonly #fills = new Map<string, FillCount>();
  /** Symbols whose KPIs were exported at the last scrape, and those whose KPIs wait for a good window, since they were taken away. */
  readonly #known = new Set<string>();
  readonly #waiting = new Set<string>();
  #last: IterSummary | undefined;
  #windows = 0;

  constructor(source: MetricsSource) {
    this.#source = source;
    for (const symbol of source.configured) {
      for (const model of FILL_MODELS) {
        for (const side of ['buy', 'sell'] as const) this.#fillCount(symbol, side, 'maker', model, FIRST_CAUSE[model]);
      }
    }
  }

  onFill(symbol: string, fill: VirtualFill, notionalQuote: number): void {
    const { liquidity, model, cause } = fill;
    const count = this.#fillCount(symbol, sideOf(fill.side), liquidity, model, cause);
    count.count++;
    count.notionalQuote += notionalQuote;
  }

  #fillCount(
    symbol: string,
    side: 'buy' | 'sell',
    liquidity: Liquidity,
    model: FillModelName,
    cause: Cause,
  ): FillCount {
    const key = `${symbol} ${side} ${liquidity} ${model} ${cause}`;
    let count = this.#fills.get(key);
    if (count === undefined) {
      const labels = { exchange: this.#source.exchange, symbol, side, liquidity, model, cause };
      this.#fills.set(key, (count = { labels, count: 0, notionalQuote: 0 }));
    }
    return count;
  }

  /** A symbol's window ended: its counts, which the next window starts from 0, go on in the totals. */
  onSymbolWindow(symbol: string, stats: WindowStats): void {
    const totals = this.#closed.get(symbol) ?? { feed: zeroCounts(FEED_EVENTS), orders: zeroCounts(ORDER_EVENTS) };
    addCounts(totals.feed, stats.feed, FEED_EVENTS);
    addCounts(totals.orders, stats.orders, ORDER_EVENTS);
    this.#closed.set(symbol, totals);
  }

  /** The artifact of a completed window, first or final; an older window's final form does not replace a newer one. */
  onWindow(summary: IterSummary): void {
    if (this.#last === undefined || summary.iteration > this.#last.iteration) {
      this.#windows++;
      this.#endWaiting(summary);
    }
    if (this.#last === undefined || summary.iteration >= this.#last.iteration) this.#last = summary;
  }

  /** Yields behind each symbol. */
  *collect(put: Put): Generator<void> {
    const { exchange, configured, build, fillModel } = this.#source;
    const counts = this.#source.counts();
    put('shadow_build_info', { version: build.version, commit: build.commit }, 1);
    put('shadow_fill_model_info', { model: fillModel }, 1);
    put('shadow_windows_total', {}, this.#windows);
    put('shadow_artifact_write_errors_total', {}, counts.artifactWriteErrors);
    put('shadow_recording_dropped_total', {}, counts.recordingDropped);
    put('shadow_ingest_queue_seconds', {}, counts.ingestQueue);
    put('shadow_processing_seconds', {}, counts.processing);
    if (counts.remoteWrite !== undefined) collectRemoteWrite(put, counts.remoteWrite);
    for (const symbol of configured) {
      put('shadow_symbol_configured', { symbol }, 1);
      put('shadow_symbol_info', { symbol, exchange }, 1);
    }
    const pipeline = this.#source.pipeline();
    if (pipeline === undefined) {
      put('shadow_clock_synced', { exchange }, 0);
      return;
    }
    const clock = pipeline.clock.reading(this.#source.nowUs());
    this.#collectClock(put, pipeline.clock, clock);
    put('shadow_reconnects_total', { exchange }, pipeline.disconnects);
    put('shadow_feed_bad_unattributed_total', { exchange }, pipeline.unattributedBad);
    put('shadow_subscriptions_rejected_total', { exchange }, pipeline.rejectedSubscriptions);
    for (const symbol of pipeline.symbols.values()) {
      this.#collectSymbol(put, symbol, clock);
      yield;
    }
    yield* this.#collectFills(put);
  }

  #collectClock(put: Put, clock: ExchangeClock, { synced, offsetUs, uncertaintyUs, skewPpm }: ClockReading): void {
    const { exchange } = this.#source;
    put('shadow_clock_synced', { exchange }, synced ? 1 : 0);
    // An upper bound alone is no offset, and a gauge cannot say which it is.
    if (synced) {
      put('shadow_clock_offset_ms', { exchange }, offsetUs! / US_PER_MS);
      put('shadow_clock_offset_uncertainty_ms', { exchange }, uncertaintyUs! / US_PER_MS);
      put('shadow_clock_skew_ppm', { exchange }, skewPpm);
    }
    put('shadow_clock_steps_total', { exchange, side: 'local' }, clock.localSteps);
    put('shadow_clock_steps_total', { exchange, side: 'exchange' }, clock.exchangeSteps);
    for (const result of PROBE_RESULTS) put('shadow_clock_probes_total', { exchange, result }, clock.probes[result]);
    put('shadow_clock_probe_rtt_seconds', { exchange }, clock.probeRtt);
    put('shadow_exchange_publish_delay_seconds', { exchange }, clock.publishDelay);
    put('shadow_exchange_publish_delay_negative_total', { exchange }, clock.publishDelayNegatives);
  }

  #collectSymbol(put: Put, shadow: SymbolShadow, clock: ClockReading): void {
    const { symbol, stats } = shadow;
    const { exchange } = this.#source;
    const closed = this.#closed.get(symbol);
    for (const [event, name] of Object.entries(FEED_METRICS) as [FeedEventName, MetricName][]) {
      put(name, { exchange, symbol }, stats.feed[event] + (closed?.feed[event] ?? 0));
    }
    for (const event of ORDER_EVENTS) {
      put('shadow_orders_total', { exchange, symbol, event }, stats.orders[event] + (closed?.orders[event] ?? 0));
    }
    const heardUs = shadow.lastReceiveUs;
    put('shadow_last_message_timestamp_seconds', { symbol }, heardUs === undefined ? undefined : heardUs / US_PER_S);
    put('shadow_feed_latency_seconds', { symbol }, shadow.latency);
    put('shadow_feed_latency_negative_total', { exchange, symbol }, shadow.negativeLatencies);
    collectPosition(put, shadow);
    if (!this.#trusted(shadow)) {
      if (this.#known.delete(symbol)) this.#waiting.add(symbol);
      return;
    }
    collectBook(put, shadow);
    const summary = this.#summary(shadow, clock);
    if (summary === undefined) return;
    this.#known.add(symbol);
    collectKpis(put, symbol, summary);
  }

  /** KPIs, markouts and fills of a symbol as a scrape would tell them now; null where it would not. Changes nothing. */
  kpis(symbol: string): LiveKpis {
    const pipeline = this.#source.pipeline();
    const shadow = pipeline?.symbols.get(symbol);
    const summary = shadow && this.#summary(shadow, pipeline!.clock.reading(this.#source.nowUs()));
    return { ...gaugesOf(summary), markouts_bps: markoutsOf(summary), fills: this.#driverFills(symbol) };
  }

  #driverFills(symbol: string): number {
    const { fillModel } = this.#source;
    let fills = 0;
    for (const { labels, count } of this.#fills.values()) {
      if (labels.symbol === symbol && labels.model === fillModel) fills += count;
    }
    return fills;
  }

  #trusted(shadow: SymbolShadow): boolean {
    return isTrusted(shadow, this.#source.nowUs());
  }

  /** Where the KPIs of a symbol are from: its last window, at first the running one. Undefined while they are not to be told. */
  #summary(shadow: SymbolShadow, clock: ClockReading): Summary | undefined {
    if (!this.#trusted(shadow) || this.#waiting.has(shadow.symbol)) return undefined;
    return this.#last?.by_symbol[shadow.symbol] ?? this.#source.running(shadow, clock);
  }

  /** A window that ended with a trusted book, and had one before, brings the KPIs of a symbol back. */
  #endWaiting({ by_symbol: bySymbol }: IterSummary): void {
    for (const symbol of this.#waiting) {
      const shadow = this.#source.pipeline()?.symbols.get(symbol);
      const { coverage } = bySymbol[symbol]!.feed;
      if (shadow !== undefined && this.#trusted(shadow) && coverage !== null && coverage > 0)
        this.#waiting.delete(symbol);
    }
  }

  *#collectFills(put: Put): Generator<void> {
    for (const { labels, count, notionalQuote } of this.#fills.values()) {
      put('shadow_fills_total', labels, count);
      put('shadow_fill_notional_quote_total', labels, notionalQuote);
      yield;
    }
  }
}

function collectRemoteWrite(put: Put, { samples, retries, pendingSamples }: RemoteWriteCounts): void {
  for (const result of REMOTE_WRITE_RESULTS) put('shadow_remote_write_samples_total', { result }, samples[result]);
  put('shadow_remote_write_retries_total', {}, retries);
  put('shadow_remote_write_pending_samples', {}, pendingSamples);
}

function collectPosition(put: Put, { symbol, instrument, simulation }: SymbolShadow): void {
  const { inventory } = simulation.kpi;
  put('shadow_inventory_base', { symbol }, inventory.positionLots * instrument.lot.size);
  if (simulation.midHalf === undefined) return;
  const unrealized = inventory.unrealizedQuote(simulation.midHalf);
  put('shadow_pnl_quote', { symbol }, inventory.realizedQuote + unrealized - inventory.feesQuote);
}

function collectBook(put: Put, shadow: SymbolShadow): void {
  const { symbol } = shadow;
  const { bid, ask, quoteBuy, quoteSell } = bookPrices(shadow);
  put('shadow_best_bid', { symbol }, bid);
  put('shadow_best_ask', { symbol }, ask);
  put('shadow_quote_price', { symbol, side: 'buy' }, quoteBuy);
  put('shadow_quote_price', { symbol, side: 'sell' }, quoteSell);
}

/** The five, by the names of their gauges. */
const gaugesOf = (summary: Summary | undefined): Omit<LiveKpis, 'fills' | 'markouts_bps'> => ({
  edge_bps: summary?.net_bps ?? null,
  maker_taker_ratio: summary?.maker_taker_ratio ?? null,
  latency_ms: summary?.p95_latency_ms ?? null,
  risk_ratio: summary?.risk_ratio ?? null,
  clock_drift_ms: summary?.clock_drift_ms ?? null,
});

const markoutsOf = (summary: Summary | undefined): LiveKpis['markouts_bps'] =>
  Object.fromEntries(
    HORIZON_NAMES.map((horizon) => [horizon, summary?.markouts[horizon].mean_bps ?? null]),
  ) as LiveKpis['markouts_bps'];

function collectKpis(put: Put, symbol: string, summary: Summary): void {
  for (const [name, value] of Object.entries(gaugesOf(summary)) as [
    keyof ReturnType<typeof gaugesOf>,
    number | null,
  ][]) {
    put(`shadow_${name}`, { symbol }, value ?? undefined);
  }
  put('shadow_coverage_ratio', { symbol }, summary.feed.coverage ?? undefined);
  for (const model of FILL_MODELS) {
    put('shadow_model_edge_bps', { symbol, model }, summary.model_band[BAND_KEYS[model]].net_bps ?? undefined);
  }
  for (const [horizon, value] of Object.entries(markoutsOf(summary))) {
    put('shadow_markout_bps', { symbol, horizon }, value ?? undefined);
  }
}
