import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ShadowAudit, ShadowRunSummary } from '../../schema/types.gen.js';
import { audit as auditFolder } from '../../collector/src/artifacts/audit.ts';
import { canonicalJson } from '../../collector/src/artifacts/canonical-json.ts';
import { DEFAULT_THRESHOLDS } from '../../collector/src/artifacts/gates.ts';
import { auditValidator, validated } from '../../collector/src/artifacts/validate.ts';
import { audit } from '../../collector/src/commands/audit.ts';
import { ShadowError } from '../../collector/src/errors.ts';
import { uniformDraw } from '../../collector/src/fills/random.ts';
import type { WindowValues } from '../support/artifact-folder.ts';
import { ArtifactFolder, runSummaryOf, STARTED_MS, windowOf, withSymbol } from '../support/artifact-folder.ts';

const NOW_MS = STARTED_MS + 3_600_000 * 2;
const folders: ArtifactFolder[] = [];
const own = (folder: ArtifactFolder): ArtifactFolder => {
  folders.push(folder);
  return folder;
};
const runOf = (last: number, values?: (iteration: number) => WindowValues): ArtifactFolder =>
  own(ArtifactFolder.of(last, values));
afterEach(() => folders.splice(0).forEach((folder) => folder.close()));

interface Outcome {
  readonly exitCode: number;
  readonly summary: ShadowAudit;
  readonly text: string;
}

