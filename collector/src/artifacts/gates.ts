import type { ShadowAudit } from '../../../schema/types.gen.js';
import type { BandModel } from '../kpi/pool.ts';
import { BAND_MODELS } from '../kpi/pool.ts';
import type { RunStats } from './run-stats.ts';
import { known, meanKpi } from './run-stats.ts';

export type Gate = ShadowAudit['gates'][number];

/** What a run has to reach; each is a flag of `shadow audit`. */
export interface Thresholds {
  readonly minWindows: number;
  readonly minFills: number;
  readonly minCoverage: number;
  readonly minMakerTaker: number;
  readonly minEdgeBps: number;
  readonly maxLatencyMs: number;
  readonly maxRisk: number;
  readonly maxDriftMs: number;
  /** Judge latency with the clock offset in it, where the offset was not measured. */
  readonly allowRawLatency: boolean;
}

/** Below these nothing is judged good by default; from the seed, but for fills and coverage (FILLS specification §14). */
export const DEFAULT_THRESHOLDS = {
  minWindows: 48,
  minFills: 30,
  minCoverage: 0.95,
  minMakerTaker: 0.83,
  minEdgeBps: 2.5,
  maxLatencyMs: 350,
  maxRisk: 0.4,
  maxDriftMs: 500,
} as const;

/** A value, or null where the data cannot tell, which no gate passes. */
function gate(name: string, value: number | null, operator: Gate['operator'], threshold: number, note: string): Gate {
  const pass = value !== null && (operator === '>=' ? value >= threshold : value <= threshold);
  return { name, operator, threshold, value, pass, note };
}

/** Every condition of GO under the driving model. `stats`: undefined where nothing could be judged. */
export function gatesOf(stats: RunStats | undefined, thresholds: Thresholds): Gate[] {
  const { minWindows, minFills, minCoverage, minMakerTaker, minEdgeBps, maxLatencyMs, maxRisk, maxDriftMs } =
    thresholds;
  const total = stats?.total;
  const net = total?.net();
  const mean = net?.mean === undefined ? '' : `, mean ${net.mean.toFixed(2)}`;
  const latency = latencyOf(stats, thresholds);
  return [
    gate('windows', total?.windows ?? 0, '>=', minWindows, 'final windows of the run'),
    gate('fills', net?.n ?? 0, '>=', minFills, 'fills whose markout is known'),
    gate('known_markouts', knownMarkouts(stats), '>=', minCoverage, 'share of fills whose markout is known'),
    gate('coverage', leastCoverage(stats), '>=', minCoverage, 'share of time with a trusted book, of the worst symbol'),
    gate('maker_taker_ratio', known(total?.makerShare), '>=', minMakerTaker, 'maker share in notional'),
    gate('net_bps', known(net?.interval?.lower), '>=', minEdgeBps, `lower 95 % bound of the net edge${mean}`),
    gate('p95_latency_ms', latency.value, '<=', maxLatencyMs, latency.note),
    gate(
      'risk_ratio',
      largestRisk(stats),
      '<=',
      maxRisk,
      'time-weighted |inventory| over its limit, of the worst symbol',
    ),
    gate('clock_drift_ms', largestDrift(stats), '<=', maxDriftMs, 'largest |drift| at the end of a window'),
  ];
}

/** Whether the fills of one model alone are enough, and good enough. */
export function modelPasses(stats: RunStats, model: BandModel, { minFills, minEdgeBps }: Thresholds): boolean {
  const { n, interval } = stats.total.net(model);
  return n >= minFills && interval !== undefined && interval.lower >= minEdgeBps;
}

/** GO needs the driving model's gates, and the queue's and the pessimistic model's fills; GO_MODEL_DEPENDENT does without the last. */
export function verdictOf(
  stats: RunStats | undefined,
  gates: readonly Gate[],
  thresholds: Thresholds,
): ShadowAudit['verdict'] {
  if (stats === undefined || !gates.every(({ pass }) => pass)) return 'HOLD';
  if (!modelPasses(stats, 'queue', thresholds)) return 'HOLD';
  return modelPasses(stats, 'trade_through', thresholds) ? 'GO' : 'GO_MODEL_DEPENDENT';
}

