import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ShadowAudit } from '../../schema/types.gen.js';
import {
  auditValidator,
  snapshotValidator,
  validated,
  windowFillsValidator,
} from '../../collector/src/artifacts/validate.ts';
import { Collector, Process, runCli } from './support/collector.ts';
import { Scope, waitFor } from './support/scope.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope.close());

const json = (...path: string[]): unknown => JSON.parse(readFileSync(join(...path), 'utf8'));
const auditOf = (folder: string): ShadowAudit =>
  validated(auditValidator, json(folder, 'reports/analysis/POST_SHADOW_AUDIT_SUMMARY.json'), 'the audit');

/** A recording of the simulated exchange, replayed into a folder: a run whose market is known. */
async function replayed(spreadBps: number, recording: string): Promise<string> {
  const output = scope.folder();
  const market = ['--replay', recording, '--symbols', 'BTCUSDT', '--spread_bps', String(spreadBps)];
  const rest = [
    '--inventory_limit',
    '40000',
    '--iterations',
    '0',
    '--duration',
    '30',
    '--metrics_port',
    '0',
    '--output',
    output,
  ];
  expect((await runCli(scope, ['run', ...market, ...rest])).code).toBe(0);
  return output;
}

async function recordingOf(seconds: number): Promise<string> {
  const recording = join(scope.folder(), 'market.jsonl.br');
  const args = ['--record', recording, '--seconds', String(seconds), '--symbols', 'BTCUSDT', '--seed', '3'];
  expect((await runCli(scope, ['simulate', ...args])).code).toBe(0);
  return recording;
}

/** What a recorded run, which is old, needs to be judged at all. */
const OF_A_REPLAY = ['--source', 'replay', '--max_age_h', '0'];

test('a run is reported, judged, compared and archived', async () => {
  const recording = await recordingOf(1_500);
  const [near, far] = [await replayed(8, recording), await replayed(9, recording)];
  const windows = readdirSync(near).filter((name) => name.startsWith('ITER_SUMMARY_')).length;
  expect(windows).toBeGreaterThanOrEqual(50);

  // The fills of the files are those of the windows.
  const first = validated(windowFillsValidator, json(near, 'FILLS_1.json'), 'fills');
  expect(first.fills).toHaveLength((json(near, 'ITER_SUMMARY_1.json') as { summary: { fills: number } }).summary.fills);

  const report = await runCli(scope, ['report', '--src', near, '--last-n', '48']);
  expect(report).toMatchObject({ code: 0, stderr: '' });
  const snapshot = validated(snapshotValidator, json(near, 'reports/analysis/POST_SHADOW_SNAPSHOT.json'), 'it');
  expect(snapshot.window_size).toBe(48);
  expect(snapshot.pooled.net_bps.lower_95_bps).toBeGreaterThan(2.5);
  expect(existsSync(join(near, 'reports/analysis/POST_SHADOW_REPORT.html'))).toBe(true);

  // A replay is no live run: HOLD, and not by its numbers. Asked to judge it all the same, it is GO.
  const live = await runCli(scope, ['audit', '--base', near]);
  expect(live.code).toBe(1);
  expect(auditOf(near).reasons.map(({ code }) => code)).toEqual(['wrong_source', 'noted', 'stale']);
  const step = join(scope.folder(), 'step.md');
  writeFileSync(step, '');
  const gate = [...OF_A_REPLAY, '--fail-on-hold'];
  const go = await runCli(scope, ['audit', '--base', near, ...gate], { GITHUB_STEP_SUMMARY: step });
  expect({ code: go.code, verdict: auditOf(near).verdict, out: go.stdout }).toMatchObject({ code: 0, verdict: 'GO' });
  expect(readFileSync(step, 'utf8')).toContain('## Shadow audit: GO');

  const hold = await runCli(scope, ['audit', '--base', near, ...gate, '--min_edge', '9']);
  expect({ code: hold.code, verdict: auditOf(near).verdict }).toEqual({ code: 1, verdict: 'HOLD' });

  // A basis point further out earns a basis point more in this market, and the pairing sees it.
  const compared = await runCli(scope, ['compare', near, far]);
  expect(compared.code).toBe(1);
  expect(compared.stdout).toContain('by_symbol.BTCUSDT.spread_bps: 8 -> 9');
  expect(compared.stdout).toContain('DIFFER');
  expect((await runCli(scope, ['compare', near, near])).code).toBe(0);

  // The archive takes the older windows with their fills, and both reports; what stays can still be judged.
  const archived = await runCli(scope, ['archive', '--src', near, '--dst_root', scope.folder(), '--max-keep', '49']);
  expect(archived.stdout).toContain('[COPY] Audit summary copied to archive\n');
  expect(readdirSync(near).filter((name) => name.startsWith('FILLS_'))).toHaveLength(49);
  expect((await runCli(scope, ['audit', '--base', near, ...gate])).code).toBe(0);
});

test('a run that is still writing can be judged: what is not final is left out, and nothing is torn', async () => {
  const collector = await Collector.startMock(scope, { symbols: 'BTCUSDT,ETHUSDT', spread_bps: 8, duration: 1 });
  await collector.until('ten windows', () => collector.windows().length >= 10);
  const flags = ['--source', 'mock', '--allow_raw_latency', '--min_windows', '1'];
  for (let round = 0; round < 5; round++) {
    await runCli(scope, ['audit', '--base', collector.output, ...flags]);
    // Numbers may be too few for GO; the artifacts themselves are at no fault.
    const codes = new Set(auditOf(collector.output).reasons.map(({ code }) => code));
    for (const code of codes) expect(['insufficient_data', 'threshold', 'model']).toContain(code);
  }
  await collector.stop();
  await runCli(scope, ['audit', '--base', collector.output, ...flags]);
  expect(auditOf(collector.output)).toMatchObject({
    reasons: expect.not.arrayContaining([{ code: 'contradiction' }]),
  });
});

test('an audit that is killed leaves HOLD, whatever stood there before', async () => {
  const recording = await recordingOf(400);
  const folder = await replayed(8, recording);
  const path = join(folder, 'reports/analysis/POST_SHADOW_AUDIT_SUMMARY.json');
  await runCli(scope, ['audit', '--base', folder, ...OF_A_REPLAY]);
  writeFileSync(path, readFileSync(path, 'utf8').replace('"HOLD"', '"GO"'));
  // A pipe in place of a window would be HOLD too; a great many windows give the time to kill it in the middle.
  const template = readFileSync(join(folder, 'ITER_SUMMARY_1.json'));
  for (let n = 100; n < 4_000; n++) writeFileSync(join(folder, `ITER_SUMMARY_${n}.json`), template);
  const audit = new Process(['audit', '--base', folder, ...OF_A_REPLAY]);
  scope.add(() => audit.kill());
  await waitFor('the first words of the audit', () => readFileSync(path, 'utf8').includes('not_finished'), 10_000);
  await audit.kill();
  expect(auditOf(folder).verdict).toBe('HOLD');
});
