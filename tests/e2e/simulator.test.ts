import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { canonicalJson } from '../../collector/src/artifacts/canonical-json.ts';
import { bybitLinear } from '../../collector/src/feed/bybit.ts';
import { SIMULATE_FLAGS } from '../../collector/src/simulate-flags.ts';
import { instrumentOf, LISTED_SYMBOLS, marketOf } from '../../collector/src/simulator/markets.ts';
import { SCENARIO_NAMES } from '../../collector/src/simulator/scenario.ts';
import type { Exit, Flags } from './support/collector.ts';
import { argumentsOf, readRunSummary, readWindows, runCli } from './support/collector.ts';
import { Scope, waitFor } from './support/scope.ts';
import { SimulatorClient, SimulatorProcess } from './support/simulator.ts';

/** What one scope opens is closed after each test, what the other opens after all of them. */
let scope: Scope;
const whole = new Scope();
let simulator: SimulatorProcess;
beforeAll(async () => {
  simulator = await SimulatorProcess.start(whole);
});
afterAll(() => whole.close());
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope.close());

const simulate = (flags: Flags): Promise<Exit> => runCli(scope, ['simulate', ...argumentsOf(flags)]);
const openClient = (of: SimulatorProcess = simulator): Promise<SimulatorClient> => SimulatorClient.open(scope, of);

interface RestAnswer {
  readonly retCode: number;
  readonly result: { readonly list?: readonly { readonly symbol: string }[]; timeSecond?: string; timeNano?: string };
  readonly time: number;
}

async function get(path: string, init?: RequestInit): Promise<{ status: number; text: string; body: RestAnswer }> {
  const response = await fetch(`${simulator.restUrl}${path}`, init);
  const text = await response.text();
  return { status: response.status, text, body: JSON.parse(text) as RestAnswer };
}

describe('REST', () => {
  test.each(LISTED_SYMBOLS)('tells the sizes of %s as the adapter reads them', async (symbol) => {
    const { status, text, body } = await get(bybitLinear.instrumentPath(symbol));
    expect([status, body.retCode]).toEqual([200, 0]);
    expect(bybitLinear.parseInstruments(text)).toEqual([instrumentOf(marketOf(symbol)!)]);
  });

  test('lists every symbol when none is asked for', async () => {
    const { body } = await get('/v5/market/instruments-info?category=linear');
    expect(body.result.list!.map(({ symbol }) => symbol)).toEqual(LISTED_SYMBOLS);
  });

  test.each([
    { name: 'a symbol it does not list', query: 'category=linear&symbol=NOPEUSDT' },
    { name: 'an empty symbol', query: 'category=linear&symbol=' },
    { name: 'a symbol in small letters', query: 'category=linear&symbol=btcusdt' },
    { name: 'another category', query: 'category=spot&symbol=BTCUSDT' },
    { name: 'no category', query: 'symbol=BTCUSDT' },
  ])('answers retCode 10001 to $name', async ({ query }) => {
    const { status, text, body } = await get(`/v5/market/instruments-info?${query}`);
    expect([status, body.retCode]).toEqual([200, 10_001]);
    expect(() => bybitLinear.parseInstruments(text)).toThrow('10001');
  });

  test('tells the time in three ways that agree, between sending and receiving', async () => {
    const before = Date.now();
    const { body } = await get('/v5/market/time');
    const { timeSecond, timeNano } = body.result;
    expect(timeNano).toMatch(/^\d{19}$/);
    expect(Number(timeNano!.slice(0, 13))).toBe(body.time);
    expect(Number(timeSecond)).toBe(Math.floor(body.time / 1_000));
    // Whole milliseconds on both sides, and the machine's two clocks may be a few apart.
    expect(body.time).toBeGreaterThanOrEqual(before - 10);
    expect(body.time).toBeLessThanOrEqual(Date.now() + 10);
  });

  test('refuses other methods and other paths', async () => {
    for (const path of ['/', '/v5/market/tickers', '/v5/order/create', '/v5/market/time/', '/v5/public/linear']) {
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    }
    for (const method of ['POST', 'PUT', 'DELETE']) {
      expect([method, (await get('/v5/market/time', { method })).status]).toEqual([method, 405]);
    }
  });
});

