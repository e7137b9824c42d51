import { parseValue } from '../flag-value.ts';
import type { Latencies, LatencyDistribution } from '../fills/latency-model.ts';
import { LatencyModel } from '../fills/latency-model.ts';
import type { ShadowQuote } from '../fills/shadow-quote.ts';
import { FILL_MODELS } from '../fills/shadow-quote.ts';
import type { SimulationParameters } from '../fills/simulation.ts';
import { bybitLinear } from '../feed/bybit.ts';
import { decodeRecords } from '../feed/records.ts';
import { Pipeline } from '../pipeline.ts';
import { RUN_FLAGS } from '../run-flags.ts';
import type { BookChannelRule } from '../simulator/market-data.ts';
import type { Market } from '../simulator/markets.ts';
import { instrumentOf, marketOf } from '../simulator/markets.ts';
import { ProbeOrder } from '../simulator/matching-engine.ts';
import type { CancelLaw } from '../simulator/order-flow.ts';
import type { ScheduledScenario } from '../simulator/scenario.ts';
import { SimulatedExchange } from '../simulator/simulated-exchange.ts';
import { VirtualClient } from '../simulator/virtual-client.ts';
import type { Bps, Sign, Ticks, Us } from '../units.ts';
import { US_PER_S, usFromMs } from '../units.ts';

/** One market in which the fill models are compared with the truth. */
export interface Cell {
  readonly symbol: string;
  readonly cancelLaw: CancelLaw;
  /** What the models see: book channels and their cadence. */
  readonly channels: readonly BookChannelRule[];
  /** Distance of the orders from the best price; 0 joins it. */
  readonly spreadBps: Bps;
  readonly seconds: number;
  readonly seed: number;
  readonly scenarios: readonly ScheduledScenario[];
}

/** Exponents of the queue model that are compared. */
export const EXPONENTS = [1, 2, 3, Infinity] as const;

/** The models of a comparison: the four of the product, and the queue model once for each exponent. */
export const CANDIDATES = [
  'trade-through',
  ...EXPONENTS.map((exponent) => `queue n=${exponent === Infinity ? '∞' : exponent}` as const),
  'touch',
  'touch-dwell',
] as const;
export type Candidate = (typeof CANDIDATES)[number];

/** What became of one order of one lot, in truth and under every candidate. Times are true, µs; undefined: not filled. */
export interface ComparedOrder {
  readonly sign: Sign;
  readonly priceTicks: Ticks;
  readonly liveUs: Us;
  /** When it left the book unfilled; Infinity where nobody took it out. */
  readonly endUs: Us;
  readonly trueUs: Us | undefined;
  /** The true fill was with an order that came to rest at its price: nothing is printed, only the next book update shows it. */
  readonly met: boolean;
  /** Lots ahead when it went live, as far as the models could see; undefined where they could not. */
  readonly queueAheadLots: number | undefined;
  readonly fills: ReadonlyMap<Candidate, Us>;
}

export interface CellResult {
  readonly orders: readonly ComparedOrder[];
  /** Time between two updates of the fastest book channel: nothing that is not printed is known sooner. */
  readonly resolutionUs: Us;
  /** Orders that the engine's own book, which no feed shows in time, would have refused as post-only: they have no true fill to compare. Undefined for a part of the orders. */
  readonly refusedInTruth: number | undefined;
  /** Twice the true mid in ticks at a time; undefined where the book had an empty side. */
  readonly midHalfAt: (timeUs: Us) => number | undefined;
}

const START_US: Us = 1_767_225_600 * US_PER_S;
/** An order is taken out of the book at this age. */
const MAX_AGE_S = 60;
/** The product's own latencies. */
const LATENCIES: Latencies = {
  compute: latencyOf('latency_compute_ms'),
  entry: latencyOf('latency_entry_ms'),
  cancel: latencyOf('latency_cancel_ms'),
  resp: latencyOf('latency_resp_ms'),
};

function latencyOf(name: `latency_${keyof Latencies}_ms`): LatencyDistribution {
  const parsed = parseValue(RUN_FLAGS[name], RUN_FLAGS[name].fallback, () => '');
  if (!('value' in parsed)) throw new Error(`the default of --${name} is none: expected ${parsed.expected}`);
  return parsed.value as LatencyDistribution;
}

