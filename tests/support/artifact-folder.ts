import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { IterSummary, ShadowRunSummary, WindowFills } from '../../schema/types.gen.js';
import { canonicalJson } from '../../collector/src/artifacts/canonical-json.ts';
import { quantileOfBuckets } from '../../collector/src/clock/histogram.ts';
import { uniformDraw } from '../../collector/src/fills/random.ts';

const example = (name: string): unknown =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../schema/examples/${name}`, import.meta.url)), 'utf8'));

const WINDOW = example('ITER_SUMMARY_1.json') as IterSummary;
const RUN = example('SHADOW_RUN_SUMMARY.json') as ShadowRunSummary;
const FILLS = example('FILLS_1.json') as WindowFills;

/** When the run of these folders began, and when `nowMs` of an audit may well be. */
export const STARTED_MS = Date.UTC(2026, 0, 2, 3, 4, 6);
export const WINDOW_S = 60;
const MODELS = ['trade_through', 'queue', 'touch', 'touch_dwell'] as const;
const HORIZONS = ['100ms', '1s', '5s', '30s', '60s'] as const;

/** What a window says; the rest follows from it. */
export interface WindowValues {
  readonly netBps?: number;
  readonly fills?: number;
  readonly coverage?: number;
  readonly latencyUs?: number;
  readonly driftMs?: number;
  readonly risk?: number;
  readonly wouldBeTaker?: number;
  /** Net edge of a model where it is not `netBps`. */
  readonly models?: Partial<Record<(typeof MODELS)[number], { readonly fills: number; readonly netBps: number }>>;
}

/** A window that a good run could have written: final, live, two fills at a net edge of 4 bps or so. */
export function windowOf(iteration: number, values: WindowValues = {}): IterSummary {
  const noise = uniformDraw(7, iteration, 0) - 0.5;
  const { fills = 2, netBps = 4 + noise, coverage = 1, latencyUs = 20_480, driftMs = 20, risk = 0.1 } = values;
  const { wouldBeTaker = 0, models = {} } = values;
  const mean = fills > 0 ? round(netBps) : null;
  const weight = fills * 1_000;
  const summary = structuredClone(WINDOW.summary);
  const share = weight + wouldBeTaker > 0 ? round(weight / (weight + wouldBeTaker)) : null;
  Object.assign(summary, { maker_count: fills, taker_count: 0, fills, maker_taker_ratio: share, net_bps: mean });
  Object.assign(summary, { clock_drift_ms: driftMs, risk_ratio: Math.min(1, risk), fill_model: 'touch-dwell' });
  Object.assign(summary, { markout_pending: 0, markout_invalid: 0 });
  summary.clock.uncertainty_ms = 0;
  summary.notional_quote = { maker: weight, taker: 0, would_be_taker: wouldBeTaker };
  summary.would_be_taker = wouldBeTaker > 0 ? 1 : 0;
  summary.inventory.time_weighted = risk;
  summary.feed.coverage = coverage;
  for (const model of MODELS) {
    const own = models[model] ?? { fills, netBps: mean ?? 0 };
    const known = own.fills > 0;
    summary.model_band[model] = {
      fills: own.fills,
      n: own.fills,
      weight_quote: own.fills * 1_000,
      net_bps: known ? round(own.netBps) : null,
    };
  }
  for (const name of HORIZONS) {
    const known = { n: fills, weight_quote: weight, mean_bps: round(netBps + 2), se_bps: null };
    summary.markouts[name] = fills > 0 ? known : { n: 0, weight_quote: 0, mean_bps: null, se_bps: null };
  }
  const latencyMs = latencyUs / 1_000;
  const middleMs = quantileOfBuckets(new Map([[latencyUs, 400]]), 400, 0, 0.95)! / 1_000;
  summary.p95_latency_ms = middleMs;
  summary.latency_ms.feed = {
    ...{ n: 400, corrected: true, uncorrected: 0, negative: 0, min: latencyMs, p50: middleMs, p95: middleMs },
    ...{ p99: middleMs, histogram_us: [[latencyUs, 400]] },
  };
  return {
    ...structuredClone(WINDOW),
    iteration,
    timestamp: new Date(STARTED_MS + iteration * WINDOW_S * 1_000).toISOString(),
    duration_seconds: WINDOW_S,
    source: 'live',
    provisional: false,
    cut_short: false,
    summary,
    by_symbol: { BTCUSDT: structuredClone(summary) },
  };
}

/** The summary of the run that wrote windows 1 to `last`. */
export const runSummaryOf = (last: number): ShadowRunSummary => ({
  ...structuredClone(RUN),
  run_id: WINDOW.run_id,
  source: 'live',
  started_at: new Date(STARTED_MS).toISOString(),
  completed_at: null,
  duration_per_iteration: WINDOW_S,
  first_iteration: 1,
  last_iteration: last,
  total_iterations: last,
});

export function fillsOf(window: IterSummary): WindowFills {
  const timeUs = Date.parse(window.timestamp) * 1_000 - 30_000_000;
  return {
    ...structuredClone(FILLS),
    iteration: window.iteration,
    run_id: window.run_id,
    source: window.source,
    best_prices: { BTCUSDT: Array.from({ length: 59 }, (_, s) => [timeUs + (s - 30) * 1_000_000, 50_000, 50_000.2]) },
    fills: Array.from({ length: window.summary.fills }, (_, index) => ({
      ...{ time_us: timeUs + index, symbol: 'BTCUSDT', side: index % 2 === 0 ? ('buy' as const) : ('sell' as const) },
      ...{ price: 49_990, quantity: 0.02, liquidity: 'maker' as const, cause: 'dwell' as const },
      ...{ order_id: index, late_cancel: false },
    })),
  };
}

/** Folder of artifacts under test, gone when closed. */
export class ArtifactFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'shadow-artifacts-'));

  /** A whole run of windows 1 to `last`, each as `values` say, with its fills. */
  static of(last: number, values: (iteration: number) => WindowValues = () => ({})): ArtifactFolder {
    const folder = new ArtifactFolder();
    for (let iteration = 1; iteration <= last; iteration++) {
      const window = windowOf(iteration, values(iteration));
      folder.write(`ITER_SUMMARY_${iteration}.json`, window);
      folder.write(`FILLS_${iteration}.json`, fillsOf(window));
    }
    folder.write('SHADOW_RUN_SUMMARY.json', runSummaryOf(last));
    return folder;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  write(name: string, value: unknown): void {
    writeFileSync(this.file(name), typeof value === 'string' ? value : canonicalJson(value));
  }

  read(name: string): unknown {
    return JSON.parse(readFileSync(this.file(name), 'utf8'));
  }

  /** Changes a window in place. */
  change(iteration: number, change: (window: IterSummary) => unknown): void {
    const name = `ITER_SUMMARY_${iteration}.json`;
    const window = this.read(name) as IterSummary;
    change(window);
    this.write(name, window);
  }

  close(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

const round = (value: number): number => Math.round(value * 1e6) / 1e6;

/** The window with another symbol in it, and a whole that is the sum of both. */
export function withSymbol(window: IterSummary, symbol: string, own: IterSummary['summary']): IterSummary {
  const { summary: whole } = window;
  const add = (into: Record<string, unknown>, from: Record<string, unknown>, keys: readonly string[]): void => {
    for (const key of keys) into[key] = (into[key] as number) + (from[key] as number);
  };
  type Numbers = Record<string, unknown>;
  add(whole as unknown as Numbers, own as unknown as Numbers, [
    'fills',
    'maker_count',
    'taker_count',
    'would_be_taker',
  ]);
  add(whole.feed as unknown as Numbers, own.feed as unknown as Numbers, Object.keys(own.feed));
  whole.feed.coverage = whole.feed.coverage! / 2;
  add(
    whole.notional_quote as unknown as Numbers,
    own.notional_quote as unknown as Numbers,
    Object.keys(own.notional_quote),
  );
  const { feed } = whole.latency_ms;
  feed.n += own.latency_ms.feed.n;
  feed.histogram_us = feed.histogram_us.map(([lower]) => [lower, feed.n]);
  return { ...window, symbols: ['BTCUSDT', symbol], by_symbol: { ...window.by_symbol, [symbol]: own } };
}
