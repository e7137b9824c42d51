import type { IterSummary, ShadowComparison } from '../../../schema/types.gen.js';
import type { WeightedSum } from '../kpi/bootstrap.ts';
import { blockBootstrapDifference } from '../kpi/bootstrap.ts';
import { bandModelOf } from '../kpi/pool.ts';
import type { Described, Finding } from './finding.ts';
import { published } from './finding.ts';
import { SCHEMA_VERSION } from './run-artifacts.ts';
import { known } from './run-stats.ts';
import { runSummaryOf } from './snapshot.ts';
import { comparisonValidator, validated } from './validate.ts';
import { iterFileName } from './window-files.ts';
import { listWindows, readAnyWindow } from './windows.ts';

type Summary = IterSummary['summary'];
type Difference = ShadowComparison['all'][number];

/**
 * The KPIs that both a shadow and a soak run have. `weight`: what a window's value is of; undefined where the window does not say it, as in soak. Percentiles of windows
 * are compared window by window: their mean is no percentile of anything, and their names say so.
 */
const KPIS = {
  net_bps: { value: ({ net_bps: net }: Summary) => net, weight: netWeight },
  maker_taker_ratio: { value: (summary: Summary) => summary.maker_taker_ratio, weight: quotedNotional },
  risk_ratio: { value: (summary: Summary) => summary.risk_ratio, weight: () => 1 },
  fills: { value: (summary: Summary) => summary.maker_count + summary.taker_count, weight: () => 1 },
  window_p95_latency_ms: { value: (summary: Summary) => summary.p95_latency_ms, weight: () => 1 },
  window_slippage_bps_p95: { value: (summary: Summary) => summary.slippage_bps_p95, weight: () => 1 },
  window_adverse_bps_p95: { value: (summary: Summary) => summary.adverse_bps_p95, weight: () => 1 },
} as const satisfies Record<string, ComparedBy>;
export type ComparedKpi = keyof typeof KPIS;
const KPI_NAMES = Object.keys(KPIS) as ComparedKpi[];

interface ComparedBy {
  readonly value: (summary: Summary) => number | null;
  readonly weight: (summary: Summary) => number | undefined;
}

/** How far a KPI may differ and still agree; KPIs without one are told and not judged. */
export type Tolerances = Partial<Readonly<Record<ComparedKpi, number>>>;

/** A window in the numbers that are compared. */
interface ComparedWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly all: WindowValues;
  readonly bySymbol: ReadonlyMap<string, WindowValues>;
}

interface WindowValues {
  readonly kpis: Readonly<Record<ComparedKpi, { readonly value: number | null; readonly weight: number | undefined }>>;
  /** Whether the clock offset has been taken off the latency; undefined where the window does not say it. */
  readonly corrected: boolean | undefined;
}

interface ComparedRun {
  readonly windows: readonly ComparedWindow[];
  readonly side: ShadowComparison['a'];
  readonly findings: readonly Finding[];
  readonly configuration: Readonly<Record<string, unknown>> | undefined;
}

/** Stamps are cut to milliseconds. */
const STAMP_MS = 2;
/** So many reasons are written down; all are counted. */
const MAX_REASONS = 100;

/** Two folders of artifacts over the windows that overlap in time. A difference is B less A. */
export function compareRuns(folderA: string, folderB: string, tolerances: Tolerances): ShadowComparison {
  const [a, b] = [readRun(folderA), readRun(folderB)];
  const pairs = pairsOf(a.windows, b.windows);
  const sameSymbols = [...a.side.symbols].sort().join() === [...b.side.symbols].sort().join();
  const common = a.side.symbols.filter((symbol) =>
    pairs.some(([x, y]) => x.bySymbol.has(symbol) && y.bySymbol.has(symbol)),
  );
  const all =
    sameSymbols && pairs.length > 0
      ? differencesOf(
          pairs.map(([x, y]) => [x.all, y.all]),
          tolerances,
        )
      : [];
  const bySymbol = common.map((symbol) => {
    const own = pairs.flatMap(([x, y]): ValuesPair[] => {
      const [before, after] = [x.bySymbol.get(symbol), y.bySymbol.get(symbol)];
      return before === undefined || after === undefined ? [] : [[before, after]];
    });
    return [symbol, differencesOf(own, tolerances)] as const;
  });
  // Judged is the whole; where the two have different symbols, those they share.
  const judged = all.length > 0 ? all : bySymbol.flatMap(([, differences]) => differences);
  const broken = [...inFolder('A', a), ...inFolder('B', b)];
  const verdict = broken.length > 0 ? 'BROKEN' : judged.length === 0 ? 'NO_OVERLAP' : verdictOf(judged);
  const reasons = [...broken, ...reasonsOf(verdict, judged, a, b)];
  const comparison: ShadowComparison = {
    schema_version: SCHEMA_VERSION,
    verdict,
    a: a.side,
    b: b.side,
    paired_windows: pairs.length,
    configuration: configurationDifference(a.configuration, b.configuration),
    all,
    by_symbol: Object.fromEntries(bySymbol),
    reasons: reasons.slice(0, MAX_REASONS).map(published),
    reasons_total: reasons.length,
  };
  return validated(comparisonValidator, comparison, 'the comparison');
}

