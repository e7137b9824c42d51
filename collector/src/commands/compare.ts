import type { ShadowComparison } from '../../../schema/types.gen.js';
import { canonicalJson } from '../artifacts/canonical-json.ts';
import { compareRuns } from '../artifacts/comparison.ts';
import { writeDocument } from '../artifacts/documents.ts';
import { describeFinding } from '../artifacts/finding.ts';
import { printable, shown, textTable } from '../artifacts/table.ts';
import { COMPARE_FLAGS } from '../compare-flags.ts';
import { EXIT } from '../errors.ts';
import { FlagReader } from '../flags.ts';
import { commandHelp } from '../help.ts';
import type { CommandDeps } from './deps.ts';

interface CompareConfig {
  readonly a: string;
  readonly b: string;
  readonly max_net_bps: number;
  readonly max_maker_taker_ratio: number;
  readonly max_p95_latency_ms: number;
  readonly max_risk_ratio: number;
  readonly out: string | undefined;
}

const SYNOPSIS = `shadow compare A B [flags]

Two folders of artifacts side by side: shadow against soak or a dry run, or two sets of parameters on one recording. Windows that overlap in time are paired; a
difference is B less A, with a 95 % interval. AGREE has to be shown: the interval of every judged KPI lies within its tolerance. Exit status 1 is anything else:
DIFFER, UNCLEAR, NO_OVERLAP (nothing in common), BROKEN (a window that is none, or windows of a folder that overlap each other).

  shadow run --replay session.jsonl.br --spread_bps 8 --output a && shadow run --replay session.jsonl.br --spread_bps 10 --output b
  shadow compare a b --max_net_bps 0.2
`;

/** So many reasons are shown. */
const SHOWN_REASONS = 10;

/** `shadow compare`: answers with the exit code: 1 unless the two agree. Throws ShadowError. */
export async function compare(argv: readonly string[], deps: CommandDeps): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    deps.print(commandHelp('compare', SYNOPSIS, COMPARE_FLAGS));
    return Promise.resolve(EXIT.fine);
  }
  const config = readConfig(argv, deps);
  const comparison = compareRuns(config.a, config.b, {
    net_bps: config.max_net_bps,
    maker_taker_ratio: config.max_maker_taker_ratio,
    window_p95_latency_ms: config.max_p95_latency_ms,
    risk_ratio: config.max_risk_ratio,
  });
  if (config.out !== undefined) writeDocument(config.out, canonicalJson(comparison));
  deps.print(comparisonText(config, comparison));
  return Promise.resolve(comparison.verdict === 'AGREE' ? EXIT.fine : EXIT.findings);
}

/** The two folders may stand first, as they are; what follows are flags. */
function readConfig(argv: readonly string[], deps: CommandDeps): CompareConfig {
  const firstFlag = argv.findIndex((argument) => argument.startsWith('--'));
  const folders = argv.slice(0, Math.min(2, firstFlag === -1 ? argv.length : firstFlag));
  const named = folders.flatMap((folder, index) => [index === 0 ? '--a' : '--b', folder]);
  const reader = new FlagReader('compare', COMPARE_FLAGS, { ...deps, argv: [...named, ...argv.slice(folders.length)] });
  const values = reader.values();
  for (const side of ['a', 'b'] as const) {
    if (values[side] === undefined)
      reader.problems.push(`expected two folders of artifacts: shadow compare A B; ${side.toUpperCase()} is missing`);
  }
  reader.finish();
  return values as unknown as CompareConfig;
}

function comparisonText(config: CompareConfig, comparison: ShadowComparison): string {
  const { a, b, paired_windows: paired, configuration, all, by_symbol: bySymbol, verdict } = comparison;
  const lines = [`A ${config.a}: ${sideText(a)}`, `B ${config.b}: ${sideText(b)}`, `${paired} windows paired`];
  if (configuration.length > 0) {
    lines.push('', 'configured differently:');
    for (const { key, a: before, b: after } of configuration) {
      lines.push(`  ${key}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`);
    }
  }
  if (all.length > 0) lines.push('', ...tableOf('all symbols', all));
  const symbols = Object.entries(bySymbol);
  if (symbols.length > 1 || all.length === 0) {
    for (const [symbol, differences] of symbols) lines.push('', ...tableOf(symbol, differences));
  }
  lines.push('', verdict);
  const { reasons, reasons_total: total } = comparison;
  lines.push(...reasons.slice(0, SHOWN_REASONS).map((reason) => `  - ${describeFinding(reason)}`));
  if (total > SHOWN_REASONS) lines.push(`  - and ${total - SHOWN_REASONS} more`);
  return lines.map(printable).join('\n');
}

const sideText = ({
  run_ids: runs,
  mode,
  source,
  exchange,
  symbols,
  profile,
  windows,
}: ShadowComparison['a']): string =>
  mode === null
    ? 'no window'
    : `${windows} windows, ${mode}${source === null ? '' : ` ${source}`}, ${exchange!} ${symbols.join(',')}, profile ${profile!}${runs.length > 0 ? `, run ${runs.join(' and ')}` : ''}`;

const tableOf = (title: string, differences: ShadowComparison['all']): string[] =>
  textTable(
    [
      [title, 'pairs', 'A', 'B', 'B - A', 'lower 95 %', 'upper 95 %', 'within', ''],
      ...differences.map(({ kpi, pairs, a, b, difference, lower_95: lower, upper_95: upper, tolerance, verdict }) => [
        ...[kpi, String(pairs), shown(a, 3), shown(b, 3), shown(difference, 3), shown(lower, 3), shown(upper, 3)],
        ...[tolerance === null ? '' : `± ${tolerance}`, verdict ?? ''],
      ]),
    ],
    [1, 2, 3, 4, 5, 6],
  );
