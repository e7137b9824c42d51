// What recording costs: a frame through the writer against JSON.parse of it, the writer at 10 000 simulated frames a second, and
// the whole `shadow record` on a loopback WebSocket at that rate. CPU time, compression threads included. Needs a build, the recording (see
// shared/data), and Linux for the CPU of the other process.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { WebSocketServer } from 'ws';
import { RecordingWriter } from '../../dist/feed/recording-writer.js';
import { SegmentRecorder } from '../../dist/feed/segment-recorder.js';
import { instrumentsBody } from '../../dist/simulator/instruments.js';
import { serverTimeBody } from '../../dist/simulator/server-time.js';
import { SimulatedExchange } from '../../dist/simulator/simulated-exchange.js';
import { frames as recorded } from './recording.js';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'DOGEUSDT'];
const CHANNELS = ['orderbook.50', 'orderbook.1', 'publicTrade'];
const RATE = 10_000;
const BURST_MS = 10;
const SECONDS = Number(process.env.BENCH_SECONDS ?? 20);
const ROUNDS = 9;
const FRAMES = 100_000;

/** Frames of a simulated market, in the exact format of the exchange. */
function market() {
  const exchange = new SimulatedExchange({ symbols: SYMBOLS, seed: 1, startUs: 1_767_225_600_000_000, scenarios: [] });
  for (const topic of SYMBOLS.flatMap((symbol) => CHANNELS.map((channel) => `${channel}.${symbol}`))) {
    exchange.subscribe(topic);
    exchange.snapshot(topic);
  }
  const frames = [];
  while (frames.length < FRAMES) for (const { text } of exchange.step()) frames.push(Buffer.from(text));
  return { frames, markets: [...exchange.symbols.values()].map(({ market: own }) => own) };
}

/** Calls back every few milliseconds with the frames that are due at the rate. */
async function paced(frames, seconds, send) {
  const startMs = performance.now();
  let sent = 0;
  for (let nowMs = 0; nowMs < seconds * 1e3; nowMs = performance.now() - startMs) {
    const due = Math.floor((nowMs * RATE) / 1e3);
    const batch = [];
    while (sent < due) batch.push(frames[sent++ % frames.length]);
    if (batch.length > 0) send(batch);
    await pause(BURST_MS);
  }
  return sent;
}

const cpuSince = (start) => {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
};
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const fail = (error) => {
  throw error;
};
const monoUs = () => Math.round(performance.now() * 1e3);
const stamps = () => ({ receiveTimeUs: Date.now() * 1e3, monoUs: monoUs() });
const stamped = (frame, index) => ({
  ...{ type: 'receive', connectionId: '1', frame },
  ...{ receiveTimeUs: 1_767_225_600_000_000 + index * 97, monoUs: 5_000_000 + index * 97 },
});
const recordsOf = (batch) => {
  const now = stamps();
  return batch.map((frame) => ({ type: 'receive', connectionId: '1', frame, ...now }));
};

/** The exchange of the whole measurement, in a process of its own. */
async function serve() {
  const { frames, markets } = market();
  const server = createServer((request, response) => {
    response.setHeader('Content-Type', 'application/json');
    const body = request.url.startsWith('/v5/market/time')
      ? serverTimeBody(Date.now() * 1e3)
      : instrumentsBody(markets, 0);
    response.end(JSON.stringify(body));
  });
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (socket, { socket: stream }) => {
    socket.once('message', () => {
      void paced(frames, Infinity, (batch) => stream.write(Buffer.concat(batch.flatMap(webSocketFrame))));
    });
  });
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
}

/** A final, unmasked text frame (RFC 6455 §5.2). */
function webSocketFrame(payload) {
  const head = Buffer.alloc(payload.length > 125 ? 4 : 2);
  head[0] = 0x81;
  head[1] = payload.length > 125 ? 126 : payload.length;
  if (payload.length > 125) head.writeUInt16BE(payload.length, 2);
  return [head, payload];
}

/** CPU seconds of a frame, through JSON.parse and through the writer to a file, in rounds of both. */
async function perFrame(name, records, folder) {
  const own = { parse: [], record: [] };
  const passes = Math.ceil(FRAMES / records.length);
  const count = records.length * passes;
  let path;
  let writer;
  for (let round = 0; round < ROUNDS; round++) {
    let start = process.cpuUsage();
    let topics = 0;
    for (let pass = 0; pass < passes; pass++) {
      for (const { frame } of records) if (JSON.parse(frame.toString()).topic !== undefined) topics++;
    }
    if (topics !== count) throw new Error('not every frame was parsed');
    own.parse.push(cpuSince(start) / count);
    start = process.cpuUsage();
    path = join(folder, `${name}-${round}.jsonl.br`);
    writer = new RecordingWriter(path, { exchange: 'bybit', subscriptions: [], notes: [], virtual: true }, fail);
    for (let pass = 0; pass < passes; pass++) {
      for (let at = 0; at < records.length; at += 4) {
        writer.write(records.slice(at, at + 4));
        if (at % 400 === 0) await writer.ready();
      }
    }
    await writer.close(stamps());
    own.record.push(cpuSince(start) / count);
  }
  const ofParse = median(own.record.map((seconds, round) => seconds / own.parse[round]));
  const ofLines = brotliDecompressSync(readFileSync(path)).length / writer.bytes;
  const [parseUs, recordUs] = [median(own.parse) * 1e6, median(own.record) * 1e6];
  return { name, parseUs, recordUs, ofParse, ofLines, ofFrames: writer.frameBytes / writer.bytes };
}

