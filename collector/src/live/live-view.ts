import type { Fill, LiveKpis, LiveSymbols } from '../../../schema/types.gen.js';
import type { MarketEvent } from '../events.ts';
import type { Route } from '../http/answer.ts';
import type { Pipeline } from '../pipeline.ts';
import { US_PER_MS } from '../units.ts';
import { Channel } from './channel.ts';
import type { HistoryLimits } from './history.ts';
import { History } from './history.ts';
import type { PageFolders } from './page.ts';
import { LivePage } from './page.ts';
import { liveRoute } from './routes.ts';
import { SAMPLE_PERIOD_US, Sampler } from './sampler.ts';
import { Streams } from './streams.ts';

const PERIOD_MS = SAMPLE_PERIOD_US / US_PER_MS;
/** Fifteen minutes of a symbol, and what all symbols may have together: 26 MB of samples, and about as much again of fills. */
const SAMPLES = 3_600;
const ALL_SAMPLES = 360_000;
const FILLS = 10_000;
const ALL_FILLS = 200_000;

/** What is kept of each of so many symbols: beyond a hundred of them less than fifteen minutes. */
export function limitsFor(symbols: number): HistoryLimits {
  const samples = Math.max(1, Math.min(SAMPLES, Math.floor(ALL_SAMPLES / symbols)));
  const fills = Math.max(1, Math.min(FILLS, Math.floor(ALL_FILLS / symbols)));
  return { samples, fills, keptMs: samples * PERIOD_MS };
}

export interface LiveViewOptions {
  /** Of the run; what it is made of beside the view's own numbers. */
  readonly about: Omit<LiveSymbols, 'sample_period_ms' | 'history_ms'>;
  readonly folders: PageFolders;
  /** What the gauges of a symbol show at this moment. */
  readonly kpis: (symbol: string) => LiveKpis;
}

/** The live view of a run: what is kept of it, and what is served of that. */
export class LiveView {
  readonly route: Route;
  readonly #histories: ReadonlyMap<string, History>;
  readonly #sampler = new Sampler((symbol, sample) => this.#histories.get(symbol)!.addSample(sample));
  readonly #streams = new Streams();

  constructor({ about, folders, kpis }: LiveViewOptions) {
    const limits = limitsFor(about.symbols.length);
    this.#histories = new Map(about.symbols.map((symbol) => [symbol, new History(limits)]));
    const channels = [...this.#histories].map(([symbol, history]): [string, Channel] => [
      symbol,
      new Channel(symbol, history, () => kpis(symbol)),
    ]);
    this.route = liveRoute({
      page: new LivePage(folders),
      streams: this.#streams,
      channels: new Map(channels),
      symbols: { ...about, sample_period_ms: PERIOD_MS, history_ms: limits.keptMs },
    });
  }

  /** Hands events to the pipeline and takes the samples that are due. */
  push(pipeline: Pipeline, events: readonly MarketEvent[]): void {
    this.#sampler.push(pipeline, events);
  }

  addFill(fill: Fill): void {
    this.#histories.get(fill.symbol)!.addFill(fill);
  }

  /** Whoever looks is told that the run has ended. */
  close(): Promise<void> {
    return this.#streams.close();
  }
}
