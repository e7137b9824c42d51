import type { IterSummary } from '../../../schema/types.gen.js';
import { canonicalJson } from '../artifacts/canonical-json.ts';
import type { RunIdentity } from '../artifacts/run-artifacts.ts';
import { configHash, iterSummary, runId, runSummary, RunTotals } from '../artifacts/run-artifacts.ts';
import type { ArtifactStore } from '../artifacts/store.ts';
import { fillsFileName, iterFileName } from '../artifacts/window-files.ts';
import { windowFills } from '../artifacts/window-fills.ts';
import type { RunConfig } from '../config.ts';
import type { RunMetrics } from '../metrics/collect.ts';
import type { Pipeline, WindowReport } from '../pipeline.ts';
import type { Us } from '../units.ts';
import { summaryParameters } from './compose.ts';
import type { ProcessLatency } from './process-latency.ts';
import type { RunDeps } from './run.ts';
import type { Source } from './source.ts';

export interface SinkOptions {
  readonly config: RunConfig;
  readonly store: ArtifactStore;
  readonly resultsConfig: Readonly<Record<string, unknown>>;
  readonly source: Source;
  readonly deps: RunDeps;
  readonly metrics: RunMetrics;
  readonly processLatency: ProcessLatency | undefined;
  /** A window was handed over for the last time. */
  readonly onFinal: (() => void) | undefined;
}

/** From window reports to files, metrics and a line on the terminal. */
export class ArtifactSink {
  readonly #options: SinkOptions;
  readonly #store: ArtifactStore;
  readonly #identity: RunIdentity;
  readonly #totals = new RunTotals();
  /** What the process measured in a window, kept from its first report to its final one. */
  readonly #process = new Map<number, IterSummary['process']>();
  #first: number | undefined;
  #written = 0;
  #lastIndex = -1;
  #startUs: Us = 0;

  constructor(options: SinkOptions) {
    const { config, source, deps, store } = options;
    const summary = summaryParameters(config);
    this.#options = options;
    this.#store = store;
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

  /** Takes all it needs of the report at once; only the disk is waited for elsewhere. */
  onWindow(report: WindowReport, startUs: Us): void {
    this.#startUs = startUs;
    this.#first ??= this.#chooseFirst();
    const iteration = this.#first + report.index;
    if (!this.#process.has(report.index)) {
      this.#process.set(report.index, this.#options.processLatency?.publish() ?? null);
    }
    if (report.index > this.#lastIndex) {
      const { instruments } = this.#options.source;
      const fills = windowFills(this.#identity, instruments, report, startUs, iteration);
      this.#store.write(fillsFileName(iteration), canonicalJson(fills));
    }
    const summary = iterSummary(this.#identity, report, startUs, iteration, this.#process.get(report.index) ?? null);
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
    this.#options.onFinal?.();
  }

  /** After the feed's end: everything is on disk, or counted as lost. */
  async finish(pipeline: Pipeline): Promise<{ windows: number; lost: number }> {
    if (this.#first !== undefined) this.#writeRunSummary(pipeline.endUs);
    return { windows: this.#written, lost: await this.#store.close() };
  }

  closingLine(): string {
    const { fills } = this.#totals.publish();
    const models = Object.entries(this.#totals.models).map(([model, count]) => `${model} ${count}`);
    const windows = `${this.#written} window${this.#written === 1 ? '' : 's'}`;
    return `${windows} in ${this.#store.folder}: ${fills} fills (${models.join(', ')})`;
  }

  /** A live run is new, so it only needs a free number; a replay may be one that is in the folder already. */
  #chooseFirst(): number {
    if (this.#identity.source !== 'replay') return (this.#store.iterations().at(-1) ?? 0) + 1;
    return this.#store.firstIteration(runId(this.#startUs, configHash(this.#identity.config)), this.#startUs);
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
