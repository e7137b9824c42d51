// The simulated exchange as a source of load: frames a second of CPU in virtual time, and frames a second over a real WebSocket from a
// process of its own. `npm run bench:simulator`. Needs Linux for the CPU of the other process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';
import { SimulatedExchange } from '../../dist/simulator/simulated-exchange.js';

const ROUNDS = 5;
const MARKET_SECONDS = 120;
const LIVE_SYMBOLS = 60;
const LIVE_SECONDS = 10;
const CHANNELS = ['orderbook.50', 'orderbook.1', 'publicTrade'];

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Frames a CPU second of a market of two symbols on the default channels. */
function virtual() {
  const symbols = ['BTCUSDT', 'ETHUSDT'];
  const exchange = new SimulatedExchange({ symbols, seed: 1, startUs: 1_767_225_600_000_000, scenarios: [] });
  for (const symbol of symbols) {
    for (const channel of CHANNELS) {
      exchange.subscribe(`${channel}.${symbol}`);
      exchange.snapshot(`${channel}.${symbol}`);
    }
  }
  const start = process.cpuUsage();
  let frames = 0;
  for (let step = 0; step < MARKET_SECONDS * 100; step++) frames += exchange.step().length;
  const { user, system } = process.cpuUsage(start);
  const seconds = (user + system) / 1e6;
  return { frames: frames / seconds, realTime: MARKET_SECONDS / seconds };
}

/** CPU seconds of a process so far. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function live() {
  const symbols = Array.from({ length: LIVE_SYMBOLS }, (_, index) => `SIM${index + 1}USDT`);
  const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
  const server = spawn(process.execPath, [main, 'simulate', '--port', '0', '--symbols', symbols.join(',')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [text] = await once(server.stdout.setEncoding('utf8'), 'data');
    const socket = new WebSocket(/WebSocket: (\S+)/.exec(text)[1], { perMessageDeflate: false });
    await once(socket, 'open');
    const args = symbols.flatMap((symbol) => CHANNELS.map((channel) => `${channel}.${symbol}`));
    socket.send(JSON.stringify({ op: 'subscribe', args }));
    let frames = 0;
    const delays = [];
    socket.on('message', (data) => {
      frames++;
      const stamp = /"ts":(\d+)/.exec(data.toString('latin1'));
      if (stamp !== null && frames % 16 === 0) delays.push(Date.now() - Number(stamp[1]));
    });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    frames = 0;
    delays.length = 0;
    const cpu = cpuSeconds(server.pid);
    const start = performance.now();
    await new Promise((resolve) => setTimeout(resolve, LIVE_SECONDS * 1_000));
    const seconds = (performance.now() - start) / 1_000;
    const share = (cpuSeconds(server.pid) - cpu) / seconds;
    socket.terminate();
    delays.sort((a, b) => a - b);
    const p = (quantile) => delays[Math.ceil(quantile * delays.length) - 1];
    return { framesPerS: frames / seconds, cpuShare: share, delayMs: { p50: p(0.5), p99: p(0.99) } };
  } finally {
    server.kill('SIGINT');
    await once(server, 'exit');
  }
}

const rounds = Array.from({ length: ROUNDS }, virtual);
const inVirtualTime = median(rounds.map(({ frames }) => frames));
const onSocket = await live();
console.log(`Node ${process.version}; two symbols in virtual time, ${LIVE_SYMBOLS} on a socket`);
console.log(
  `virtual time: ${Math.round(inVirtualTime)} frames a CPU second, ${Math.round(median(rounds.map(({ realTime }) => realTime)))} times real time (median of ${ROUNDS})`,
);
console.log(
  `live: ${Math.round(onSocket.framesPerS)} frames a second for ${LIVE_SECONDS} s at ${(100 * onSocket.cpuShare).toFixed(0)} % of a core; ` +
    `stamp to receipt p50 ${onSocket.delayMs.p50} ms, p99 ${onSocket.delayMs.p99} ms, of which the simulated line is 16 ms`,
);
const checks = [
  ['virtual time, at least 50 000 frames a CPU second', inVirtualTime >= 50_000],
  ['live, at least 5 000 frames a second', onSocket.framesPerS >= 5_000],
];
for (const [what, holds] of checks) console.log(`${holds ? 'holds' : 'FAILS'}: ${what}`);
if (!checks.every(([, holds]) => holds)) process.exitCode = 1;