/** Share of a core of the writer, fed in small batches; and of the timer that feeds it, alone. */
async function writerAlone(frames, folder) {
  const idle = process.cpuUsage();
  await paced(frames, 5, () => undefined);
  const idleShare = cpuSince(idle) / 5;
  const recorder = new SegmentRecorder({
    folder,
    header: { exchange: 'bybit', subscriptions: [], notes: [], session: 'bench' },
    bodies: [],
    started: stamps(),
    segmentUs: 5e6,
    segmentBytes: 2 ** 26,
    onFailure: fail,
    onRecovery: fail,
  });
  const start = process.cpuUsage();
  await paced(frames, SECONDS, (batch) => recorder.write(recordsOf(batch)));
  await recorder.close(stamps());
  if (recorder.droppedRecords > 0) throw new Error('records were dropped');
  return { share: cpuSince(start) / SECONDS, idleShare };
}

/** CPU seconds of a process so far, of all its threads. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Share of a core of `shadow record`, behind a socket, once it has started. */
async function wholeProcess(folder) {
  const exchange = fork(fileURLToPath(import.meta.url), ['serve']);
  try {
    const [port] = await once(exchange, 'message');
    const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
    const flags = ['--ws_url', `ws://127.0.0.1:${port}`, '--rest_url', `http://127.0.0.1:${port}`, '--output', folder];
    const args = [main, 'record', '--symbols', SYMBOLS.join(','), '--segment_s', '5', ...flags];
    const recorder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let summary = '';
    recorder.stdout.setEncoding('utf8').on('data', (text) => (summary += text));
    await pause(3_000);
    const [cpu, startMs] = [cpuSeconds(recorder.pid), performance.now()];
    await pause(SECONDS * 1e3);
    const share = (cpuSeconds(recorder.pid) - cpu) / ((performance.now() - startMs) / 1e3);
    recorder.kill('SIGTERM');
    const [code] = await once(recorder, 'close');
    const [, frames, seconds] = /(\d+) frames, \d+ bytes, ([\d.]+) s/.exec(summary);
    if (code !== 0) throw new Error(`shadow record ended with ${code}`);
    return { share, framesPerS: Number(frames) / Number(seconds), summary: summary.trim() };
  } finally {
    exchange.kill('SIGTERM');
  }
}

async function bench() {
  const folder = mkdtempSync(join(tmpdir(), 'shadow-bench-'));
  try {
    const { frames } = market();
    // Each frame with a stamp of its own. The recorded ones are repeated; they are more than the window of the compressor.
    const mix = await perFrame('session mix', frames.map(stamped), folder);
    const real = recorded.map(({ buffer: frame, stamps: own }) => ({
      type: 'receive',
      connectionId: '1',
      frame,
      ...own,
    }));
    const rows = [mix, await perFrame('recorded orderbook.200', real, folder)];
    const alone = await writerAlone(frames, folder);
    const whole = await wholeProcess(folder);
    const percent = (share) => `${(share * 100).toFixed(1)} % of a core`;
    const bytes = Math.round(frames.reduce((sum, { length }) => sum + length, 0) / frames.length);
    console.log(
      `\nNode ${process.version}; simulated: ${SYMBOLS.length} symbols on ${CHANNELS.join(', ')}, ${bytes} bytes a frame\n`,
    );
    console.log('| a frame of | JSON.parse, µs | recorded, µs | of JSON.parse | compression of frames | of lines |');
    console.log('| --- | --- | --- | --- | --- | --- |');
    for (const { name, parseUs, recordUs, ofParse, ofFrames, ofLines } of rows) {
      const values = [parseUs, recordUs, ofParse, ofFrames, ofLines].map((value) => value.toFixed(2));
      console.log(`| ${[name, ...values].join(' | ')} |`);
    }
    console.log(
      `writer alone at ${RATE}/s: ${percent(alone.share)}, of which the timer that feeds it ${percent(alone.idleShare)}`,
    );
    console.log(`shadow record at ${Math.round(whole.framesPerS)}/s: ${percent(whole.share)}\n  ${whole.summary}\n`);
    const checks = [
      ['recording a frame, at most 0.6 of JSON.parse', mix.ofParse, mix.ofParse <= 0.6],
      ['compression of the frames, at least 4.5', mix.ofFrames, mix.ofFrames >= 4.5],
      ['writer alone, at most 0.15 of a core', alone.share, alone.share <= 0.15],
      ['shadow record, at most 0.15 of a core', whole.share, whole.share <= 0.15],
      ['shadow record, at least 0.95 of the rate', whole.framesPerS / RATE, whole.framesPerS >= 0.95 * RATE],
    ];
    for (const [what, value, holds] of checks)
      console.log(`${holds ? 'holds' : 'FAILS'}: ${what}: ${value.toFixed(2)}`);
    if (!checks.every(([, , holds]) => holds)) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await (process.argv[2] === 'serve' ? serve() : bench());
