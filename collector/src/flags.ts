import { parseArgs } from 'node:util';
import { messageOf, ShadowError } from './errors.ts';
import type { Value } from './flag-value.ts';
import { parseValue } from './flag-value.ts';

export type FlagKind =
  'number' | 'integer' | 'boolean' | 'text' | 'list' | 'choice' | 'latency' | 'scenario' | 'time' | 'url';

/** A flag of a command. From a table of these come parsing, environment, configuration file, validation and `--help`. */
export interface Flag {
  readonly kind: FlagKind;
  /** Undefined: not set, or worked out by the command. */
  readonly fallback: string | number | boolean | readonly string[] | undefined;
  readonly help: string;
  /** Heading under which `--help` shows it. */
  readonly group: FlagGroup;
  readonly placeholder?: string;
  readonly min?: number;
  readonly max?: number;
  /** Of a choice; of an address, the protocols it may have. */
  readonly choices?: readonly string[];
  /** It may differ by symbol in a profile. */
  readonly perSymbol?: boolean;
  /** False: it changes how the run is carried out, not what comes out of it, and stays out of `config_hash`. */
  readonly results?: false;
}

export const FLAG_GROUPS = {
  market: 'Market',
  quotes: 'Quotes',
  fills: 'Fill models',
  latency: 'Latency of our orders (ms)',
  windows: 'Windows',
  gates: 'Gates',
  input: 'Input',
  output: 'Output',
} as const;
export type FlagGroup = keyof typeof FLAG_GROUPS;

export type FlagTable = Readonly<Record<string, Flag>>;
export type Layer = Readonly<Record<string, unknown>>;

/** Those of `run` are SHADOW_…; another command's have its name in them, so that nobody reads what is meant for another. */
export const envPrefix = (command: string): string =>
  command === 'run' ? 'SHADOW_' : `SHADOW_${command.toUpperCase()}_`;

export const flag = <const T extends Flag>(definition: T): T => definition;

export interface FlagInputs {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a file the user named; throws where it cannot. */
  readonly readText: (path: string) => string;
}

/** Reads the flags of one command: flag > environment > file > whatever the caller lays below > default. Collects every problem. */
export class FlagReader {
  readonly problems: string[] = [];
  /** What was given by flags, environment and file, not yet understood. */
  readonly explicit: Layer;
  readonly #command: string;
  readonly #table: FlagTable;
  readonly #inputs: FlagInputs;

  constructor(command: string, table: FlagTable, inputs: FlagInputs) {
    this.#command = command;
    this.#table = table;
    this.#inputs = inputs;
    const flags = this.#parseFlags(inputs.argv);
    const env = this.#envLayer(inputs.env);
    const configPath = textOf(flags['config'] ?? env['config']);
    const file = configPath === undefined ? {} : this.readLayer(configPath, inputs.readText(configPath));
    for (const key of Object.keys(file))
      if (!Object.hasOwn(table, key)) this.problems.push(`${configPath ?? ''}: no such key "${key}"`);
    this.explicit = { ...file, ...env, ...flags };
  }

  /** The value of a flag from the first layer that has it, or its default; undefined also where it was wrong. */
  value(name: string, layers: readonly Layer[] = []): Value {
    for (const layer of [this.explicit, ...layers]) if (layer[name] !== undefined) return this.#read(name, layer[name]);
    const { fallback } = this.#table[name]!;
    return typeof fallback === 'string' ? this.#read(name, fallback) : fallback;
  }

  /** Every flag of the table, by `value`. */
  values(layers: readonly Layer[] = []): Record<string, Value> {
    return Object.fromEntries(Object.keys(this.#table).map((name) => [name, this.value(name, layers)]));
  }

  /** A JSON object in a file; another content is a problem, and nothing. */
  readLayer(path: string, text: string): Layer {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Layer;
      this.problems.push(`${path}: expected a JSON object`);
    } catch (error) {
      this.problems.push(`${path}: not JSON: ${messageOf(error)}`);
    }
    return {};
  }

  /** Throws one SHADOW_ERR_USAGE that names every problem, if there is any. */
  finish(): void {
    if (this.problems.length === 0) return;
    const unique = [...new Set(this.problems)];
    throw new ShadowError('SHADOW_ERR_USAGE', `${unique.join('\n')}\nSee: shadow ${this.#command} --help`);
  }

  #read(name: string, raw: unknown): Value {
    const parsed = parseValue(this.#table[name]!, raw, this.#inputs.readText);
    if ('value' in parsed) return parsed.value;
    // What may be a password in an address is not repeated.
    const shown = this.#table[name]!.kind === 'url' ? String(raw).replace(/^.*@/s, '…@') : raw;
    this.problems.push(`--${name}: expected ${parsed.expected}, got ${JSON.stringify(shown)}`);
    return undefined;
  }

  /** `--symbols A B` and `--mock` style values are joined to their flag first; then node's own parser takes over. */
  #parseFlags(argv: readonly string[]): Layer {
    const joined: string[] = [];
    for (let index = 0; index < argv.length; index++) {
      const argument = argv[index]!;
      const match = /^--([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(argument);
      if (match === null) {
        this.problems.push(`unexpected argument ${JSON.stringify(argument)}; flags begin with --`);
        continue;
      }
      const name = match[1]!.replaceAll('-', '_');
      if (!Object.hasOwn(this.#table, name)) {
        this.problems.push(`no such flag --${match[1]!}${this.#suggestion(name)}`);
        while (index + 1 < argv.length && !argv[index + 1]!.startsWith('--')) index++;
        continue;
      }
      const values = match[2] === undefined ? [] : [match[2]];
      const { kind } = this.#table[name]!;
      while (
        index + 1 < argv.length &&
        !argv[index + 1]!.startsWith('--') &&
        (kind === 'list' || values.length === 0)
      ) {
        values.push(argv[++index]!);
      }
      if (values.length === 0 && kind === 'boolean') values.push('true');
      if (values.length === 0) this.problems.push(`--${match[1]!} needs a value`);
      else joined.push(`--${name}=${values.join(',')}`);
    }
    const options = Object.fromEntries(Object.keys(this.#table).map((name) => [name, { type: 'string' as const }]));
    return parseArgs({ args: joined, options, strict: true }).values;
  }

  #suggestion(name: string): string {
    const near = Object.keys(this.#table).find(
      (known) => known.startsWith(name) || name.startsWith(known) || known.replaceAll('_', '') === name,
    );
    return near === undefined ? '' : `; did you mean --${near}?`;
  }

  #envLayer(env: Readonly<Record<string, string | undefined>>): Layer {
    const prefix = envPrefix(this.#command);
    const entries = Object.keys(this.#table).map((name) => [name, env[`${prefix}${name.toUpperCase()}`]] as const);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== ''));
  }
}

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
