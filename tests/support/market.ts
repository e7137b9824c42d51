import * as fc from 'fast-check';
import { MiniLob } from '../../collector/src/book/mini-lob.ts';
import type { OrderedEvent } from '../../collector/src/book/reorder.ts';
import { RANK } from '../../collector/src/book/reorder.ts';
import type { BookEvent, GapReason, Grid, Instrument, MarketEvent, TradeEvent } from '../../collector/src/events.ts';
import type { Latencies } from '../../collector/src/fills/latency-model.ts';
import { LatencyModel } from '../../collector/src/fills/latency-model.ts';
import type { DeskParameters } from '../../collector/src/fills/order-desk.ts';
import { OrderDesk } from '../../collector/src/fills/order-desk.ts';
import type { ModelIndex, VirtualFill } from '../../collector/src/fills/shadow-quote.ts';
import { FILL_MODELS, ShadowQuote } from '../../collector/src/fills/shadow-quote.ts';
import type { SimulationParameters } from '../../collector/src/fills/simulation.ts';
import { TimerQueue } from '../../collector/src/fills/timers.ts';
import type { Summary, SummaryParameters } from '../../collector/src/kpi/summary.ts';
import { summarize } from '../../collector/src/kpi/summary.ts';
import type { WindowStats } from '../../collector/src/kpi/window.ts';
import type { PipelineParameters, WindowReport } from '../../collector/src/pipeline.ts';
import { Pipeline } from '../../collector/src/pipeline.ts';
import type { BookChannel } from '../../collector/src/symbol-shadow.ts';
import type { Lots, Sign, Ticks, Us } from '../../collector/src/units.ts';

/** A start of the run that is a whole second, so that windows and clusters fall on round times. */
export const T0: Us = 1_760_000_000_000_000;
/** Wall clock less monotonic clock. */
const WALL_MINUS_MONO: Us = 1_759_999_000_000_000;
export const MS = 1_000;
export const S = 1_000_000;

export const SYMBOL = 'BTCUSDT';
export const DEEP: BookChannel = { name: 'orderbook.50', depth: 50, silenceLimitUs: 3_600 * S };
export const TOP: BookChannel = { name: 'orderbook.1', depth: 1, silenceLimitUs: 3_600 * S };

export const HORIZONS = ['100ms', '1s', '5s', '30s', '60s'] as const;
export const HORIZONS_US = [100 * MS, S, 5 * S, 30 * S, 60 * S];

export const gridOf = (decimals: number, step: number): Grid => ({ decimals, step, size: step / 10 ** decimals });

/** A tick of 0.1 and a lot of 0.001 unless said otherwise; no smallest order. */
export const instrument = (overrides: Partial<Instrument> = {}): Instrument => ({
  symbol: SYMBOL,
  tick: gridOf(1, 1),
  lot: gridOf(3, 1),
  minSizeLots: 0,
  minNotionalQuote: 0,
  ...overrides,
});

export const stampsAt = (wallUs: Us): { receiveTimeUs: Us; monoUs: Us } => ({
  receiveTimeUs: wallUs,
  monoUs: wallUs - WALL_MINUS_MONO,
});

/** A book event of exchange time `timeUs` that is received `delayUs` later. */
export function bookEvent(timeUs: Us, event: Partial<BookEvent> = {}, delayUs: Us = 5 * MS): BookEvent {
  return {
    kind: 'book',
    symbol: SYMBOL,
    channel: DEEP.name,
    depth: DEEP.depth,
    snapshot: false,
    sequence: 1,
    exchangeTimeUs: timeUs,
    publishTimeUs: timeUs,
    bids: [],
    asks: [],
    ...stampsAt(timeUs + delayUs),
    ...event,
  };
}

export function tradeEvent(timeUs: Us, event: Partial<TradeEvent> = {}, delayUs: Us = 5 * MS): TradeEvent {
  return {
    kind: 'trade',
    symbol: SYMBOL,
    channel: 'publicTrade',
    exchangeTimeUs: timeUs,
    publishTimeUs: timeUs,
    sequence: 1,
    index: 0,
    priceTicks: 100,
    sizeLots: 1,
    takerSign: -1,
    tradeId: '',
    offBook: false,
    ...stampsAt(timeUs + delayUs),
    ...event,
  };
}

export const connectAt = (wallUs: Us): MarketEvent => ({ kind: 'connect', connectionId: '1', ...stampsAt(wallUs) });
export const disconnectAt = (wallUs: Us): MarketEvent => ({
  kind: 'disconnect',
  connectionId: '1',
  reason: 'closed',
  ...stampsAt(wallUs),
});
export const heartbeatAt = (wallUs: Us): MarketEvent => ({ kind: 'heartbeat', ...stampsAt(wallUs) });

