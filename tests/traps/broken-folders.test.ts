import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { IterSummary, ShadowAudit, ShadowRunSummary } from '../../schema/types.gen.js';
import { audit } from '../../collector/src/artifacts/audit.ts';
import { canonicalJson } from '../../collector/src/artifacts/canonical-json.ts';
import { BAND_MODELS } from '../../collector/src/kpi/pool.ts';
import { DEFAULT_THRESHOLDS } from '../../collector/src/artifacts/gates.ts';
import { ArtifactFolder, runSummaryOf, STARTED_MS, windowOf } from '../support/artifact-folder.ts';

const WINDOWS = 50;
const NOW_MS = STARTED_MS + 2 * 3_600_000;
const judge = (folder: string): ShadowAudit =>
  audit(
    { folder, runId: undefined, source: 'live', lastN: 0, allowNotes: false, maxAgeHours: 24, nowMs: NOW_MS },
    { ...DEFAULT_THRESHOLDS, allowRawLatency: false },
  );

let good: ArtifactFolder;
beforeAll(() => {
  good = ArtifactFolder.of(WINDOWS);
});
afterAll(() => good.close());

/** Does something to one file of a good folder, judges, and puts the file back. */
function withFile(name: string, content: string | Buffer | undefined): ShadowAudit {
  const path = good.file(name);
  const before = readFileSync(path);
  try {
    if (content === undefined) rmSync(path);
    else writeFileSync(path, content);
    return judge(good.path);
  } finally {
    writeFileSync(path, before);
  }
}

