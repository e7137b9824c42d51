import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { IterSummary, ShadowRunSummary } from '../../../schema/types.gen.js';
import { contradictionsOf } from '../../../collector/src/artifacts/contradictions.ts';
import { readIterSummary } from '../../../collector/src/artifacts/store.ts';
import { runSummaryValidator, validated } from '../../../collector/src/artifacts/validate.ts';
import type { Scope } from './scope.ts';
import { waitFor } from './scope.ts';
import type { TestExchange } from './test-exchange.ts';

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

export type Flags = Readonly<Record<string, string | number | boolean>>;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment without anything that could configure the program. */
export const plainEnv = (): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(SHADOW|NODE|JEST)_/.test(name)));

/** The built program as a process, with nothing of the environment that could configure it. */
export class Process {
  readonly child: ChildProcess;
  readonly exit: Promise<Exit>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = process.cwd()) {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: npm run build`);
    this.child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...plainEnv(), ...env },
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.exit = once(this.child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async kill(): Promise<void> {
    if (this.running) this.child.kill('SIGKILL');
    await this.exit;
  }
}

/** Runs the program to its end. */
export async function runCli(
  scope: Scope,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<Exit> {
  const started = new Process(args, env, cwd);
  scope.add(() => started.kill());
  await waitFor(`the end of: shadow ${args.join(' ')}`, () => !started.running, 25_000);
  return started.exit;
}

/** Flags as arguments; `true` stands alone. */
export const argumentsOf = (flags: Flags): string[] =>
  Object.entries(flags).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, String(value)]));

/** What every run of these tests has in common. */
export const liveFlags = (exchange: TestExchange, output: string): Flags => ({
  ws_url: exchange.wsUrl,
  rest_url: exchange.restUrl,
  metrics_port: 0,
  output,
});

/** `shadow run` as a process, seen from outside: its metrics, its files, its end. */
export class Collector {
  readonly output: string;
  readonly #process: Process;
  #url = '';

  private constructor(process: Process, output: string) {
    this.#process = process;
    this.output = output;
  }

  /** Starts a run and waits for its metrics address. */
  static async start(scope: Scope, exchange: TestExchange, flags: Flags = {}): Promise<Collector> {
    const output = String(flags['output'] ?? scope.folder());
    return Collector.#launch(scope, output, { ...liveFlags(exchange, output), ...flags });
  }

  /** The same on the simulated exchange in the process itself. */
  static async startMock(scope: Scope, flags: Flags, env: Readonly<Record<string, string>> = {}): Promise<Collector> {
    const output = scope.folder();
    return Collector.#launch(scope, output, { mock: true, metrics_port: 0, output, ...flags }, env);
  }

  static async #launch(
    scope: Scope,
    output: string,
    flags: Flags,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Collector> {
    const started = new Process(['run', ...argumentsOf({ iterations: 0, ...flags })], env);
    scope.add(() => started.kill());
    const collector = new Collector(started, output);
    await collector.until('the metrics address', () => started.stdout.includes('\n'));
    const address = /^metrics: (http:\/\/\S+)\/metrics\n/.exec(started.stdout)?.[1];
    if (address === undefined) throw new Error(`expected the metrics address first, got ${started.stdout}`);
    collector.#url = address;
    return collector;
  }

  /** host:port of its metrics. */
  get address(): string {
    return this.#url.slice('http://'.length);
  }

  get pid(): number {
    return this.#process.child.pid!;
  }

  get running(): boolean {
    return this.#process.running;
  }

  get stderr(): string {
    return this.#process.stderr;
  }

  /** Waits for a run that ends by itself. */
  async end(deadlineMs = 25_000): Promise<Exit> {
    await waitFor('the run to end by itself', () => !this.running, deadlineMs);
    return this.#process.exit;
  }

  /** Like `waitFor`, but fails at once when the process has ended, and shows its last words. */
  async until(what: string, condition: () => boolean | Promise<boolean>, deadlineMs?: number): Promise<void> {
    const lastWords = (): string => `\n${this.#process.stderr.slice(-2_000)}`;
    const watched = async (): Promise<boolean> => {
      if (!this.running) throw new Error(`the process ended while waiting for: ${what}`);
      return condition();
    };
    await waitFor(what, watched, deadlineMs).catch((error: unknown) => {
      throw new Error((error instanceof Error ? error.message : String(error)) + lastWords(), { cause: error });
    });
  }

  /** Asks once more when the server closed a kept connection just as it was to be used again, which HTTP allows. */
  async get(path: string): Promise<{ status: number; body: string }> {
    const ask = (): Promise<Response> => fetch(`${this.#url}${path}`);
    const response = await ask().catch(ask);
    return { status: response.status, body: await response.text() };
  }

  async scrape(): Promise<Metrics> {
    const { status, body } = await this.get('/metrics');
    if (status !== 200) throw new Error(`expected status 200 from /metrics, got ${status}: ${body}`);
    return new Metrics(body);
  }

  /** Waits until a series of a fresh scrape satisfies the condition; absent is 0. */
  async metric(
    name: string,
    labels: Labels,
    condition: (value: number) => boolean,
    deadlineMs?: number,
  ): Promise<void> {
    let last: number | undefined;
    const what = (): string => `${name} ${JSON.stringify(labels)} to satisfy ${String(condition)}, last ${last}`;
    await this.until(
      what(),
      async () => {
        last = (await this.scrape()).value(name, labels);
        return condition(last ?? 0);
      },
      deadlineMs,
    ).catch((error: unknown) => {
      throw new Error(`${what()}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    });
  }

  async untilReady(deadlineMs?: number): Promise<void> {
    await this.until('/readyz to answer 200', async () => (await this.get('/readyz')).status === 200, deadlineMs);
  }

  /** Waits until quotes of both sides have reached the book of every symbol. */
  async untilQuoting(...symbols: readonly string[]): Promise<void> {
    for (const symbol of symbols) {
      await this.metric('shadow_orders_total', { symbol, event: 'activated' }, (value) => value >= 2);
    }
  }

  /** SIGTERM, and how long the process took to end. */
  async stop(): Promise<Exit & { readonly ms: number }> {
    const startMs = performance.now();
    this.#process.child.kill('SIGTERM');
    const exit = await this.#process.exit;
    return { ...exit, ms: performance.now() - startMs };
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  windows(): IterSummary[] {
    return readWindows(this.output);
  }

  runSummary(): ShadowRunSummary | undefined {
    return readRunSummary(this.output);
  }
}

export type Labels = Readonly<Record<string, string>>;

/** The text of a scrape. */
export class Metrics {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The value of the series that has these labels; undefined when there is none. */
  value(name: string, labels: Labels = {}): number | undefined {
    return this.values(name, labels)[0];
  }

  /** The values of all series that have these labels. */
  values(name: string, labels: Labels = {}): number[] {
    const values: number[] = [];
    for (const line of this.text.split('\n')) {
      const match = line.startsWith(name) ? /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) : null;
      if (match?.[1] !== name) continue;
      const own = match[2] ?? '';
      if (Object.entries(labels).every(([label, value]) => `,${own}`.includes(`,${label}="${value}"`))) {
        values.push(Number(match[3]));
      }
    }
    return values;
  }
}

/** Numbers of the windows in a folder, ascending. */
export function iterationsIn(folder: string): number[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const numbers = names.map((name) => Number(/^ITER_SUMMARY_(\d+)\.json$/.exec(name)?.[1] ?? 0));
  return numbers.filter((number) => number > 0).sort((a, b) => a - b);
}

/** Every window in a folder, by number; throws where one does not follow its schema. */
export const readWindows = (folder: string): IterSummary[] =>
  iterationsIn(folder).map((number) => {
    const window = readIterSummary(join(folder, `ITER_SUMMARY_${number}.json`));
    // Whatever happened to the run: an audit must not find fault with the artifacts themselves.
    const found = contradictionsOf(window);
    if (found.length > 0) throw new Error(`window ${number}: ${JSON.stringify(found)}`);
    return window;
  });

/** Undefined before there is one; throws where it does not follow its schema. */
export function readRunSummary(folder: string): ShadowRunSummary | undefined {
  const path = join(folder, 'SHADOW_RUN_SUMMARY.json');
  if (!existsSync(path)) return undefined;
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  return validated(runSummaryValidator, value, path);
}

/** Files that a write leaves behind when it is interrupted. */
export const temporaryFiles = (folder: string): string[] => readdirSync(folder).filter((name) => name.endsWith('.tmp'));