/** An answered probe that took so long, half of it each way, between clocks that agree. */
export const probeAt = (wallUs: Us, rttUs: Us): MarketEvent => ({
  kind: 'probe',
  result: 'ok',
  sentMonoUs: stampsAt(wallUs - rttUs).monoUs,
  answeredMonoUs: stampsAt(wallUs).monoUs,
  serverTimeUs: wallUs - rttUs / 2,
  ...stampsAt(wallUs),
});

/** A book feed in sequence: every call is the next update of the channel. */
export class BookFeed {
  readonly symbol: string;
  readonly channel: { readonly name: string; readonly depth: number };
  #sequence = 10;

  constructor(channel: { readonly name: string; readonly depth: number } = DEEP, symbol = SYMBOL) {
    this.channel = channel;
    this.symbol = symbol;
  }

  snapshot(timeUs: Us, bids: readonly number[], asks: readonly number[], delayUs?: Us): BookEvent {
    return this.#event(timeUs, true, bids, asks, delayUs);
  }

  delta(timeUs: Us, bids: readonly number[], asks: readonly number[], delayUs?: Us): BookEvent {
    return this.#event(timeUs, false, bids, asks, delayUs);
  }

  #event(timeUs: Us, snapshot: boolean, bids: readonly number[], asks: readonly number[], delayUs?: Us): BookEvent {
    const { name, depth } = this.channel;
    const sequence = ++this.#sequence;
    return bookEvent(timeUs, { symbol: this.symbol, channel: name, depth, snapshot, sequence, bids, asks }, delayUs);
  }
}

/** Constant latencies, so that tests can be exact. */
export const LATENCIES: Latencies = {
  compute: { kind: 'const', ms: 0.2 },
  entry: { kind: 'const', ms: 7 },
  cancel: { kind: 'const', ms: 10 },
  resp: { kind: 'const', ms: 3 },
};

export const DESK: DeskParameters = {
  queue: { exponent: 2, deferredSeedFraction: 1, tradeTtlUs: 200 * MS },
  dwellUs: 25 * MS,
  volume: undefined,
};

export interface SimulationOverrides {
  readonly quoter?: Partial<SimulationParameters['quoter']>;
  readonly desk?: Partial<DeskParameters>;
  readonly kpi?: Partial<SimulationParameters['kpi']>;
  readonly postOnly?: boolean;
}

/** The defaults of the specification (§16), a quote of 1,000 at 30 bps. */
export const simulationParameters = (overrides: SimulationOverrides = {}): SimulationParameters => ({
  postOnly: overrides.postOnly ?? true,
  quoter: {
    spreadBps: 30,
    quoteNotional: 1_000,
    inventoryLimitQuote: 10_000,
    flattenFactor: 0,
    requoteTicks: 1,
    minRequoteIntervalUs: 250 * MS,
    maxAgeUs: 30 * S,
    ...overrides.quoter,
  },
  desk: { ...DESK, ...overrides.desk },
  kpi: {
    fees: { maker: 2, taker: 5.5 },
    driver: 3,
    horizonsUs: HORIZONS_US,
    kpiHorizon: 2,
    inventoryLimitQuote: overrides.quoter?.inventoryLimitQuote ?? 10_000,
    ...overrides.kpi,
  },
});

export interface MarketSetup extends SimulationOverrides {
  readonly instruments?: readonly Instrument[];
  readonly channels?: readonly BookChannel[];
  readonly latencies?: Partial<Latencies>;
  readonly reorderWindowUs?: Us;
  readonly windowUs?: Us;
  readonly iterations?: number;
  readonly drainUs?: Us;
}

export function pipelineParameters(setup: MarketSetup = {}): PipelineParameters {
  const latency = new LatencyModel({ ...LATENCIES, ...setup.latencies }, 1);
  return {
    windowUs: setup.windowUs ?? 60 * S,
    iterations: setup.iterations ?? 0,
    drainUs: setup.drainUs ?? 5 * S,
    horizons: HORIZONS.length,
    stampGranularity: { feedUs: MS, probeUs: 1 },
    symbols: (setup.instruments ?? [instrument()]).map((each) => ({
      instrument: each,
      channels: setup.channels ?? [DEEP],
      latency,
      parameters: { simulation: simulationParameters(setup), reorderWindowUs: setup.reorderWindowUs ?? 50 * MS },
    })),
  };
}

