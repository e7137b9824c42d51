import type { ShadowAudit } from '../../../schema/types.gen.js';
import type { AuditedRun, AuditScope } from './audited-run.ts';
import { auditRun } from './audited-run.ts';
import type { Described, FindingCode } from './finding.ts';
import { describeFinding, published } from './finding.ts';
import type { Thresholds } from './gates.ts';
import { failuresOf, gatesOf, verdictOf } from './gates.ts';
import { SCHEMA_VERSION } from './run-artifacts.ts';
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
  return summaryOf(auditRun(scope), thresholds, scope.nowMs);
}

/** The summary of an audit that cannot, or did not yet, look at a window: HOLD. */
export const heldAudit = (code: FindingCode, message: string, thresholds: Thresholds, nowMs: number): ShadowAudit =>
  summaryOf({ ...NOTHING, findings: [{ code, message }] }, thresholds, nowMs);

function summaryOf(run: AuditedRun, thresholds: Thresholds, nowMs: number): ShadowAudit {
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
    audited_at: new Date(nowMs).toISOString(),
    run: stats === undefined ? null : stats.reference(kpiHorizonOf(run.runSummary)),
    iterations: stats?.total.windows ?? 0,
    windows: {
      found: run.found,
      judged: stats?.total.windows ?? 0,
      first: stats?.points[0]?.iteration ?? null,
      last: stats?.points.at(-1)?.iteration ?? null,
      left_out: run.leftOut,
      other_runs: run.otherRuns,
    },
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

/** Whether the artifacts themselves are at fault, and not only what they say. */
export const isBroken = ({ reasons }: ShadowAudit): boolean =>
  reasons.some(({ code }) => !['insufficient_data', 'threshold', 'model'].includes(code));
