import type { ShadowAudit } from '../../../schema/types.gen.js';
import { BAND_MODELS } from '../kpi/pool.ts';
import { describeFinding } from './finding.ts';
import { escapeMarkdown, markdownTable, printable, shown, textTable } from './table.ts';

/** So many reasons are shown; the summary file has more of them. */
const SHOWN_REASONS = 12;

const SENTENCE = {
  GO: 'every gate holds, under the pessimistic fill model too',
  GO_MODEL_DEPENDENT:
    'every gate holds, but by the pessimistic fill model (trade-through) it would not have earned enough',
  HOLD: 'do not risk money on this run',
} as const satisfies Record<ShadowAudit['verdict'], string>;

/** The audit for a terminal. */
export function auditText(base: string, summary: ShadowAudit): string {
  const lines = [`audit of ${base}`, ...scopeLines(summary), ''];
  lines.push(...textTable(gateRows(summary), [1, 2]), '');
  if (summary.pooled !== null) lines.push(...textTable(bandRows(summary.pooled), [1, 2, 3, 4]), '');
  lines.push(`${summary.verdict}: ${SENTENCE[summary.verdict]}`);
  for (const reason of shownReasons(summary)) lines.push(`  - ${reason}`);
  return lines.map(printable).join('\n');
}

/** The audit in Markdown, for a step summary of CI. */
export function auditMarkdown(base: string, summary: ShadowAudit): string {
  const lines = [`## Shadow audit: ${summary.verdict}`, '', `${SENTENCE[summary.verdict]}.`, ''];
  lines.push(...[`audit of ${base}`, ...scopeLines(summary)].map((line) => `${escapeMarkdown(line)}  `), '');
  lines.push(...markdownTable(gateRows(summary), [1, 2]), '');
  if (summary.pooled !== null) lines.push(...markdownTable(bandRows(summary.pooled), [1, 2, 3, 4]), '');
  const reasons = shownReasons(summary);
  if (reasons.length > 0) lines.push('Reasons:', '', ...reasons.map((reason) => `- ${escapeMarkdown(reason)}`), '');
  return `${lines.join('\n')}\n`;
}

function scopeLines({ run, windows, notes }: ShadowAudit): string[] {
  const { found, judged, first, last, left_out: leftOut, other_runs: others } = windows;
  const parts = [`windows ${first === null ? 'none' : `${first} to ${last!}`}: ${judged} judged of ${found}`];
  if (windows.earlier > 0)
    parts.push(`${windows.earlier} earlier ones of the run are not in the folder or not asked for`);
  if (leftOut > 0) parts.push(`${leftOut} at the end not final`);
  if (others > 0) parts.push(`${others} of other runs`);
  if (run === null) return [parts.join(', ')];
  const what = `${run.exchange} ${run.symbols.join(',')}, profile ${run.profile}, ${run.fill_model}, ${run.source}`;
  const time = `${windows.started_at ?? ''} to ${windows.ended_at ?? ''}`;
  return [`run ${run.run_id}: ${what}`, `${parts.join(', ')}; ${time}`, ...notes.map((note) => `note: ${note}`)];
}

const gateRows = ({ gates }: ShadowAudit): string[][] => [
  ['gate', 'required', 'measured', '', 'of'],
  ...gates.map(({ name, operator, threshold, value, pass, note }) => [
    name,
    `${operator} ${threshold}`,
    value === null ? 'n/a' : String(Math.round(value * 1e3) / 1e3),
    pass ? 'pass' : 'FAIL',
    note,
  ]),
];

const bandRows = ({ model_band: band }: NonNullable<ShadowAudit['pooled']>): string[][] => [
  ['model, pessimistic first', 'fills', 'net bps', 'lower 95 %', 'upper 95 %'],
  ...BAND_MODELS.map((model) => {
    const { fills, mean_bps: mean, lower_95_bps: lower, upper_95_bps: upper } = band[model];
    return [model.replace('_', '-'), String(fills), shown(mean, 2), shown(lower, 2), shown(upper, 2)];
  }),
];

function shownReasons({ reasons, reasons_total: total }: ShadowAudit): string[] {
  const lines = reasons.slice(0, SHOWN_REASONS).map(describeFinding);
  return total > lines.length ? [...lines, `and ${total - lines.length} more`] : lines;
}