export type SymbolFill = VirtualFill & { readonly symbol: string };

/** A report as it was when it was made: the statistics behind it go on changing. */
export interface ReportCopy {
  readonly index: number;
  readonly startUs: Us;
  readonly endUs: Us;
  readonly provisional: boolean;
  readonly cutShort: boolean;
  readonly driftMs: number | undefined;
  readonly total: Summary;
  readonly bySymbol: Readonly<Record<string, Summary>>;
}

export interface MarketRun {
  readonly pipeline: Pipeline;
  readonly fills: readonly SymbolFill[];
  readonly reports: readonly ReportCopy[];
  /** Statistics of the windows whose last report has been made: final or cut short. */
  readonly last: readonly WindowReport[];
  readonly closed: readonly { readonly symbol: string; readonly stats: WindowStats }[];
  readonly resyncs: readonly { readonly symbol: string; readonly channel: string; readonly reason: GapReason }[];
}

/** Pushes batches of events through a pipeline, looks at it after each, and finishes it. */
export function runBatches(
  batches: Iterable<readonly MarketEvent[]>,
  parameters: PipelineParameters,
  look: (pipeline: Pipeline) => void = () => undefined,
): MarketRun {
  const fills: SymbolFill[] = [];
  const reports: ReportCopy[] = [];
  const last = new Map<number, WindowReport>();
  const closed: { symbol: string; stats: WindowStats }[] = [];
  const resyncs: { symbol: string; channel: string; reason: GapReason }[] = [];
  const pipeline = new Pipeline(parameters, {
    onFill: (symbol, fill) => fills.push({ symbol, ...fill }),
    onWindow: (report) => {
      reports.push(copyOf(report, parameters));
      last.set(report.index, report);
    },
    onSymbolWindow: (symbol, stats) => closed.push({ symbol, stats }),
    onResync: (symbol, channel, reason) => resyncs.push({ symbol, channel, reason }),
  });
  for (const batch of batches) {
    pipeline.push(batch);
    look(pipeline);
  }
  pipeline.finish();
  return { pipeline, fills, reports, last: [...last.values()].sort((a, b) => a.index - b.index), closed, resyncs };
}

export const runMarket = (events: readonly MarketEvent[], setup: MarketSetup = {}): MarketRun =>
  runBatches([events], pipelineParameters(setup));

export const summaryParameters = (parameters: PipelineParameters, windowUs: Us, symbols: number): SummaryParameters => {
  const { kpi } = parameters.symbols[0]!.parameters.simulation;
  const { driver, inventoryLimitQuote } = kpi;
  return { driver: FILL_MODELS[driver], horizons: HORIZONS, inventoryLimitQuote, windowUs, symbols };
};

function copyOf(report: WindowReport, parameters: PipelineParameters): ReportCopy {
  const { index, startUs, endUs, provisional, cutShort, driftMs } = report;
  const bySymbol = [...report.bySymbol].map(([symbol, stats]) => [
    symbol,
    summarize(
      stats,
      { driftMs: stats.driftMs, clock: report.clock },
      summaryParameters(parameters, endUs - startUs, 1),
    ),
  ]);
  const whole = summaryParameters(parameters, endUs - startUs, report.bySymbol.size);
  return {
    index,
    startUs,
    endUs,
    provisional,
    cutShort,
    driftMs,
    total: summarize(report.total, report, whole),
    bySymbol: Object.fromEntries(bySymbol) as Record<string, Summary>,
  };
}

/** A resting order outside any strategy. */
export const quote = (id: number, sign: Sign, priceTicks: Ticks, sizeLots: Lots): ShadowQuote =>
  new ShadowQuote(id, sign, priceTicks, sizeLots, 2 * priceTicks, false, FILL_MODELS.length);

export interface DeskFill {
  readonly order: ShadowQuote;
  readonly model: ModelIndex;
  readonly fill: VirtualFill;
}

/** Given orders against a market: book, order desk and dwell timers, without a strategy, a latency or a reorder buffer. */
export class DeskRun {
  readonly book: MiniLob;
  readonly desk: OrderDesk;
  readonly fills: DeskFill[] = [];
  readonly #timers = new TimerQueue<{ order: ShadowQuote; touchStartUs: Us }>();
  nowUs: Us = 0;

