import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { bybitLinear } from '../../collector/src/feed/bybit.ts';
import { ServerTimeProbe } from '../../collector/src/feed/probe.ts';
import type { RawRecord } from '../../collector/src/feed/records.ts';
import { serverTimeBody } from '../../collector/src/simulator/server-time.ts';
import { systemClock } from '../../collector/src/system-clock.ts';
import { runCli } from './support/collector.ts';
import { Scope, waitFor } from './support/scope.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope.close());

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const good: Answer = (_, response) => response.end(JSON.stringify(serverTimeBody(Date.now() * 1_000)));

async function serve(answer: Answer): Promise<string> {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.add(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Probed = RawRecord & { readonly type: 'probe' };

/** Asks every 50 ms until there are so many records. */
async function probed(restUrl: string, count: number): Promise<readonly Probed[]> {
  const clock = systemClock();
  const records: Probed[] = [];
  const schedule = { dueUs: 0, sent: (nowUs: number) => (schedule.dueUs = nowUs + 50_000), hurry: () => undefined };
  const onRecord = (record: Probed): unknown => records.push(record);
  const probe = new ServerTimeProbe({ exchange: bybitLinear, restUrl, clock, random: () => 0.5, schedule, onRecord });
  scope.add(() => probe.stop());
  probe.start();
  await waitFor(`${count} probes`, () => records.length >= count);
  probe.stop();
  return records;
}

test('discards the first answer of a connection, asks again at once, and keeps the connection', async () => {
  let connections = 0;
  const sockets = new Set<unknown>();
  const restUrl = await serve((request, response) => {
    if (!sockets.has(request.socket)) connections++;
    sockets.add(request.socket);
    good(request, response);
  });
  const records = await probed(restUrl, 5);
  expect(records.slice(0, 5).map(({ result }) => result)).toEqual(['discarded', 'ok', 'ok', 'ok', 'ok']);
  expect(connections).toBe(1);
  for (const { sentMonoUs, answeredMonoUs, monoUs, serverTimeUs, receiveTimeUs } of records.slice(1)) {
    expect(answeredMonoUs).toBeGreaterThanOrEqual(sentMonoUs);
    expect(monoUs).toBeGreaterThanOrEqual(answeredMonoUs!);
    // The server's stamp is cut off at the millisecond.
    expect(serverTimeUs! - receiveTimeUs).toBeLessThan(2_000);
    expect(receiveTimeUs - serverTimeUs!).toBeLessThan(monoUs - sentMonoUs + 3_000);
  }
});

const failures: readonly { name: string; answer: Answer; result: string }[] = [
  { name: 'a status that is not 200', answer: (_, response) => response.writeHead(503).end('busy'), result: 'error' },
  { name: 'a body without a time', answer: (_, response) => response.end('{"retCode":0}'), result: 'malformed' },
  {
    name: 'a time that is no number',
    answer: (_, response) => response.end('{"result":{"timeNano":"soon"}}'),
    result: 'malformed',
  },
  { name: 'an empty body', answer: (_, response) => response.end(), result: 'malformed' },
  { name: 'a connection that is cut', answer: (request) => request.socket.destroy(), result: 'error' },
  {
    name: 'a body that breaks off',
    answer: (request, response) => {
      response.writeHead(200, { 'Content-Length': '500' });
      response.write('{"retCode":0,', () => request.socket.destroy());
    },
    result: 'error',
  },
  {
    name: 'a body that does not end',
    answer: (_, response) => {
      response.on('error', () => undefined);
      const more = (): unknown => !response.destroyed && response.write('x'.repeat(16_384), () => setImmediate(more));
      more();
    },
    result: 'error',
  },
  { name: 'no answer', answer: () => undefined, result: 'timeout' },
];
test.each(failures)('$name is a record, and asking goes on', async ({ answer, result }) => {
  const records = await probed(await serve(answer), 2);
  for (const record of records) expect(record).toMatchObject({ result, serverTimeUs: undefined });
});

test('a server that nobody is behind is an error, and one that comes back is asked', async () => {
  let broken = true;
  const restUrl = await serve((request, response) => (broken ? request.socket.destroy() : good(request, response)));
  const clock = systemClock();
  const results: string[] = [];
  const schedule = { dueUs: 0, sent: (nowUs: number) => (schedule.dueUs = nowUs + 20_000), hurry: () => undefined };
  const onRecord = ({ result }: Probed): unknown => results.push(result);
  const probe = new ServerTimeProbe({ exchange: bybitLinear, restUrl, clock, random: () => 0, schedule, onRecord });
  scope.add(() => probe.stop());
  probe.start();
  await waitFor('an error', () => results.includes('error'));
  broken = false;
  await waitFor('an answer', () => results.includes('ok'));
});

test('a stamp too coarse to measure anything is refused before anything is asked', () => {
  const coarse = { ...bybitLinear, id: 'coarse', serverTime: { ...bybitLinear.serverTime, granularityUs: 1_000_000 } };
  const options = { exchange: coarse, restUrl: 'http://127.0.0.1:1', clock: systemClock(), random: () => 0 };
  expect(() => new ServerTimeProbe({ ...options, onRecord: () => undefined })).toThrow(
    /at most 50 ms, coarse stamps to 1000 ms/,
  );
});

test('shadow clock tells the offset, the band and what to make of it, and exits with 1 when the clock is off', async () => {
  const behindMs = 1_270;
  const clock = systemClock();
  const restUrl = await serve((_, response) =>
    response.end(JSON.stringify(serverTimeBody(clock.wallUs() + behindMs * 1_000))),
  );
  const { code, stdout } = await runCli(scope, ['clock', '--rest_url', restUrl, '--duration', '5']);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^offset +−12[67]\d\.\d ± \d+\.\d+ ms/m);
  expect(stdout).toMatch(/^skew +n\/a/m);
  expect(stdout).toMatch(/^Your clock is 1\.27 s behind\. Fix NTP before you trust latency/m);
  const json = await runCli(scope, [
    'clock',
    '--rest_url',
    restUrl,
    '--duration',
    '5',
    '--format',
    'json',
    '--limit_ms',
    '5000',
  ]);
  expect(json.code).toBe(0);
  const result = JSON.parse(json.stdout) as Record<string, unknown>;
  expect(result).toMatchObject({ exchange: 'bybit', verdict: 'fine', skew_ppm: null });
  expect(Math.abs(Number(result['offset_ms']) + behindMs)).toBeLessThanOrEqual(Number(result['uncertainty_ms']) + 2);
});

test('shadow clock says what came when no answer is to be had, and exits with 3', async () => {
  const restUrl = await serve((_, response) => response.writeHead(403).end('not from your country'));
  const { code, stderr } = await runCli(scope, ['clock', '--rest_url', restUrl, '--duration', '5']);
  expect(code).toBe(3);
  expect(stderr).toMatch(/SHADOW_ERR_CONNECTION: no usable answer .* status 403, "not from your country"/);
});
