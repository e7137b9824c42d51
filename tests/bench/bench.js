// Frames through the whole pipeline against bare JSON.parse and against public libraries, on the same frames, interleaved in one
// process; ratios are what counts. Writes bench.json for two runs to be compared. Needs the recording (see shared/data).
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { bybitLinear, bybitSpot } from '../../dist/feed/bybit.js';
import { LatencyModel } from '../../dist/fills/latency-model.js';
import { Pipeline } from '../../dist/pipeline.js';
import { createPeers, expectedUpdates, versions } from './peers.js';

const RECORDING = new URL('../../../shared/data/bybit/mainnet_linear_spot_20260809.jsonl', import.meta.url);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 9);
/** Passes over the recording: a contender before anything is timed; in a round before timing, to refill caches; and timed. */
const WARM_UP = Number(process.env.BENCH_WARM_UP ?? 100);
const SETTLE = 4;
const PASSES = 8;

if (!existsSync(RECORDING)) {
  console.error('the benchmark needs the recording in ../shared/data/bybit beside the project');
  process.exit(3);
}

const MARKETS = { linear: bybitLinear, spot: bybitSpot };
const SYMBOLS = { linear: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'DOGEUSDT'], spot: ['BTCUSDT', 'ETHUSDT'] };
const CHANNELS = [{ name: 'orderbook.200', depth: 200 }];

const { frames, instruments } = readRecording();

function readRecording() {
  const markets = new Map();
  const found = { linear: new Map(), spot: new Map() };
  const all = [];
  for (const line of readFileSync(RECORDING, 'utf8').trimEnd().split('\n')) {
    const record = JSON.parse(line);
    if (record.t === 'http') {
      for (const [market, exchange] of Object.entries(MARKETS)) {
        if (!exchange.ownsInstruments(record.url)) continue;
        for (const instrument of exchange.parseInstruments(record.data))
          found[market].set(instrument.symbol, instrument);
      }
    }
    if (record.t === 'connect') markets.set(record.conn, record.addr.endsWith('linear') ? 'linear' : 'spot');
    if (record.t !== 'recv' || !/^\{"topic":"(orderbook|publicTrade)\./.test(record.data)) continue;
    const stampUs = Math.round(record.ts * 1e6);
    const stamps = { receiveTimeUs: stampUs, monoUs: stampUs };
    const buffer = Buffer.from(record.data);
    all.push({ text: record.data, buffer, receiveTimeMs: record.ts * 1e3, market: markets.get(record.conn), stamps });
  }
  all.sort((a, b) => a.receiveTimeMs - b.receiveTimeMs);
  return { frames: all, instruments: found };
}

/** The defaults of `shadow run`, joining the best price so that the fill models have work. */
function parameters(market) {
  const constant = (ms) => ({ kind: 'const', ms });
  const latency = new LatencyModel(
    {
      compute: constant(0.2),
      entry: { kind: 'lognormal', medianMs: 7, p95Ms: 15 },
      cancel: { kind: 'lognormal', medianMs: 10, p95Ms: 20 },
      resp: constant(3),
    },
    1,
  );
  const simulation = {
    postOnly: true,
    quoter: {
      spreadBps: 0,
      quoteNotional: 1_000,
      inventoryLimitQuote: 10_000,
      flattenFactor: 0,
      requoteTicks: 1,
      minRequoteIntervalUs: 250_000,
      maxAgeUs: 30_000_000,
    },
    desk: {
      queue: { exponent: 2, deferredSeedFraction: 1, tradeTtlUs: 200_000 },
      dwellUs: 25_000,
      volume: undefined,
    },
    kpi: {
      fees: { maker: 2, taker: 5.5 },
      driver: 3,
      horizonsUs: [100_000, 1_000_000, 5_000_000, 30_000_000, 60_000_000],
      kpiHorizon: 2,
      inventoryLimitQuote: 10_000,
    },
  };
  return {
    symbols: SYMBOLS[market].map((symbol) => ({
      instrument: instruments[market].get(symbol),
      channels: CHANNELS.map((channel) => ({ ...channel, silenceLimitUs: 30_000_000 })),
      parameters: { simulation, reorderWindowUs: 50_000 },
      latency,
    })),
    windowUs: 60_000_000,
    iterations: 0,
    drainUs: 0,
    horizons: 5,
  };
}

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

/** The pure core alone, on events decoded beforehand. */
const decoded = decodeAll();
function decodeAll() {
  const instance = shadow.create();
  return frames.map(({ buffer, stamps, market }) => {
    const events = [];
    instance[market].decoder.decode(buffer, stamps, events);
    return { market, events };
  });
}
const core = {
  name: 'pure core',
  keepsBook: true,
  create: () => ({
    linear: new Pipeline(parameters('linear'), outputs),
    spot: new Pipeline(parameters('spot'), outputs),
  }),
  run(instance) {
    let processed = 0;
    for (const { market, events } of decoded) {
      instance[market].push(events);
      processed += events.length;
    }
    return processed;
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

const contenders = [baseline, shadow, core, ...createPeers(frames)];
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
const eventsPerSecond = expected / median(seconds.get(core.name));
const ours = rows.find(({ name }) => name === shadow.name);
const bestBookPeer = Math.max(
  ...rows
    .filter(({ name, keepsBook }) => keepsBook && ![shadow.name, core.name].includes(name))
    .map(({ ratio }) => ratio),
);
const checks = [
  ['whole pipeline at least 0.5 of bare JSON.parse', ours.ratio, 0.5],
  ['whole pipeline over the fastest peer that keeps a book, at least 1', ours.ratio / bestBookPeer, 1],
  ['decoded events through the pure core, at least 1 M/s (in M/s)', eventsPerSecond / 1e6, 1],
].map(([what, value, bar]) => ({ what, value, bar, holds: value >= bar }));

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
console.log('');
for (const { what, value, holds } of checks) console.log(`${holds ? 'holds' : 'FAILS'}: ${what}: ${value.toFixed(2)}`);
writeFileSync(
  new URL('bench.json', import.meta.url),
  `${JSON.stringify({ node: process.version, versions, base, rows, eventsPerSecond, checks }, undefined, 2)}\n`,
);
if (!checks.every(({ holds }) => holds)) process.exitCode = 1;
