import { join } from 'node:path';
import { canonicalJson } from '../artifacts/canonical-json.ts';
import { writeDocument } from '../artifacts/documents.ts';
import { describeFinding } from '../artifacts/finding.ts';
import { pricePathsOf } from '../artifacts/price-path.ts';
import { reportHtml } from '../artifacts/report-html.ts';
import { reportMarkdown } from '../artifacts/report-markdown.ts';
import { reportFigures } from '../artifacts/report-plots.ts';
import { reportScope, reportTables } from '../artifacts/report-tables.ts';
import { collectLast, kpiHorizonOf, runSummaryOf, snapshotOf } from '../artifacts/snapshot.ts';
import { printable, textTable } from '../artifacts/table.ts';
import { REPORT_FOLDER, SNAPSHOT_FILE } from '../artifacts/window-files.ts';
import { EXIT, ShadowError } from '../errors.ts';
import { FlagReader } from '../flags.ts';
import { commandHelp } from '../help.ts';
import { REPORT_FLAGS } from '../report-flags.ts';
import type { CommandDeps } from './deps.ts';

interface ReportConfig {
  readonly src: string;
  readonly last_n: number;
  readonly out: string | undefined;
}

const SYNOPSIS = `shadow report [flags]

Puts the last windows of a run together: a snapshot (${SNAPSHOT_FILE}: median, least and largest of every KPI, merged percentiles, intervals, the
band of fill models), and the same to read: POST_SHADOW_REPORT.md, and POST_SHADOW_REPORT.html with plots, one file that needs no network.

  shadow report
  shadow report --src artifacts/shadow/latest --last-n 48 --out /tmp/report
`;

/** Left out because they are broken, and not because a run is still at them. */
const EXPECTED = ['provisional', 'mixed_run'];

/** `shadow report`: answers with the exit code: 1 when something had to be left out as broken. Throws ShadowError where there is no window to report on. */
export async function report(argv: readonly string[], deps: CommandDeps): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    deps.print(commandHelp('report', SYNOPSIS, REPORT_FLAGS));
    return Promise.resolve(EXIT.fine);
  }
  const reader = new FlagReader('report', REPORT_FLAGS, { ...deps, argv });
  const values = reader.values();
  reader.finish();
  const { src, last_n: lastN, out = join(src, REPORT_FOLDER) } = values as unknown as ReportConfig;

  const last = collectLast(src, lastN);
  const { stats } = last;
  if (stats === undefined) {
    const reasons = last.leftOut.slice(0, 5).map((finding) => `\n  ${printable(describeFinding(finding))}`);
    const more = last.leftOut.length > 5 ? `\n  and ${last.leftOut.length - 5} more` : '';
    throw new ShadowError(
      'SHADOW_ERR_INPUT',
      `expected final windows (ITER_SUMMARY_<n>.json) in ${src}, found ${last.found} files and none of use${reasons.join('')}${more}`,
    );
  }
  const paths = pricePathsOf(src, stats);
  const leftOut = [...last.leftOut, ...paths.findings];
  const horizon = kpiHorizonOf(runSummaryOf(src, stats.first.run_id));
  const snapshot = snapshotOf({ ...last, leftOut }, stats, horizon);
  const documents = [
    [SNAPSHOT_FILE, canonicalJson(snapshot)],
    ['POST_SHADOW_REPORT.md', reportMarkdown(snapshot)],
    ['POST_SHADOW_REPORT.html', reportHtml(snapshot, reportFigures(snapshot.pooled, stats.points, paths))],
  ] as const;
  for (const [name, text] of documents) writeDocument(join(out, name), text);

  for (const line of reportScope(snapshot)) deps.print(printable(line));
  const [kpis, models] = reportTables(snapshot);
  for (const { rows, right } of [kpis!, models!]) deps.print(`\n${textTable(rows, right).map(printable).join('\n')}`);
  deps.print(`\nwritten to ${out}: ${documents.map(([name]) => name).join(', ')}`);
  const broken = leftOut.filter(({ code }) => !EXPECTED.includes(code));
  for (const finding of broken.slice(0, 10)) deps.say(printable(`left out: ${describeFinding(finding)}`));
  if (broken.length > 10) deps.say(`and ${broken.length - 10} more, see the report`);
  return Promise.resolve(broken.length > 0 ? EXIT.findings : EXIT.fine);
}
