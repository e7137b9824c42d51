import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ShadowComparison } from '../../schema/types.gen.js';
import { compareRuns } from '../../collector/src/artifacts/comparison.ts';
import { compare } from '../../collector/src/commands/compare.ts';
import { uniformDraw } from '../../collector/src/fills/random.ts';
import type { WindowValues } from '../support/artifact-folder.ts';
import { ArtifactFolder, runSummaryOf, windowOf } from '../support/artifact-folder.ts';

const folders: ArtifactFolder[] = [];
const own = (folder: ArtifactFolder): ArtifactFolder => {
  folders.push(folder);
  return folder;
};
const runOf = (last: number, values?: (iteration: number) => WindowValues): ArtifactFolder =>
  own(ArtifactFolder.of(last, values));
afterEach(() => folders.splice(0).forEach((folder) => folder.close()));

const TOLERANCES = { net_bps: 0.5, maker_taker_ratio: 0.05, window_p95_latency_ms: 50, risk_ratio: 0.05 };
const compared = (a: ArtifactFolder, b: ArtifactFolder): ShadowComparison => compareRuns(a.path, b.path, TOLERANCES);
const of = ({ all }: ShadowComparison, kpi: string): ShadowComparison['all'][number] =>
  all.find((each) => each.kpi === kpi)!;
/** What moves both runs alike. */
const common = (n: number): number => 30 * (uniformDraw(11, n, 0) - 0.5);

describe('two runs', () => {
  test('that are one agree', () => {
    const folder = runOf(20);
    const comparison = compared(folder, folder);
    expect(comparison.verdict).toBe('AGREE');
    expect(of(comparison, 'net_bps')).toMatchObject({ pairs: 20, difference: 0, lower_95: 0, upper_95: 0 });
  });

  test('differ by B less A, seen through what moves both', () => {
    const a = runOf(30, (n) => ({ netBps: 4 + common(n) }));
    const b = runOf(30, (n) => ({ netBps: 5 + common(n) + 0.1 * (uniformDraw(12, n, 0) - 0.5) }));
    const comparison = compared(a, b);
    const { difference, lower_95: lower, upper_95: upper, verdict } = of(comparison, 'net_bps');
    expect(difference).toBeCloseTo(1, 1);
    // Alone, each mean is known to some units only.
    expect(upper! - lower!).toBeLessThan(0.1);
    expect(verdict).toBe('differs');
    expect(comparison.verdict).toBe('DIFFER');
    expect(compared(b, a).all[0]!.difference).toBeCloseTo(-difference!, 9);
  });

  test('that may differ and may not are unclear, and that is no agreement', () => {
    const noise = (seed: number) => (n: number) => ({ netBps: 4 + 20 * (uniformDraw(seed, n, 0) - 0.5) });
    const comparison = compared(runOf(20, noise(1)), runOf(20, noise(2)));
    expect(of(comparison, 'net_bps').verdict).toBe('unclear');
    expect(comparison.verdict).toBe('UNCLEAR');
  });

  test('with fewer than eight windows are unclear', () => {
    expect(compared(runOf(7), runOf(7))).toMatchObject({ verdict: 'UNCLEAR', paired_windows: 7 });
  });

  test('that never met do not agree: NO_OVERLAP, with both ranges named', () => {
    const a = runOf(20);
    const b = own(new ArtifactFolder());
    for (let n = 21; n <= 40; n++) b.write(`ITER_SUMMARY_${n}.json`, windowOf(n));
    const comparison = compared(a, b);
    expect(comparison).toMatchObject({ verdict: 'NO_OVERLAP', paired_windows: 0, all: [] });
    expect(comparison.reasons[0]!.message).toMatch(/A has 20 windows, 2026-01-02T03:04:06.000Z to .*, B 20 windows/);
  });

  test.each([
    { name: 'an empty folder', make: () => new ArtifactFolder(), verdict: 'NO_OVERLAP' },
    { name: 'another symbol', make: () => otherSymbol(20), verdict: 'NO_OVERLAP' },
    { name: 'a broken window', make: () => broken(), verdict: 'BROKEN' },
    { name: 'no folder', make: () => Object.assign(new ArtifactFolder(), { path: '/nowhere' }), verdict: 'BROKEN' },
  ])('of which one is $name give $verdict', ({ make, verdict }) => {
    const other = make();
    const a = runOf(20);
    expect(compared(a, other).verdict).toBe(verdict);
    expect(compared(other, a).verdict).toBe(verdict);
    if (other.path !== '/nowhere') other.close();
  });

  test('with windows of which each overlaps the other’s by more than half are paired, once each', () => {
    const b = own(new ArtifactFolder());
    for (let n = 1; n <= 20; n++) {
      const window = windowOf(n);
      b.write(`ITER_SUMMARY_${n}.json`, {
        ...window,
        timestamp: new Date(Date.parse(window.timestamp) + 29_000).toISOString(),
      });
    }
    expect(compared(runOf(20), b).paired_windows).toBe(20);
  });

  test('of shadow and of soak are compared by what both have', () => {
    const soak = own(new ArtifactFolder());
    for (let n = 1; n <= 20; n++) {
      const { iteration, timestamp, duration_seconds, exchange, symbols, profile, summary } = windowOf(n);
      const { maker_count, taker_count, maker_taker_ratio, net_bps, p95_latency_ms, risk_ratio } = summary;
      const kpis = { maker_count, taker_count, maker_taker_ratio, net_bps, p95_latency_ms, risk_ratio };
      soak.write(`ITER_SUMMARY_${n}.json`, {
        ...{ iteration, timestamp, duration_seconds, exchange, symbols, profile, mode: 'soak' },
        summary: { ...kpis, slippage_bps_p95: 1, adverse_bps_p95: 1 },
      });
    }
    const comparison = compared(runOf(20), soak);
    expect(comparison).toMatchObject({ verdict: 'AGREE', b: { mode: 'soak', run_ids: [] }, by_symbol: {} });
    expect(of(comparison, 'net_bps')).toMatchObject({ pairs: 20, difference: 0 });
  });

  test('with a KPI that one of them does not know in some windows are compared over the others', () => {
    const a = runOf(30, (n) => ({ latencyUs: n <= 15 ? 20_480 : 401_408 }));
    const b = runOf(30, (n) => ({ latencyUs: n <= 15 ? 20_480 : 401_408 }));
    for (let n = 16; n <= 30; n++) {
      b.change(n, ({ summary, by_symbol: bySymbol }) => {
        for (const own of [summary, bySymbol['BTCUSDT']!]) {
          Object.assign(own.latency_ms.feed, { n: 0, p50: null, p95: null, p99: null, min: null, histogram_us: [] });
          own.p95_latency_ms = null;
        }
      });
    }
    expect(of(compared(a, b), 'window_p95_latency_ms')).toMatchObject({ pairs: 15, difference: 0, verdict: 'agrees' });
  });

  test('of which one has the clock offset in its latencies do not agree in them', () => {
    const b = runOf(20);
    for (let n = 1; n <= 20; n++) {
      b.change(n, ({ summary, by_symbol: bySymbol }) => {
        for (const own of [summary, bySymbol['BTCUSDT']!]) own.latency_ms.feed.corrected = false;
      });
    }
    expect(compared(runOf(20), b)).toMatchObject({ verdict: 'UNCLEAR' });
  });

  test('in one folder over the same time are BROKEN', () => {
    const folder = runOf(10);
    for (let n = 11; n <= 20; n++)
      folder.write(`ITER_SUMMARY_${n}.json`, {
        ...windowOf(n - 10),
        iteration: n,
        run_id: '20260102T040000Z-aaaaaaaaaaaa',
      });
    expect(compared(folder, runOf(10))).toMatchObject({ verdict: 'BROKEN', reasons_total: 10 });
  });

  test('of two configurations say what was configured differently', () => {
    const [a, b] = [runOf(8), runOf(8)];
    const summary = runSummaryOf(8);
    b.write('SHADOW_RUN_SUMMARY.json', { ...summary, config: { ...summary.config, seed: 77, extra: { deep: true } } });
    expect(compared(a, b).configuration).toEqual([
      { key: 'extra.deep', a: null, b: true },
      { key: 'seed', a: 1, b: 77 },
    ]);
  });
});

