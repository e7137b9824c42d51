import type { RunConfig, SymbolConfig } from '../config.ts';
import type { ClockReading } from '../clock/exchange-clock.ts';
import { LatencyModel } from '../fills/latency-model.ts';
import type { FillModelName, ModelIndex } from '../fills/shadow-quote.ts';
import { FILL_MODELS } from '../fills/shadow-quote.ts';
import type { SimulationParameters } from '../fills/simulation.ts';
import type { Summary, SummaryParameters } from '../kpi/summary.ts';
import { summarize } from '../kpi/summary.ts';
import type { PipelineParameters, SymbolSetup } from '../pipeline.ts';
import type { SymbolShadow } from '../symbol-shadow.ts';
import type { Instrument } from '../events.ts';
import type { Exchange } from '../feed/exchange.ts';
import { COARSEST_STAMP_US } from '../clock/offset-estimator.ts';
import { US_PER_S, usFromMs } from '../units.ts';
import type { Source } from './source.ts';

/** Markout horizons: their names in artifacts, and in seconds. */
export const HORIZONS = [
  { name: '100ms', seconds: 0.1 },
  { name: '1s', seconds: 1 },
  { name: '5s', seconds: 5 },
  { name: '30s', seconds: 30 },
  { name: '60s', seconds: 60 },
] as const;

export const driverIndex = (model: FillModelName): ModelIndex => FILL_MODELS.indexOf(model) as ModelIndex;

/** From configuration, in the units of users, to the parameters of the pipeline, in its own. */
export function pipelineParameters(config: RunConfig, source: Source, exchange: Exchange): PipelineParameters {
  const latency = new LatencyModel(
    {
      compute: config.latency_compute_ms,
      entry: config.latency_entry_ms,
      cancel: config.latency_cancel_ms,
      resp: config.latency_resp_ms,
    },
    config.seed,
  );
  const symbols: SymbolSetup[] = source.symbols.map((symbol) => {
    const instrument = source.instruments.get(symbol)!;
    return {
      instrument,
      latency,
      channels: source.channels(symbol).map(({ name, depth }) => ({
        name,
        depth,
        // A quiet orderbook.1 repeats itself every 3 s; a quiet deeper channel says nothing.
        silenceLimitUs: usFromMs(depth === 1 ? config.silence_ms / 3 : config.silence_ms),
      })),
      parameters: {
        simulation: simulationParameters(config, config.bySymbol.get(symbol)!, instrument),
        reorderWindowUs: usFromMs(config.reorder_window_ms),
      },
    };
  });
  return {
    symbols,
    windowUs: config.duration * US_PER_S,
    iterations: config.iterations,
    drainUs: Math.round(config.drain * US_PER_S),
    horizons: HORIZONS.length,
    stampGranularity: {
      feedUs: exchange.serverTime.feedGranularityUs,
      // One that is too coarse is never asked.
      probeUs: Math.min(exchange.serverTime.granularityUs, COARSEST_STAMP_US),
    },
  };
}

export function simulationParameters(
  config: RunConfig,
  own: SymbolConfig,
  instrument: Instrument,
): SimulationParameters {
  return {
    postOnly: own.post_only,
    quoter: {
      spreadBps: own.spread_bps,
      quoteNotional: own.quote_notional,
      inventoryLimitQuote: own.inventory_limit,
      flattenFactor: own.flatten_factor,
      requoteTicks: own.requote_ticks,
      minRequoteIntervalUs: usFromMs(own.min_requote_interval_ms),
      maxAgeUs: usFromMs(own.max_age_ms),
    },
    desk: {
      queue: {
        exponent: own.queue_exponent,
        deferredSeedFraction: own.deferred_seed_fraction,
        tradeTtlUs: usFromMs(own.trade_ttl_ms),
      },
      dwellUs: usFromMs(own.touch_dwell_ms),
      volume: own.require_volume
        ? { minLots: Math.ceil(own.min_lot / instrument.lot.size - 1e-9), mode: own.volume_mode }
        : undefined,
    },
    kpi: {
      fees: { maker: own.maker_fee_bps, taker: own.taker_fee_bps },
      driver: driverIndex(config.fill_model),
      horizonsUs: HORIZONS.map(({ seconds }) => seconds * US_PER_S),
      kpiHorizon: HORIZONS.findIndex(({ seconds }) => seconds === config.kpi_horizon_s),
      inventoryLimitQuote: own.inventory_limit,
    },
  };
}

export interface SummaryComposition {
  readonly shared: Omit<SummaryParameters, 'inventoryLimitQuote' | 'symbols' | 'windowUs'>;
  readonly inventoryLimits: ReadonlyMap<string, number>;
  /** KPIs of a symbol's running window. */
  running(shadow: SymbolShadow, clock: ClockReading): Summary;
}

export function summaryParameters(config: RunConfig): SummaryComposition {
  const shared = { driver: config.fill_model, horizons: HORIZONS.map(({ name }) => name) };
  const inventoryLimits = new Map([...config.bySymbol].map(([symbol, own]) => [symbol, own.inventory_limit]));
  return {
    shared,
    inventoryLimits,
    running: ({ symbol, stats, simulation }, clock) =>
      summarize(
        stats,
        { driftMs: simulation.kpi.drift.valueMs, clock },
        {
          ...shared,
          inventoryLimitQuote: inventoryLimits.get(symbol)!,
          symbols: 1,
          windowUs: Math.max(1, stats.liveUs + stats.suspectUs),
        },
      ),
  };
}

/** What determines the results: the configuration, and what the exchange or the recording said of symbols and channels. */
export function resultsConfig(config: RunConfig, source: Source): Record<string, unknown> {
  const markets = source.symbols.map((symbol) => {
    const { tick, lot, minSizeLots, minNotionalQuote } = source.instruments.get(symbol)!;
    const channels = source.channels(symbol).map(({ name }) => name);
    return [symbol, { tick: tick.size, lot: lot.size, minSizeLots, minNotionalQuote, channels }];
  });
  return finite({ ...config.results, markets: Object.fromEntries(markets) as unknown }) as Record<string, unknown>;
}

/** JSON has no Infinity (a queue exponent may be): it is written out. */
function finite(value: unknown): unknown {
  if (value === Infinity) return 'Infinity';
  if (Array.isArray(value)) return value.map(finite);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, finite(item)]));
}
