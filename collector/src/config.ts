import { EXCHANGES } from './feed/exchanges.ts';
import type { LatencyDistribution } from './fills/latency-model.ts';
import type { FillModelName } from './fills/shadow-quote.ts';
import type { Value } from './flag-value.ts';
import type { Flag, FlagInputs, Layer } from './flags.ts';
import { FlagReader, textOf } from './flags.ts';
import type { RunFlag } from './run-flags.ts';
import { RUN_FLAG_NAMES, RUN_FLAGS } from './run-flags.ts';
import type { ScheduledScenario } from './simulator/scenario.ts';
import type { Ms } from './units.ts';

/** Values of the flags that may differ by symbol. */
export interface SymbolConfig {
  readonly spread_bps: number;
  readonly quote_notional: number;
  readonly inventory_limit: number;
  readonly flatten_factor: number;
  readonly requote_ticks: number;
  readonly min_requote_interval_ms: number;
  readonly max_age_ms: number;
  readonly post_only: boolean;
  readonly maker_fee_bps: number;
  readonly taker_fee_bps: number;
  readonly touch_dwell_ms: number;
  readonly require_volume: boolean;
  readonly min_lot: number;
  readonly volume_mode: 'last' | 'cumulative';
  readonly queue_exponent: number;
  readonly deferred_seed_fraction: number;
  readonly trade_ttl_ms: number;
}

export interface RunConfig {
  readonly exchange: string;
  readonly symbols: readonly string[];
  readonly depth: number;
  readonly mock: boolean;
  readonly scenario: readonly ScheduledScenario[];
  readonly ws_url: string | undefined;
  readonly rest_url: string | undefined;
  readonly silence_ms: number;
  readonly clock_probes: boolean;
  readonly profile: string;
  readonly fill_model: FillModelName;
  readonly reorder_window_ms: number;
  readonly latency_entry_ms: LatencyDistribution;
  readonly latency_cancel_ms: LatencyDistribution;
  readonly latency_resp_ms: LatencyDistribution;
  readonly latency_compute_ms: LatencyDistribution;
  readonly seed: number;
  readonly iterations: number;
  readonly duration: number;
  readonly drain: number;
  readonly kpi_horizon_s: number;
  readonly replay: string | undefined;
  /** Milliseconds since the epoch, as is `to`. */
  readonly from: Ms | undefined;
  readonly to: Ms | undefined;
  readonly instruments: string | undefined;
  readonly speed: 'max' | '1';
  readonly record: string | undefined;
  readonly segment_s: number;
  readonly segment_mb: number;
  readonly output: string;
  readonly auto_archive: boolean;
  readonly max_keep: number;
  readonly metrics_host: string;
  readonly metrics_port: number;
  readonly remote_write_url: string | undefined;
  readonly log_level: string;
  readonly bySymbol: ReadonlyMap<string, SymbolConfig>;
  /** What determines the results, for `config_hash`: canonical and free of paths and ports. */
  readonly results: Readonly<Record<string, unknown>>;
}

export interface ConfigInputs extends FlagInputs {
  /** The profiles that come with the program. */
  readonly builtInProfiles: string;
}

/**
 * flag > environment > file > per-symbol profile > profile > default. Throws one ShadowError that names every problem; `--help` is the
 * caller's.
 */
export function resolveRunConfig(inputs: ConfigInputs): RunConfig {
  const reader = new FlagReader('run', RUN_FLAGS, inputs);
  const profile = readProfile(reader, inputs);
  const values = reader.values([profile.values]);
  const symbols = values['symbols'] as readonly string[] | undefined;
  const bySymbol = new Map<string, SymbolConfig>();
  for (const symbol of symbols ?? []) {
    const layers = [profile.symbols[symbol] ?? {}, profile.values];
    const fees = EXCHANGES.get(values['exchange'] as string)?.feesBps;
    const own = Object.fromEntries(
      RUN_FLAG_NAMES.filter(isPerSymbol).map((name) => [name, reader.value(name, layers)]),
    ) as Record<string, Value>;
    own['maker_fee_bps'] ??= fees?.maker;
    own['taker_fee_bps'] ??= fees?.taker;
    bySymbol.set(symbol, Object.freeze(own) as unknown as SymbolConfig);
  }
  reader.problems.push(...contradictions(values, reader.explicit));
  reader.finish();
  const kpiHorizon = Number(values['kpi_horizon_s']);
  const config = {
    ...values,
    depth: Number(values['depth']),
    kpi_horizon_s: kpiHorizon,
    drain: values['drain'] ?? kpiHorizon,
    bySymbol,
    results: resultsOf(values, bySymbol),
  };
  return Object.freeze(config) as unknown as RunConfig;
}