function readRun(folder: string): ComparedRun {
  const { numbers, findings: listed } = listWindows(folder);
  const findings = [...listed];
  const windows: ComparedWindow[] = [];
  const runIds = new Set<string>();
  let last: IterSummary | undefined;
  let first: number | null = null;
  let leftOut = 0;
  for (const number of numbers) {
    const read = readAnyWindow(folder, number);
    if ('findings' in read) {
      findings.push(...read.findings);
      continue;
    }
    last = read.value;
    // Soak windows have no such field: they are written when they are done.
    if ((read.value as Partial<IterSummary>).provisional === true) {
      leftOut++;
      continue;
    }
    first ??= number;
    if (read.value.mode === 'shadow') runIds.add(read.value.run_id);
    const window = comparedWindow(read.value);
    if (windows.some(({ startMs, endMs }) => window.startMs < endMs - STAMP_MS && startMs < window.endMs - STAMP_MS)) {
      const message = 'it overlaps another window of the folder in time: two runs of one market';
      findings.push({ code: 'time_gap', file: iterFileName(number), pointer: '/timestamp', message });
    }
    windows.push(window);
  }
  const runSummary = runIds.size === 1 ? runSummaryOf(folder, [...runIds][0]!) : undefined;
  return {
    windows,
    findings,
    configuration: runSummary?.config,
    side: {
      run_ids: [...runIds],
      mode: last?.mode ?? null,
      source: (last as Partial<IterSummary> | undefined)?.source ?? null,
      left_out: leftOut,
      exchange: last?.exchange ?? null,
      symbols: [...(last?.symbols ?? [])],
      profile: last?.profile ?? null,
      windows: windows.length,
      first,
      last: windows.length === 0 ? null : numbers.at(-1)!,
    },
  };
}

function comparedWindow(window: IterSummary): ComparedWindow {
  const endMs = Date.parse(window.timestamp);
  const bySymbol = window.mode === 'shadow' ? Object.entries(window.by_symbol) : [];
  return {
    startMs: endMs - window.duration_seconds * 1_000,
    endMs,
    all: valuesOf(window.summary),
    bySymbol: new Map(bySymbol.map(([symbol, summary]) => [symbol, valuesOf(summary)])),
  };
}

function valuesOf(summary: Summary): WindowValues {
  const entries = KPI_NAMES.map((name) => {
    const { value, weight }: ComparedBy = KPIS[name];
    return [name, { value: value(summary), weight: weight(summary) }] as const;
  });
  const { latency_ms: latency } = summary as Partial<Summary>;
  return { kpis: Object.fromEntries(entries) as unknown as WindowValues['kpis'], corrected: latency?.feed.corrected };
}

/** The notional that a net edge is of. */
function netWeight(summary: Summary): number | undefined {
  const { model_band: band } = summary as Partial<Summary>;
  return band?.[bandModelOf(summary)].weight_quote;
}

/** The notional that a maker share is of. */
function quotedNotional(summary: Summary): number | undefined {
  const { notional_quote: notional } = summary as Partial<Summary>;
  return notional === undefined ? undefined : notional.maker + notional.taker + notional.would_be_taker;
}

/** Windows that overlap by more than half of the longer one; each is in one pair at most. Both lists are in the order of time. */
function pairsOf(
  a: readonly ComparedWindow[],
  b: readonly ComparedWindow[],
): (readonly [ComparedWindow, ComparedWindow])[] {
  const byTime = (x: ComparedWindow, y: ComparedWindow): number => x.endMs - y.endMs;
  const [first, second] = [[...a].sort(byTime), [...b].sort(byTime)];
  const pairs: (readonly [ComparedWindow, ComparedWindow])[] = [];
  for (let i = 0, j = 0; i < first.length && j < second.length;) {
    const [x, y] = [first[i]!, second[j]!];
    const overlapMs = Math.min(x.endMs, y.endMs) - Math.max(x.startMs, y.startMs);
    const longerMs = Math.max(x.endMs - x.startMs, y.endMs - y.startMs);
    if (overlapMs * 2 > longerMs) {
      pairs.push([x, y]);
      i++;
      j++;
    } else if (x.endMs <= y.endMs) i++;
    else j++;
  }
  return pairs;
}

type ValuesPair = readonly [WindowValues, WindowValues];

const differencesOf = (pairs: readonly ValuesPair[], tolerances: Tolerances): Difference[] =>
  KPI_NAMES.map((kpi) => {
    const [a, b] = sumsOf(pairs, kpi);
    const [meanA, meanB] = [meanOf(a), meanOf(b)];
    const difference = meanA === undefined || meanB === undefined ? undefined : meanB - meanA;
    const interval = blockBootstrapDifference(a, b);
    const tolerance = tolerances[kpi];
    return {
      kpi,
      pairs: a.filter(({ weight }, index) => weight > 0 && b[index]!.weight > 0).length,
      a: known(meanA),
      b: known(meanB),
      difference: known(difference),
      lower_95: known(interval?.lower),
      upper_95: known(interval?.upper),
      tolerance: tolerance ?? null,
      verdict: tolerance === undefined ? null : judged(interval, tolerance),
    };
  });

