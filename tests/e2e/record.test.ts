import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { canonicalJson } from '../../collector/src/artifacts/canonical-json.ts';
import { segmentsIn } from '../../collector/src/feed/session-folder.ts';
import type { RawRecord } from '../../collector/src/feed/records.ts';
import { readRecording } from '../support/recording.ts';
import type { Flags } from './support/collector.ts';
import { argumentsOf, Collector, Process, readRunSummary, readWindows, runCli } from './support/collector.ts';
import { testOnDisk } from './support/disk.ts';
import { Scope, waitFor } from './support/scope.ts';
import { TestExchange } from './support/test-exchange.ts';

let scope: Scope;
let exchange: TestExchange;
beforeEach(async () => {
  scope = new Scope();
  exchange = await TestExchange.start(scope);
  exchange.stream(5);
});
afterEach(() => scope.close());

interface Recording {
  readonly process: Process;
  /** Of the session. */
  readonly folder: string;
}

/** `shadow record` of both symbols as a process, from the first record on that is on disk. */
async function startRecording(output: string, flags: Flags = {}): Promise<Recording> {
  const own = { symbols: 'BTCUSDT,ETHUSDT', ws_url: exchange.wsUrl, rest_url: exchange.restUrl, output, ...flags };
  const started = new Process(['record', ...argumentsOf(own)]);
  scope.add(() => started.kill());
  await waitFor(`the first segment ${started.stderr}`, () => sizeOf(output) > 0);
  return { process: started, folder: join(output, sessionsIn(output)[0]!) };
}

const sessionsIn = (output: string): string[] => readdirSync(output).filter((name) => name.startsWith('bybit-'));
const sizeOf = (output: string): number =>
  existsSync(output) ? sessionsIn(output).reduce((sum, name) => sum + bytesIn(join(output, name)), 0) : 0;
const bytesIn = (folder: string): number =>
  segmentsIn(folder).reduce((sum, { path }) => sum + readFileSync(path).length, 0);

async function stop({ process }: Recording, signal: NodeJS.Signals = 'SIGTERM') {
  const startMs = performance.now();
  process.child.kill(signal);
  const exit = await process.exit;
  return { ...exit, ms: performance.now() - startMs };
}

const dataFrames = (records: readonly RawRecord[]): number =>
  records.filter((record) => record.type === 'receive' && record.frame.includes('"topic":"')).length;

test('shadow record stops on a signal with everything on disk, and says on one line what it recorded', async () => {
  const recording = await startRecording(scope.folder(), { segment_s: 1 });
  const { folder } = recording;
  await waitFor('the third segment', () => segmentsIn(folder).length >= 3);
  const { code, ms, stdout, stderr } = await stop(recording);
  expect({ code, fast: ms < 2_000 }).toEqual({ code: 0, fast: true });
  expect(stderr).toBe(`recording BTCUSDT, ETHUSDT of bybit to ${folder}\n`);

  const { records, warnings, urls } = await readRecording(folder);
  expect(warnings).toEqual([]);
  expect(urls).toHaveLength(2);
  expect(records[0]).toMatchObject({ type: 'connect', url: exchange.wsUrl });
  expect(records.at(-1)!.type).toBe('end');
  expect(records.some(({ type }) => type === 'probe')).toBe(true);
  expect(records.map(({ monoUs }) => monoUs)).toEqual(records.map(({ monoUs }) => monoUs).sort((a, b) => a - b));
  const frames = records.filter(({ type }) => type === 'receive').length;
  const segments = segmentsIn(folder).length;
  expect(stdout).toMatch(
    new RegExp(
      `^${folder}: ${segments} segments, ${frames} frames, ${bytesIn(folder)} bytes, [\\d.]+ s, compression [\\d.]+, 0 dropped\\n$`,
    ),
  );
  const index = readFileSync(join(folder, 'INDEX.jsonl'), 'utf8').trimEnd().split('\n');
  expect(index).toHaveLength(segments);
});

test('shadow record ends by itself after its duration, and two of them do not share a folder', async () => {
  const output = join(scope.folder(), 'not/there/yet');
  const [first, second] = await Promise.all([1, 2].map(() => startRecording(output, { duration: 1.5 })));
  for (const { process } of [first!, second!]) {
    await waitFor('the end of the recording', () => !process.running);
    expect((await process.exit).code).toBe(0);
  }
  expect(sessionsIn(output)).toHaveLength(2);
  for (const name of sessionsIn(output)) {
    const { records, warnings } = await readRecording(join(output, name));
    expect(warnings).toEqual([]);
    const lastedUs = records.at(-1)!.monoUs - records[0]!.monoUs;
    expect(lastedUs / 1e6).toBeGreaterThan(1);
    expect(lastedUs / 1e6).toBeLessThan(2.5);
  }
});

