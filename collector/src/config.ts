import { parseArgs } from 'node:util';
import type { Value } from './config-value.ts';
import { parseValue } from './config-value.ts';
import { messageOf, ShadowError } from './errors.ts';
import { EXCHANGES } from './feed/exchanges.ts';
import type { LatencyDistribution } from './fills/latency-model.ts';
import type { FillModelName } from './fills/shadow-quote.ts';
import type { Flag, FlagName } from './flags.ts';
import { FLAG_NAMES, RUN_FLAGS } from './flags.ts';

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
  readonly ws_url: string | undefined;
  readonly rest_url: string | undefined;
  readonly silence_ms: number;
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
  readonly instruments: string | undefined;
  readonly speed: 'max' | '1';
  readonly record: string | undefined;
  readonly output: string;
  readonly metrics_host: string;
  readonly metrics_port: number;
  readonly log_level: string;
  readonly bySymbol: ReadonlyMap<string, SymbolConfig>;
  /** What determines the results, for `config_hash`: canonical and free of paths and ports. */
  readonly results: Readonly<Record<string, unknown>>;
}

export interface ConfigInputs {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a file the user named; throws where it cannot. */
  readonly readText: (path: string) => string;
  /** The profiles that come with the program. */
  readonly builtInProfiles: string;
}

type Layer = Readonly<Record<string, unknown>>;

/**
 * flag > environment > file > per-symbol profile > profile > default. Throws one ShadowError that names every problem; `--help` is the
 * caller's.
 */
