import { stringify } from 'yaml';
import type { Scope } from './scope.ts';
import { ServerProcess } from './server-process.ts';

export interface PrometheusOptions {
  readonly config?: object;
  /** Further files beside the configuration, by name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** One series of an answer: an instant vector has `value`, a range of samples `values`; stamps are seconds. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

/** Debian's Prometheus. */
export class Prometheus {
  readonly server: ServerProcess;

  private constructor(server: ServerProcess) {
    this.server = server;
  }

  static async start(
    scope: Scope,
    { config = {}, files = {}, args = [] }: PrometheusOptions = {},
  ): Promise<Prometheus> {
    const server = await ServerProcess.start(scope, {
      program: 'prometheus',
      files: { ...files, 'prometheus.yml': stringify(config) },
      args: (folder, address) => [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=${address}`,
        '--log.level=warn',
        ...args,
      ],
    });
    return new Prometheus(server);
  }

  get url(): string {
    return this.server.url;
  }

  /** Of its receiver, which `--web.enable-remote-write-receiver` opens. */
  get writeUrl(): string {
    return `${this.url}/api/v1/write`;
  }

  /** The answer of an instant query; throws what Prometheus says of a query it does not take. */
  async query(expression: string, atS?: number): Promise<readonly Series[]> {
    return this.#ask('query', { query: expression, ...(atS === undefined ? {} : { time: String(atS) }) });
  }

  async queryRange(expression: string, fromS: number, toS: number, stepS: number): Promise<readonly Series[]> {
    const range = { start: String(fromS), end: String(toS), step: String(stepS) };
    return this.#ask('query_range', { query: expression, ...range });
  }

  /** How often a rule of shadow mode was evaluated since the start, all rules together. */
  async ruleEvaluations(): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const line = /^prometheus_rule_evaluations_total\{rule_group="[^"]*;shadow\.mode\.rules"\} (\d+)$/m.exec(text);
    return Number(line?.[1] ?? 0);
  }

  async #ask(path: string, parameters: Record<string, string>): Promise<readonly Series[]> {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const answer = (await response.json()) as { status: string; error?: string; data?: { result: readonly Series[] } };
    if (answer.status !== 'success') throw new Error(`${parameters['query']}: ${answer.error}`);
    return answer.data!.result;
  }
}
