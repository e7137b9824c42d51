import { createHash } from 'node:crypto';
import type { IterSummary, ShadowRunSummary } from '../../../schema/types.gen.js';
import type { SummaryParameters } from '../kpi/summary.ts';
import { summarize } from '../kpi/summary.ts';
import { FEED_EVENTS, ORDER_EVENTS, WindowStats, addCounts, zeroCounts } from '../kpi/window.ts';
import { WeightedMean } from '../kpi/markout.ts';
import { NO_FILL_REASONS } from '../fills/shadow-quote.ts';
import type { WindowReport } from '../pipeline.ts';
import type { Us } from '../units.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';
import { canonicalJson } from './canonical-json.ts';
import { iterSummaryValidator, runSummaryValidator, validated } from './validate.ts';

/** Of all artifacts; schema/MIGRATIONS.md tells what changed with each. */
export const SCHEMA_VERSION = 2;

/** What is the same in all artifacts of a run. */
export interface RunIdentity {
  readonly source: 'live' | 'mock' | 'replay';
  readonly exchange: string;
  readonly symbols: readonly string[];
  readonly profile: string;
  readonly gitCommit: string;
  /** What determines the results, as resolved. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly durationSeconds: number;
  readonly notes: readonly string[];
  readonly summary: Omit<SummaryParameters, 'inventoryLimitQuote' | 'symbols' | 'windowUs'>;
  readonly inventoryLimits: ReadonlyMap<string, number>;
}

/** SHA-256 of the canonical configuration. */
export const configHash = (config: Readonly<Record<string, unknown>>): string =>
  createHash('sha256').update(canonicalJson(config)).digest('hex');

/** A run is its start and its configuration: a replay of a live run's recording is the same run. */
export function runId(startUs: Us, hash: string): string {
  const stamp = isoOf(startUs).replace(/[-:]|\.\d+/g, '');
  return `${stamp}-${createHash('sha256').update(`${startUs} ${hash}`).digest('hex').slice(0, 12)}`;
}

export const isoOf = (us: Us): string => new Date(Math.floor(us / US_PER_MS)).toISOString();

/** One window as its artifact; validated. `iteration` is its number in the folder. */
export function iterSummary(
  identity: RunIdentity,
  report: WindowReport,
  runStartUs: Us,
  iteration: number,
  process: IterSummary['process'],
): IterSummary {
  const hash = configHash(identity.config);
  const windowUs = report.endUs - report.startUs;
  const parametersOf = (inventoryLimitQuote: number, symbols: number): SummaryParameters => ({
    ...identity.summary,
    windowUs,
    inventoryLimitQuote,
    symbols,
  });
  const bySymbol = [...report.bySymbol].map(([symbol, stats]) => {
    const limit = identity.inventoryLimits.get(symbol)!;
    return [symbol, summarize(stats, { driftMs: stats.driftMs, clock: report.clock }, parametersOf(limit, 1))] as const;
  });
  // Inventory use of the whole is the mean over symbols of each one's own: exposures add up against the mean limit.
  const limits = [...report.bySymbol.keys()].map((symbol) => identity.inventoryLimits.get(symbol)!);
  const meanLimit = limits.reduce((sum, limit) => sum + limit, 0) / limits.length;
  const summary: IterSummary = {
    iteration,
    timestamp: isoOf(report.endUs),
    duration_seconds: Math.floor(windowUs / US_PER_S),
    exchange: identity.exchange,
    symbols: identity.symbols as [string, ...string[]],
    profile: identity.profile,
    mode: 'shadow',
    schema_version: SCHEMA_VERSION,
    run_id: runId(runStartUs, hash),
    source: identity.source,
    git_commit: identity.gitCommit,
    config_hash: hash,
    provisional: report.provisional,
    cut_short: report.cutShort,
    notes: [...identity.notes],
    summary: summarize(report.total, report, parametersOf(meanLimit, report.bySymbol.size)),
    by_symbol: Object.fromEntries(bySymbol),
    process,
  };
  return validated(iterSummaryValidator, summary, `ITER_SUMMARY_${iteration}.json`);
}

const TOTALS = [
  'maker_count',
  'taker_count',
  'fills',
  'post_only_rejects',
  'would_be_taker',
  'markout_pending',
  'markout_invalid',
] as const;

/** Sums over a run. Every window is added once, when it is final or was cut short: only then is nothing of it still to come. */
export class RunTotals {
  readonly #counts = zeroCounts(TOTALS);
  readonly #models = { trade_through: 0, queue: 0, touch: 0, touch_dwell: 0 };
  readonly #orders = zeroCounts(ORDER_EVENTS);
  readonly #noFill = zeroCounts(NO_FILL_REASONS);
  readonly #feed = zeroCounts(FEED_EVENTS);
  readonly #net = new WeightedMean();
  #realized = 0;
  #fees = 0;
  iterations = 0;

  add(summary: IterSummary['summary'], stats: WindowStats): void {
    this.iterations++;
    for (const key of TOTALS) this.#counts[key] += summary[key];
    for (const key of Object.keys(this.#models) as (keyof RunTotals['models'])[]) {
      this.#models[key] += summary.model_band[key].fills;
    }
    addCounts(this.#orders, stats.orders, ORDER_EVENTS);
    addCounts(this.#noFill, stats.noFill, NO_FILL_REASONS);
    addCounts(this.#feed, stats.feed, FEED_EVENTS);
    for (const group of Object.values(stats.bySide)) this.#net.merge(group.net);
    this.#realized += stats.realizedQuote;
    this.#fees += stats.feesQuote;
  }

  get models(): ShadowRunSummary['totals']['model_fills'] {
    return this.#models;
  }

  publish(): ShadowRunSummary['totals'] {
    const mean = this.#net.mean;
    const round = (value: number): number => Math.round(value * 1e6) / 1e6 + 0;
    return {
      ...this.#counts,
      model_fills: { ...this.#models },
      orders: { ...this.#orders },
      no_fill_reasons: { ...this.#noFill },
      feed: { ...this.#feed },
      net_bps: mean === undefined ? null : round(mean),
      pnl_realized: round(this.#realized),
      fees: round(this.#fees),
    };
  }
}

/** SHADOW_RUN_SUMMARY.json; validated. */
export function runSummary(
  identity: RunIdentity,
  totals: RunTotals,
  startUs: Us,
  completedUs: Us | undefined,
  iterations: { readonly written: number; readonly first: number; readonly last: number },
): ShadowRunSummary {
  const hash = configHash(identity.config);
  const summary: ShadowRunSummary = {
    schema_version: SCHEMA_VERSION,
    run_id: runId(startUs, hash),
    mode: 'shadow',
    source: identity.source,
    exchange: identity.exchange,
    symbols: identity.symbols as [string, ...string[]],
    profile: identity.profile,
    git_commit: identity.gitCommit,
    config_hash: hash,
    config: { ...identity.config },
    started_at: isoOf(startUs),
    completed_at: completedUs === undefined ? null : isoOf(completedUs),
    duration_per_iteration: identity.durationSeconds,
    total_iterations: iterations.written,
    first_iteration: iterations.written === 0 ? null : iterations.first,
    last_iteration: iterations.written === 0 ? null : iterations.last,
    totals: totals.publish(),
  };
  return validated(runSummaryValidator, summary, 'SHADOW_RUN_SUMMARY.json');
}