async function cli(
  folder: ArtifactFolder,
  argv: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Outcome> {
  const lines: string[] = [];
  const exitCode = await audit(['--base', folder.path, ...argv], {
    env,
    readText: (path) => readFileSync(path, 'utf8'),
    clock: { wallUs: () => NOW_MS * 1_000, monoUs: () => 0 },
    print: (line) => lines.push(line),
    say: (line) => lines.push(line),
    signal: new AbortController().signal,
  });
  return { exitCode, summary: summaryOf(folder), text: lines.join('\n') };
}

const summaryOf = (folder: ArtifactFolder): ShadowAudit =>
  validated(auditValidator, folder.read('reports/analysis/POST_SHADOW_AUDIT_SUMMARY.json'), 'the audit');

const judge = (folder: ArtifactFolder, scope: Partial<Parameters<typeof auditFolder>[0]> = {}): ShadowAudit =>
  auditFolder(
    {
      folder: folder.path,
      runId: undefined,
      source: 'live',
      lastN: 0,
      allowNotes: false,
      maxAgeHours: 24,
      nowMs: NOW_MS,
      ...scope,
    },
    { ...DEFAULT_THRESHOLDS, allowRawLatency: false },
  );

describe('the verdict', () => {
  test('a good run is GO, with every gate named, and exit status 0', async () => {
    const { exitCode, summary, text } = await cli(runOf(50), ['--fail-on-hold']);
    expect(summary.verdict).toBe('GO');
    expect(summary.readiness).toEqual({ pass: true, failures: [] });
    expect(exitCode).toBe(0);
    expect(summary.windows).toEqual({
      ...{ found: 50, judged: 50, first: 1, last: 50, earlier: 0, left_out: 0, other_runs: 0 },
      ...{ started_at: '2026-01-02T03:04:06.000Z', ended_at: '2026-01-02T03:54:06.000Z' },
    });
    expect(summary.gates.map(({ name, pass }) => [name, pass])).toEqual(
      [
        ...['windows', 'fills', 'known_markouts', 'coverage', 'maker_taker_ratio'],
        ...['net_bps', 'p95_latency_ms', 'risk_ratio', 'clock_drift_ms'],
      ].map((name) => [name, true]),
    );
    expect(summary.snapshot_kpis.net_bps).toBeCloseTo(4, 0);
    expect(text).toContain('GO: every gate holds');
  });

  test.each<{
    name: string;
    values: WindowValues | ((iteration: number) => WindowValues);
    gate: string;
    windows?: number;
  }>([
    { name: 'too few windows', values: {}, gate: 'windows', windows: 47 },
    { name: 'too few fills', values: (n) => (n % 10 === 0 ? {} : { fills: 0 }), gate: 'fills' },
    { name: 'too small an edge', values: { netBps: 2.4 }, gate: 'net_bps' },
    {
      name: 'a mean above the edge whose lower bound is not',
      values: (n) => ({ netBps: -3 + 40 * (uniformDraw(3, n, 0) - 0.5) }),
      gate: 'net_bps',
    },
    { name: 'too many that would have taken', values: { wouldBeTaker: 500 }, gate: 'maker_taker_ratio' },
    { name: 'too slow a feed', values: (n) => (n > 45 ? { latencyUs: 360_448 } : {}), gate: 'p95_latency_ms' },
    { name: 'too much inventory', values: { risk: 0.41 }, gate: 'risk_ratio' },
    {
      name: 'a drift in one window, behind as well as ahead',
      values: (n) => ({ driftMs: n === 30 ? -501 : 5 }),
      gate: 'clock_drift_ms',
    },
    { name: 'a book not trusted for long', values: { coverage: 0.94 }, gate: 'coverage' },
  ])('$name is HOLD by the gate $gate', async ({ values, gate, windows = 50 }) => {
    const folder = runOf(windows, typeof values === 'function' ? values : () => values);
    const plain = await cli(folder);
    expect(plain.summary.verdict).toBe('HOLD');
    expect(plain.summary.readiness.pass).toBe(false);
    expect(plain.summary.gates.filter(({ pass }) => !pass).map(({ name }) => name)).toEqual(
      gate === 'fills' ? ['fills', 'net_bps'] : [gate],
    );
    expect(plain.exitCode).toBe(0);
    expect((await cli(folder, ['--fail-on-hold'])).exitCode).toBe(1);
  });

  test('values exactly at the thresholds pass', () => {
    const folder = runOf(48, () => ({ risk: 0.4, driftMs: -500, coverage: 0.95 }));
    expect(judge(folder)).toMatchObject({ verdict: 'GO' });
  });

  test('good under queue and not under trade-through is GO_MODEL_DEPENDENT, and no pass for other tools', async () => {
    const folder = runOf(50, () => ({ models: { trade_through: { fills: 1, netBps: 1 } } }));
    const { exitCode, summary } = await cli(folder, ['--fail-on-hold']);
    expect(summary.verdict).toBe('GO_MODEL_DEPENDENT');
    expect(summary.readiness.pass).toBe(false);
    expect(summary.reasons).toMatchObject([
      { code: 'model', message: expect.stringContaining('trade_through') as unknown as string },
    ]);
    expect(exitCode).toBe(0);
    expect((await cli(folder, ['--fail_on_model_dependent'])).exitCode).toBe(1);
  });

  test('a pessimistic model without fills is no GO either', () => {
    const folder = runOf(50, () => ({ models: { trade_through: { fills: 0, netBps: 0 } } }));
    expect(judge(folder).verdict).toBe('GO_MODEL_DEPENDENT');
  });

  test('bad under queue is HOLD, however good the driving model', () => {
    expect(judge(runOf(50, () => ({ models: { queue: { fills: 2, netBps: 1 } } }))).verdict).toBe('HOLD');
  });

  test('no fill at all is HOLD for want of data, with null and no 0 for what is not known', async () => {
    const { summary } = await cli(runOf(50, () => ({ fills: 0 })));
    expect(summary.verdict).toBe('HOLD');
    expect(summary.snapshot_kpis).toMatchObject({ maker_taker_ratio: null, net_bps: null });
    expect(summary.reasons.map(({ code }) => code)).toContain('insufficient_data');
  });

  test('one symbol of several with a poor book is HOLD, though the mean over symbols is good', () => {
    const folder = runOf(50);
    for (let iteration = 1; iteration <= 50; iteration++) {
      const poor = windowOf(iteration, { fills: 0, coverage: 0.92 }).summary;
      folder.write(`ITER_SUMMARY_${iteration}.json`, withSymbol(windowOf(iteration), 'ETHUSDT', poor));
    }
    folder.write('SHADOW_RUN_SUMMARY.json', { ...runSummaryOf(50), symbols: ['BTCUSDT', 'ETHUSDT'] });
    const { gates, pooled } = judge(folder);
    expect(pooled!.coverage).toBe(0.96);
    expect(gates.filter(({ pass }) => !pass).map(({ name }) => name)).toEqual(['coverage']);
  });

  test('latency whose clock offset was never measured is no latency, unless it is asked for', async () => {
    const folder = runOf(50);
    for (let iteration = 1; iteration <= 50; iteration++) {
      folder.change(iteration, ({ summary, by_symbol: bySymbol }) => {
        for (const each of [summary, bySymbol['BTCUSDT']!]) each.latency_ms.feed.corrected = false;
      });
    }
    const { summary } = await cli(folder);
    expect(summary.gates.find(({ name }) => name === 'p95_latency_ms')).toMatchObject({ value: null, pass: false });
    expect((await cli(folder, ['--allow_raw_latency'])).summary.verdict).toBe('GO');
  });

  test('a few windows before the offset was measured are left out of latency; many are HOLD', () => {
    const raw = (windows: number): ShadowAudit => {
      const folder = runOf(50);
      for (let iteration = 1; iteration <= windows; iteration++) {
        folder.change(iteration, ({ summary, by_symbol: bySymbol }) => {
          for (const each of [summary, bySymbol['BTCUSDT']!]) each.latency_ms.feed.corrected = false;
        });
      }
      return judge(folder);
    };
    expect(raw(2)).toMatchObject({
      verdict: 'GO',
      pooled: { latency_ms: { corrected: true, n: 19_200, uncorrected: 800 } },
    });
    expect(raw(3).verdict).toBe('HOLD');
  });

  test('every threshold is a flag', async () => {
    const folder = runOf(20, () => ({
      netBps: 1,
      risk: 0.9,
      driftMs: 900,
      coverage: 0.5,
      latencyUs: 401_408,
      wouldBeTaker: 4_000,
    }));
    const flags = ['--min_windows', '20', '--min_fills', '40', '--min_coverage', '0.5', '--min_maker_taker', '0.3'];
    const more = ['--min_edge', '0.9', '--max_latency', '500', '--max_risk', '0.9', '--max_drift', '900'];
    expect((await cli(folder, [...flags, ...more])).summary.verdict).toBe('GO');
    const failing = (await cli(folder)).summary.gates.filter(({ pass }) => !pass).map(({ name }) => name);
    expect(failing).toEqual([
      ...['windows', 'coverage', 'maker_taker_ratio', 'net_bps', 'p95_latency_ms', 'risk_ratio', 'clock_drift_ms'],
    ]);
  });
});

describe('which windows are judged', () => {
  test('those at the end that are not final, or were cut short, are not judged', () => {
    const folder = runOf(52);
    folder.change(51, (window) => (window.provisional = true));
    folder.change(52, (window) => Object.assign(window, { provisional: true, cut_short: true, duration_seconds: 60 }));
    expect(judge(folder)).toMatchObject({ verdict: 'GO', windows: { judged: 50, left_out: 2, last: 50 } });
  });

  test('of a folder with two runs, the one asked for', async () => {
    const folder = runOf(50);
    const id = '20260102T040000Z-aaaaaaaaaaaa';
    for (let iteration = 51; iteration <= 60; iteration++)
      folder.write(`ITER_SUMMARY_${iteration}.json`, { ...windowOf(iteration), run_id: id });
    const { summary, exitCode } = await cli(folder);
    expect(summary.reasons).toEqual([
      {
        code: 'mixed_run',
        file: 'ITER_SUMMARY_51.json',
        pointer: '/run_id',
        message: expect.stringContaining('--run_id judges one of them') as unknown as string,
      },
    ]);
    expect(exitCode).toBe(1);
    const one = await cli(folder, ['--run_id', windowOf(1).run_id]);
    expect(one.summary).toMatchObject({ verdict: 'GO', windows: { judged: 50, other_runs: 10 } });
  });

  test('the last so many, if that is asked for', () => {
    const folder = runOf(60, (n) => (n <= 10 ? { netBps: -30 } : {}));
    expect(judge(folder).verdict).toBe('HOLD');
    expect(judge(folder, { lastN: 50 })).toMatchObject({ verdict: 'GO', windows: { first: 11 } });
  });

  test('windows of a simulated or replayed run only when they are asked for', () => {
    const folder = runOf(50);
    for (let iteration = 1; iteration <= 50; iteration++)
      folder.change(iteration, (window) => (window.source = 'mock'));
    folder.write('SHADOW_RUN_SUMMARY.json', { ...runSummaryOf(50), source: 'mock' });
    expect(judge(folder).reasons).toMatchObject([{ code: 'wrong_source', pointer: '/source' }]);
    expect(judge(folder, { source: 'mock' }).verdict).toBe('GO');
  });

  test('old windows only when any age is allowed', () => {
    const folder = runOf(50);
    const nowMs = NOW_MS + 25 * 3_600_000;
    expect(judge(folder, { nowMs }).reasons).toMatchObject([{ code: 'stale', file: 'ITER_SUMMARY_50.json' }]);
    expect(judge(folder, { nowMs, maxAgeHours: 0 }).verdict).toBe('GO');
  });
});

describe('what a run must not hide', () => {
  const each = (folder: ArtifactFolder, change: Parameters<ArtifactFolder['change']>[1]): void => {
    for (let iteration = 1; iteration <= 50; iteration++) folder.change(iteration, change);
  };

  test('a feed from elsewhere, or a symbol that is not traded: notes of a live run are HOLD unless they are allowed', async () => {
    const folder = runOf(50);
    each(folder, (window) => (window.notes = ['feed from 127.0.0.1:9110, not from stream.bybit.com']));
    const { summary, exitCode } = await cli(folder);
    expect(summary.reasons).toMatchObject([{ code: 'noted', pointer: '/notes' }]);
    expect(exitCode).toBe(1);
    const allowed = await cli(folder, ['--allow_notes']);
    expect(allowed.summary).toMatchObject({ verdict: 'GO', scope: { allow_notes: true } });
    expect(allowed.text).toContain('note: feed from 127.0.0.1:9110');
  });

  test('what was asked for is in the summary', async () => {
    const { summary } = await cli(runOf(60), ['--last_n', '50', '--max_age_h', '0']);
    expect(summary.scope).toEqual({
      ...{ source: 'live', run_id: null, last_n: 50, max_age_h: 0, allow_raw_latency: false, allow_notes: false },
    });
    expect(summary.windows).toMatchObject({ first: 11, earlier: 10 });
  });

  test('the last so many are the last final ones', () => {
    const folder = runOf(50);
    folder.change(50, (window) => (window.provisional = true));
    expect(judge(folder, { lastN: 48 }).windows).toMatchObject({ judged: 48, first: 2, last: 49, left_out: 1 });
  });

  test('an older run that lost its end, beside the run after it', () => {
    const folder = runOf(60);
    const id = '20260102T040000Z-aaaaaaaaaaaa';
    const next = { ...windowOf(61), run_id: id };
    folder.write('ITER_SUMMARY_61.json', next);
    folder.write('SHADOW_RUN_SUMMARY.json', { ...runSummaryOf(61), run_id: id, first_iteration: 61 });
    const runId = windowOf(1).run_id;
    expect(judge(folder, { runId }).verdict).toBe('GO');
    for (const n of [58, 59, 60]) rmSync(folder.file(`ITER_SUMMARY_${n}.json`));
    expect(judge(folder, { runId }).reasons).toMatchObject([{ code: 'missing_window', file: 'ITER_SUMMARY_58.json' }]);
  });

  test('what another run left broken is no matter of the run asked for', () => {
    const folder = runOf(50);
    for (let n = 51; n <= 55; n++) {
      folder.write(`ITER_SUMMARY_${n}.json`, {
        ...windowOf(n),
        schema_version: 1,
        run_id: '20260102T040000Z-aaaaaaaaaaaa',
      });
    }
    expect(judge(folder).reasons[0]).toMatchObject({ code: 'old_schema' });
    expect(judge(folder, { runId: windowOf(1).run_id })).toMatchObject({ verdict: 'GO', windows: { other_runs: 5 } });
  });

  test.each<{ name: string; change: (summary: ShadowRunSummary) => unknown; pointer: string }>([
    { name: 'source', change: (summary) => (summary.source = 'replay'), pointer: '/source' },
    { name: 'exchange', change: (summary) => (summary.exchange = 'binance'), pointer: '/exchange' },
    { name: 'config hash', change: (summary) => (summary.config_hash = 'f'.repeat(64)), pointer: '/config_hash' },
    { name: 'configuration', change: (summary) => Object.assign(summary.config, { seed: 99 }), pointer: '/config' },
    { name: 'first number', change: (summary) => (summary.first_iteration = 9), pointer: '/first_iteration' },
    { name: 'start', change: (summary) => (summary.started_at = '2026-01-02T03:04:07.000Z'), pointer: '/started_at' },
    {
      name: 'length of windows',
      change: (summary) => (summary.duration_per_iteration = 30),
      pointer: '/duration_per_iteration',
    },
    {
      name: 'sum of fills',
      change: (summary) =>
        Object.assign(summary, { completed_at: '2026-01-02T03:54:06.000Z', totals: { ...summary.totals, fills: 1 } }),
      pointer: '/totals/fills',
    },
  ])('a run summary of another $name than its windows', ({ change, pointer }) => {
    const folder = runOf(50);
    const summary = runSummaryOf(50);
    change(summary);
    folder.write('SHADOW_RUN_SUMMARY.json', summary);
    const { verdict, reasons } = judge(folder);
    expect(verdict).toBe('HOLD');
    expect(reasons.map((reason) => [reason.file, reason.pointer])).toContainEqual(['SHADOW_RUN_SUMMARY.json', pointer]);
  });

  test('a clock that is hardly known: the uncertainty is part of the latency', () => {
    const folder = runOf(50);
    each(folder, ({ summary }) => (summary.clock.uncertainty_ms = 400));
    const gate = judge(folder).gates.find(({ name }) => name === 'p95_latency_ms')!;
    expect(gate).toMatchObject({ pass: false, note: expect.stringContaining('400.0 ms') });
    expect(gate.value).toBeGreaterThan(400);
  });

  test('latencies that were floored: an offset that is not right', () => {
    const folder = runOf(50);
    each(folder, ({ summary, by_symbol: bySymbol }) => {
      for (const own of [summary, bySymbol['BTCUSDT']!]) own.latency_ms.feed.negative = 40;
    });
    expect(judge(folder).gates.find(({ name }) => name === 'p95_latency_ms')).toMatchObject({
      value: null,
      pass: false,
    });
  });

  test('one symbol at its limit among those that hold nothing', () => {
    const folder = runOf(50);
    for (let n = 1; n <= 50; n++) {
      const pinned = windowOf(n, { fills: 0, risk: 1 }).summary;
      const window = withSymbol(windowOf(n, { risk: 0 }), 'ETHUSDT', pinned);
      folder.write(`ITER_SUMMARY_${n}.json`, {
        ...window,
        summary: { ...window.summary, feed: { ...window.summary.feed, coverage: 1 } },
      });
    }
    folder.write('SHADOW_RUN_SUMMARY.json', { ...runSummaryOf(50), symbols: ['BTCUSDT', 'ETHUSDT'] });
    expect(
      judge(folder)
        .gates.filter(({ pass }) => !pass)
        .map(({ name }) => name),
    ).toEqual(['risk_ratio']);
  });
});

describe('trap 20: the summary is written on every path', () => {
  const path = (folder: ArtifactFolder): string => folder.file('reports/analysis/POST_SHADOW_AUDIT_SUMMARY.json');

  /** What an earlier audit has left. */
  const goBefore = (folder: ArtifactFolder): void => {
    mkdirSync(join(folder.path, 'reports/analysis'), { recursive: true });
    writeFileSync(path(folder), canonicalJson({ ...judge(runOf(50)), verdict: 'GO' }));
  };

  test('of a folder that is not there, which is made', async () => {
    const folder = own(new ArtifactFolder());
    const missing = Object.assign(Object.create(ArtifactFolder.prototype) as ArtifactFolder, {
      path: join(folder.path, 'no'),
    });
    const { exitCode, summary } = await cli(missing);
    expect(summary).toMatchObject({ verdict: 'HOLD', run: null, reasons: [{ code: 'no_windows' }] });
    expect(exitCode).toBe(1);
  });

  test('with flags that are wrong: HOLD, and not the GO of before', async () => {
    const folder = runOf(50);
    goBefore(folder);
    await expect(cli(folder, ['--min_edge', 'much'])).rejects.toThrow(ShadowError);
    expect(summaryOf(folder)).toMatchObject({ verdict: 'HOLD', reasons: [{ code: 'usage' }] });
  });

  test('with a configuration file that cannot be read: HOLD in the folder that was named, and none made elsewhere', async () => {
    const folder = runOf(50);
    goBefore(folder);
    await expect(cli(folder, ['--config', '/nowhere.json'])).rejects.toThrow();
    expect(summaryOf(folder)).toMatchObject({ verdict: 'HOLD', reasons: [{ code: 'usage' }] });
  });

  test('before the first window is read: an audit that is killed leaves HOLD', async () => {
    const folder = runOf(50);
    goBefore(folder);
    const clock = { wallUs: () => NOW_MS * 1_000, monoUs: () => 0 };
    const deps = { env: {}, readText: () => '', clock, say: () => undefined, signal: new AbortController().signal };
    // The printed table stands for anything that may go wrong before the end; the summary it finds is the final one by then.
    const seen: ShadowAudit[] = [];
    await audit(['--base', folder.path], { ...deps, print: () => seen.push(summaryOf(folder)) });
    expect(seen[0]!.verdict).toBe('GO');
    folder.write('ITER_SUMMARY_20.json', '{');
    await audit(['--base', folder.path], { ...deps, print: () => undefined });
    expect(summaryOf(folder).verdict).toBe('HOLD');
  });

  test('and where it cannot be written, that is an error', async () => {
    const folder = runOf(1);
    folder.write('reports', 'a file where a folder should be');
    await expect(cli(folder)).rejects.toMatchObject({ code: 'SHADOW_ERR_OUTPUT' });
  });

  test('in Markdown, to a file and to the step summary of CI, with what artifacts hold made harmless', async () => {
    const folder = runOf(50);
    folder.write('ITER_SUMMARY_<b>.json', '{}');
    const step = folder.file('step.md');
    writeFileSync(step, 'before\n');
    await cli(folder, ['--summary-file', folder.file('own.md')], { GITHUB_STEP_SUMMARY: step });
    const text = readFileSync(folder.file('own.md'), 'utf8');
    expect(text).toMatch(/^## Shadow audit: HOLD\n/);
    expect(text).toContain('ITER\\_SUMMARY\\_\\<b\\>.json');
    expect(readFileSync(step, 'utf8')).toBe(`before\n${text}`);
  });
});

describe('the run summary', () => {
  test.each([
    { name: 'missing', content: undefined, code: 'no_run_summary' },
    {
      name: 'of another run',
      content: { ...runSummaryOf(50), run_id: '20260102T040000Z-aaaaaaaaaaaa' },
      code: 'foreign_run_summary',
    },
    { name: 'of more windows than there are', content: runSummaryOf(51), code: 'missing_window' },
    { name: 'no JSON', content: '{', code: 'malformed' },
    { name: 'of no schema', content: {}, code: 'schema' },
  ])('$name is HOLD', ({ content, code }) => {
    const folder = own(new ArtifactFolder());
    for (let iteration = 1; iteration <= 50; iteration++)
      folder.write(`ITER_SUMMARY_${iteration}.json`, windowOf(iteration));
    if (content !== undefined) folder.write('SHADOW_RUN_SUMMARY.json', content);
    const { verdict, reasons } = judge(folder);
    expect(verdict).toBe('HOLD');
    expect(reasons[0]!.code).toBe(code);
    expect(existsSync(folder.file('reports'))).toBe(false);
  });
});
