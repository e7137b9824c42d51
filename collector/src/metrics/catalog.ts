/** The one table of metrics: what code exports, what alerts and dashboards may name. */
export interface Metric {
  readonly type: 'gauge' | 'counter' | 'histogram';
  /** With unit and sign. */
  readonly help: string;
  readonly labels: readonly string[];
}

export const CATALOG = {
  shadow_edge_bps: {
    type: 'gauge',
    labels: ['symbol'],
    help: 'Net edge of virtual fills in the last completed window, basis points, + is profit; absent without a known markout',
  },
  shadow_maker_taker_ratio: {
    type: 'gauge',
    labels: ['symbol'],
    help: 'Maker share of virtual fills by notional in the last completed window, 0 to 1; absent without fills',
  },
  shadow_latency_ms: {
    type: 'gauge',
    labels: ['symbol'],
    help: '95th percentile of one-way latency (receive minus publish stamp minus clock offset) in the last completed window, milliseconds; the offset is still in it while shadow_clock_synced is 0',
  },
  shadow_risk_ratio: {
    type: 'gauge',
    labels: ['symbol'],
    help: 'Time-weighted absolute inventory over its limit in the last completed window, 0 to 1',
  },
  shadow_clock_drift_ms: {
    type: 'gauge',
    labels: ['symbol'],
    help: 'EWMA of receive minus exchange time, milliseconds: clock offset plus delay, signed',
  },
  shadow_fills_total: {
    type: 'counter',
    labels: ['exchange', 'symbol', 'side', 'liquidity', 'model', 'cause'],
    help: 'Virtual fills, by model on the same orders',
  },
  shadow_fill_notional_quote_total: {
    type: 'counter',
    labels: ['exchange', 'symbol', 'side', 'liquidity', 'model', 'cause'],
    help: 'Notional of virtual fills, quote currency',
  },
  shadow_orders_total: {
    type: 'counter',
    labels: ['exchange', 'symbol', 'event'],
    help: 'Virtual orders, by what happened to them',
  },
  shadow_fill_model_info: {
    type: 'gauge',
    labels: ['model'],
    help: '1; the fill model that drives quoting and the KPIs',
  },
  shadow_model_edge_bps: {
    type: 'gauge',
    labels: ['symbol', 'model'],
    help: 'Net edge in the last completed window under each fill model on the same orders, basis points, + is profit; absent without a known markout',
  },
  shadow_markout_bps: {
    type: 'gauge',
    labels: ['symbol', 'horizon'],
    help: 'Mean markout in the last completed window, basis points, + is good for us; absent without a known one',
  },
  shadow_best_bid: {
    type: 'gauge',
    labels: ['symbol'],
    help: 'Best bid, quote currency; absent while the book is not trusted',
  },
  shadow_best_ask: {
    type: 'gauge',
    labels: ['symbol'],
    help: 'Best ask, quote currency; absent while the book is not trusted',
  },
  shadow_quote_price: {
    type: 'gauge',
    labels: ['symbol', 'side'],
    help: 'Price of the virtual quote, quote currency; absent without one',
  },
  shadow_inventory_base: { type: 'gauge', labels: ['symbol'], help: 'Virtual position, base currency, + is long' },
  shadow_pnl_quote: {
    type: 'gauge',
    labels: ['symbol'],
    help: 'Realised plus unrealised at mid less fees since the start, quote currency; absent while there is no mid',
  },
  shadow_feed_messages_total: {
    type: 'counter',
    labels: ['exchange', 'symbol'],
    help: 'Frames of subscribed channels',
  },
  shadow_feed_gaps_total: { type: 'counter', labels: ['exchange', 'symbol'], help: 'Sequence gaps' },
  shadow_feed_bad_total: { type: 'counter', labels: ['exchange', 'symbol'], help: 'Frames that could not be used' },
  shadow_feed_bad_unattributed_total: {
    type: 'counter',
    labels: ['exchange'],
    help: 'Frames that could not be used and name no configured symbol',
  },
  shadow_feed_duplicates_total: {
    type: 'counter',
    labels: ['exchange', 'symbol'],
    help: 'Book frames that repeat a known update, and trades that came before',
  },
  shadow_feed_crossed_total: {
    type: 'counter',
    labels: ['exchange', 'symbol'],
    help: 'Book updates that left the book locked or crossed',
  },
  shadow_feed_silences_total: {
    type: 'counter',
    labels: ['exchange', 'symbol'],
    help: 'Times a book channel was silent beyond its limit',
  },
  shadow_feed_dropped_total: {
    type: 'counter',
    labels: ['exchange', 'symbol'],
    help: 'Events dropped because a buffer was full',
  },
  shadow_late_events_total: {
    type: 'counter',
    labels: ['exchange', 'symbol'],
    help: 'Events that came after later ones had been processed',
  },
  shadow_book_resyncs_total: { type: 'counter', labels: ['exchange', 'symbol'], help: 'New snapshots asked for' },
  shadow_reconnects_total: { type: 'counter', labels: ['exchange'], help: 'Connections lost' },
  shadow_subscriptions_rejected_total: {
    type: 'counter',
    labels: ['exchange'],
    help: 'Subscriptions that the exchange refused',
  },
  shadow_coverage_ratio: {
    type: 'gauge',
    labels: ['symbol'],
    help: 'Share of the last completed window with a trusted book, 0 to 1',
  },
  shadow_last_message_timestamp_seconds: {
    type: 'gauge',
    labels: ['symbol'],
    help: 'Wall time of the last frame received, seconds since the epoch',
  },
  shadow_symbol_configured: { type: 'gauge', labels: ['symbol'], help: '1 for every symbol that should have data' },
  shadow_symbol_info: { type: 'gauge', labels: ['symbol', 'exchange'], help: '1; the exchange of a symbol' },
  shadow_clock_synced: {
    type: 'gauge',
    labels: ['exchange'],
    help: '1 when the clock offset has been measured; 0: latencies hold it',
  },
  shadow_clock_offset_ms: {
    type: 'gauge',
    labels: ['exchange'],
    help: 'Local minus exchange clock, milliseconds, + is local ahead; absent until measured',
  },
  shadow_clock_offset_uncertainty_ms: {
    type: 'gauge',
    labels: ['exchange'],
    help: 'Half-width of the band around shadow_clock_offset_ms that holds the true offset, milliseconds; absent until measured',
  },
  shadow_clock_skew_ppm: {
    type: 'gauge',
    labels: ['exchange'],
    help: 'Rate of change of the clock offset, parts per million, + is local gaining; absent until measured',
  },
  shadow_clock_steps_total: {
    type: 'counter',
    labels: ['exchange', 'side'],
    help: 'Steps of a clock: side local is the wall clock of this machine, side exchange the one of the exchange',
  },
  shadow_clock_probes_total: {
    type: 'counter',
    labels: ['exchange', 'result'],
    help: 'Questions for the time of the exchange, by what came of them; discarded is the first of a connection',
  },
  shadow_clock_probe_rtt_seconds: {
    type: 'histogram',
    labels: ['exchange'],
    help: 'Round trip of answered probes, seconds',
  },
  shadow_feed_latency_seconds: {
    type: 'histogram',
    labels: ['symbol'],
    help: 'One-way latency of feed messages, publish stamp to socket, clock offset taken off, seconds; only while shadow_clock_synced is 1',
  },
  shadow_feed_latency_negative_total: {
    type: 'counter',
    labels: ['exchange', 'symbol'],
    help: 'Messages that arrived before they were sent by the estimated offset; they count as latency 0',
  },
  shadow_exchange_publish_delay_seconds: {
    type: 'histogram',
    labels: ['exchange'],
    help: 'Matching engine to the stamp before the wire, both of the exchange, seconds; trades and book changes',
  },
  shadow_exchange_publish_delay_negative_total: {
    type: 'counter',
    labels: ['exchange'],
    help: 'Messages stamped as published before they were matched; they are in no bucket',
  },
  shadow_ingest_queue_seconds: {
    type: 'histogram',
    labels: [],
    help: 'Bytes off the socket to the start of their processing, seconds, by event',
  },
  shadow_processing_seconds: {
    type: 'histogram',
    labels: [],
    help: 'Bytes off the socket to the end of their processing, seconds, by event',
  },
  shadow_windows_total: { type: 'counter', labels: [], help: 'Windows completed' },
  shadow_artifact_write_errors_total: {
    type: 'counter',
    labels: [],
    help: 'Attempts to write an artifact that failed; it is tried again',
  },
  shadow_recording_dropped_total: {
    type: 'counter',
    labels: [],
    help: 'Records not kept because the recording failed or fell behind',
  },
  shadow_remote_write_samples_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Samples of fills for remote write, by what became of them: stored, refused by the receiver, overflow of the queue here, or abandoned at the end of the run',
  },
  shadow_remote_write_retries_total: {
    type: 'counter',
    labels: [],
    help: 'Requests of remote write that failed and are tried again',
  },
  shadow_remote_write_pending_samples: {
    type: 'gauge',
    labels: [],
    help: 'Samples of fills that wait for remote write; absent without --remote_write_url',
  },
  shadow_metrics_rejected_total: {
    type: 'counter',
    labels: [],
    help: 'Values kept out of the metrics because they were not finite, or beyond the limit of samples',
  },
  shadow_build_info: { type: 'gauge', labels: ['version', 'commit'], help: '1; the running build' },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof CATALOG;

/**
 * Series that are not scraped but pushed, each sample with the time of its fill: a scrape would keep only the last fill.
 * `nth` is absent but for the second and later fills of the same labels in the same millisecond, which one series cannot hold.
 */
export const PUSHED = {
  shadow_fill_price: {
    type: 'gauge',
    labels: ['symbol', 'side', 'liquidity', 'nth'],
    help: 'Price of each virtual fill of the driving model at its exchange time, quote currency',
  },
  shadow_fill_size: {
    type: 'gauge',
    labels: ['symbol', 'side', 'liquidity', 'nth'],
    help: 'Size of each virtual fill of the driving model at its exchange time, base currency',
  },
} as const satisfies Record<string, Metric>;
