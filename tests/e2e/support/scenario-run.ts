import type { IterSummary } from '../../../schema/types.gen.js';
import type { ScenarioName } from '../../../collector/src/simulator/scenario.ts';
import type { Flags, Labels, Metrics } from './collector.ts';
import { Collector } from './collector.ts';
import type { Scope } from './scope.ts';

/** A run on the simulated exchange with one scenario in it. Times are seconds since the start of the exchange. */
export interface Plan {
  readonly symbols: readonly string[];
  readonly windowS: number;
  readonly fromS: number;
  readonly lengthS: number;
  readonly flags?: Flags;
}

/** Whole windows of a run. The first, and those in which the scenario begins or ends, are in none of the first three. */
export interface Phases {
  readonly before: readonly IterSummary[];
  readonly during: readonly IterSummary[];
  readonly after: readonly IterSummary[];
  /** Every window from the one in which the scenario begins. What happens between messages counts for the one before. */
  readonly sinceBegin: readonly IterSummary[];
}

/** What a faultless feed has none of. */
export const FAULTS = [
  'gaps',
  'bad',
  'duplicates',
  'crossed',
  'silences',
  'dropped',
  'late',
  'resyncs',
  'reconnects',
] as const;

/** What is still on the line when a scenario begins and ends belongs to no phase. */
const MARGIN_S = 1;
/** The machine may have other work. */
const DEADLINE_MS = 60_000;
/** An effect may show this long after the scenario's end: windows are published with a delay. */
const GRACE_MS = 10_000;
const SCRAPE_EVERY_MS = 50;
const READ_EVERY_MS = 200;

/** The machine was too slow for the plan: the scenario began before there was anything to compare with. */
export class TooSlow extends Error {}

/** `shadow run --mock --scenario …` as a process, and where in its scenario it is. */
export class ScenarioRun {
  readonly collector: Collector;
  readonly plan: Plan;
  /** Wall clock at the start of the exchange. */
  readonly #startMs: number;
  #overS: number;

  private constructor(collector: Collector, plan: Plan, startMs: number) {
    this.collector = collector;
    this.plan = plan;
    this.#startMs = startMs;
    this.#overS = plan.fromS + plan.lengthS;
  }

  static async start(scope: Scope, name: ScenarioName, plan: Plan): Promise<ScenarioRun> {
    const collector = await Collector.startMock(scope, {
      symbols: plan.symbols.join(','),
      scenario: `${name}:${plan.fromS}s+${plan.lengthS}s`,
      duration: plan.windowS,
      ...plan.flags,
    });
    let line: string | undefined;
    await collector.until('the start of the exchange', () => {
      line = collector.stderr.split('\n').find((text) => text.includes('"simulated exchange started"'));
      return line !== undefined;
    });
    const { time } = JSON.parse(line!) as { time: string };
    return new ScenarioRun(collector, plan, Date.parse(time));
  }