/**
 * Runs a cell twice. First the product, from frames to fills, on what a client of the simulated exchange receives; orders of one lot join the
 * best price or stand behind it, and `trade-through` drives, so that the orders are the same whatever the queue exponent. Then the same market again (the same
 * seed gives the same events, and probes change none of them) with a probe in the true queue for every one of those orders.
 */
export function runCell(cell: Cell): CellResult {
  const shadow = runModels(cell);
  return runTruth(cell, shadow);
}

interface ShadowOrder {
  readonly quote: ShadowQuote;
  readonly fills: Map<Candidate, Us>;
}

const exchangeOf = ({ symbol, seed, scenarios, cancelLaw, channels }: Cell): SimulatedExchange =>
  new SimulatedExchange({ symbols: [symbol], seed, startUs: START_US, scenarios, cancelLaw, channels });

function runModels(cell: Cell): ShadowOrder[] {
  const market = marketOf(cell.symbol)!;
  const exchange = exchangeOf(cell);
  const topics = [...cell.channels.map(({ name }) => name), bybitLinear.tradeChannel];
  const subscriptions = topics.map((channel) => ({ symbol: cell.symbol, channel }));
  const untilUs = exchange.nowUs + cell.seconds * US_PER_S;
  const url = bybitLinear.websocketUrl;
  const client = new VirtualClient({ exchange, adapter: bybitLinear, subscriptions, seed: cell.seed, untilUs, url });
  const instruments = new Map([[cell.symbol, instrumentOf(market)]]);
  const decoder = bybitLinear.createDecoder(instruments, cell.channels);
  const orders = new Map<number, ShadowOrder>();
  const pipelines = EXPONENTS.map((exponent) => pipelineOf(cell, market, exponent, orders));
  for (const records of client.records()) {
    const events = decodeRecords(records, decoder, subscriptions);
    for (const pipeline of pipelines) pipeline.push(events);
  }
  return [...orders.values()].filter(({ quote }) => quote.outcome !== 'censored');
}

/** One pipeline for each exponent; the first also tells what the models without an exponent did. */
function pipelineOf(cell: Cell, market: Market, exponent: number, orders: Map<number, ShadowOrder>): Pipeline {
  const name = CANDIDATES[1 + EXPONENTS.indexOf(exponent)]!;
  const first = exponent === EXPONENTS[0];
  const instrument = { ...instrumentOf(market), minNotionalQuote: 0, minSizeLots: 1 };
  const horizonsUs = [US_PER_S];
  const simulation: SimulationParameters = {
    postOnly: true,
    quoter: {
      spreadBps: cell.spreadBps,
      quoteNotional: 1.5 * market.price * instrument.lot.size,
      inventoryLimitQuote: Infinity,
      flattenFactor: 0,
      requoteTicks: RUN_FLAGS.requote_ticks.fallback,
      minRequoteIntervalUs: usFromMs(RUN_FLAGS.min_requote_interval_ms.fallback),
      maxAgeUs: MAX_AGE_S * US_PER_S,
    },
    desk: {
      queue: {
        exponent,
        deferredSeedFraction: RUN_FLAGS.deferred_seed_fraction.fallback,
        tradeTtlUs: usFromMs(RUN_FLAGS.trade_ttl_ms.fallback),
      },
      dwellUs: usFromMs(RUN_FLAGS.touch_dwell_ms.fallback),
      volume: undefined,
    },
    kpi: {
      fees: { maker: 0, taker: 0 },
      driver: FILL_MODELS.indexOf('trade-through') as 0,
      horizonsUs,
      kpiHorizon: 0,
      inventoryLimitQuote: 1,
    },
  };
  const channels = cell.channels.map(({ name: channel, depth }) => ({
    name: channel,
    depth,
    silenceLimitUs: Infinity,
  }));
  return new Pipeline(
    {
      symbols: [
        {
          instrument,
          channels,
          latency: new LatencyModel(LATENCIES, cell.seed),
          parameters: { simulation, reorderWindowUs: usFromMs(RUN_FLAGS.reorder_window_ms.fallback) },
        },
      ],
      windowUs: 3_600 * US_PER_S,
      iterations: 0,
      drainUs: 0,
      horizons: horizonsUs.length,
      stampGranularity: {
        feedUs: bybitLinear.serverTime.feedGranularityUs,
        probeUs: bybitLinear.serverTime.granularityUs,
      },
    },
    {
      onSymbolWindow: () => undefined,
      onWindow: () => undefined,
      onResync: () => undefined,
      onRest: (_symbol, quote) => {
        if (first) orders.set(quote.id, { quote, fills: new Map() });
        else if (!sameOrder(orders.get(quote.id)?.quote, quote)) throw new Error('the orders depend on the exponent');
      },
      onFill: (_symbol, fill) => {
        if (fill.model !== 'queue' && !first) return;
        const fills = orders.get(fill.orderId)!.fills;
        const candidate = fill.model === 'queue' ? name : fill.model;
        if (!fills.has(candidate)) fills.set(candidate, fill.timeUs);
      },
    },
  );
}