/** A sentence for each condition that keeps the run from GO. */
export function* failuresOf(
  stats: RunStats | undefined,
  gates: readonly Gate[],
  thresholds: Thresholds,
): Generator<Failure> {
  for (const { name, operator, threshold, value, pass, note } of gates) {
    if (pass) continue;
    const expected = `expected ${operator} ${threshold} (${note})`;
    if (value === null) yield { code: 'insufficient_data', message: `${name}: ${expected}, the data cannot tell` };
    else yield { code: 'threshold', message: `${name}: ${expected}, got ${value}` };
  }
  if (stats === undefined) return;
  for (const model of BAND_MODELS) {
    if (model === 'touch' || model === 'touch_dwell' || model === stats.total.driver) continue;
    if (modelPasses(stats, model, thresholds)) continue;
    const { n, lower_95_bps: lower } = meanKpi(stats.total.net(model));
    const got = `${n} fills, lower bound ${lower === null ? 'unknown' : lower}`;
    const expected = `expected ${thresholds.minFills} fills and a net edge of ${thresholds.minEdgeBps} bps by its lower bound`;
    yield { code: 'model', message: `model ${model}: ${expected}, got ${got}` };
  }
}

export interface Failure {
  readonly code: 'insufficient_data' | 'threshold' | 'model';
  readonly message: string;
}

function knownMarkouts(stats: RunStats | undefined): number | null {
  if (stats === undefined || stats.total.fills === 0) return null;
  return known(stats.total.net().n / stats.total.fills);
}

/** One dead symbol of twenty must not vanish in a mean. */
function leastCoverage(stats: RunStats | undefined): number | null {
  const values = [...(stats?.bySymbol.values() ?? [])].map(({ coverage }) => coverage ?? 0);
  return values.length === 0 ? null : known(Math.min(...values));
}

/** Null where a symbol never had a book: the coverage tells. */
function largestRisk(stats: RunStats | undefined): number | null {
  const values = [...(stats?.bySymbol.values() ?? [])].map(({ risk }) => risk);
  const some = values.filter((value) => value !== undefined);
  return some.length === 0 || some.length < values.length ? null : known(Math.max(...some));
}

/** Latency as far up as it may be: the percentile by the offset as estimated, and the uncertainty of that. */
function latencyOf(stats: RunStats | undefined, thresholds: Thresholds): { value: number | null; note: string } {
  const what = '95th percentile of feed latency, merged over windows';
  if (stats === undefined) return { value: null, note: what };
  const { n, uncorrected, corrected, negative } = stats.total.latency;
  const p95 = stats.total.latencyMs(0.95);
  if (!corrected) {
    if (thresholds.allowRawLatency) return { value: known(p95), note: `${what}, the clock offset included` };
    return {
      value: null,
      note: `${what}; the clock offset was never measured, --allow_raw_latency judges it all the same`,
    };
  }
  const share = n / (n + uncorrected);
  if (share < thresholds.minCoverage) {
    return { value: null, note: `${what}; known of ${(share * 100).toFixed(1)} % of messages only` };
  }
  if (negative > n * (1 - thresholds.minCoverage)) {
    return {
      value: null,
      note: `${what}; ${negative} of ${n} messages arrived before they were sent, the offset is not right`,
    };
  }
  const bands = stats.points.filter((point) => point.corrected).map(({ uncertaintyMs }) => uncertaintyMs ?? 0);
  const uncertaintyMs = bands.reduce((largest, each) => Math.max(largest, each), 0);
  const value = p95 === undefined ? null : known(p95 + uncertaintyMs);
  return { value, note: `${what}, and the clock's uncertainty of ${uncertaintyMs.toFixed(1)} ms` };
}

/** Null where a window does not know it: such a window had no message. */
function largestDrift(stats: RunStats | undefined): number | null {
  if (stats === undefined) return null;
  const values = stats.total.values('clock_drift_ms');
  if (values.length < stats.total.windows) return null;
  return known(values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0));
}