  get elapsedS(): number {
    return (Date.now() - this.#startMs) / 1_000;
  }

  /**
   * Waits until there are two windows, and those that can be compared with are usable; the scrape is of the time before the scenario.
   * Throws `TooSlow`.
   */
  async calm(usable: (before: readonly IterSummary[]) => boolean = () => true): Promise<Metrics> {
    const late = (): boolean => this.elapsedS > this.plan.fromS - MARGIN_S;
    await this.windows(
      'two windows',
      (windows) => late() || (windows.length >= 2 && usable(this.phases(windows).before)),
    );
    await this.collector.untilReady();
    const metrics = await this.collector.scrape();
    if (late()) throw new TooSlow(`no two windows to compare with before ${this.plan.fromS} s`);
    return metrics;
  }

  /** Waits until a fresh scrape satisfies the condition. */
  async series(what: string, condition: (metrics: Metrics) => boolean): Promise<void> {
    const scraped = every(SCRAPE_EVERY_MS, async () => condition(await this.collector.scrape()));
    await this.collector.until(what, scraped, this.#deadlineMs);
  }

  /** Waits until the sum of the series with these labels is at least that. */
  async counts(name: string, labels: Labels, least: number): Promise<void> {
    const what = `${name} ${JSON.stringify(labels)} of ${least}`;
    await this.series(what, (metrics) => total(metrics, name, labels) >= least);
  }

  /**
   * Waits until a book is not trusted: `/readyz` says so, and the best bid of as many symbols is not published. Each is seen by itself: a book may be
   * mended between two questions.
   */
  async dark(symbols = 1): Promise<void> {
    const bids = this.plan.symbols.length - symbols;
    const notReady = async (): Promise<boolean> => (await this.collector.get('/readyz')).status === 503;
    await this.collector.until('/readyz to answer 503', notReady, this.#deadlineMs);
    const absent = async (): Promise<boolean> =>
      (await this.collector.scrape()).values('shadow_best_bid').length <= bids;
    await this.collector.until(`${symbols} best bids to be absent`, absent, this.#deadlineMs);
  }

  /** Scrapes until that time. */
  async samples(untilS: number): Promise<Sample[]> {
    const samples: Sample[] = [];
    await this.series(`${untilS} s of the exchange`, (metrics) => {
      samples.push({ atS: this.elapsedS, metrics });
      return this.elapsedS >= untilS;
    });
    return samples;
  }

  /** Waits for windows as they are when they end, most of their markouts still to come. */
  async windows(what: string, condition: (windows: readonly IterSummary[]) => boolean): Promise<void> {
    const read = every(READ_EVERY_MS, () => Promise.resolve(condition(this.collector.windows())));
    await this.collector.until(what, read, this.#deadlineMs);
  }

  async over(): Promise<void> {
    await this.collector.until('the scenario to end', () => this.elapsedS >= this.#overS, this.#deadlineMs);
  }

  /** The scenario has ended for this run, whatever the plan says. */
  overNow(): void {
    this.#overS = Math.min(this.elapsedS, this.#overS);
  }

  /** Waits until all is as it was: books and series are there, two windows in a row were faultless, and there are fills. */
  async recovered(again: (phases: Phases) => boolean): Promise<void> {
    await this.windows('two faultless windows, with fills, after the scenario', (windows) => {
      const phases = this.phases(windows);
      const last = phases.after.slice(-2);
      const fills = sum(phases.after, ({ summary }) => summary.fills);
      return last.length === 2 && last.every(faultless) && fills > 0 && again(phases);
    });
    await this.collector.untilReady();
    await this.series('all series to be back', (metrics) =>
      this.plan.symbols.every(
        (symbol) =>
          SERIES.every((name) => metrics.value(name, { symbol }) !== undefined) &&
          metrics.value('shadow_coverage_ratio', { symbol }) === 1,
      ),
    );
  }

  phases(windows: readonly IterSummary[] = this.collector.windows()): Phases {
    const { fromS, windowS } = this.plan;
    const endS = ({ timestamp }: IterSummary): number => (Date.parse(timestamp) - this.#startMs) / 1_000;
    const startS = (window: IterSummary): number => endS(window) - windowS;
    const whole = windows.filter(({ cut_short: cutShort }) => !cutShort);
    return {
      before: whole.filter((window) => window.iteration > 1 && endS(window) <= fromS - MARGIN_S),
      during: whole.filter((window) => startS(window) >= fromS + MARGIN_S && endS(window) <= this.#overS),
      after: whole.filter((window) => startS(window) >= this.#overS + MARGIN_S),
      sinceBegin: whole.filter((window) => window.iteration > 1 && endS(window) > fromS - MARGIN_S),
    };
  }

  /** What happens in the scenario shows before it is long over. */
  get #deadlineMs(): number {
    const leftMs = (this.#overS - this.elapsedS) * 1_000;
    return leftMs > 0 ? leftMs + GRACE_MS : DEADLINE_MS;
  }
}

export interface Sample {
  readonly atS: number;
  readonly metrics: Metrics;
}

/** What a symbol with a trusted book has. */
const SERIES = [
  'shadow_best_bid',
  'shadow_best_ask',
  'shadow_latency_ms',
  'shadow_clock_drift_ms',
  'shadow_risk_ratio',
] as const;

/** Asks at most so often. */
function every(ms: number, ask: () => Promise<boolean>): () => Promise<boolean> {
  let nextMs = 0;
  return async () => {
    if (performance.now() < nextMs) return false;
    nextMs = performance.now() + ms;
    return ask();
  };
}

/** Every symbol had a trusted book all the time, and nothing was wrong with its feed. */
export const faultless = ({ by_symbol: bySymbol }: IterSummary): boolean =>
  Object.values(bySymbol).every(
    ({ feed, orders, p95_latency_ms: latencyMs }) =>
      feed.coverage === 1 && orders.censored === 0 && latencyMs !== null && FAULTS.every((fault) => feed[fault] === 0),
  );

export const total = (metrics: Metrics, name: string, labels: Labels = {}): number =>
  metrics.values(name, labels).reduce((subtotal, value) => subtotal + value, 0);

export const sum = (windows: readonly IterSummary[], of: (window: IterSummary) => number): number =>
  windows.reduce((subtotal, window) => subtotal + of(window), 0);

/** NaN of none. */
export const mean = (values: readonly number[]): number =>
  values.reduce((subtotal, value) => subtotal + value, 0) / values.length;
