// "Is the feed healthy": what the numbers above rest on.
import {
  catalog,
  instant,
  nameStat,
  ofSymbolsExchange,
  range,
  read,
  runbook,
  stat,
  timeseries,
  words,
} from './parts.mjs';

const states = read('States of a book', 'ARCHITECTURE.md#states-of-a-book');
const QUANTILES = [
  ['p50', 0.5],
  ['p95', 0.95],
  ['p99', 0.99],
];

/** What went wrong in the feed: the counters of a symbol, and those of its exchange. */
const FAULTS = {
  gaps: 'shadow_feed_gaps_total',
  resyncs: 'shadow_book_resyncs_total',
  late: 'shadow_late_events_total',
  bad: 'shadow_feed_bad_total',
  duplicates: 'shadow_feed_duplicates_total',
  crossed: 'shadow_feed_crossed_total',
  silences: 'shadow_feed_silences_total',
  dropped: 'shadow_feed_dropped_total',
};
const LINE_FAULTS = {
  reconnects: 'shadow_reconnects_total',
  unattributed: 'shadow_feed_bad_unattributed_total',
  subscriptions_rejected: 'shadow_subscriptions_rejected_total',
};

const up = stat({
  title: 'Collectors scraped',
  description: 'Whether Prometheus reaches the collector.',
  unit: 'none',
  noValue: 'no scrape',
  links: [runbook('ShadowCollectorDown')],
  width: 4,
  height: 4,
  steps: [
    [null, 'red'],
    [1, 'green'],
  ],
  mappings: words({ 0: ['down', 'red'], 1: ['up', 'green'] }),
  targets: [instant('up', 'up{job="shadow"}', '{{instance}}')],
});

const age = stat({
  title: 'Last message',
  description:
    'Time since the last message of the symbol, as of its last scrape. After 60 s of silence the KPIs are taken away.',
  unit: 's',
  decimals: 1,
  noValue: 'not known',
  links: [runbook('ShadowFeedStale')],
  width: 4,
  height: 4,
  steps: [
    [null, 'green'],
    [60, 'red'],
  ],
  targets: [instant('age', 'time() - shadow_last_message_timestamp_seconds{symbol="$symbol"}')],
});

const build = nameStat({
  title: 'Build',
  description: 'Version and commit of the running collector.',
  unit: 'none',
  noValue: 'not known',
  links: [runbook('ShadowCollectorRestarting'), read('What changed', 'CHANGELOG.md')],
  width: 8,
  height: 4,
  targets: [instant('build', 'shadow_build_info', '{{version}} {{commit}}')],
});

const model = nameStat({
  title: 'Driving fill model',
  description: 'The model that decides when a quote was filled, for quoting and for the KPIs.',
  unit: 'none',
  noValue: 'not known',
  links: [read('How true', 'README.md#how-true')],
  width: 4,
  height: 4,
  targets: [instant('model', 'shadow_fill_model_info', '{{model}}')],
});

const windows = stat({
  title: 'Windows completed',
  description:
    'Since the start of the collector. The KPIs are those of the last one; until the first, of the running one.',
  unit: 'short',
  decimals: 0,
  noValue: 'not known',
  links: [read('What comes out', 'README.md#what-comes-out')],
  width: 4,
  height: 4,
  targets: [instant('windows', 'shadow_windows_total')],
});

const coverage = timeseries({
  title: 'Coverage',
  description:
    'Share of the last completed window with a book that could be trusted. Orders are censored when it could not; an audit asks for 95 %.',
  unit: 'percentunit',
  decimals: 1,
  noValue: 'not known',
  links: [states, runbook('ShadowMetricsMissing')],
  width: 8,
  height: 7,
  max: 1,
  steps: [
    [null, 'red'],
    [0.95, 'transparent'],
  ],
  targets: [range('coverage', 'shadow_coverage_ratio{symbol="$symbol"}', 'coverage')],
});

const messages = timeseries({
  title: 'Messages a second',
  description: 'Frames of the subscribed channels of the symbol.',
  unit: 'suffix: /s',
  decimals: 1,
  noValue: 'no data',
  links: [runbook('ShadowFeedStale')],
  width: 8,
  height: 7,
  min: 0,
  targets: [range('messages', 'rate(shadow_feed_messages_total{symbol="$symbol"}[$__rate_interval])', '{{exchange}}')],
});