describe('the WebSocket', () => {
  const TOPIC = 'orderbook.50.BTCUSDT';

  test('acknowledges a subscription by its id, and then sends a snapshot and deltas that follow it', async () => {
    const client = await openClient();
    client.send({ op: 'subscribe', req_id: 'seven', args: [TOPIC] });
    await waitFor('three frames', () => client.of(TOPIC).length >= 3);
    expect(client.received[0]).toMatchObject({ op: 'subscribe', success: true, ret_msg: '', req_id: 'seven' });
    expect(client.received.slice(1, 4).map(({ topic, type }) => [topic, type])).toEqual([
      [TOPIC, 'snapshot'],
      [TOPIC, 'delta'],
      [TOPIC, 'delta'],
    ]);
    const updates = client.of(TOPIC).map(({ data }) => data!.u!);
    expect(updates).toEqual(updates.map((_, at) => updates[0]! + at));
  });

  test('refuses a request with an unknown topic as a whole, and does not say which request it was', async () => {
    const client = await openClient();
    for (const bad of ['orderbook.50.NOPEUSDT', 'orderbook.500.BTCUSDT', 'tickers.BTCUSDT', '', 'orderbook.1']) {
      const answer = await client.ask({ op: 'subscribe', req_id: '1', args: [TOPIC, bad] });
      expect(answer).toMatchObject({ op: 'subscribe', success: false, ret_msg: expect.stringContaining(`[${bad}]`) });
      expect(answer.req_id).toBeUndefined();
    }
    // Nothing of the refused requests comes before what is asked for next.
    await client.ask({ op: 'subscribe', args: ['orderbook.1.ETHUSDT'] });
    await waitFor('data', () => client.of('orderbook.1.ETHUSDT').length >= 20);
    expect(client.of(TOPIC)).toEqual([]);
  });

  test('answers a ping with a pong', async () => {
    const client = await openClient();
    expect(await client.ask(bybitLinear.ping)).toMatchObject({ op: 'ping', success: true, ret_msg: 'pong' });
    expect(await client.ask({ op: 'ping', req_id: '5' })).toMatchObject({ ret_msg: 'pong', req_id: '5' });
  });

  test('sends no frame of a topic behind the acknowledgement of its end, and a snapshot when asked for again', async () => {
    const client = await openClient();
    const others = ['orderbook.1.BTCUSDT', 'publicTrade.BTCUSDT'];
    await client.ask({ op: 'subscribe', args: [TOPIC, ...others] });
    await waitFor('data', () => client.of(TOPIC).length >= 5 && client.of(others[0]!).length >= 5);
    await client.ask({ op: 'unsubscribe', req_id: 'end', args: [TOPIC] });
    const seen = client.of(others[0]!).length;
    await waitFor('more of another topic', () => client.of(others[0]!).length >= seen + 20);
    const ended = client.received.findIndex(({ req_id: id }) => id === 'end');
    expect(client.received.slice(ended).filter(({ topic }) => topic === TOPIC)).toEqual([]);
    const before = client.of(TOPIC).length;
    await client.ask({ op: 'subscribe', args: [TOPIC] });
    await waitFor('data again', () => client.of(TOPIC).length >= before + 3);
    const again = client.of(TOPIC).slice(before);
    expect(again.map(({ type }) => type).slice(0, 3)).toEqual(['snapshot', 'delta', 'delta']);
    expect(again[1]!.data!.u).toBe(again[0]!.data!.u! + 1);
  });

  test('shows two clients the same market, and goes on for one when the other leaves', async () => {
    const [one, two] = [await openClient(), await openClient()];
    await one.ask({ op: 'subscribe', args: [TOPIC] });
    await waitFor('data', () => one.of(TOPIC).length >= 10);
    await two.ask({ op: 'subscribe', args: [TOPIC] });
    await waitFor('data', () => two.of(TOPIC).length >= 30);
    const byUpdate = new Map(one.of(TOPIC).map((message) => [message.data!.u, message]));
    const both = two.of(TOPIC).filter(({ type, data }) => type === 'delta' && byUpdate.has(data!.u));
    expect(both.length).toBeGreaterThan(10);
    for (const message of both) expect(message).toEqual(byUpdate.get(message.data!.u));
    one.socket.terminate();
    const before = two.of(TOPIC).length;
    await waitFor('data for the other', () => two.of(TOPIC).length >= before + 30);
    const updates = two.of(TOPIC).map(({ data }) => data!.u!);
    expect(updates).toEqual(updates.map((_, at) => updates[0]! + at));
  });

  test('a subscription made twice brings every update once', async () => {
    const client = await openClient();
    await client.ask({ op: 'subscribe', args: [TOPIC, TOPIC] });
    await client.ask({ op: 'subscribe', args: [TOPIC] });
    await waitFor('data', () => client.of(TOPIC).length >= 20);
    const updates = client.of(TOPIC).flatMap(({ type, data }) => (type === 'delta' ? [data!.u!] : []));
    expect(updates).toEqual(updates.map((_, at) => updates[0]! + at));
  });

  test('is at one path only', async () => {
    for (const path of ['/', '/v5/public/spot', '/v5/public/linear/x', '/v5/private']) {
      const wsUrl = `${simulator.restUrl.replace('http', 'ws')}${path}`;
      await expect(SimulatorClient.open(scope, { wsUrl })).rejects.toThrow();
    }
  });
});

