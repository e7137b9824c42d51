import type { ShadowAudit } from '../../../schema/types.gen.js';
import type { AuditedRun, AuditScope } from './audited-run.ts';
import { auditRun } from './audited-run.ts';
import type { Described, FindingCode } from './finding.ts';
import { describeFinding, published } from './finding.ts';
import type { Thresholds } from './gates.ts';
import { failuresOf, gatesOf, verdictOf } from './gates.ts';
import { SCHEMA_VERSION } from './run-artifacts.ts';
import type { RunStats } from './run-stats.ts';
import { pooledKpis, snapshotKpis } from './run-stats.ts';
import { kpiHorizonOf } from './snapshot.ts';
import { auditValidator, validated } from './validate.ts';
import { AUDIT_FILE } from './window-files.ts';

/** So many reasons are written down; all are counted. */
const MAX_REASONS = 100;

const NOTHING: AuditedRun = {
  stats: undefined,
  runSummary: undefined,
  findings: [],
  found: 0,
  leftOut: 0,
  otherRuns: 0,
};

/**
 * Whether the windows in a folder may be trusted, and whether they are good enough. Whatever speaks against the artifacts themselves is HOLD, and then no number
 * of them is told.
 */
export function audit(scope: AuditScope, thresholds: Thresholds): ShadowAudit {
  return summaryOf(auditRun(scope), thresholds, scope);
}

/** The summary of an audit that cannot, or did not yet, look at a window: HOLD. */
export const heldAudit = (code: FindingCode, message: string, thresholds: Thresholds, scope: AuditScope): ShadowAudit =>
  summaryOf({ ...NOTHING, findings: [{ code, message }] }, thresholds, scope);

function summaryOf(run: AuditedRun, thresholds: Thresholds, scope: AuditScope): ShadowAudit {
  const trusted = run.findings.length === 0;
  const stats = trusted ? run.stats : undefined;
  const gates = gatesOf(stats, thresholds);
  const verdict = trusted ? verdictOf(stats, gates, thresholds) : 'HOLD';
  const failures = trusted ? [...failuresOf(stats, gates, thresholds)] : [];
  const reasons: readonly Described[] = [...run.findings, ...failures];
  const pooled = stats === undefined ? null : pooledKpis(stats.total);
  const unknown = { maker_taker_ratio: null, net_bps: null, p95_latency_ms: null, risk_ratio: null };
  const summary: ShadowAudit = {
    schema_version: SCHEMA_VERSION,
    mode: 'shadow',
    verdict,
    audited_at: new Date(scope.nowMs).toISOString(),
    scope: {
      source: scope.source,
      run_id: scope.runId ?? null,
      last_n: scope.lastN,
      max_age_h: scope.maxAgeHours,
      allow_raw_latency: thresholds.allowRawLatency,
      allow_notes: scope.allowNotes,
    },
    run: stats === undefined ? null : stats.reference(kpiHorizonOf(run.runSummary)),
    iterations: stats?.total.windows ?? 0,
    windows: windowsOf(run, stats),
    notes: [...(stats?.notes ?? [])],
    readiness: {
      pass: verdict === 'GO',
      failures: reasons.slice(0, MAX_REASONS).map(describeFinding),
    },
    reasons: reasons.slice(0, MAX_REASONS).map(published),
    reasons_total: reasons.length,
    gates,
    thresholds: Object.fromEntries(gates.map(({ name, operator, threshold }) => [name, [operator, threshold]])),
    snapshot_kpis: pooled === null ? unknown : snapshotKpis(pooled),
    pooled,
  };
  return validated(auditValidator, summary, AUDIT_FILE);
}

function windowsOf(run: AuditedRun, stats: RunStats | undefined): ShadowAudit['windows'] {
  const [first, last] = [stats?.points[0], stats?.points.at(-1)];
  const runFirst = run.runSummary?.first_iteration ?? first?.iteration ?? 0;
  const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());
  return {
    found: run.found,
    judged: stats?.total.windows ?? 0,
    first: first?.iteration ?? null,
    last: last?.iteration ?? null,
    started_at: iso(first === undefined ? undefined : first.endMs - stats!.first.duration_seconds * 1_000),
    ended_at: iso(last?.endMs),
    earlier: first === undefined ? 0 : Math.max(0, first.iteration - runFirst),
    left_out: run.leftOut,
    other_runs: run.otherRuns,
  };
}

/** Whether the artifacts themselves are at fault, and not only what they say. */
export const isBroken = ({ reasons }: ShadowAudit): boolean =>
  reasons.some(({ code }) => !['insufficient_data', 'threshold', 'model'].includes(code));
