import { ShadowError } from '../errors.ts';
import type { Us } from '../units.ts';
import { US_PER_MS } from '../units.ts';
import type { BookChannelRule, BookPublisher, FrameStamps } from './market-data.ts';
import { BOOK_CHANNELS } from './market-data.ts';
import { LISTED_SYMBOLS, marketOf } from './markets.ts';
import type { CancelLaw } from './order-flow.ts';
import type { Moment, ScheduledScenario } from './scenario.ts';
import { Schedule } from './scenario.ts';
import type { Frame } from './simulated-symbol.ts';
import { SimulatedSymbol } from './simulated-symbol.ts';

/** Time of the market goes on in steps of this, the shortest cadence of a channel. */
export const STEP_US: Us = 10 * US_PER_MS;
/** A pause longer than this (the machine slept) is skipped, not caught up. */
const LONGEST_CATCH_UP_US: Us = 5_000 * US_PER_MS;

export interface ExchangeOptions {
  readonly symbols: readonly string[];
  readonly seed: number;
  /** True time at the start, µs since the epoch. */
  readonly startUs: Us;
  readonly scenarios: readonly ScheduledScenario[];
  readonly cancelLaw?: CancelLaw;
  readonly channels?: readonly BookChannelRule[];
}

/**
 * An exchange whose truth is known: symbols with their markets in true time, the exchange's own clock, and the scenario of the moment. Pure:
 * the same options and the same calls give the same frames.
 */
export class SimulatedExchange {
  readonly symbols: ReadonlyMap<string, SimulatedSymbol>;
  readonly #schedule: Schedule;
  readonly #startUs: Us;
  readonly #publishers = new Map<string, { readonly symbol: SimulatedSymbol; readonly publisher: BookPublisher }>();
  readonly #trades = new Map<string, SimulatedSymbol>();
  readonly #subscribers = new Map<string, number>();
  #nowUs: Us;
  #moment: Moment;

  /** Throws SHADOW_ERR_USAGE for a symbol that it does not list. */
  constructor(options: ExchangeOptions) {
    const { seed, cancelLaw = 'back-heavy', channels = BOOK_CHANNELS } = options;
    // Steps lie on the grid of the cadences.
    const startUs = Math.floor(options.startUs / STEP_US) * STEP_US;
    this.#startUs = startUs;
    this.#nowUs = startUs;
    this.#schedule = new Schedule(options.scenarios);
    this.#moment = this.#schedule.at(0);
    const stamper = { stamps: (engineUs: Us, publishUs: Us) => this.#stamps(engineUs, publishUs) };
    const listed = options.symbols.map((name) => {
      const market = marketOf(name);
      if (market === undefined) throw unlisted(name);
      return [name, new SimulatedSymbol({ market, channels, seed, cancelLaw, startUs, stamper })] as const;
    });
    this.symbols = new Map(listed);
    for (const [, symbol] of listed) {
      this.#trades.set(symbol.tradeTopic, symbol);
      for (const publisher of symbol.publishers) this.#publishers.set(publisher.topic, { symbol, publisher });
    }
  }

  /** True time up to which the market has run. */
  get nowUs(): Us {
    return this.#nowUs;
  }

  get moment(): Moment {
    return this.#moment;
  }

  /** Of the true time since the start. */
  elapsedUs(timeUs: Us): Us {
    return timeUs - this.#startUs;
  }

  /** Runs all markets to `untilUs`; frames come in the order of their publication. */
  advance(untilUs: Us): Frame[] {
    if (untilUs - this.#nowUs > LONGEST_CATCH_UP_US) this.skipTo(untilUs - STEP_US);
    const frames: Frame[] = [];
    while (this.#nowUs + STEP_US <= untilUs) this.#step(frames);
    return frames;
  }

  /** The one step after `nowUs`. */
  step(): Frame[] {
    const frames: Frame[] = [];
    this.#step(frames);
    return frames;
  }

  /** Time passes in which no market does anything. */
  skipTo(timeUs: Us): void {
    this.#nowUs = Math.floor(timeUs / STEP_US) * STEP_US;
    for (const symbol of this.symbols.values()) symbol.skipTo(this.#nowUs);
  }

  has(topic: string): boolean {
    return this.#publishers.has(topic) || this.#trades.has(topic);
  }

  /** One more subscriber: from now on the topic is published. */
  subscribe(topic: string): void {
    this.#subscribers.set(topic, (this.#subscribers.get(topic) ?? 0) + 1);
    this.#trades.get(topic)?.wantTrades(true);
  }

  /** One subscriber less. */
  release(topic: string): void {
    const left = (this.#subscribers.get(topic) ?? 0) - 1;
    this.#subscribers.set(topic, left);
    if (left > 0) return;
    this.#trades.get(topic)?.wantTrades(false);
    this.#publishers.get(topic)?.publisher.stop();
  }

  /** The book as the topic publishes it, and the beginning of its updates; undefined for trades, and while nothing is published. */
  snapshot(topic: string): Frame | undefined {
    const book = this.#publishers.get(topic);
    const frame = book?.symbol.snapshot(book.publisher, this.#nowUs);
    return this.#moment.conditions.feedStopped ? undefined : frame;
  }

  /** What the exchange's clock shows at a true time. */
  clockUs(timeUs: Us): Us {
    const { conditions, sinceUs } = this.#moment;
    const drivenUs = this.elapsedUs(timeUs) - (sinceUs.clockSkewPpm ?? 0);
    return timeUs + conditions.clockOffsetMs * US_PER_MS + conditions.clockSkewPpm * 1e-6 * drivenUs;
  }

  #step(frames: Frame[]): void {
    this.#nowUs += STEP_US;
    if (this.elapsedUs(this.#nowUs) >= this.#moment.untilUs) {
      this.#moment = this.#schedule.at(this.elapsedUs(this.#nowUs));
    }
    const from = frames.length;
    for (const symbol of this.symbols.values()) symbol.advance(this.#nowUs, this.#moment.conditions, frames);
    if (this.symbols.size > 1 || frames.length - from > 1) sortFrom(frames, from);
  }

  #stamps(engineUs: Us, publishUs: Us): FrameStamps {
    return {
      engineMs: Math.floor(this.clockUs(engineUs) / US_PER_MS),
      publishMs: Math.floor(this.clockUs(publishUs) / US_PER_MS),
    };
  }
}

const unlisted = (name: string): ShadowError =>
  new ShadowError(
    'SHADOW_ERR_USAGE',
    `the simulated exchange lists ${LISTED_SYMBOLS.join(', ')} and SIM1USDT to SIM9999USDT, not ${name}`,
  );

/** By time of publication; stable, so that frames of one moment keep their order. */
function sortFrom(frames: Frame[], from: number): void {
  const tail = frames.splice(from);
  tail.sort((a, b) => a.publishUs - b.publishUs);
  for (const frame of tail) frames.push(frame);
}
