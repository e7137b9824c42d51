import { readFileSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { IterSummary, ShadowRunSummary, ShadowSnapshot, WindowFills } from '../../schema/types.gen.js';
import { snapshotValidator, validated } from '../../collector/src/artifacts/validate.ts';
import { report } from '../../collector/src/commands/report.ts';
import { HORIZON_NAMES, Pool } from '../../collector/src/kpi/pool.ts';
import type { WindowValues } from '../support/artifact-folder.ts';
import { ArtifactFolder, fillsOf, windowOf } from '../support/artifact-folder.ts';

const folders: ArtifactFolder[] = [];
const runOf = (last: number, values?: (iteration: number) => WindowValues): ArtifactFolder => {
  const folder = ArtifactFolder.of(last, values);
  folders.push(folder);
  return folder;
};
afterEach(() => folders.splice(0).forEach((folder) => folder.close()));

interface Outcome {
  readonly exitCode: number;
  readonly snapshot: ShadowSnapshot;
  readonly markdown: string;
  readonly html: string;
  readonly lines: readonly string[];
  readonly said: readonly string[];
}

async function cli(folder: ArtifactFolder, argv: readonly string[] = []): Promise<Outcome> {
  const lines: string[] = [];
  const said: string[] = [];
  const exitCode = await report(['--src', folder.path, ...argv], {
    env: {},
    readText: (path) => readFileSync(path, 'utf8'),
    clock: { wallUs: () => 0, monoUs: () => 0 },
    print: (line) => lines.push(line),
    say: (line) => said.push(line),
    signal: new AbortController().signal,
  });
  const text = (name: string): string => readFileSync(folder.file(`reports/analysis/${name}`), 'utf8');
  return {
    exitCode,
    lines,
    said,
    snapshot: validated(snapshotValidator, JSON.parse(text('POST_SHADOW_SNAPSHOT.json')), 'the snapshot'),
    markdown: text('POST_SHADOW_REPORT.md'),
    html: text('POST_SHADOW_REPORT.html'),
  };
}

describe('which windows a report is of', () => {
  test('the last eight by number: 5 to 12, not 5 to 9 and 10 to 12 before them (trap 16)', async () => {
    const { snapshot, exitCode } = await cli(runOf(12, (n) => ({ driftMs: n })));
    expect(exitCode).toBe(0);
    expect(snapshot).toMatchObject({ total_iterations: 12, window_size: 8, first_iteration: 5, last_iteration: 12 });
    expect(snapshot.kpi_last_n.clock_drift_ms).toEqual({ n: 8, median: 8.5, min: 5, max: 12 });
    expect(snapshot.started_at).toBe(windowOf(4).timestamp);
    expect(snapshot.ended_at).toBe(windowOf(12).timestamp);
  });

  test('those that are final: what a run is still at is left out and does not count', async () => {
    const folder = runOf(12);
    folder.change(11, (window) => (window.provisional = true));
    folder.change(12, (window) => Object.assign(window, { provisional: true, cut_short: true }));
    const { snapshot, exitCode } = await cli(folder);
    expect(exitCode).toBe(0);
    expect(snapshot).toMatchObject({ window_size: 8, first_iteration: 3, last_iteration: 10, left_out_total: 2 });
    expect(snapshot.left_out.map(({ code, file }) => [code, file])).toEqual([
      ['provisional', 'ITER_SUMMARY_12.json'],
      ['provisional', 'ITER_SUMMARY_11.json'],
    ]);
  });

  test('those of the newest run', async () => {
    const folder = runOf(6);
    for (let n = 7; n <= 9; n++) {
      const window: IterSummary = { ...windowOf(n), run_id: '20260102T040000Z-aaaaaaaaaaaa' };
      folder.write(`ITER_SUMMARY_${n}.json`, window);
      folder.write(`FILLS_${n}.json`, fillsOf(window));
    }
    const { snapshot, exitCode } = await cli(folder);
    expect(snapshot).toMatchObject({ window_size: 3, first_iteration: 7, left_out_total: 5 });
    expect(snapshot.run).toMatchObject({ run_id: '20260102T040000Z-aaaaaaaaaaaa', kpi_horizon_s: null });
    expect(exitCode).toBe(0);
  });

  test('not those that are broken, which are named, and exit status 1', async () => {
    const folder = runOf(10);
    folder.write('ITER_SUMMARY_8.json', '{');
    folder.write('ITER_SUMMARY_9.json', { ...windowOf(9), iteration: 8 });
    const { snapshot, exitCode, said, markdown } = await cli(folder);
    expect(exitCode).toBe(1);
    expect(snapshot.window_size).toBe(6);
    expect(snapshot.left_out.map(({ code }) => code)).toEqual(['malformed', 'wrong_number']);
    expect(said.join('\n')).toContain('ITER_SUMMARY_9.json/iteration: expected 9 as in its name, got 8');
    expect(markdown).toContain('ITER\\_SUMMARY\\_8.json');
  });

  test('and says when some between them are missing, with exit status 1', async () => {
    const folder = runOf(12);
    rmSync(folder.file('ITER_SUMMARY_9.json'));
    const { snapshot, exitCode } = await cli(folder);
    expect(exitCode).toBe(1);
    expect(snapshot.left_out).toMatchObject([{ code: 'missing_window', file: 'ITER_SUMMARY_9.json' }]);
  });

  test('and nothing that a file or its name holds reaches the terminal as a command', async () => {
    const folder = runOf(8);
    for (let n = 1; n <= 8; n++) folder.change(n, (window) => (window.notes = ['\u001b]0;title\u0007 \u202etxt']));
    folder.write('ITER_SUMMARY\u001b[2J.json', '{}');
    const { lines, said } = await cli(folder);
    expect([...lines, ...said].join('\n').replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  test('where there is none, an error says what was found', async () => {
    const folder = runOf(1);
    folder.change(1, (window) => (window.provisional = true));
    await expect(cli(folder)).rejects.toThrow(
      /expected final windows .* found 1 files and none of use\n.*not final yet/,
    );
    rmSync(folder.file('ITER_SUMMARY_1.json'));
    await expect(cli(folder)).rejects.toThrow(/found 0 files/);
  });
});

describe('windows are put together', () => {
  test('shares and means by notional, not as means of windows', async () => {
    const folder = runOf(8, (n) =>
      n === 8
        ? { fills: 98, netBps: 10, wouldBeTaker: 0 }
        : { fills: n === 1 ? 2 : 0, netBps: 0, wouldBeTaker: n === 1 ? 2_000 : 0 },
    );
    const { pooled, kpi_last_n: spreads, snapshot_kpis: kpis } = (await cli(folder)).snapshot;
    expect(pooled.fills).toBe(100);
    expect(kpis.net_bps).toBeCloseTo(9.8);
    expect(kpis.maker_taker_ratio).toBeCloseTo(100 / 102);
    expect(spreads.net_bps).toEqual({ n: 2, median: 5, min: 0, max: 10 });
    expect(pooled.net_bps).toMatchObject({ n: 100, lower_95_bps: null });
  });

  test('a percentile comes from merged histograms: it is no mean or median of the windows’ own (trap 13)', async () => {
    const folder = runOf(8);
    for (let n = 1; n <= 8; n++) {
      folder.change(n, ({ summary, by_symbol: bySymbol }) => {
        for (const each of [summary, bySymbol['BTCUSDT']!]) {
          const [fast, slow] = n === 8 ? [0, 9_600] : [100, 0];
          const ms = n === 8 ? 201.728 : 10.304;
          const histogram = (
            [
              [10_240, fast],
              [200_704, slow],
            ] as [number, number][]
          ).filter(([, count]) => count > 0);
          Object.assign(each.latency_ms.feed, {
            n: fast + slow,
            p50: ms,
            p95: ms,
            p99: ms,
            min: ms,
            histogram_us: histogram,
          });
          each.p95_latency_ms = ms;
          each.feed.messages = 20_000;
        }
      });
    }
    const { pooled, kpi_last_n: spreads } = (await cli(folder)).snapshot;
    expect(spreads.p95_latency_ms.median).toBe(10.304);
    // 9 600 of 10 300 messages took 200 ms: so do the 50th and the 95th in a hundred. The middle of the bucket stands for it.
    expect(pooled.latency_ms).toMatchObject({ n: 10_300, p50: 201.728, p95: 201.728 });
  });

  test('the same windows give what the run itself adds up to', () => {
    const golden = (name: string): unknown =>
      JSON.parse(readFileSync(new URL(`../golden/joined/${name}`, import.meta.url), 'utf8'));
    const pool = new Pool();
    for (const n of [1, 2, 3]) {
      const window = golden(`ITER_SUMMARY_${n}.json`) as IterSummary;
      pool.add(window.summary, window.duration_seconds);
    }
    const { totals } = golden('SHADOW_RUN_SUMMARY.json') as ShadowRunSummary;
    expect(pool.fills).toBe(totals.fills);
    expect(pool.modelFills).toEqual(totals.model_fills);
    expect(pool.net().mean).toBeCloseTo(totals.net_bps!, 5);
    expect(pool.pnl.fees).toBeCloseTo(totals.fees, 5);
    expect(pool.feed.messages).toBe(totals.feed.messages);
  });

  test('what is not known stays unknown: no fills give null and n/a, not 0', async () => {
    const { snapshot, markdown, html } = await cli(runOf(8, () => ({ fills: 0 })));
    expect(snapshot.snapshot_kpis).toMatchObject({ net_bps: null, maker_taker_ratio: null });
    expect(snapshot.kpi_last_n.net_bps).toEqual({ n: 0, median: null, min: null, max: null });
    for (const name of HORIZON_NAMES) expect(snapshot.pooled.markouts[name]).toMatchObject({ n: 0, mean_bps: null });
    expect(markdown).toMatch(/\| net\\_bps \| n\/a \| n\/a \|/);
    expect(html).toContain('No fill has a known markout.');
  });

  test('a 0 is a 0 (trap 14)', async () => {
    const { snapshot } = await cli(runOf(8, () => ({ netBps: 0, driftMs: 0, risk: 0, coverage: 0 })));
    expect(snapshot.snapshot_kpis).toMatchObject({ net_bps: 0, risk_ratio: null });
    expect(snapshot.kpi_last_n.clock_drift_ms).toEqual({ n: 8, median: 0, min: 0, max: 0 });
    expect(snapshot.pooled.coverage).toBe(0);
    expect(snapshot.pooled.net_bps).toMatchObject({ lower_95_bps: 0, upper_95_bps: 0 });
  });

  test('the same windows give the same bytes', async () => {
    const folder = runOf(12);
    const [first, second] = [await cli(folder), await cli(folder)];
    expect(second).toEqual(first);
  });
});

describe('the page', () => {
  test('shows every fill of the windows, and holds no script and no address to load from', async () => {
    const { html } = await cli(runOf(8));
    expect(html.match(/<title>[^<]* maker, dwell<\/title>/g)).toHaveLength(16);
    expect(html).not.toMatch(/<script|https?:\/\/|url\(|@import|<link(?! rel="icon" href="data:,")/);
    expect(html).toContain(`default-src 'none'`);
  });

  test('makes harmless what artifacts hold', async () => {
    const folder = runOf(8);
    const symbol = '<img src=x onerror=alert(1)>';
    for (let n = 1; n <= 8; n++) {
      folder.change(n, (window) => {
        Object.assign(window, {
          symbols: [symbol],
          by_symbol: { [symbol]: window.summary },
          notes: ['a | b <script>'],
        });
      });
    }
    const { html, markdown } = await cli(folder);
    expect(html).not.toMatch(/<img|<script/);
    expect(markdown).not.toMatch(/[^\\]<(img|script)/);
  });

  test.each([
    { name: 'missing', content: undefined },
    {
      name: 'of another run',
      content: (fills: WindowFills) => ({ ...fills, run_id: '20260102T040000Z-aaaaaaaaaaaa' }),
    },
    {
      name: 'with a fill less than its window',
      content: (fills: WindowFills) => ({ ...fills, fills: fills.fills.slice(1) }),
    },
    { name: 'of no schema', content: () => ({}) },
  ])('is made without the fills of a window whose file is $name, and says so', async ({ content }) => {
    const folder = runOf(8);
    if (content === undefined) rmSync(folder.file('FILLS_5.json'));
    else folder.write('FILLS_5.json', content(folder.read('FILLS_5.json') as WindowFills));
    const { exitCode, html, snapshot } = await cli(folder);
    expect(exitCode).toBe(1);
    expect(snapshot.window_size).toBe(8);
    expect(new Set(snapshot.left_out.map(({ file }) => file))).toEqual(new Set(['FILLS_5.json']));
    expect(html.match(/<title>[^<]* maker, dwell<\/title>/g)).toHaveLength(14);
  });
});
