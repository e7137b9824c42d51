// The recording of the benchmarks, and the parameters of a run with the defaults of `shadow run`.
import { existsSync, readFileSync } from 'node:fs';
import { bybitLinear, bybitSpot } from '../../dist/feed/bybit.js';
import { LatencyModel } from '../../dist/fills/latency-model.js';

const RECORDING = new URL('../../../shared/data/bybit/mainnet_linear_spot_20260809.jsonl', import.meta.url);

if (!existsSync(RECORDING)) {
  console.error('the benchmark needs the recording in ../shared/data/bybit beside the project');
  process.exit(3);
}

export const MARKETS = { linear: bybitLinear, spot: bybitSpot };
export const SYMBOLS = { linear: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'DOGEUSDT'], spot: ['BTCUSDT', 'ETHUSDT'] };
export const CHANNELS = [{ name: 'orderbook.200', depth: 200 }];

export const { frames, instruments } = readRecording();

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
export function parameters(market, channels = CHANNELS) {
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
      channels: channels.map((channel) => ({ ...channel, silenceLimitUs: 30_000_000 })),
      parameters: { simulation, reorderWindowUs: 50_000 },
      latency,
    })),
    windowUs: 60_000_000,
    iterations: 0,
    drainUs: 0,
    horizons: 5,
    stampGranularity: { feedUs: 1_000, probeUs: 1 },
  };
}