  constructor(parameters: DeskParameters = DESK, channels: readonly BookChannel[] = [DEEP]) {
    this.book = new MiniLob(channels);
    this.desk = new OrderDesk(this.book, parameters, {
      onFill: (order, model, fill) => {
        this.fills.push({ order, model, fill });
        if (!order.openUnderAnyModel()) this.desk.remove(order);
      },
      onTouchStart: (order, touchStartUs) =>
        this.#timers.schedule(touchStartUs + parameters.dwellUs, RANK.dwell, { order, touchStartUs }),
      onOppositeVolume: () => undefined,
    });
  }

  push(event: OrderedEvent): void {
    this.advance(event.exchangeTimeUs, event.kind === 'trade' ? RANK.trade : RANK.depth);
    if (event.kind === 'trade') {
      if (!event.offBook) this.desk.onTrade(event, this.nowUs);
      return;
    }
    this.book.apply(event);
    this.desk.onBook(this.nowUs, this.book.synchronized && this.book.midHalfTicks !== undefined, event.snapshot);
  }

  /** Runs the timers that come before this time and rank. */
  advance(timeUs: Us, rank: number = RANK.decision): void {
    const timers = this.#timers;
    while (timers.nextTimeUs < timeUs || (timers.nextTimeUs === timeUs && timers.nextRank! < rank)) {
      const timer = timers.pop()!;
      const { order, touchStartUs } = timer.task;
      this.nowUs = Math.max(this.nowUs, timer.timeUs);
      if (this.desk.resting(order.sign).includes(order)) this.desk.onDwellTimer(order, touchStartUs, this.nowUs);
    }
    this.nowUs = Math.max(this.nowUs, timeUs);
  }

  rest(order: ShadowQuote): void {
    order.liveSinceUs = this.nowUs;
    this.desk.rest(order, false);
  }

  cancel(order: ShadowQuote): void {
    this.desk.remove(order);
  }

  /** Whether a post-only order of this price would be refused now. */
  crosses(sign: Sign, priceTicks: Ticks): boolean {
    const opposite = this.book.bestTicks(-sign as Sign);
    return opposite !== undefined && sign * (priceTicks - opposite) >= 0;
  }
}

/** Lots an order got under each model so far. */
export const filledLots = (order: ShadowQuote): number[] =>
  [...order.leavesLots].map((leaves) => order.sizeLots - leaves);

// ---- markets made of random steps -------------------------------------------------------------------------------

/** One thing that happens in a made-up market. Prices are ticks away from its centre. */
export type MarketAction =
  | { readonly kind: 'level'; readonly sign: Sign; readonly offset: number; readonly lots: Lots }
  | {
      readonly kind: 'trade';
      readonly takerSign: Sign;
      readonly offset: number;
      readonly lots: Lots;
      /** The print is stamped so much earlier than what has been shown already. */
      readonly lateUs: Us;
      readonly offBook: boolean;
    }
  | { readonly kind: 'snapshot' };

export interface MarketStep {
  readonly afterUs: Us;
  readonly delayUs: Us;
  readonly action: MarketAction;
  /** False: the depth channel shows the change only with a later step, netted. */
  readonly shown: boolean;
}

const sign = fc.constantFrom<Sign>(1, -1);

/** Times between steps: often none, mostly a few milliseconds, seldom long enough for everything to expire. */
const gapUs = fc.oneof(
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 40_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 100_000, max: 700_000 }) },
);

export interface StepOptions {
  readonly maxSteps?: number;
  readonly minSteps?: number;
  readonly reach?: number;
  readonly maxLots?: number;
  readonly maxDelayUs?: Us;
  readonly late?: boolean;
}

export function marketSteps(options: StepOptions = {}): fc.Arbitrary<MarketStep[]> {
  const { minSteps = 1, maxSteps = 60, reach = 6, maxLots = 20, maxDelayUs = 20_000, late = true } = options;
  const offset = fc.integer({ min: -reach, max: reach });
  const lots = fc.integer({ min: 1, max: maxLots });
  const action: fc.Arbitrary<MarketAction> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('level' as const),
        sign,
        offset,
        lots: fc.integer({ min: 0, max: maxLots }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('trade' as const),
        takerSign: sign,
        offset,
        lots,
        lateUs: late
          ? fc.oneof(
              { weight: 4, arbitrary: fc.constant(0) },
              { weight: 1, arbitrary: fc.integer({ min: 1, max: 150_000 }) },
            )
          : fc.constant(0),
        offBook: fc.integer({ min: 0, max: 9 }).map((draw) => draw === 0),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'snapshot' as const }) },
  );
  const step = fc.record({
    afterUs: gapUs,
    delayUs: fc.integer({ min: 0, max: maxDelayUs }),
    action,
    shown: fc.integer({ min: 0, max: 3 }).map((draw) => draw > 0),
  });
  return fc.array(step, { minLength: minSteps, maxLength: maxSteps, size: 'max' });
}

