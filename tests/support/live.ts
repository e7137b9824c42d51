import type { LiveKpis } from '../../schema/types.gen.js';
import { publishedFill } from '../../collector/src/artifacts/window-fills.ts';
import { startHttpServer } from '../../collector/src/http/server.ts';
import { Channel } from '../../collector/src/live/channel.ts';
import type { HistoryLimits } from '../../collector/src/live/history.ts';
import { History } from '../../collector/src/live/history.ts';
import { LivePage } from '../../collector/src/live/page.ts';
import { liveRoute } from '../../collector/src/live/routes.ts';
import type { Sample } from '../../collector/src/live/sample-ring.ts';
import type { StreamLimits } from '../../collector/src/live/streams.ts';
import { STREAM_LIMITS, Streams } from '../../collector/src/live/streams.ts';
import type { Fill } from '../../schema/types.gen.js';
import type { Scope } from '../e2e/support/scope.ts';
import { BTC, fillAt } from './remote-write.ts';

export const T = 1_790_000_000_000;
export const NO_KPIS: LiveKpis = {
  edge_bps: null,
  maker_taker_ratio: null,
  latency_ms: null,
  risk_ratio: null,
  clock_drift_ms: null,
  markouts_bps: { '100ms': null, '1s': null, '5s': null, '30s': null, '60s': null },
  fills: 0,
};
const LIMITS: HistoryLimits = { keptMs: 900_000, samples: 3_600, fills: 10_000 };

export const sampleAt = (timeMs: number, sample: Partial<Sample> = {}): Sample => ({
  times_ms: timeMs,
  bid: 65_000,
  ask: 65_000.1,
  quote_buy: undefined,
  quote_sell: undefined,
  drift_ms: undefined,
  offset_ms: undefined,
  uncertainty_ms: undefined,
  latency_ms: undefined,
  ...sample,
});

/** A fill that can be told from others by its order. */
export const publishedAt = (timeMs: number, orderId = 1): Fill => publishedFill(fillAt(timeMs, { orderId }), BTC);

export interface LiveServer {
  readonly url: string;
  readonly history: History;
  readonly streams: Streams;
  readonly kpis: { now: LiveKpis };
}

interface LiveServerOptions {
  readonly app: string;
  readonly plugin: string;
  readonly limits: Partial<StreamLimits>;
  readonly history: Partial<HistoryLimits>;
}

/** What is served of a history that a test makes, over real HTTP. */
export async function serveLive(scope: Scope, options: Partial<LiveServerOptions> = {}): Promise<LiveServer> {
  const { app = scope.folder(), plugin = scope.folder(), limits, history: kept } = options;
  const streams = new Streams({ ...STREAM_LIMITS, tickMs: 5, ...limits });
  const history = new History({ ...LIMITS, ...kept });
  const kpis = { now: NO_KPIS };
  const channels = new Map([['BTCUSDT', new Channel('BTCUSDT', history, () => kpis.now)]]);
  const route = liveRoute({
    page: new LivePage({ app, plugin }),
    streams,
    channels,
    symbols: {
      exchange: 'bybit',
      source: 'mock',
      fill_model: 'touch-dwell',
      symbols: ['BTCUSDT'],
      version: '0.0.0',
      commit: 'unknown',
      sample_period_ms: 250,
      history_ms: LIMITS.keptMs,
      window_s: 60,
    },
  });
  const server = await startHttpServer('127.0.0.1', 0, [route]);
  scope.add(async () => {
    await streams.close();
    await server.close();
  });
  return { url: server.url, history, streams, kpis };
}
