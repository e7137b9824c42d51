import { appendFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ShadowAudit } from '../../../schema/types.gen.js';
import { audit as auditFolder, heldAudit, isBroken } from '../artifacts/audit.ts';
import type { AuditScope } from '../artifacts/audited-run.ts';
import { auditMarkdown, auditText } from '../artifacts/audit-text.ts';
import { canonicalJson } from '../artifacts/canonical-json.ts';
import { writeDocument } from '../artifacts/documents.ts';
import type { FindingCode } from '../artifacts/finding.ts';
import type { Thresholds } from '../artifacts/gates.ts';
import { AUDIT_FILE, REPORT_FOLDER } from '../artifacts/window-files.ts';
import { AUDIT_FLAGS } from '../audit-flags.ts';
import { EXIT, messageOf, ShadowError } from '../errors.ts';
import { envPrefix, FlagReader } from '../flags.ts';
import { commandHelp } from '../help.ts';
import { US_PER_MS } from '../units.ts';
import type { CommandDeps } from './deps.ts';

interface AuditConfig {
  readonly base: string;
  readonly run_id: string | undefined;
  readonly source: AuditScope['source'];
  readonly last_n: number;
  readonly max_age_h: number;
  readonly min_windows: number;
  readonly min_fills: number;
  readonly min_coverage: number;
  readonly min_maker_taker: number;
  readonly min_edge: number;
  readonly max_latency: number;
  readonly max_risk: number;
  readonly max_drift: number;
  readonly allow_raw_latency: boolean;
  readonly allow_notes: boolean;
  readonly fail_on_hold: boolean;
  readonly fail_on_model_dependent: boolean;
  readonly summary_file: string | undefined;
}

const SYNOPSIS = `shadow audit [flags]

Decides whether a run was good enough to risk money on: first whether its windows can be trusted (schema, continuity, one run, fresh), then whether they
reach every gate. The verdict is GO, GO_MODEL_DEPENDENT (the pessimistic fill model would not have earned it) or HOLD; every audit, also one that fails,
writes ${REPORT_FOLDER}/${AUDIT_FILE} below --base. What the data cannot tell is HOLD.

  shadow audit --base artifacts/shadow/latest --min_windows 48 --fail-on-hold
  shadow audit --source mock --min_windows 10 --min_edge 0       a run of the simulated exchange, to try it
`;

/** `shadow audit`: answers with the exit code. Throws ShadowError where the summary cannot be written. */
export async function audit(argv: readonly string[], deps: CommandDeps): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    deps.print(commandHelp('audit', SYNOPSIS, AUDIT_FLAGS));
    return Promise.resolve(EXIT.fine);
  }
  const nowMs = deps.clock.wallUs() / US_PER_MS;
  const config = readConfig(argv, deps, nowMs);
  const [thresholds, scope] = [thresholdsOf(config), scopeOf(config, nowMs)];
  const path = summaryPath(config.base);
  // Whatever ends the audit before its time leaves this, and not the verdict of an earlier one.
  hold(path, 'not_finished', 'the audit was interrupted; run it again', thresholds, scope);
  const summary = auditFolder(scope, thresholds);
  write(path, summary);
  deps.print(auditText(config.base, summary));
  deps.print(`written: ${path}`);
  tellOthers(config, summary, deps);
  return Promise.resolve(exitCodeOf(config, summary));
}

const summaryPath = (base: string): string => join(base, REPORT_FOLDER, AUDIT_FILE);

const write = (path: string, summary: ShadowAudit): void => writeDocument(path, canonicalJson(summary));

/** Leaves HOLD. Where even that is not to be had, the summary of an earlier audit goes: no summary is no GO. */
function hold(path: string, code: FindingCode, message: string, thresholds: Thresholds, scope: AuditScope): void {
  try {
    write(path, heldAudit(code, message, thresholds, scope));
  } catch (error) {
    try {
      rmSync(path, { force: true });
    } catch {
      // The first error is the one to tell; its exit status is no GO either.
    }
    throw error;
  }
}

/** Throws ShadowError for flags or a configuration file that are wrong, and leaves HOLD where the summary of an audit would be. */
function readConfig(argv: readonly string[], deps: CommandDeps, nowMs: number): AuditConfig {
  try {
    const reader = new FlagReader('audit', AUDIT_FLAGS, { ...deps, argv });
    const values = reader.values();
    reader.finish();
    return values as unknown as AuditConfig;
  } catch (error) {
    const config = { ...DEFAULTS, base: baseNamedBy(argv, deps.env) };
    // A folder that nobody has named is not made for this.
    if (existsSync(config.base)) {
      hold(summaryPath(config.base), 'usage', messageOf(error), thresholdsOf(config), scopeOf(config, nowMs));
    }
    throw error;
  }
}

const DEFAULTS = Object.fromEntries(
  Object.entries(AUDIT_FLAGS).map(([name, { fallback }]) => [name, fallback]),
) as unknown as AuditConfig;

/** The folder that is meant, found without understanding anything else. */
function baseNamedBy(argv: readonly string[], env: CommandDeps['env']): string {
  const at = argv.findLastIndex((argument) => argument === '--base' || argument.startsWith('--base='));
  const argument = argv[at];
  const given = argument === '--base' ? argv[at + 1] : argument?.slice('--base='.length);
  return given ?? env[`${envPrefix('audit')}BASE`] ?? AUDIT_FLAGS.base.fallback;
}

const scopeOf = (config: AuditConfig, nowMs: number): AuditScope => ({
  folder: config.base,
  runId: config.run_id,
  source: config.source,
  lastN: config.last_n,
  maxAgeHours: config.max_age_h,
  allowNotes: config.allow_notes,
  nowMs,
});

const thresholdsOf = (config: AuditConfig): Thresholds => ({
  minWindows: config.min_windows,
  minFills: config.min_fills,
  minCoverage: config.min_coverage,
  minMakerTaker: config.min_maker_taker,
  minEdgeBps: config.min_edge,
  maxLatencyMs: config.max_latency,
  maxRisk: config.max_risk,
  maxDriftMs: config.max_drift,
  allowRawLatency: config.allow_raw_latency,
});

/** The summary in Markdown, where it was asked for. */
function tellOthers(config: AuditConfig, summary: ShadowAudit, deps: CommandDeps): void {
  const markdown = auditMarkdown(config.base, summary);
  if (config.summary_file !== undefined) writeDocument(config.summary_file, markdown);
  const step = deps.env['GITHUB_STEP_SUMMARY'];
  if (step === undefined || step === '') return;
  try {
    appendFileSync(step, markdown);
  } catch (cause) {
    throw new ShadowError('SHADOW_ERR_OUTPUT', `cannot write to $GITHUB_STEP_SUMMARY: ${messageOf(cause)}`, { cause });
  }
}

function exitCodeOf(config: AuditConfig, summary: ShadowAudit): number {
  if (summary.verdict === 'GO') return EXIT.fine;
  if (summary.verdict === 'GO_MODEL_DEPENDENT') return config.fail_on_model_dependent ? EXIT.findings : EXIT.fine;
  return config.fail_on_hold || isBroken(summary) ? EXIT.findings : EXIT.fine;
}