test('kill -9 at any moment costs at most the last second, and a reader is told', async () => {
  const moments = [900, 1_350, 1_800, 2_250];
  await Promise.all(
    moments.map(async (ms) => {
      const { process, folder } = await startRecording(scope.folder(), { segment_s: 1 });
      await setTimeout(ms); // The moment itself is what is varied.
      const killedUs = Date.now() * 1_000;
      await process.kill();
      const { records, warnings } = await readRecording(folder);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain('has no end: its recorder was killed');
      expect((killedUs - records.at(-1)!.receiveTimeUs) / 1e6).toBeLessThan(1);
      expect(records.some(({ type }) => type === 'overflow')).toBe(false);
    }),
  );
});

test('a killed session is replayed with a warning, and the next one is beside it', async () => {
  const output = scope.folder();
  const { process, folder } = await startRecording(output);
  await process.kill();
  const artifacts = scope.folder();
  const flags = { symbols: 'BTCUSDT', iterations: 0, duration: 1, metrics_port: 0, output: artifacts };
  const { code, stderr } = await runCli(scope, ['run', ...argumentsOf({ replay: output, ...flags })]);
  expect(code).toBe(0);
  expect(stderr).toContain('has no end: its recorder was killed');

  const next = await startRecording(output);
  await waitFor('a second session', () => sessionsIn(output).length === 2);
  await stop(next);
  const two = await runCli(scope, ['run', ...argumentsOf({ replay: output, ...flags, output: scope.folder() })]);
  expect(two.code).toBe(3);
  for (const name of sessionsIn(output)) expect(two.stderr).toContain(join(output, name));
  expect(two.stderr).toContain(folder);
});

const files = (folder: string): string[] => [
  ...readWindows(folder).map((window) => canonicalJson({ ...window, source: null, process: null })),
  canonicalJson({ ...readRunSummary(folder), source: null, completed_at: null }),
];

test('the segments of a run replay to the artifacts of the run but for source and process', async () => {
  const record = scope.folder();
  const flags = { symbols: 'BTCUSDT,ETHUSDT', iterations: 2, duration: 3, spread_bps: 0, kpi_horizon_s: '1' };
  const segments = { record, segment_s: 2 };
  const live = await Collector.startMock(scope, { ...flags, ...segments, scenario: 'reconnect:3s+1s' });
  expect((await live.end()).code).toBe(0);
  const session = join(record, sessionsIn(record)[0]!);
  expect(segmentsIn(session).length).toBeGreaterThanOrEqual(3);
  expect((await readRecording(session)).warnings).toEqual([]);
  const output = scope.folder();
  const replay = await runCli(scope, ['run', ...argumentsOf({ ...flags, replay: record, output, metrics_port: 0 })]);
  expect({ code: replay.code, warned: /"level":[45]0/.test(replay.stderr) }).toEqual({ code: 0, warned: false });
  expect(readWindows(output)).toHaveLength(2);
  expect(readRunSummary(output)!.totals.feed.messages).toBeGreaterThan(50);
  expect(files(output)).toEqual(files(live.output));
});

test('--from and --to replay the part between them, with books from the first snapshots in there', async () => {
  const output = scope.folder();
  const recording = await startRecording(output, { segment_s: 1 });
  await waitFor('the third segment', () => segmentsIn(recording.folder).length >= 3);
  const from = new Date();
  for (const symbol of ['BTCUSDT', 'ETHUSDT']) exchange.snapshot('orderbook.50', symbol);
  await waitFor('two more', () => segmentsIn(recording.folder).length >= 5);
  const to = new Date();
  await waitFor('another', () => segmentsIn(recording.folder).length >= 6);
  await stop(recording);

  const artifacts = scope.folder();
  const part = { replay: output, from: from.toISOString(), to: to.toISOString() };
  const flags = { symbols: 'BTCUSDT,ETHUSDT', iterations: 0, duration: 1, metrics_port: 0, output: artifacts };
  const { code, stderr } = await runCli(scope, ['run', ...argumentsOf({ ...part, ...flags })]);
  expect({ code, warned: /"level":[45]0/.test(stderr) }).toEqual({ code: 0, warned: false });
  const range = { fromUs: from.getTime() * 1e3, toUs: to.getTime() * 1e3 };
  const { records } = await readRecording(output, range);
  const totals = readRunSummary(artifacts)!.totals;
  expect(records[0]!.receiveTimeUs).toBeGreaterThanOrEqual(range.fromUs);
  expect(records.at(-1)!.receiveTimeUs).toBeLessThan(range.toUs);
  expect(totals.feed.messages).toBe(dataFrames(records));
  expect(totals.orders.activated).toBeGreaterThan(0);
});