const sameOrder = (a: ShadowQuote | undefined, b: ShadowQuote): boolean =>
  a !== undefined && a.sign === b.sign && a.priceTicks === b.priceTicks && a.liveSinceUs === b.liveSinceUs;

interface Action {
  readonly timeUs: Us;
  readonly run: (engineUs: Us) => void;
}

function runTruth(cell: Cell, shadow: readonly ShadowOrder[]): CellResult {
  const exchange = exchangeOf(cell);
  const symbol = exchange.symbols.get(cell.symbol)!;
  const { engine } = symbol;
  const mids: (number | undefined)[] = [];
  const probes = new Map<ShadowOrder, ProbeOrder>();
  const agenda: Action[] = shadow.flatMap((order) => {
    const { quote } = order;
    const probe = new ProbeOrder(quote.sign, quote.priceTicks);
    const place: Action = {
      timeUs: quote.liveSinceUs!,
      run: (engineUs) => {
        const opposite = engine.best(-quote.sign as Sign);
        if (opposite !== undefined && quote.reach(opposite.ticks) >= 0) return;
        probes.set(order, probe);
        engine.place(probe, engineUs);
      },
    };
    return [place, { timeUs: quote.cancelEffectiveUs ?? Infinity, run: () => engine.withdraw(probe) }];
  });
  agenda.sort((a, b) => a.timeUs - b.timeUs);
  let next = 0;
  symbol.beforeEvents((timeUs) => {
    for (; next < agenda.length && agenda[next]!.timeUs <= timeUs; next++) agenda[next]!.run(agenda[next]!.timeUs);
  });
  const startUs = exchange.nowUs;
  const stepUs = 10_000;
  const steps = (cell.seconds * US_PER_S) / stepUs;
  for (let step = 0; step < steps; step++) {
    const bid = engine.best(1);
    const ask = engine.best(-1);
    mids.push(bid === undefined || ask === undefined ? undefined : bid.ticks + ask.ticks);
    exchange.step();
  }
  // What had just been placed when the cell ended is not known to its end.
  const lastUs = exchange.nowUs - (MAX_AGE_S + 1) * US_PER_S;
  const complete = shadow.filter(({ quote }) => quote.liveSinceUs! <= lastUs);
  const orders = complete.flatMap((order): ComparedOrder[] => {
    const probe = probes.get(order);
    if (probe === undefined) return [];
    const { sign, priceTicks, liveSinceUs, cancelEffectiveUs = Infinity } = order.quote;
    const { filledUs: trueUs, met } = probe;
    const queueAheadLots = order.quote.queue?.aheadAtPlacement;
    const times = { liveUs: liveSinceUs!, endUs: cancelEffectiveUs, trueUs };
    return [{ sign, priceTicks, ...times, met, queueAheadLots, fills: order.fills }];
  });
  return {
    orders,
    resolutionUs: Math.min(...cell.channels.map(({ cadenceUs }) => cadenceUs)),
    refusedInTruth: complete.length - orders.length,
    midHalfAt: (timeUs) => mids[Math.floor((timeUs - startUs) / stepUs)],
  };
}
