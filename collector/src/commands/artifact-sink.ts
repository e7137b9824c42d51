import type { IterSummary } from '../../../schema/types.gen.js';
import { canonicalJson } from '../artifacts/canonical-json.ts';
import type { RunIdentity } from '../artifacts/run-artifacts.ts';
import { configHash, iterSummary, runId, runSummary, RunTotals } from '../artifacts/run-artifacts.ts';
import { ArtifactStore, iterFileName } from '../artifacts/store.ts';
import type { RunConfig } from '../config.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { RunMetrics } from '../metrics/collect.ts';
import type { Pipeline, WindowReport } from '../pipeline.ts';
import type { Us } from '../units.ts';
import { summaryParameters } from './compose.ts';
import type { ProcessLatency } from './process-latency.ts';
import type { RunDeps } from './run.ts';
import type { Source } from './source.ts';

export interface SinkOptions {
  readonly config: RunConfig;
  readonly resultsConfig: Readonly<Record<string, unknown>>;
  readonly source: Source;
  readonly deps: RunDeps;
  readonly log: Logger;
  readonly metrics: RunMetrics;
  readonly processLatency: ProcessLatency | undefined;
}

/** From window reports to files, metrics and a line on the terminal. */
export class ArtifactSink {
  readonly #options: SinkOptions;
  readonly #store: ArtifactStore;
  readonly #identity: RunIdentity;
  readonly #totals = new RunTotals();
  readonly #numbers: readonly number[];
  /** What the process measured in a window, kept from its first report to its final one. */
  readonly #process = new Map<number, IterSummary['process']>();
  #pending: WindowReport[] = [];
  #first: number | undefined;
  #written = 0;
  #lastIndex = -1;
  #startUs: Us = 0;
  #ready: Promise<void> | undefined;
  #closed = false;

  private constructor(options: SinkOptions, store: ArtifactStore, numbers: readonly number[]) {
    const { config, source, deps } = options;
    const summary = summaryParameters(config);
    this.#options = options;
    this.#store = store;
    this.#numbers = numbers;
    this.#identity = {
      source: source.kind,
      exchange: config.exchange,
      symbols: source.symbols,
      profile: config.profile,
      gitCommit: deps.build.commit,
      config: options.resultsConfig,
      durationSeconds: config.duration,
      notes: source.notes,
      summary: summary.shared,
      inventoryLimits: summary.inventoryLimits,
    };
  }

  static async open(options: SinkOptions): Promise<ArtifactSink> {
    const { config, log } = options;
    const store = await ArtifactStore.open(config.output, {
      onError: (file, error) => log.error({ file, folder: config.output, reason: messageOf(error) }, 'artifact error'),
    });
    return new ArtifactSink(options, store, await store.iterations());
  }

  get writeErrors(): number {
    return this.#store.writeErrors;
  }

  /** Synchronous for the pipeline: what has to wait for the disk is queued. */
  onWindow(report: WindowReport, startUs: Us): void {
    this.#startUs = startUs;
    this.#pending.push(report);
    if (this.#first !== undefined) this.#drain();
    else this.#ready ??= this.#chooseFirst();
  }

  /** After the feed's end: everything is on disk, or counted as lost. */
  async finish(pipeline: Pipeline): Promise<{ windows: number; lost: number }> {
    await this.#ready;
    if (this.#first !== undefined) this.#writeRunSummary(pipeline.endUs);
    this.#closed = true;
    return { windows: this.#written, lost: await this.#store.close() };
  }

  /** Gives the folder free; for a run that failed before `finish`. */
  async close(): Promise<void> {
    this.#options.processLatency?.close();
    if (!this.#closed) await this.#store.close();
  }

  closingLine(): string {
    const { fills } = this.#totals.publish();
    const models = Object.entries(this.#totals.models).map(([model, count]) => `${model} ${count}`);
    const windows = `${this.#written} window${this.#written === 1 ? '' : 's'}`;
    return `${windows} in ${this.#store.folder}: ${fills} fills (${models.join(', ')})`;
  }

  /** A live run is new, so it only needs a free number; a replay may be one that is in the folder already. */
  async #chooseFirst(): Promise<void> {
    const id = runId(this.#startUs, configHash(this.#identity.config));
    const replay = this.#identity.source === 'replay';
    this.#first = replay ? await this.#store.firstIteration(id) : (this.#numbers.at(-1) ?? 0) + 1;
    this.#drain();
  }

  #drain(): void {
    const reports = this.#pending;
    this.#pending = [];
    for (const report of reports) this.#write(report);
  }

  #write(report: WindowReport): void {
    const iteration = this.#first! + report.index;
    if (!this.#process.has(report.index)) {
      this.#process.set(report.index, this.#options.processLatency?.publish() ?? null);
    }
    const summary = iterSummary(this.#identity, report, this.#startUs, iteration, this.#process.get(report.index)!);
    this.#store.write(iterFileName(iteration), canonicalJson(summary));
    this.#options.metrics.onWindow(summary);
    if (report.index > this.#lastIndex) {
      this.#lastIndex = report.index;
      this.#written++;
      this.#options.deps.print(windowLine(summary));
    }
    if (report.provisional && !report.cutShort) return;
    this.#process.delete(report.index);
    this.#totals.add(summary.summary, report.total);
    this.#writeRunSummary(undefined);
  }

  #writeRunSummary(completedUs: Us | undefined): void {
    const iterations = { written: this.#written, first: this.#first!, last: this.#first! + this.#lastIndex };
    const summary = runSummary(this.#identity, this.#totals, this.#startUs, completedUs, iterations);
    this.#store.write('SHADOW_RUN_SUMMARY.json', canonicalJson(summary));
  }
}

/** One window in one line; what is not known says so. */
export function windowLine({ iteration, cut_short, summary }: IterSummary): string {
  const show = (value: number | null | undefined, digits: number, unit = ''): string =>
    value === null || value === undefined ? 'n/a' : `${value.toFixed(digits)}${unit}`;
  const parts = [
    `maker/taker=${show(summary.maker_taker_ratio, 3)}`,
    `edge=${show(summary.net_bps, 2)}`,
    `latency=${show(summary.p95_latency_ms, 0, 'ms')}`,
    `risk=${show(summary.risk_ratio, 3)}`,
    `drift=${show(summary.clock_drift_ms, 1, 'ms')}`,
    `fills=${summary.fills}`,
    `coverage=${show(summary.feed.coverage, 3)}`,
  ];
  return `[ITER ${iteration}] ${parts.join(' ')}${cut_short ? ' (cut short)' : ''}`;
}