describe('a hostile client', () => {
  /** Bytes on a bare connection, and the end of it. */
  async function raw(port: number, bytes: string | Buffer): Promise<void> {
    const socket = connect(port, '127.0.0.1');
    scope.add(() => socket.destroy());
    let over = false;
    socket.on('data', () => (over = true));
    socket.on('close', () => (over = true));
    socket.on('error', () => (over = true));
    socket.write(bytes);
    await waitFor('an answer, or the end of the connection', () => over);
  }

  async function expectServing(own: SimulatorProcess): Promise<void> {
    expect({ running: own.running, stderr: own.stderr }).toEqual({ running: true, stderr: '' });
    const client = await openClient(own);
    expect(await client.ask({ op: 'ping' })).toMatchObject({ ret_msg: 'pong' });
    await client.ask({ op: 'subscribe', args: ['orderbook.1.BTCUSDT'] });
    await waitFor('data', () => client.of('orderbook.1.BTCUSDT').length >= 3);
  }

  test('is told of every request that is none, and keeps its connection', async () => {
    const client = await openClient();
    const requests = ['', 'x', '{', 'null', '5', '"text"', '[]', '[[]]', '{}', '{"op":null}', '{"op":["subscribe"]}'];
    for (const request of [...requests, '{"op":"trade"}', '{"op":"__proto__"}', Buffer.from([0, 255, 128])]) {
      expect([request, (await client.ask(request)).success]).toEqual([request, false]);
    }
    for (const args of [undefined, null, 5, 'orderbook.1.BTCUSDT', {}]) {
      expect(await client.ask({ op: 'unsubscribe', args })).toMatchObject({ success: true });
    }
    expect(await client.ask({ op: 'ping', req_id: 5 })).toMatchObject({ ret_msg: 'pong' });
    expect(simulator.running).toBe(true);
  });

  test.each([
    { name: 'a topic that cannot become a text', request: '{"op":"subscribe","args":[{"toString":1,"valueOf":1}]}' },
    {
      name: 'a topic in a hundred thousand brackets',
      request: `{"op":"subscribe","args":${'['.repeat(1e5)}${']'.repeat(1e5)}}`,
    },
    { name: 'a topic that is null', request: '{"op":"subscribe","args":[null,1,true,{"a":1}]}' },
    {
      name: 'as many topics as a frame holds',
      request: JSON.stringify({ op: 'subscribe', args: Array(60_000).fill('x') }),
    },
  ])('that sends $name does not end the exchange', async ({ request }) => {
    const own = await SimulatorProcess.start(scope, { symbols: 'BTCUSDT' });
    const client = await openClient(own);
    client.send(request);
    await waitFor(
      'an answer, or the end of the connection',
      () => client.received.length > 0 || client.closeCode !== undefined,
    );
    await expectServing(own);
  });

  test.each([
    { name: 'no HTTP', bytes: Buffer.from([0x16, 3, 1, 0, 0xff, 0, 13, 10, 13, 10]) },
    { name: 'a path of two slashes', bytes: 'GET // HTTP/1.1\r\nHost: x\r\n\r\n' },
    { name: 'a path that is no address', bytes: 'GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n' },
    { name: 'an asterisk for a path', bytes: 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n' },
    {
      name: 'a WebSocket handshake without a key',
      bytes: 'GET /v5/public/linear HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    },
  ])('that sends $name on a bare connection does not end the exchange', async ({ bytes }) => {
    const own = await SimulatorProcess.start(scope, { symbols: 'BTCUSDT' });
    await raw(own.port, bytes);
    await expectServing(own);
  });

  test('that sends a frame of a megabyte is cut off, and told why', async () => {
    const client = await openClient();
    client.send(`{"op":"ping","x":"${'x'.repeat(1_000_000)}"}`);
    await waitFor('the end of the connection', () => client.closeCode !== undefined);
    expect(client.closeCode).toBe(1009); // RFC 6455: "a message that is too big for it to process"
    await expectServing(simulator);
  });

  test('that does not read is cut off, and the others do not notice', async () => {
    const own = await SimulatorProcess.start(scope, { symbols: 'BTCUSDT' });
    const [slow, other] = [await openClient(own), await openClient(own)];
    await other.ask({ op: 'subscribe', args: ['orderbook.50.BTCUSDT'] });
    slow.socket.pause();
    // Every request brings a snapshot, 9 kB each: more than 32 MB are soon waiting for it.
    for (let count = 0; count < 12_000; count++) slow.send({ op: 'subscribe', args: ['orderbook.200.BTCUSDT'] });
    const before = other.of('orderbook.50.BTCUSDT').length;
    await waitFor('two seconds of market', () => other.of('orderbook.50.BTCUSDT').length >= before + 100);
    slow.socket.resume();
    await waitFor('the end of the slow one', () => slow.closeCode !== undefined);
    expect(slow.closeCode).toBe(1006);
    const updates = other.of('orderbook.50.BTCUSDT').map(({ data }) => data!.u!);
    expect(updates).toEqual(updates.map((_, at) => updates[0]! + at));
    await expectServing(own);
  });
});

describe('shadow simulate', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    'ends on %s with code 0 at once, and its port is free again',
    async (signal) => {
      const first = await SimulatorProcess.start(scope);
      const client = await openClient(first);
      await client.ask({ op: 'subscribe', args: ['orderbook.1.BTCUSDT'] });
      const { port } = first;
      const { code, ms } = await first.end(signal);
      expect({ code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' });
      expect(ms).toBeLessThan(1_500);
      await waitFor('the client to be told', () => client.closeCode !== undefined);
      const second = await SimulatorProcess.start(scope, { port });
      expect(second.port).toBe(port);
    },
  );

  test('on a port in use ends with exit code 3 and names the port and the flag', async () => {
    const { code, stdout, stderr } = await simulate({ port: simulator.port });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain(`SHADOW_ERR_PORT: cannot listen on 127.0.0.1:${simulator.port}`);
    expect(stderr).toContain('--port');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('--help names every flag and every scenario', async () => {
    const { code, stdout, stderr } = await runCli(scope, ['simulate', '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of Object.keys(SIMULATE_FLAGS)) expect(stdout).toContain(`--${name} `);
    for (const name of SCENARIO_NAMES) expect(stdout).toContain(name);
  });

  test('tells all that is wrong with its flags at once', async () => {
    const wrong = {
      bogus: 1,
      seed: 'x',
      port: 99_999,
      scenario: 'nix',
      start: 'yesterday',
      cancel_law: 'z',
      seconds: 0,
    };
    const { code, stdout, stderr } = await simulate({ ...wrong, depth: 7, symbols: '!' });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^SHADOW_ERR_USAGE: /);
    expect(stderr).not.toMatch(/^\s+at /m);
    for (const name of [...Object.keys(wrong), 'depth', 'symbols']) expect(stderr).toContain(`--${name}`);
  });

  test('names a symbol that it does not list, with exit code 2', async () => {
    const { code, stderr } = await simulate({ symbols: 'BTCUSDT,NOPEUSDT' });
    expect(code).toBe(2);
    expect(stderr).toContain('NOPEUSDT');
    expect(stderr).toContain('BTCUSDT, ETHUSDT');
  });
});

const files = (folder: string): [string, string][] =>
  readdirSync(folder)
    .sort()
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')]);

async function replay(recording: string, flags: Flags): Promise<string> {
  const output = scope.folder();
  const exit = await runCli(scope, ['run', ...argumentsOf({ replay: recording, output, metrics_port: 0, ...flags })]);
  expect({ code: exit.code, errors: /"level":50/.test(exit.stderr) }).toEqual({ code: 0, errors: false });
  return output;
}

interface RecordedLine {
  readonly t: string;
  readonly m: number;
  readonly w: number;
}

const linesOf = (path: string): RecordedLine[] =>
  brotliDecompressSync(readFileSync(path))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RecordedLine);

describe('shadow simulate --record', () => {
  const RECORD = { symbols: 'BTCUSDT,DOGEUSDT', seed: 7 };

  test('writes the same bytes every time, and their replays the same artifacts', async () => {
    const folder = scope.folder();
    const paths = ['one', 'two'].map((name) => join(folder, `${name}.jsonl.br`));
    const scenario = 'reconnect:10s+5s,bad-frames:20s+5s,gap:30s';
    for (const record of paths) {
      const { code, stderr } = await simulate({ ...RECORD, seconds: 40, scenario, record });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    }
    expect(readFileSync(paths[1]!).equals(readFileSync(paths[0]!))).toBe(true);
    const flags = { symbols: RECORD.symbols, iterations: 0, duration: 10, spread_bps: 0, kpi_horizon_s: '1' };
    const outputs = [await replay(paths[0]!, flags), await replay(paths[1]!, flags), await replay(paths[0]!, flags)];
    const [first, ...others] = outputs.map(files);
    for (const other of others) expect(other).toEqual(first);
    const windows = readWindows(outputs[0]!);
    expect(windows).toHaveLength(4);
    expect(
      windows.every(
        ({ source, notes }) => source === 'replay' && notes.some((note) => /simulated exchange, seed 7/.test(note)),
      ),
    ).toBe(true);
    expect(readRunSummary(outputs[0]!)!.totals.fills).toBeGreaterThan(0);

    const other = join(folder, 'other.jsonl.br');
    await simulate({ ...RECORD, seed: 8, seconds: 40, scenario, record: other });
    expect(readFileSync(other).equals(readFileSync(paths[0]!))).toBe(false);
  });

  test('writes the same bytes also when it takes longer than the writer keeps them back', async () => {
    const folder = scope.folder();
    const paths = ['one', 'two'].map((name) => join(folder, `${name}.jsonl.br`));
    // Beside each other, so that neither is as fast as the other.
    const exits = await Promise.all(
      paths.map((record) => simulate({ ...RECORD, symbols: 'BTCUSDT,ETHUSDT', seconds: 240, record })),
    );
    expect(exits.map(({ code }) => code)).toEqual([0, 0]);
    const [one, two] = paths.map((path) => readFileSync(path));
    expect(brotliDecompressSync(two!).equals(brotliDecompressSync(one!))).toBe(true);
    expect(two!.equals(one!)).toBe(true);
  });

  test('stopped early leaves a recording that ends when its market did', async () => {
    const record = join(scope.folder(), 'stopped.jsonl.br');
    const stopped = runCli(scope, ['simulate', ...argumentsOf({ ...RECORD, seconds: 604_800, record })]);
    // The only thing that can be waited for is the file; a signal goes to the process that has it open.
    await waitFor('the recording to grow', () => existsSync(record) && readFileSync(record).length > 100_000);
    process.kill(pidWriting(record), 'SIGINT');
    expect((await stopped).code).toBe(0);
    const lines = linesOf(record);
    const [last, end] = [lines.at(-2)!, lines.at(-1)!];
    expect(end.t).toBe('end');
    expect(end.w - last.w).toBeLessThan(1_000_000);
    // A replay makes every step up to this stamp.
    expect(end.m - last.m).toBe(end.w - last.w);
  });

  test('does not write over a file', async () => {
    const record = join(scope.folder(), 'there.jsonl.br');
    writeFileSync(record, 'mine');
    const { code, stdout, stderr } = await simulate({ ...RECORD, seconds: 1, record });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain(`SHADOW_ERR_OUTPUT: cannot make the recording ${record}`);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(readFileSync(record, 'utf8')).toBe('mine');
  });

  test('begins at the time asked for, and is as long as asked for', async () => {
    const record = join(scope.folder(), 'short.jsonl.br');
    const start = '2026-03-04T05:06:07Z';
    expect((await simulate({ ...RECORD, seconds: 3, start, record })).code).toBe(0);
    const stamped = linesOf(record).filter(({ t }) => t !== 'header' && t !== 'http');
    expect(stamped[0]!.w).toBe(Date.parse(start) * 1_000);
    expect(stamped.at(-1)).toMatchObject({ t: 'end', w: Date.parse(start) * 1_000 + 3_000_000 });
    const stamps = stamped.map(({ w }) => w);
    expect(stamps).toEqual([...stamps].sort((a, b) => a - b));
  });
});

/** The process that holds the file open, by /proc. */
function pidWriting(path: string): number {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const command = existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0') : [];
    if (command.includes('simulate') && command.includes(path)) return Number(pid);
  }
  throw new Error(`no process writes ${path}`);
}

describe('shadow run', () => {
  test.each([
    { name: '--mock with --replay', args: ['--mock', '--replay', 'x.jsonl.br'], names: ['--mock', '--replay'] },
    { name: '--mock with --ws_url', args: ['--mock', '--ws_url', 'ws://127.0.0.1/x'], names: ['--mock', '--ws_url'] },
    {
      name: '--mock with --rest_url',
      args: ['--mock', '--rest_url', 'http://127.0.0.1'],
      names: ['--mock', '--rest_url'],
    },
    {
      name: '--mock of spot',
      args: ['--mock', '--exchange', 'bybit-spot'],
      names: ['--mock', '--exchange bybit', '"bybit-spot"'],
    },
    { name: '--scenario without --mock', args: ['--scenario', 'gap'], names: ['--scenario', '--mock'] },
    {
      name: 'an unknown scenario',
      args: ['--mock', '--scenario', 'gap,quake'],
      names: ['--scenario', 'latency-high:60s+120s', '"gap,quake"'],
    },
    { name: 'a scenario at no time', args: ['--mock', '--scenario', 'gap:soon'], names: ['--scenario', '"gap:soon"'] },
    {
      name: 'all of it at once',
      args: ['--mock', '--replay', 'x', '--ws_url', 'ws://x', '--exchange', 'bybit-spot', '--scenario', 'x'],
      names: ['--replay', '--ws_url', 'bybit-spot', '--scenario'],
    },
  ])('$name is a mistake of usage: exit code 2 and a sentence', async ({ args, names }) => {
    const { code, stdout, stderr } = await runCli(scope, ['run', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^SHADOW_ERR_USAGE: /);
    expect(stderr).not.toMatch(/^\s+at /m);
    for (const text of names) expect(stderr).toContain(text);
  });

  const RUN = {
    iterations: 2,
    duration: 2,
    drain: 1,
    spread_bps: 0,
    kpi_horizon_s: '1',
    min_requote_interval_ms: 50,
    metrics_port: 0,
  };

  test('works against a simulated exchange elsewhere, and its artifacts say where the feed came from', async () => {
    const output = scope.folder();
    const flags = {
      ...RUN,
      duration: 1,
      symbols: 'BTCUSDT,DOGEUSDT',
      ws_url: simulator.wsUrl,
      rest_url: simulator.restUrl,
      output,
    };
    const { code, stderr } = await runCli(scope, ['run', ...argumentsOf(flags)]);
    expect({ code, errors: /"level":50/.test(stderr) }).toEqual({ code: 0, errors: false });
    const windows = readWindows(output);
    expect(windows).toHaveLength(2);
    for (const { source, notes, summary } of windows) {
      expect(source).toBe('live');
      expect(notes).toEqual([
        `feed from 127.0.0.1:${simulator.port}, not from stream.bybit.com`,
        `tick and lot sizes from 127.0.0.1:${simulator.port}, not from api.bybit.com`,
      ]);
      expect(summary.feed).toMatchObject({ gaps: 0, bad: 0 });
      expect(summary.feed.messages).toBeGreaterThan(100);
    }
    expect(readRunSummary(output)!.totals.orders.activated).toBeGreaterThan(0);
  });

  test('--mock says so, and the replay of its recording gives the same artifacts but for source and process', async () => {
    const output = scope.folder();
    const record = join(scope.folder(), 'mock.jsonl.br');
    const flags = { ...RUN, symbols: 'BTCUSDT,DOGEUSDT', seed: 9 };
    const scenario = 'reconnect:1s+1s,bad-frames:2s';
    const args = argumentsOf({ ...flags, mock: true, scenario, record, output });
    const { code } = await runCli(scope, ['run', ...args]);
    expect(code).toBe(0);
    const live = readWindows(output);
    expect(live).toHaveLength(2);
    const note = expect.stringMatching(/^simulated exchange, seed 9, scenario reconnect:1s\+1s,bad-frames:2s$/);
    for (const { source, notes } of live) expect({ source, notes }).toEqual({ source: 'mock', notes: [note] });
    expect(readRunSummary(output)).toMatchObject({ source: 'mock' });
    expect(readRunSummary(output)!.totals.feed.bad).toBeGreaterThan(0);

    const again = await replay(record, flags);
    const ofMarket = (folder: string): unknown[] => [
      ...readWindows(folder).map(
        (window) => JSON.parse(canonicalJson({ ...window, source: null, process: null })) as unknown,
      ),
      JSON.parse(canonicalJson({ ...readRunSummary(folder)!, source: null, completed_at: null })),
    ];
    expect(ofMarket(again)).toEqual(ofMarket(output));
    expect(readWindows(again).map(({ source, process: own }) => [source, own])).toEqual([
      ['replay', null],
      ['replay', null],
    ]);
  });
});
