import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Labels } from './collector.ts';
import type { Scope } from './scope.ts';
import { waitFor } from './scope.ts';

export interface PrometheusOptions {
  /** prometheus.yml as an object; relative paths in it are seen from the folder. */
  readonly config?: object;
  /** Flags beside the config, the data folder and the address, as `--web.enable-remote-write-receiver`. */
  readonly args?: readonly string[];
  readonly retention?: string;
}

/** One series of an answer; times in seconds. `value` of an instant vector, `values` of a matrix. */
export interface Series {
  readonly metric: Labels;
  readonly value?: readonly [seconds: number, value: string];
  readonly values?: readonly (readonly [seconds: number, value: string])[];
}

/** The real server on a free port, with a temporary data folder that outlives a restart. */
export class Prometheus {
  readonly folder: string;
  readonly #options: PrometheusOptions;
  readonly #port: number;
  #child: ChildProcess | undefined;
  #stderr = '';

  private constructor(folder: string, port: number, options: PrometheusOptions) {
    this.folder = folder;
    this.#port = port;
    this.#options = options;
    writeFileSync(join(folder, 'prometheus.yml'), stringify(options.config ?? {}));
  }

  /** Starts it and waits until it is ready. Its first scrape comes later: wait for data, where they matter. */
  static async start(scope: Scope, options: PrometheusOptions = {}): Promise<Prometheus> {
    const prometheus = new Prometheus(scope.folder(), await freePort(), options);
    scope.add(() => prometheus.stop('SIGKILL'));
    await prometheus.launch();
    return prometheus;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get writeUrl(): string {
    return `${this.url}/api/v1/write`;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** After a `stop`: the same port, the same data. */
  async launch(): Promise<void> {
    const { args = [], retention = '1d' } = this.#options;
    const own = [
      `--config.file=${join(this.folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(this.folder, 'data')}`,
      `--storage.tsdb.retention.time=${retention}`,
      `--web.listen-address=127.0.0.1:${this.#port}`,
    ];
    const child = spawn('prometheus', [...own, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.#child = child;
    await once(child, 'spawn');
    await waitFor('Prometheus to be ready', () => this.#ready(child), 30_000).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.#stderr.slice(-2_000)}`, { cause: error });
    });
  }

  async #ready(child: ChildProcess): Promise<boolean> {
    if (!isRunning(child)) throw new Error('Prometheus ended');
    return fetch(`${this.url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || !isRunning(child)) return;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }

  /** On the same port and data. */
  async restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.stop(signal);
    await this.launch();
  }

  /** An instant query, as of now or of a time in seconds. */
  async query(expression: string, time?: number): Promise<readonly Series[]> {
    return this.#ask('query', { query: expression, ...(time !== undefined && { time: String(time) }) });
  }

  /** A range query; times and step in seconds. */
  async queryRange(expression: string, start: number, end: number, step: number): Promise<readonly Series[]> {
    const range = { start: String(start), end: String(end), step: String(step) };
    return this.#ask('query_range', { query: expression, ...range });
  }

  async #ask(path: string, parameters: Readonly<Record<string, string>>): Promise<readonly Series[]> {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${parameters['query']}: status ${response.status}: ${text}`);
    return (JSON.parse(text) as { readonly data: { readonly result: readonly Series[] } }).data.result;
  }
}

const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