/** Flags that cannot be meant together. */
function* contradictions(values: Layer, explicit: Layer): Generator<string> {
  const { replay, record, mock, exchange, ws_url: websocketUrl, rest_url: restUrl } = values;
  if (replay !== undefined && values['remote_write_url'] !== undefined) {
    yield '--remote_write_url pushes fills as they happen, and those of a recording have happened before; it cannot be used with --replay';
  }
  if (replay !== undefined && record !== undefined) {
    yield '--record makes a recording of a live feed; it cannot be used with --replay';
  }
  yield* recordingContradictions(values, explicit);
  if (mock !== true) {
    if (explicit['scenario'] !== undefined) yield '--scenario is of the simulated exchange: add --mock';
    return;
  }
  if (replay !== undefined) yield '--mock is the simulated exchange; it cannot be used with --replay';
  if (websocketUrl !== undefined || restUrl !== undefined) {
    yield '--mock brings its own addresses; it cannot be used with --ws_url or --rest_url';
  }
  if (exchange !== undefined && exchange !== SIMULATED_EXCHANGE) {
    yield `--mock simulates --exchange ${SIMULATED_EXCHANGE}, not ${JSON.stringify(exchange)}`;
  }
}

function* recordingContradictions({ replay, record, from, to }: Layer, explicit: Layer): Generator<string> {
  if (replay === undefined) {
    for (const name of ['from', 'to']) {
      if (explicit[name] !== undefined) yield `--${name} is of a part of a recording: it needs --replay`;
    }
  } else if (typeof from === 'number' && typeof to === 'number' && from >= to) {
    yield '--from must be before --to';
  }
  if (textOf(record)?.endsWith('.br') === false) return;
  for (const name of ['segment_s', 'segment_mb']) {
    if (explicit[name] !== undefined)
      yield `--${name} is of a recording in a folder: it needs --record with a path that does not end in .br`;
  }
}

/** The protocol that the simulated exchange speaks. */
const SIMULATED_EXCHANGE = 'bybit';

const isPerSymbol = (name: RunFlag): boolean => (RUN_FLAGS[name] as Flag).perSymbol === true;

function resultsOf(values: Layer, bySymbol: ReadonlyMap<string, SymbolConfig>): Record<string, unknown> {
  const names = RUN_FLAG_NAMES.filter((name) => (RUN_FLAGS[name] as Flag).results !== false && !isPerSymbol(name));
  // Files are in by their values, not by their path; the depth of a replay is that of the recording.
  const kept = names.filter((name) => name !== 'profiles' && name !== 'depth' && name !== 'instruments');
  return { ...Object.fromEntries(kept.map((name) => [name, values[name]])), by_symbol: Object.fromEntries(bySymbol) };
}

interface Profile {
  readonly values: Layer;
  readonly symbols: Readonly<Record<string, Layer>>;
}

function readProfile(reader: FlagReader, inputs: ConfigInputs): Profile {
  const { explicit, problems } = reader;
  const path = textOf(explicit['profiles']);
  const own = path === undefined ? {} : reader.readLayer(path, inputs.readText(path));
  const all: Layer = { ...reader.readLayer('profiles.json', inputs.builtInProfiles), ...own };
  const name = textOf(explicit['profile']) ?? RUN_FLAGS.profile.fallback;
  if (!Object.hasOwn(all, name)) {
    problems.push(`--profile: expected one of ${Object.keys(all).join(', ')}, got ${JSON.stringify(name)}`);
    return { values: {}, symbols: {} };
  }
  const { symbols = {}, ...values } = all[name] as { symbols?: Record<string, Layer> } & Layer;
  for (const layer of [values, ...Object.values(symbols)]) {
    for (const key of Object.keys(layer)) {
      if (!Object.hasOwn(RUN_FLAGS, key) || !isPerSymbol(key as RunFlag)) {
        problems.push(`profile ${name}: "${key}" is not a value that a profile can set`);
      }
    }
  }
  return { values, symbols };
}