export interface MarketOptions {
  readonly center?: Ticks;
  readonly symbol?: string;
  readonly startUs?: Us;
  readonly channel?: BookChannel;
  /** A fast channel beside the deep one: shows the best prices after every step. */
  readonly top?: boolean;
}

/**
 * The events of a market that goes through these steps: an uncrossed book of integer levels, shown as a channel shows it (its best
 * levels, as a snapshot and then deltas in sequence), and prints. A level set through the other side removes what it meets.
 */
export function marketEvents(steps: readonly MarketStep[], options: MarketOptions = {}): OrderedEvent[] {
  const { center = 10_000, symbol = SYMBOL, startUs = T0, channel = DEEP, top = false } = options;
  const deep = new BookFeed(channel, symbol);
  const fast = new BookFeed(TOP, symbol);
  const sides = { 1: new Map<Ticks, Lots>(), [-1]: new Map<Ticks, Lots>() };
  for (let level = 1; level <= 4; level++) {
    sides[1].set(center - level, 5 * level);
    sides[-1].set(center + level, 5 * level);
  }
  const best = (side: Sign, count: number): [Ticks, Lots][] =>
    [...sides[side]].sort((a, b) => side * (b[0] - a[0])).slice(0, count);
  let shown: Record<Sign, Map<Ticks, Lots>> = { 1: new Map(), [-1]: new Map() };
  const show = (timeUs: Us, delayUs: Us, snapshot: boolean): BookEvent => {
    const next = { 1: new Map(best(1, channel.depth)), [-1]: new Map(best(-1, channel.depth)) };
    const bids = snapshot ? [...next[1]].flat() : changes(shown[1], next[1]);
    const asks = snapshot ? [...next[-1]].flat() : changes(shown[-1], next[-1]);
    shown = next;
    return snapshot ? deep.snapshot(timeUs, bids, asks, delayUs) : deep.delta(timeUs, bids, asks, delayUs);
  };
  const showBest = (timeUs: Us, delayUs: Us): BookEvent =>
    fast.snapshot(timeUs, best(1, 1).flat(), best(-1, 1).flat(), delayUs);

  let timeUs = startUs;
  const events: OrderedEvent[] = [show(timeUs, 0, true)];
  if (top) events.push(showBest(timeUs, 0));
  let trades = 0;
  for (const { afterUs, delayUs, action, shown: visible } of steps) {
    timeUs += afterUs;
    if (action.kind === 'trade') {
      const { takerSign, offset, lots, lateUs, offBook } = action;
      const id = ++trades;
      events.push(
        tradeEvent(
          timeUs - lateUs,
          { symbol, sequence: id, priceTicks: center + offset, sizeLots: lots, takerSign, tradeId: `t${id}`, offBook },
          delayUs + lateUs,
        ),
      );
      continue;
    }
    if (action.kind === 'level') setLevel(sides, action.sign, center + action.offset, action.lots);
    if (top) events.push(showBest(timeUs, delayUs));
    if (visible) events.push(show(timeUs, delayUs, action.kind === 'snapshot'));
  }
  return events;
}

function setLevel(sides: Record<Sign, Map<Ticks, Lots>>, side: Sign, ticks: Ticks, lots: Lots): void {
  if (lots === 0) {
    // The last level of a side stays, so that there is a mid.
    if (sides[side].size > 1) sides[side].delete(ticks);
    return;
  }
  const opposite = sides[-side as Sign];
  const met = [...opposite.keys()].filter((price) => side * (ticks - price) >= 0);
  if (met.length === opposite.size) return;
  for (const price of met) opposite.delete(price);
  sides[side].set(ticks, lots);
}

function changes(before: ReadonlyMap<Ticks, Lots>, after: ReadonlyMap<Ticks, Lots>): number[] {
  const levels: number[] = [];
  for (const ticks of before.keys()) if (!after.has(ticks)) levels.push(ticks, 0);
  for (const [ticks, lots] of after) if (before.get(ticks) !== lots) levels.push(ticks, lots);
  return levels;
}

/** In the order of their receive stamps, behind a connection: what a feed would hand over. */
export const received = (events: readonly MarketEvent[]): MarketEvent[] => [
  connectAt(T0),
  ...[...events].sort((a, b) => a.monoUs - b.monoUs),
];
