import { EXCHANGES } from './feed/exchanges.ts';
import type { Flag } from './flags.ts';
import { flag } from './flags.ts';
import { SEGMENT_FLAGS } from './record-flags.ts';
import { SCENARIO_NAMES } from './simulator/scenario.ts';

/** The flags of `shadow run`. */
// prettier-ignore
export const RUN_FLAGS = {
  exchange: flag({ group: 'market', kind: 'choice', choices: [...EXCHANGES.keys()], fallback: 'bybit', help: 'exchange adapter: bybit is linear perpetuals' }),
  symbols: flag({ group: 'market', kind: 'list', fallback: ['BTCUSDT'], placeholder: 'A B | A,B', help: 'symbols as the exchange spells them' }),
  depth: flag({ group: 'market', kind: 'choice', choices: ['1', '50', '200'], fallback: '50', help: 'book levels a side; orderbook.1 comes along for the best price. A replay uses what was recorded' }),
  mock: flag({ group: 'market', kind: 'boolean', fallback: false, help: 'the simulated exchange in this process instead of the real one: no network, no key, the same code', results: false }),
  scenario: flag({ group: 'market', kind: 'scenario', fallback: 'calm', placeholder: 'NAME[:START[+LENGTH]],…', help: `what happens on the simulated exchange, as latency-high:60s+120s: ${SCENARIO_NAMES.join(', ')}`, results: false }),
  ws_url: flag({ group: 'market', kind: 'url', choices: ['ws:', 'wss:'], fallback: undefined, placeholder: 'URL', help: 'WebSocket address instead of the exchange\'s own', results: false }),
  rest_url: flag({ group: 'market', kind: 'url', choices: ['http:', 'https:'], fallback: undefined, placeholder: 'URL', help: 'REST address (tick and lot sizes) instead of the exchange\'s own', results: false }),
  silence_ms: flag({ group: 'market', kind: 'integer', fallback: 30_000, min: 1_000, max: 3_600_000, help: 'a book channel silent for longer is suspect (orderbook.1 repeats itself every 3 s: a third of this for it)' }),
  clock_probes: flag({ group: 'market', kind: 'boolean', fallback: true, help: 'ask the exchange for its time every ten seconds: without it the clock offset, and latency without it, are not known', results: false }),

  profile: flag({ group: 'quotes', kind: 'text', fallback: 'moderate', placeholder: 'NAME', help: 'named set of values: moderate quotes 30 bps out, aggressive 15' }),
  profiles: flag({ group: 'quotes', kind: 'text', fallback: undefined, placeholder: 'FILE', help: 'JSON file with your own profiles, per-symbol values included' }),
  spread_bps: flag({ group: 'quotes', kind: 'number', fallback: undefined, min: -1_000, max: 5_000, perSymbol: true, help: 'quote distance from the best price of its side; 0 joins it, negative goes inside. Default: the profile\'s' }),
  quote_notional: flag({ group: 'quotes', kind: 'number', fallback: 1_000, min: 0, max: 1e9, perSymbol: true, help: 'size of a quote in quote currency' }),
  inventory_limit: flag({ group: 'quotes', kind: 'number', fallback: 10_000, min: 0, max: 1e12, perSymbol: true, help: 'largest |inventory| in quote currency; the side that would exceed it is not quoted' }),
  flatten_factor: flag({ group: 'quotes', kind: 'number', fallback: 0, min: 0, max: 100, perSymbol: true, help: 'reduce inventory as a taker beyond limit times this; 0 never' }),
  requote_ticks: flag({ group: 'quotes', kind: 'integer', fallback: 1, min: 0, max: 1e6, perSymbol: true, help: 'keep an order while it is this near its target' }),
  min_requote_interval_ms: flag({ group: 'quotes', kind: 'number', fallback: 250, min: 0, max: 600_000, perSymbol: true, help: 'shortest time between two orders of a side' }),
  max_age_ms: flag({ group: 'quotes', kind: 'number', fallback: 30_000, min: 1, max: 86_400_000, perSymbol: true, help: 'cancel an order of this age' }),
  post_only: flag({ group: 'quotes', kind: 'boolean', fallback: true, perSymbol: true, help: 'reject a quote that would take; false lets it take' }),
  maker_fee_bps: flag({ group: 'quotes', kind: 'number', fallback: undefined, min: -100, max: 1_000, perSymbol: true, help: 'maker fee, a rebate is negative. Default: bybit 2, bybit-spot 10' }),
  taker_fee_bps: flag({ group: 'quotes', kind: 'number', fallback: undefined, min: -100, max: 1_000, perSymbol: true, help: 'taker fee. Default: bybit 5.5, bybit-spot 10' }),

  fill_model: flag({ group: 'fills', kind: 'choice', choices: ['trade-through', 'queue', 'touch', 'touch-dwell'], fallback: 'touch-dwell', help: 'model that drives quoting and the KPIs; all four always run and are published' }),
  touch_dwell_ms: flag({ group: 'fills', kind: 'number', fallback: 25, min: 0, max: 600_000, perSymbol: true, help: 'touch-dwell: how long the opposite best must stay at our price' }),
  require_volume: flag({ group: 'fills', kind: 'boolean', fallback: false, perSymbol: true, help: 'touch-dwell: ask for traded volume too' }),
  min_lot: flag({ group: 'fills', kind: 'number', fallback: 0, min: 0, max: 1e12, perSymbol: true, help: 'touch-dwell: volume asked for, in base currency' }),
  volume_mode: flag({ group: 'fills', kind: 'choice', choices: ['last', 'cumulative'], fallback: 'last', perSymbol: true, help: 'volume of the last opposite trade since the touch, or of all' }),
  queue_exponent: flag({ group: 'fills', kind: 'number', fallback: 2, min: 1, max: Infinity, perSymbol: true, help: 'n of the cancel law: 1 cancels anywhere in the queue, Infinity only behind us' }),
  deferred_seed_fraction: flag({ group: 'fills', kind: 'number', fallback: 1, min: 0, max: 1, perSymbol: true, help: 'share of a level ahead of us that becomes visible only later' }),
  trade_ttl_ms: flag({ group: 'fills', kind: 'number', fallback: 200, min: 0, max: 60_000, perSymbol: true, help: 'how long a print may wait for its depth change, or one for its print' }),
  reorder_window_ms: flag({ group: 'fills', kind: 'number', fallback: 50, min: 0, max: 10_000, help: 'events are held this long to be put into exchange-time order' }),

  latency_entry_ms: flag({ group: 'latency', kind: 'latency', fallback: '7,15', placeholder: 'X', help: 'order to book: "3" constant, "7,15" lognormal by median and 95th percentile, "file:PATH" your measurements, one a line' }),
  latency_cancel_ms: flag({ group: 'latency', kind: 'latency', fallback: '10,20', placeholder: 'X', help: 'cancel to book' }),
  latency_resp_ms: flag({ group: 'latency', kind: 'latency', fallback: '3', placeholder: 'X', help: 'fill in the book to us' }),
  latency_compute_ms: flag({ group: 'latency', kind: 'latency', fallback: '0.2', placeholder: 'X', help: 'event to decision' }),
  seed: flag({ group: 'latency', kind: 'integer', fallback: 1, min: 0, max: 4_294_967_295, help: 'seed of the latency draws, and of the simulated exchange' }),

  iterations: flag({ group: 'windows', kind: 'integer', fallback: 6, min: 0, max: 1e9, help: 'windows to run; 0 is for ever (a replay: to its end)' }),
  duration: flag({ group: 'windows', kind: 'integer', fallback: 60, min: 1, max: 86_400, help: 'seconds a window' }),
  drain: flag({ group: 'windows', kind: 'number', fallback: undefined, min: 0, max: 3_600, help: 'seconds a finite run goes on after its last window, for markouts. Default: the KPI horizon' }),
  kpi_horizon_s: flag({ group: 'windows', kind: 'choice', choices: ['0.1', '1', '5', '30', '60'], fallback: '5', help: 'markout horizon of net_bps and adverse_bps' }),

  replay: flag({ group: 'input', kind: 'text', fallback: undefined, placeholder: 'PATH', help: 'a recording instead of the live feed, a file or the folder of a session; the run ends with it', results: false }),
  from: flag({ group: 'input', kind: 'time', fallback: undefined, placeholder: 'TIME', help: 'of a replay: only what was received from this UTC time on; a book is known from its first snapshot in there', results: false }),
  to: flag({ group: 'input', kind: 'time', fallback: undefined, placeholder: 'TIME', help: 'of a replay: only what was received before this UTC time', results: false }),
  instruments: flag({ group: 'input', kind: 'text', fallback: undefined, placeholder: 'FILE', help: 'tick and lot sizes for a recording without them: a saved answer of the exchange\'s instrument endpoint' }),
  speed: flag({ group: 'input', kind: 'choice', choices: ['max', '1'], fallback: 'max', help: 'of a replay: as fast as it goes, or as it was', results: false }),
  record: flag({ group: 'input', kind: 'text', fallback: undefined, placeholder: 'PATH', help: 'keep the raw frames for --replay: in this file (….jsonl.br), or in segments in a new folder in this one', results: false }),
  ...SEGMENT_FLAGS,
  config: flag({ group: 'input', kind: 'text', fallback: undefined, placeholder: 'FILE', help: 'JSON file whose keys are these flags', results: false }),

  output: flag({ group: 'output', kind: 'text', fallback: 'artifacts/shadow/latest', placeholder: 'DIR', help: 'where ITER_SUMMARY_<n>.json go; a later run goes on counting', results: false }),
  auto_archive: flag({ group: 'output', kind: 'boolean', fallback: false, help: 'move old windows beside --output as shadow archive does, a tenth of --max_keep at a time', results: false }),
  max_keep: flag({ group: 'output', kind: 'integer', fallback: 300, min: 1, max: 1e9, help: 'windows that --auto_archive leaves in the folder', results: false }),
  metrics_host: flag({ group: 'output', kind: 'text', fallback: '127.0.0.1', placeholder: 'HOST', help: 'address of the live view, /metrics /healthz /readyz', results: false }),
  metrics_port: flag({ group: 'output', kind: 'integer', fallback: 9_109, min: 0, max: 65_535, help: 'its port; 0 takes a free one and prints it', results: false }),
  remote_write_url: flag({ group: 'output', kind: 'url', choices: ['http:', 'https:'], fallback: undefined, placeholder: 'URL', help: 'push each fill of the driving model, at its own time, to this Prometheus, as http://127.0.0.1:9090/api/v1/write', results: false }),
  log_level: flag({ group: 'output', kind: 'choice', choices: ['debug', 'info', 'warn', 'error', 'silent'], fallback: 'info', help: 'messages on standard error', results: false }),
} as const satisfies Record<string, Flag>;

export type RunFlag = keyof typeof RUN_FLAGS;
export const RUN_FLAG_NAMES = Object.keys(RUN_FLAGS) as RunFlag[];