testOnDisk(
  'a full disk costs records and not the recording: it goes on once there is space',
  async ({ folder: mounted, fill, free }) => {
    const recording = await startRecording(join(mounted, 'recordings'));
    const { process, folder } = recording;
    fill();
    await waitFor('the failure to be told', () => process.stderr.includes('cannot record'), 20_000);
    expect(process.stderr).toContain('ENOSPC');
    free();
    await waitFor('the recording to go on', () => process.stderr.includes('recording again'), 25_000);
    await waitFor('the new books', () => exchange.asked('subscribe').length >= 6 + 4);
    expect(process.stderr).toMatch(/\d+ frames, [\d.]+ MB, \d+ frames\/s, [1-9]\d* dropped, connection open/);
    const { code, stdout } = await stop(recording);
    expect(code).toBe(3);
    expect(stdout).toMatch(/, [1-9]\d* dropped\n$/);
    const { records, warnings } = await readRecording(folder);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`${segmentsIn(folder)[0]!.path} has no end`);
    expect(records.filter(({ type }) => type === 'overflow')).toHaveLength(1);
    expect(records.at(-1)!.type).toBe('end');
    // Books are good again behind the hole: the recorder has asked for new ones, and for nothing else.
    const asked = [...exchange.markets.keys()].flatMap((symbol) => [`orderbook.50.${symbol}`, `orderbook.1.${symbol}`]);
    expect([...new Set(exchange.asked('unsubscribe'))].sort()).toEqual(asked.sort());
    const behind = records.slice(records.findIndex(({ type }) => type === 'overflow'));
    const snapshots = behind.filter((record) => record.type === 'receive' && isSnapshot(record.frame));
    expect(snapshots.length).toBeGreaterThanOrEqual(2);
  },
);

const isSnapshot = (frame: Buffer): boolean =>
  frame.includes('"topic":"orderbook.50') && frame.includes('"type":"snapshot"');

test.each([
  {
    name: 'wrong values',
    args: ['--duration', '-1', '--segment_s', '0', '--segment_mb', 'x', '--ws_url', 'http://x', '--depth', '7'],
    names: ['--duration', '--segment_s', '--segment_mb', '--ws_url', '--depth'],
  },
  { name: 'flags of a run', args: ['--spread_bps', '1', '--mock'], names: ['--spread_bps', '--mock'] },
])('$name are mistakes of usage: exit code 2, all of them named', async ({ args, names }) => {
  const { code, stdout, stderr } = await runCli(scope, ['record', ...args]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^SHADOW_ERR_USAGE: /);
  for (const name of names) expect(stderr).toContain(name);
});

test('an output that is no folder ends it with exit code 3, before the exchange is asked for anything', async () => {
  const output = join(scope.folder(), 'taken');
  writeFileSync(output, '');
  const flags = { ws_url: exchange.wsUrl, rest_url: exchange.restUrl, output };
  const { code, stdout, stderr } = await runCli(scope, ['record', ...argumentsOf(flags)]);
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toContain(`SHADOW_ERR_OUTPUT: cannot record to ${output}`);
  expect(exchange.requests).toEqual([]);
});

test('a stop before the exchange has answered is no failure, and leaves no session', async () => {
  await exchange.stop();
  const output = scope.folder();
  const flags = { ws_url: exchange.wsUrl, rest_url: exchange.restUrl, output, log_level: 'warn' };
  const started = new Process(['record', ...argumentsOf(flags)]);
  scope.add(() => started.kill());
  await waitFor('the first attempt', () => started.stderr.includes('not to be had yet'));
  const { code, ms } = await stop({ process: started, folder: output });
  expect({ code, fast: ms < 2_000, sessions: sessionsIn(output) }).toEqual({ code: 0, fast: true, sessions: [] });
});
