// Frames through the whole pipeline against bare JSON.parse and against public libraries, on the same frames, interleaved in one
// process; ratios are what counts. Writes bench.json for two runs to be compared. Needs the recording (see shared/data).
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { Pipeline } from '../../dist/pipeline.js';
import { CHANNELS, frames, instruments, MARKETS, parameters, SYMBOLS } from './recording.js';
import { createPeers, expectedUpdates, versions } from './peers.js';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 9);
/** Passes over the recording: a contender before anything is timed; in a round before timing, to refill caches; and timed. */
const WARM_UP = Number(process.env.BENCH_WARM_UP ?? 100);
const SETTLE = 4;
const PASSES = 8;

const ignore = () => undefined;
const outputs = { onSymbolWindow: ignore, onWindow: ignore, onFill: ignore, onResync: ignore };

/** Our own contender: bytes → events → reorder → book → quotes and four fill models → KPIs. */
const shadow = {
  name: 'shadow-mode',
  keepsBook: true,
  create: () =>
    Object.fromEntries(
      Object.entries(MARKETS).map(([market, exchange]) => {
        const own = new Map(SYMBOLS[market].map((symbol) => [symbol, instruments[market].get(symbol)]));
        return [
          market,
          { decoder: exchange.createDecoder(own, CHANNELS), pipeline: new Pipeline(parameters(market), outputs) },
        ];
      }),
    ),
  run(instance, input) {
    let processed = 0;
    for (const { buffer, stamps, market } of input) {
      const events = [];
      const { decoder, pipeline } = instance[market];
      decoder.decode(buffer, stamps, events);
      pipeline.push(events);
      processed += events.length;
    }
    instance.linear.pipeline.finish();
    instance.spot.pipeline.finish();
    return processed;
  },
};

const baseline = {
  name: 'JSON.parse',
  keepsBook: false,
  create: () => undefined,
  run(_instance, input) {
    let parsed = 0;
    for (const { buffer } of input) if (JSON.parse(buffer.toString()).topic !== undefined) parsed++;
    return parsed;
  },
};

/** CPU seconds of one round. Garbage is collected before it, so that each contender pays for its own and nobody for another's. */
function round(contender) {
  const instances = Array.from({ length: PASSES }, () => contender.create());
  globalThis.gc();
  for (let pass = 0; pass < SETTLE; pass++) contender.run(contender.create(), frames);
  const start = process.cpuUsage();
  let processed = 0;
  for (const instance of instances) processed += contender.run(instance, frames);
  const { user, system } = process.cpuUsage(start);
  return { seconds: (user + system) / 1e6, processed: processed / PASSES };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const contenders = [baseline, shadow, ...createPeers(frames)];
const expected = expectedUpdates(frames);
const kept = [];
for (const contender of contenders) {
  process.stderr.write(`warming up ${contender.name}\n`);
  for (let pass = 0; pass < WARM_UP; pass++) contender.run(contender.create(), frames);
  // One used instance stays: were all of them collected, so would be the shapes that the optimised code was made for.
  const used = contender.create();
  contender.run(used, frames);
  kept.push(used);
}
const seconds = new Map(contenders.map(({ name }) => [name, []]));
for (let index = 0; index < ROUNDS; index++) {
  process.stderr.write(`round ${index + 1} of ${ROUNDS}\n`);
  for (const contender of contenders) {
    const result = round(contender);
    const wanted = contender === baseline ? frames.length : expected;
    if (result.processed !== wanted) throw new Error(`${contender.name} processed ${result.processed}, not ${wanted}`);
    seconds.get(contender.name).push(result.seconds / PASSES);
  }
}

const base = median(seconds.get(baseline.name));
const rows = contenders.map(({ name, keepsBook }) => {
  const own = seconds.get(name);
  // Each round against the baseline of the same round: the machine is shared.
  const ratios = own.map((value, index) => seconds.get(baseline.name)[index] / value);
  return { name, keepsBook, usPerFrame: (median(own) / frames.length) * 1e6, ratio: median(ratios) };
});
/** In a process of its own: what the peers leave in the heap is not its affair. */
function apart(script) {
  const path = new URL(script, import.meta.url).pathname;
  const { stdout } = spawnSync(process.execPath, [path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(stdout);
}
const core = apart('core.js');
const clock = apart('clock.js');
const ours = rows.find(({ name }) => name === shadow.name);
const bestBookPeer = Math.max(
  ...rows.filter(({ name, keepsBook }) => keepsBook && name !== shadow.name).map(({ ratio }) => ratio),
);
const checks = [
  ['whole pipeline at least 0.5 of bare JSON.parse', ours.ratio, 0.5],
  ['whole pipeline over the fastest peer that keeps a book, at least 1', ours.ratio / bestBookPeer, 1],
  ['decoded events through the pure core, default channels, at least 1 M/s (in M/s)', core.defaults / 1e6, 1],
].map(([what, value, bar]) => ({ what, value, bar, holds: value >= bar }));
checks.push(
  ...[
    ['clock and latency histograms, at most 30 ns a message (in ns)', clock.messageNs, 30],
    ['clock offset, at most 1 ms a solve (in ms)', clock.solveMs, 1],
  ].map(([what, value, bar]) => ({ what, value, bar, holds: value <= bar })),
);

console.log(
  `\nNode ${process.version}, ${cpus()[0].model}; ${frames.length} recorded Bybit frames (orderbook.200, publicTrade),`,
);
console.log(
  `${expected} updates; CPU time, median of ${ROUNDS} interleaved rounds; ratio 1 is bare JSON.parse, more is faster.\n`,
);
console.log('| per frame | ratio | µs | keeps a book |\n| --- | --- | --- | --- |');
for (const { name, ratio, usPerFrame, keepsBook } of rows) {
  console.log(`| ${name} | ${ratio.toFixed(2)} | ${usPerFrame.toFixed(2)} | ${keepsBook ? 'yes' : 'no'} |`);
}
console.log(
  `\nthe same core on the recorded orderbook.200, 8 levels an event: ${(core.recorded / 1e6).toFixed(2)} M events/s\n`,
);
for (const { what, value, holds } of checks) console.log(`${holds ? 'holds' : 'FAILS'}: ${what}: ${value.toFixed(2)}`);
writeFileSync(
  new URL('bench.json', import.meta.url),
  `${JSON.stringify({ node: process.version, versions, base, rows, core, clock, checks }, undefined, 2)}\n`,
);
if (!checks.every(({ holds }) => holds)) process.exitCode = 1;