export function resolveRunConfig(inputs: ConfigInputs): RunConfig {
  const problems: string[] = [];
  const flags = parseFlags(inputs.argv, problems);
  const env = envLayer(inputs.env);
  const configPath = textOf(flags['config'] ?? env['config']);
  const file = configPath === undefined ? {} : readLayer(configPath, inputs.readText(configPath), problems);
  for (const key of Object.keys(file))
    if (!(key in RUN_FLAGS)) problems.push(`${configPath ?? ''}: no such key "${key}"`);
  const explicit: Layer = { ...file, ...env, ...flags };
  const profile = readProfile(explicit, inputs, problems);

  const read = (name: FlagName, raw: unknown): Value => {
    const parsed = parseValue(RUN_FLAGS[name], raw, inputs.readText);
    if ('value' in parsed) return parsed.value;
    problems.push(`--${name}: expected ${parsed.expected}, got ${JSON.stringify(raw)}`);
    return undefined;
  };
  const resolve = (name: FlagName, layers: readonly Layer[]): Value => {
    for (const layer of layers) if (layer[name] !== undefined) return read(name, layer[name]);
    const fallback = RUN_FLAGS[name].fallback as Value;
    return typeof fallback === 'string' ? read(name, fallback) : fallback;
  };
  const values = Object.fromEntries(FLAG_NAMES.map((name) => [name, resolve(name, [explicit, profile.values])]));
  const symbols = values['symbols'] as readonly string[] | undefined;
  const bySymbol = new Map<string, SymbolConfig>();
  for (const symbol of symbols ?? []) {
    const layers = [explicit, profile.symbols[symbol] ?? {}, profile.values];
    const fees = EXCHANGES.get(values['exchange'] as string)?.feesBps;
    const own = Object.fromEntries(
      FLAG_NAMES.filter(isPerSymbol).map((name) => [name, resolve(name, layers)]),
    ) as Record<string, Value>;
    own['maker_fee_bps'] ??= fees?.maker;
    own['taker_fee_bps'] ??= fees?.taker;
    bySymbol.set(symbol, Object.freeze(own) as unknown as SymbolConfig);
  }
  if (values['replay'] !== undefined && values['record'] !== undefined) {
    problems.push('--record makes a recording of a live feed; it cannot be used with --replay');
  }
  if (problems.length > 0) {
    const unique = [...new Set(problems)];
    throw new ShadowError('SHADOW_ERR_USAGE', `${unique.join('\n')}\nSee: shadow run --help`);
  }
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

const isPerSymbol = (name: FlagName): boolean => (RUN_FLAGS[name] as Flag).perSymbol === true;

function resultsOf(values: Layer, bySymbol: ReadonlyMap<string, SymbolConfig>): Record<string, unknown> {
  const names = FLAG_NAMES.filter((name) => (RUN_FLAGS[name] as Flag).results !== false && !isPerSymbol(name));
  // Files are in by their values, not by their path; the depth of a replay is that of the recording.
  const kept = names.filter((name) => name !== 'profiles' && name !== 'depth' && name !== 'instruments');
  return { ...Object.fromEntries(kept.map((name) => [name, values[name]])), by_symbol: Object.fromEntries(bySymbol) };
}

/** `--symbols A B` and `--mock` style values are joined to their flag first; then node's own parser takes over. */
function parseFlags(argv: readonly string[], problems: string[]): Layer {
  const joined: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index]!;
    const match = /^--([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(argument);
    if (match === null) {
      problems.push(`unexpected argument ${JSON.stringify(argument)}; flags begin with --`);
      continue;
    }
    const name = match[1]!.replaceAll('-', '_');
    if (!(name in RUN_FLAGS)) {
      problems.push(`no such flag --${match[1]!}${suggestion(name)}`);
      while (index + 1 < argv.length && !argv[index + 1]!.startsWith('--')) index++;
      continue;
    }
    const values = match[2] === undefined ? [] : [match[2]];
    const { kind } = RUN_FLAGS[name as FlagName];
    while (index + 1 < argv.length && !argv[index + 1]!.startsWith('--') && (kind === 'list' || values.length === 0)) {
      values.push(argv[++index]!);
    }
    if (values.length === 0 && kind === 'boolean') values.push('true');
    if (values.length === 0) problems.push(`--${match[1]!} needs a value`);
    else joined.push(`--${name}=${values.join(',')}`);
  }
  const options = Object.fromEntries(FLAG_NAMES.map((name) => [name, { type: 'string' as const }]));
  return parseArgs({ args: joined, options, strict: true }).values;
}

function suggestion(name: string): string {
  const near = FLAG_NAMES.find(
    (known) => known.startsWith(name) || name.startsWith(known) || known.replaceAll('_', '') === name,
  );
  return near === undefined ? '' : `; did you mean --${near}?`;
}

function envLayer(env: Readonly<Record<string, string | undefined>>): Layer {
  const entries = FLAG_NAMES.map((name) => [name, env[`SHADOW_${name.toUpperCase()}`]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== ''));
}

function readLayer(path: string, text: string, problems: string[]): Layer {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Layer;
    problems.push(`${path}: expected a JSON object`);
  } catch (error) {
    problems.push(`${path}: not JSON: ${messageOf(error)}`);
  }
  return {};
}

interface Profile {
  readonly values: Layer;
  readonly symbols: Readonly<Record<string, Layer>>;
}

function readProfile(explicit: Layer, inputs: ConfigInputs, problems: string[]): Profile {
  const path = textOf(explicit['profiles']);
  const own = path === undefined ? {} : readLayer(path, inputs.readText(path), problems);
  const all: Layer = { ...readLayer('profiles.json', inputs.builtInProfiles, problems), ...own };
  const name = textOf(explicit['profile']) ?? RUN_FLAGS.profile.fallback;
  if (!Object.hasOwn(all, name)) {
    problems.push(`--profile: expected one of ${Object.keys(all).join(', ')}, got ${JSON.stringify(name)}`);
    return { values: {}, symbols: {} };
  }
  const { symbols = {}, ...values } = all[name] as { symbols?: Record<string, Layer> } & Layer;
  for (const layer of [values, ...Object.values(symbols)]) {
    for (const key of Object.keys(layer)) {
      if (!(key in RUN_FLAGS) || !isPerSymbol(key as FlagName)) {
        problems.push(`profile ${name}: "${key}" is not a value that a profile can set`);
      }
    }
  }
  return { values, symbols };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