const faults = timeseries({
  title: 'Faults of the feed',
  description:
    'Gaps, snapshots asked for, late, bad and repeated events, lost connections, in each step. Extrapolated by Prometheus to the edges of the step, so not whole numbers.',
  unit: 'short',
  noValue: 'no data',
  links: [states, catalog],
  width: 8,
  height: 7,
  bars: true,
  min: 0,
  targets: [
    ...Object.entries(FAULTS).map(([name, metric]) =>
      range(name, `increase(${metric}{symbol="$symbol"}[$__rate_interval])`, name),
    ),
    ...Object.entries(LINE_FAULTS).map(([name, metric]) =>
      range(name, ofSymbolsExchange(`increase(${metric}[$__rate_interval])`), name.replaceAll('_', ' ')),
    ),
  ],
});

const latency = timeseries({
  title: 'Feed latency',
  description:
    'One-way latency of messages, publish stamp to socket, clock offset taken off, by quantile. Only while the clock is synced.',
  unit: 's',
  noValue: 'not known',
  links: [runbook('ShadowLatencyHigh'), read('The clock', 'README.md#the-clock')],
  width: 12,
  height: 8,
  min: 0,
  steps: [
    [null, 'transparent'],
    [0.35, 'red'],
  ],
  targets: QUANTILES.map(([name, q]) =>
    range(
      name,
      `histogram_quantile(${q}, sum by (le) (rate(shadow_feed_latency_seconds_bucket{symbol="$symbol"}[$__rate_interval])))`,
      name,
    ),
  ),
});

const loop = timeseries({
  title: 'The collector itself, p99',
  description:
    'Lag of the event loop, wait between socket and processing, and processing of an event. What is slow here is in the latency above.',
  unit: 's',
  noValue: 'no data',
  links: [read('How fast', 'README.md#how-fast')],
  width: 12,
  height: 8,
  min: 0,
  targets: [
    range('event_loop', 'nodejs_eventloop_lag_p99_seconds{job="shadow"}', 'event loop'),
    range(
      'queue',
      'histogram_quantile(0.99, sum by (le) (rate(shadow_ingest_queue_seconds_bucket[$__rate_interval])))',
      'socket to processing',
    ),
    range(
      'processing',
      'histogram_quantile(0.99, sum by (le) (rate(shadow_processing_seconds_bucket[$__rate_interval])))',
      'socket to end of processing',
    ),
  ],
});

const writes = timeseries({
  title: 'What could not be written',
  description:
    'Artifacts that failed and are tried again, records of a recording that were dropped, values that were not finite, and fills pushed to Prometheus by what became of them. Extrapolated, as every increase.',
  unit: 'short',
  noValue: 'no data',
  links: [runbook('ShadowArtifactsNotWritten'), runbook('ShadowFillsNotStored'), runbook('ShadowMetricsRejected')],
  width: 12,
  height: 7,
  bars: true,
  min: 0,
  targets: [
    range('artifacts', 'increase(shadow_artifact_write_errors_total[$__rate_interval])', 'artifact errors'),
    range('records', 'increase(shadow_recording_dropped_total[$__rate_interval])', 'records dropped'),
    range('values', 'increase(shadow_metrics_rejected_total[$__rate_interval])', 'values not finite'),
    range(
      'pushed',
      'sum by (result) (increase(shadow_remote_write_samples_total[$__rate_interval]))',
      'pushed samples {{result}}',
    ),
  ],
});

const memory = timeseries({
  title: 'Memory of the collector',
  description: 'Resident memory of the process.',
  unit: 'bytes',
  noValue: 'no data',
  links: [read('The limits of the stack', 'docker-compose.yml')],
  width: 12,
  height: 7,
  min: 0,
  targets: [range('memory', 'process_resident_memory_bytes{job="shadow"}', '{{instance}}')],
});

export const feed = [up, age, model, windows, build, coverage, messages, faults, latency, loop, writes, memory];