function otherSymbol(last: number): ArtifactFolder {
  const folder = new ArtifactFolder();
  for (let n = 1; n <= last; n++) {
    const window = windowOf(n);
    folder.write(`ITER_SUMMARY_${n}.json`, { ...window, symbols: ['ETHUSDT'], by_symbol: { ETHUSDT: window.summary } });
  }
  return folder;
}

function broken(): ArtifactFolder {
  const folder = ArtifactFolder.of(20);
  folder.write('ITER_SUMMARY_3.json', '{');
  return folder;
}

describe('the command', () => {
  const cli = async (argv: readonly string[]): Promise<{ exitCode: number; text: string }> => {
    const lines: string[] = [];
    const exitCode = await compare(argv, {
      env: {},
      readText: (path) => readFileSync(path, 'utf8'),
      clock: { wallUs: () => 0, monoUs: () => 0 },
      print: (line) => lines.push(line),
      say: (line) => lines.push(line),
      signal: new AbortController().signal,
    });
    return { exitCode, text: lines.join('\n') };
  };

  test('takes two folders, prints the table, writes the comparison, and fails unless they agree', async () => {
    const [a, b] = [runOf(20), runOf(20, () => ({ netBps: 9 }))];
    expect((await cli([a.path, a.path])).exitCode).toBe(0);
    const { exitCode, text } = await cli([a.path, b.path, '--out', b.file('own.json')]);
    expect(exitCode).toBe(1);
    expect(text).toMatch(/net_bps +20 +\d\.\d+ +9\.000/);
    expect(text).toContain('DIFFER');
    expect(b.read('own.json')).toMatchObject({ verdict: 'DIFFER' });
    expect((await cli([a.path, b.path, '--max_net_bps', '9'])).exitCode).toBe(0);
  });

  test.each([{ argv: [] }, { argv: ['only'] }, { argv: ['a', 'b', 'c'] }])(
    'with $argv says what it expects',
    async ({ argv }) => {
      await expect(cli(argv)).rejects.toMatchObject({ code: 'SHADOW_ERR_USAGE' });
    },
  );
});