/** What each pair adds to the two means: nothing where one of the two does not know the KPI, and weights only where both have them. */
function sumsOf(pairs: readonly ValuesPair[], kpi: ComparedKpi): [WeightedSum[], WeightedSum[]] {
  const sums: [WeightedSum[], WeightedSum[]] = [[], []];
  for (const pair of pairs) {
    const [before, after] = [pair[0].kpis[kpi], pair[1].kpis[kpi]];
    const known =
      before.value !== null && after.value !== null && !(kpi === 'window_p95_latency_ms' && differInKind(pair));
    const weighted = before.weight !== undefined && after.weight !== undefined;
    for (const [side, { value, weight }] of [before, after].entries()) {
      const own = known ? (weighted ? weight! : 1) : 0;
      sums[side as 0 | 1].push({ weight: own, sum: own * (value ?? 0) });
    }
  }
  return sums;
}

/** Latencies with the clock offset in them and without it are not of one kind. */
const differInKind = ([a, b]: ValuesPair): boolean =>
  a.corrected !== undefined && b.corrected !== undefined && a.corrected !== b.corrected;

/** Two one-sided tests (Schuirmann 1987): agreement has to be shown, it is not the want of a proof of difference. */
function judged(interval: { lower: number; upper: number } | undefined, tolerance: number): Difference['verdict'] {
  if (interval === undefined) return 'unclear';
  if (interval.lower >= -tolerance && interval.upper <= tolerance) return 'agrees';
  return interval.lower > tolerance || interval.upper < -tolerance ? 'differs' : 'unclear';
}

function meanOf(windows: readonly WeightedSum[]): number | undefined {
  const weight = windows.reduce((total, window) => total + window.weight, 0);
  return weight > 0 ? windows.reduce((total, window) => total + window.sum, 0) / weight : undefined;
}

function verdictOf(differences: readonly Difference[]): ShadowComparison['verdict'] {
  const verdicts = differences.map(({ verdict }) => verdict).filter((verdict) => verdict !== null);
  if (verdicts.includes('differs')) return 'DIFFER';
  return verdicts.length > 0 && verdicts.every((verdict) => verdict === 'agrees') ? 'AGREE' : 'UNCLEAR';
}

const inFolder = (name: string, { findings }: ComparedRun): Finding[] =>
  findings.map((finding) => ({ ...finding, message: `in ${name}: ${finding.message}` }));

function reasonsOf(
  verdict: ShadowComparison['verdict'],
  differences: readonly Difference[],
  a: ComparedRun,
  b: ComparedRun,
): Described[] {
  if (verdict === 'NO_OVERLAP') return [{ code: 'no_overlap', message: noOverlap(a, b) }];
  return differences
    .filter(({ verdict: own }) => own === 'differs' || own === 'unclear')
    .map(({ kpi, verdict: own, lower_95: lower, upper_95: upper, tolerance }) => {
      const interval = lower === null ? 'not known, fewer than eight windows' : `${lower} to ${String(upper)}`;
      return {
        code: own!,
        message: `${kpi}: expected a difference within ± ${String(tolerance)}, its interval is ${interval}`,
      };
    });
}

function noOverlap(a: ComparedRun, b: ComparedRun): string {
  const range = ({ windows }: ComparedRun): string => {
    if (windows.length === 0) return 'no final window';
    const [from, to] = [windows[0]!.startMs, windows.at(-1)!.endMs].map((ms) => new Date(ms).toISOString());
    return `${windows.length} windows, ${from!} to ${to!}`;
  };
  const symbols = ({ side }: ComparedRun): string => side.symbols.join(',');
  return `expected windows and symbols in common; A has ${range(a)} of ${symbols(a)}, B ${range(b)} of ${symbols(b)}`;
}

function configurationDifference(
  a: Readonly<Record<string, unknown>> | undefined,
  b: Readonly<Record<string, unknown>> | undefined,
): ShadowComparison['configuration'] {
  if (a === undefined || b === undefined) return [];
  const [before, after] = [flat(a), flat(b)];
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  const differing = keys.filter((key) => JSON.stringify(before.get(key)) !== JSON.stringify(after.get(key)));
  return differing.map((key) => ({ key, a: before.get(key) ?? null, b: after.get(key) ?? null }));
}

type ConfigurationValue = ShadowComparison['configuration'][number]['a'];

/** Nested keys, joined by dots. */
function flat(value: Readonly<Record<string, unknown>>, at = ''): Map<string, ConfigurationValue> {
  const entries = Object.entries(value).flatMap(([key, item]): [string, ConfigurationValue][] =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? [...flat(item as Record<string, unknown>, `${at}${key}.`)]
      : [[`${at}${key}`, item as ConfigurationValue]],
  );
  return new Map(entries);
}