/** Does anything to a copy of a good folder, and judges it. */
function withCopy(change: (folder: string) => void): ShadowAudit {
  const copy = mkdtempSync(join(tmpdir(), 'shadow-broken-'));
  try {
    cpSync(good.path, copy, { recursive: true });
    change(copy);
    return judge(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function expectHold(summary: ShadowAudit): void {
  expect(summary.verdict).toBe('HOLD');
  expect(summary.readiness.pass).toBe(false);
  expect(summary.reasons_total).toBeGreaterThan(0);
  // Of what cannot be trusted no number is told.
  expect(summary.snapshot_kpis).toEqual({
    maker_taker_ratio: null,
    net_bps: null,
    p95_latency_ms: null,
    risk_ratio: null,
  });
}

const changed = (change: (window: IterSummary) => unknown, iteration = 20): string => {
  const window = windowOf(iteration);
  change(window);
  return JSON.stringify(window);
};
const both = (change: (summary: IterSummary['summary']) => unknown) =>
  changed(({ summary, by_symbol: bySymbol }) => {
    change(summary);
    change(bySymbol['BTCUSDT']!);
  });

/** Every place in a document that holds a value, as a path. */
function placesOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const own = path.length === 0 ? [] : [path];
  return [
    ...own,
    ...Object.entries(value).flatMap(([key, item]) =>
      placesOf(item, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

function altered(
  document: unknown,
  path: readonly (string | number)[],
  alter: (parent: Record<string | number, unknown>, key: string | number) => void,
): string {
  const copy = structuredClone(document);
  let parent = copy as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) parent = parent[key] as Record<string | number, unknown>;
  alter(parent, path.at(-1)!);
  return JSON.stringify(copy);
}

test('the folder that all of these break is GO', () => {
  expect(judge(good.path).verdict).toBe('GO');
});

describe('no broken folder is GO (trap 20)', () => {
  test.each<{ name: string; file?: string; content: string | Buffer | undefined; code?: string; pointer?: string }>([
    { name: 'a missing window', content: undefined, code: 'missing_window' },
    { name: 'the newest window missing', file: 'ITER_SUMMARY_50.json', content: undefined, code: 'missing_window' },
    { name: 'an empty file', content: '', code: 'malformed' },
    { name: 'white space', content: ' \n', code: 'malformed' },
    { name: 'null', content: 'null', code: 'schema' },
    { name: 'an array', content: '[]', code: 'schema' },
    { name: 'a number', content: '1', code: 'schema' },
    { name: 'a text', content: '"GO"', code: 'schema' },
    { name: 'an empty object', content: '{}', code: 'schema' },
    { name: 'a truncated file', content: canonicalJson(windowOf(20)).slice(0, -400), code: 'malformed' },
    {
      name: 'a file cut in the middle of a number',
      content: canonicalJson(windowOf(20)).slice(0, 300),
      code: 'malformed',
    },
    { name: 'two documents in a file', content: canonicalJson(windowOf(20)).repeat(2), code: 'malformed' },
    { name: 'zeros at the end', content: `${canonicalJson(windowOf(20))}\0\0`, code: 'malformed' },
    { name: 'only zeros', content: '\0'.repeat(4_096), code: 'malformed' },
    {
      name: 'bytes that are no UTF-8',
      content: Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
      code: 'malformed',
    },
    { name: 'UTF-16', content: Buffer.from(canonicalJson(windowOf(20)), 'utf16le'), code: 'malformed' },
    {
      name: 'NaN as a word',
      content: canonicalJson(windowOf(20)).replace(/"net_bps": [\d.]+/, '"net_bps": NaN'),
      code: 'malformed',
    },
    {
      name: 'NaN as a text',
      content: canonicalJson(windowOf(20)).replace(/"net_bps": [\d.]+/, '"net_bps": "NaN"'),
      code: 'schema',
    },
    {
      name: 'Infinity as a word',
      content: canonicalJson(windowOf(20)).replace(/"net_bps": [\d.]+/, '"net_bps": Infinity'),
      code: 'malformed',
    },
    {
      name: 'a number beyond all numbers',
      content: canonicalJson(windowOf(20)).replace(/"net_bps": [\d.]+/, '"net_bps": 1e999'),
      code: 'schema',
    },
    { name: 'single quotes', content: canonicalJson(windowOf(20)).replaceAll('"', "'"), code: 'malformed' },
    { name: 'a comment', content: `// fine\n${canonicalJson(windowOf(20))}`, code: 'malformed' },
    { name: 'HTML of a proxy', content: '<html>502 Bad Gateway</html>', code: 'malformed' },
    {
      name: 'an older schema version',
      content: changed((window) => Object.assign(window, { schema_version: 1 })),
      code: 'old_schema',
      pointer: '/schema_version',
    },
    {
      name: 'a newer schema version',
      content: changed((window) => Object.assign(window, { schema_version: 3 })),
      code: 'old_schema',
      pointer: '/schema_version',
    },
    {
      name: 'the number of another window (two of one number)',
      content: changed((window) => (window.iteration = 19)),
      code: 'wrong_number',
      pointer: '/iteration',
    },
    {
      name: 'a window of a soak run',
      content: changed((window) => Object.assign(window, { mode: 'soak' })),
      code: 'not_shadow',
      pointer: '/mode',
    },
    {
      name: 'a foreign run',
      content: changed((window) => (window.run_id = '20260102T040000Z-aaaaaaaaaaaa')),
      code: 'mixed_run',
      pointer: '/run_id',
    },
    {
      name: 'another configuration',
      content: changed((window) => (window.config_hash = 'f'.repeat(64))),
      code: 'mixed_run',
      pointer: '/config_hash',
    },
    {
      name: 'another exchange',
      content: changed((window) => (window.exchange = 'binance')),
      code: 'mixed_run',
      pointer: '/exchange',
    },
    {
      name: 'another profile',
      content: changed((window) => (window.profile = 'aggressive')),
      code: 'mixed_run',
      pointer: '/profile',
    },
    {
      name: 'another build',
      content: changed((window) => (window.git_commit = 'abcdef0')),
      code: 'mixed_run',
      pointer: '/git_commit',
    },
    {
      name: 'a replayed window among live ones',
      content: changed((window) => (window.source = 'replay')),
      code: 'mixed_run',
      pointer: '/source',
    },
    {
      name: 'another symbol',
      content: changed((window) =>
        Object.assign(window, { symbols: ['ETHUSDT'], by_symbol: { ETHUSDT: window.summary } }),
      ),
      code: 'mixed_run',
      pointer: '/symbols',
    },
    {
      name: 'a symbol without its summary',
      content: changed((window) => (window.symbols = ['BTCUSDT', 'ETHUSDT'])),
      code: 'contradiction',
      pointer: '/by_symbol',
    },
    {
      name: 'a summary of no symbol',
      content: changed((window) => (window.by_symbol['X'] = window.summary)),
      code: 'contradiction',
      pointer: '/by_symbol',
    },
    {
      name: 'a window that never became final',
      content: changed((window) => (window.provisional = true)),
      code: 'provisional',
      pointer: '/provisional',
    },
    {
      name: 'a window cut short in the middle',
      content: changed((window) => Object.assign(window, { provisional: true, cut_short: true })),
      code: 'provisional',
      pointer: '/cut_short',
    },
    {
      name: 'cut short and final',
      content: changed((window) => (window.cut_short = true)),
      code: 'contradiction',
      pointer: '/provisional',
    },
    {
      name: 'an end at another time',
      content: changed((window) => (window.timestamp = windowOf(21).timestamp)),
      code: 'time_gap',
      pointer: '/timestamp',
    },
    {
      name: 'an end in a leap second',
      content: changed((window) => (window.timestamp = '2026-06-30T23:59:60Z')),
      code: 'contradiction',
      pointer: '/timestamp',
    },
    {
      name: 'an end on no calendar',
      content: changed((window) => (window.timestamp = '2026-02-30T00:00:00Z')),
      code: 'schema',
      pointer: '/timestamp',
    },
    {
      name: 'a longer window than the others',
      content: changed((window) => (window.duration_seconds = 61)),
      code: 'time_gap',
    },
    {
      name: 'more fills than makers and takers',
      content: both((summary) => (summary.fills = 3)),
      code: 'contradiction',
    },
    {
      name: 'fills that the symbols do not have',
      content: changed(({ summary }) => Object.assign(summary, { fills: 3, maker_count: 3 })),
      code: 'contradiction',
    },
    {
      name: 'a maker share of 1 without a fill',
      content: both((summary) => (summary.notional_quote.maker = 0)),
      code: 'contradiction',
    },
    {
      name: 'a maker share that is not that of the notionals',
      content: both((summary) => (summary.maker_taker_ratio = 0.5)),
      code: 'contradiction',
    },
    {
      name: 'a net edge that is not that of the driving model',
      content: both((summary) => (summary.net_bps = 9)),
      code: 'contradiction',
    },
    {
      name: 'a net edge without a fill',
      content: both((summary) => (summary.model_band.queue.n = 0)),
      code: 'contradiction',
    },
    {
      name: 'fills with a known edge but no edge',
      content: both((summary) => (summary.model_band.queue.net_bps = null)),
      code: 'contradiction',
    },
    {
      name: 'an edge without weight',
      content: both((summary) => (summary.model_band.queue.weight_quote = 0)),
      code: 'contradiction',
    },
    {
      name: 'more known edges than fills',
      content: both((summary) => (summary.model_band.touch.n = 99)),
      code: 'contradiction',
    },
    { name: 'a markout of no fill', content: both((summary) => (summary.markouts['1s'].n = 0)), code: 'contradiction' },
    {
      name: 'a histogram that lost messages',
      content: both((summary) => (summary.latency_ms.feed.histogram_us = [])),
      code: 'contradiction',
    },
    {
      name: 'a histogram with buckets of its own',
      content: both((summary) => (summary.latency_ms.feed.histogram_us = [[20_481, 400]])),
      code: 'contradiction',
    },
    {
      name: 'a p95 that is not that of the histogram’s summary',
      content: both((summary) => (summary.p95_latency_ms = 1)),
      code: 'contradiction',
    },
    {
      name: 'another driving model for a symbol',
      content: changed(({ by_symbol: bySymbol }) => (bySymbol['BTCUSDT']!.fill_model = 'queue')),
      code: 'contradiction',
    },
    {
      name: 'a million wrong symbols',
      content: changed((window) => Object.assign(window, { symbols: Array.from({ length: 1_000_000 }, () => 1) })),
      code: 'schema',
    },
    {
      name: 'millions of zeros for a histogram',
      content: both((summary) =>
        Object.assign(summary.latency_ms.feed, { histogram_us: new Array(3_000_000).fill(0) }),
      ),
      code: 'schema',
    },
    {
      name: 'a net edge in the whole that its symbols do not have',
      content: changed(({ summary }) => {
        summary.net_bps = 10;
        for (const model of BAND_MODELS) summary.model_band[model].net_bps = 10;
      }),
      code: 'contradiction',
    },
    {
      name: 'a pessimistic model in the whole that its symbols do not have',
      content: changed(({ summary }) => (summary.model_band.trade_through.net_bps = 10)),
      code: 'contradiction',
    },
    {
      name: 'a risk that is not that of the inventory',
      content: both((summary) => (summary.risk_ratio = 0)),
      code: 'contradiction',
    },
    {
      name: 'more unknown markouts than fills',
      content: both((summary) => (summary.markout_invalid = 3)),
      code: 'contradiction',
    },
    {
      name: 'more pending markouts than fills',
      content: both((summary) => (summary.markout_pending = 3)),
      code: 'contradiction',
    },
    {
      name: 'more latencies than messages',
      content: both((summary) => (summary.latency_ms.feed.uncorrected = 1e9)),
      code: 'contradiction',
    },
    {
      name: 'percentiles that are not those of the histogram',
      content: both((summary) => {
        summary.latency_ms.feed.p95 = 1;
        summary.p95_latency_ms = 1;
      }),
      code: 'contradiction',
    },
    {
      name: 'another driving model than the other windows',
      content: both((summary) => (summary.fill_model = 'touch')),
      code: 'mixed_run',
      pointer: '/summary/fill_model',
    },
    { name: 'a file beyond all size', content: ' '.repeat(17 * 1024 * 1024), code: 'malformed' },
  ])('$name', ({ file = 'ITER_SUMMARY_20.json', content, code, pointer }) => {
    const summary = withFile(file, content);
    expectHold(summary);
    if (code !== undefined) expect(summary.reasons.map((reason) => reason.code)).toContain(code);
    const named = summary.reasons.find((reason) => reason.code === code);
    if (code === 'missing_window') expect(named?.file).toMatch(/^ITER_SUMMARY_(20|50)\.json$/);
    else expect(named?.file).toMatch(/^ITER_SUMMARY_2[01]\.json$/);
    if (pointer !== undefined) expect(named?.pointer).toBe(pointer);
  });

  const window = windowOf(20);
  const places = placesOf(window);

  test('every field of a window missing, one after the other', () => {
    const seen = places.filter((path) => typeof path.at(-1) === 'string' && path[0] !== 'by_symbol');
    expect(seen.length).toBeGreaterThan(150);
    for (const path of seen) {
      const summary = withFile(
        'ITER_SUMMARY_20.json',
        altered(window, path, (parent, key) => Reflect.deleteProperty(parent, key)),
      );
      expect({ path: path.join('/'), verdict: summary.verdict }).toEqual({ path: path.join('/'), verdict: 'HOLD' });
      expectHold(summary);
    }
  });

  test.each([
    { name: 'a text that says NaN', value: 'NaN' },
    { name: 'an object', value: { value: 1 } },
    { name: 'an array', value: [1] },
    { name: 'true', value: true },
    { name: 'a huge negative number', value: -1e300 },
  ])('every field of a window as $name, one after the other', ({ name, value }) => {
    const numeric = typeof value === 'number';
    for (const path of places) {
      if (path[0] === 'by_symbol') continue;
      // A text may stand where a text is, and a number where any number may: those are other tests.
      const before = path.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], window);
      if (typeof before === typeof value && typeof value !== 'object') continue;
      if (numeric && (typeof before === 'number' || before === null)) continue;
      const summary = withFile(
        'ITER_SUMMARY_20.json',
        altered(window, path, (parent, key) => (parent[key] = value)),
      );
      expect({ name, path: path.join('/'), verdict: summary.verdict }).toEqual({
        name,
        path: path.join('/'),
        verdict: 'HOLD',
      });
    }
  });

  test.each<{ name: string; change: (folder: string) => void; code: string }>([
    {
      name: 'an empty folder',
      code: 'no_windows',
      change: (folder) => {
        rmSync(folder, { recursive: true });
        mkdirSync(folder);
      },
    },
    { name: 'no folder', code: 'no_folder', change: (folder) => rmSync(folder, { recursive: true }) },
    {
      name: 'a file in place of the folder',
      code: 'no_folder',
      change: (folder) => {
        rmSync(folder, { recursive: true });
        writeFileSync(folder, '');
      },
    },
    {
      name: 'a window with leading zeros beside the one without',
      code: 'foreign_name',
      change: (folder) => cpSync(join(folder, 'ITER_SUMMARY_7.json'), join(folder, 'ITER_SUMMARY_07.json')),
    },
    {
      name: 'a window of no number',
      code: 'foreign_name',
      change: (folder) => cpSync(join(folder, 'ITER_SUMMARY_7.json'), join(folder, 'ITER_SUMMARY_x.json')),
    },
    {
      name: 'a window 0',
      code: 'foreign_name',
      change: (folder) => cpSync(join(folder, 'ITER_SUMMARY_7.json'), join(folder, 'ITER_SUMMARY_0.json')),
    },
    {
      name: 'a copy of a window by a file manager',
      code: 'foreign_name',
      change: (folder) => cpSync(join(folder, 'ITER_SUMMARY_7.json'), join(folder, 'ITER_SUMMARY_7 (1).json')),
    },
    {
      name: 'a backup of a window',
      code: 'foreign_name',
      change: (folder) => cpSync(join(folder, 'ITER_SUMMARY_7.json'), join(folder, 'ITER_SUMMARY_7.json.bak')),
    },
    {
      name: 'a window in small letters',
      code: 'foreign_name',
      change: (folder) => cpSync(join(folder, 'ITER_SUMMARY_7.json'), join(folder, 'iter_summary_7.json')),
    },
    {
      name: 'a symbolic link to a good window',
      code: 'not_a_file',
      change: (folder) => replace(folder, (path) => symlinkSync('ITER_SUMMARY_19.json', path)),
    },
    {
      name: 'a link to itself',
      code: 'not_a_file',
      change: (folder) => replace(folder, (path) => symlinkSync('ITER_SUMMARY_20.json', path)),
    },
    {
      name: 'a link to nowhere',
      code: 'not_a_file',
      change: (folder) => replace(folder, (path) => symlinkSync('/nowhere', path)),
    },
    {
      name: 'a link to a device',
      code: 'not_a_file',
      change: (folder) => replace(folder, (path) => symlinkSync('/dev/zero', path)),
    },
    { name: 'a folder', code: 'not_a_file', change: (folder) => replace(folder, (path) => mkdirSync(path)) },
    {
      name: 'a pipe, which nobody writes to',
      code: 'not_a_file',
      change: (folder) => replace(folder, (path) => execFileSync('mkfifo', [path])),
    },
    {
      name: 'a file with a hole for its content',
      code: 'malformed',
      change: (folder) => truncateSync(join(folder, 'ITER_SUMMARY_20.json'), 100),
    },
    { name: 'every window the same', code: 'wrong_number', change: (folder) => eachWindow(folder, () => windowOf(1)) },
    {
      name: 'a run that began at 1 again over an older one (trap 17)',
      code: 'mixed_run',
      change: (folder) =>
        eachWindow(folder, (n) =>
          n <= 10 ? { ...windowOf(n), run_id: '20260103T000000Z-bbbbbbbbbbbb' } : windowOf(n),
        ),
    },
    {
      name: 'windows in the order of their names (trap 16)',
      code: 'time_gap',
      change: (folder) => {
        const byName = Array.from({ length: WINDOWS }, (_, index) => index + 1).sort((a, b) =>
          String(a) < String(b) ? -1 : 1,
        );
        eachWindow(folder, (n) => ({ ...windowOf(byName[n - 1]!), iteration: n }));
      },
    },
    {
      name: 'a run in the future',
      code: 'future',
      change: (folder) => eachWindow(folder, (n) => shifted(n, 86_400_000)),
    },
    {
      name: 'a run of last month',
      code: 'stale',
      change: (folder) => eachWindow(folder, (n) => shifted(n, -30 * 86_400_000)),
    },
    {
      name: 'a simulated run',
      code: 'wrong_source',
      change: (folder) => eachWindow(folder, (n) => ({ ...windowOf(n), source: 'mock' })),
    },
    {
      name: 'a run summary of another run',
      code: 'foreign_run_summary',
      change: (folder) =>
        rewrite(folder, 'SHADOW_RUN_SUMMARY.json', {
          ...runSummaryOf(WINDOWS),
          run_id: '20260103T000000Z-bbbbbbbbbbbb',
        }),
    },
    {
      name: 'a run summary that knows of more windows',
      code: 'missing_window',
      change: (folder) => rewrite(folder, 'SHADOW_RUN_SUMMARY.json', runSummaryOf(WINDOWS + 3)),
    },
    {
      name: 'a run summary that is a link',
      code: 'not_a_file',
      change: (folder) => {
        cpSync(join(folder, 'SHADOW_RUN_SUMMARY.json'), join(folder, 'elsewhere.json'));
        rmSync(join(folder, 'SHADOW_RUN_SUMMARY.json'));
        symlinkSync('elsewhere.json', join(folder, 'SHADOW_RUN_SUMMARY.json'));
      },
    },
    {
      name: 'no run summary',
      code: 'no_run_summary',
      change: (folder) => rmSync(join(folder, 'SHADOW_RUN_SUMMARY.json')),
    },
  ])('$name', ({ change, code }) => {
    const summary = withCopy(change);
    expectHold(summary);
    expect(summary.reasons.map((reason) => reason.code)).toContain(code);
  });

  test('a file that may not be read', () => {
    const copy = mkdtempSync(join(tmpdir(), 'shadow-broken-'));
    cpSync(good.path, copy, { recursive: true });
    chmodSync(copy, 0o755);
    chmodSync(join(copy, 'ITER_SUMMARY_20.json'), 0);
    // Root may read everything: it is somebody else for a moment.
    const root = process.geteuid!() === 0;
    if (root) process.seteuid!(65_534);
    try {
      const summary = judge(copy);
      expectHold(summary);
      expect(summary.reasons).toMatchObject([{ code: 'unreadable', file: 'ITER_SUMMARY_20.json' }]);
    } finally {
      if (root) process.seteuid!(0);
      rmSync(copy, { recursive: true, force: true });
    }
  });

  test('a socket in place of a window', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'shadow-broken-'));
    cpSync(good.path, copy, { recursive: true });
    rmSync(join(copy, 'ITER_SUMMARY_20.json'));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(copy, 'ITER_SUMMARY_20.json'), resolve));
    expectHold(judge(copy));
    await new Promise((resolve) => server.close(resolve));
    rmSync(copy, { recursive: true, force: true });
  });

  test('10 000 broken windows: all counted, a hundred told', () => {
    const folder = new ArtifactFolder();
    for (let n = 1; n <= 10_000; n++) folder.write(`ITER_SUMMARY_${n}.json`, '{"iteration":');
    const summary = judge(folder.path);
    folder.close();
    expectHold(summary);
    expect(summary.windows.found).toBe(10_000);
    expect(summary.reasons_total).toBe(10_000);
    expect(summary.reasons).toHaveLength(100);
  });
});

const replace = (folder: string, make: (path: string) => unknown): void => {
  const path = join(folder, 'ITER_SUMMARY_20.json');
  rmSync(path);
  make(path);
};
const rewrite = (folder: string, name: string, value: IterSummary | ShadowRunSummary): void =>
  writeFileSync(join(folder, name), canonicalJson(value));
const eachWindow = (folder: string, make: (n: number) => IterSummary): void => {
  for (let n = 1; n <= WINDOWS; n++) rewrite(folder, `ITER_SUMMARY_${n}.json`, make(n));
};
const shifted = (n: number, ms: number): IterSummary => {
  const window = windowOf(n);
  return { ...window, timestamp: new Date(Date.parse(window.timestamp) + ms).toISOString() };
};
