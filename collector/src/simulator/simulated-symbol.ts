import type { Instrument } from '../events.ts';
import type { Us } from '../units.ts';
import type { BookChannelRule, FrameStamps, Match } from './market-data.ts';
import { BookPublisher, tradeText } from './market-data.ts';
import type { Market } from './markets.ts';
import { instrumentOf } from './markets.ts';
import { MatchingEngine } from './matching-engine.ts';
import type { CancelLaw } from './order-flow.ts';
import { OrderFlow } from './order-flow.ts';
import type { Conditions } from './scenario.ts';

/** A frame as the exchange published it, before any network. */
export interface Frame {
  /** True time of publication. */
  readonly publishUs: Us;
  readonly topic: string;
  readonly text: string;
}

/** What turns true times into the stamps of the exchange's clock. */
export interface Stamper {
  stamps(engineUs: Us, publishUs: Us): FrameStamps;
}

export interface SymbolOptions {
  readonly market: Market;
  readonly channels: readonly BookChannelRule[];
  readonly seed: number;
  readonly cancelLaw: CancelLaw;
  readonly startUs: Us;
  readonly stamper: Stamper;
}

/** From the matching engine to the wire. */
const PUBLISH_DELAY_US: Us = 1_000;

/** One symbol of the simulated exchange: its flow, its engine, and the frames that tell of it. */
export class SimulatedSymbol {
  readonly market: Market;
  readonly instrument: Instrument;
  readonly engine: MatchingEngine;
  readonly publishers: readonly BookPublisher[];
  readonly #flow: OrderFlow;
  readonly #stamper: Stamper;
  readonly #matches: { readonly match: Match; readonly timeUs: Us }[] = [];
  #trades = 0;
  #tradesWanted = false;
  #stopped = false;

  constructor({ market, channels, seed, cancelLaw, startUs, stamper }: SymbolOptions) {
    this.market = market;
    this.instrument = instrumentOf(market);
    this.#stamper = stamper;
    this.engine = new MatchingEngine((timeUs, takerSign, ticks, lots) => {
      if (this.#tradesWanted) this.#matches.push({ match: { takerSign, ticks, lots }, timeUs });
    });
    this.#flow = new OrderFlow(this.engine, market, seed, cancelLaw, startUs);
    this.publishers = channels.map((rule) => new BookPublisher(rule, this.engine, this.instrument));
  }

  get tradeTopic(): string {
    return `publicTrade.${this.instrument.symbol}`;
  }

  /** Whether anybody is subscribed to the trades. */
  wantTrades(wanted: boolean): void {
    this.#tradesWanted = wanted;
  }

  /** Called with the time of each event of the market before it happens; it must change nothing but probes. */
  beforeEvents(callback: (timeUs: Us) => void): void {
    this.#flow.beforeEvent = callback;
  }

  skipTo(timeUs: Us): void {
    this.#flow.skipTo(timeUs);
  }

  /** Runs the market to `untilUs` and publishes what is due then. */
  advance(untilUs: Us, conditions: Conditions, out: Frame[]): void {
    this.#flow.runUntil(untilUs, conditions);
    if (conditions.feedStopped) {
      this.#matches.length = 0;
      this.#stopped = true;
      return;
    }
    this.#publishTrades(out);
    const publishUs = untilUs + PUBLISH_DELAY_US;
    const stamps = this.#stamper.stamps(this.#flow.lastChangeUs, publishUs);
    for (const publisher of this.publishers) {
      const { topic, rule } = publisher;
      const due = this.#stopped || untilUs % rule.cadenceUs === 0;
      if (!due) continue;
      const text = this.#stopped
        ? publisher.restart(untilUs, stamps, this.#flow.changes)
        : publisher.publish(untilUs, stamps, this.#flow.changes, conditions.crossed && isOddSecond(untilUs));
      if (text !== undefined) out.push({ publishUs, topic, text });
    }
    this.#stopped = false;
  }

  /** The book of a channel as it is published, for a new subscriber. */
  snapshot(publisher: BookPublisher, nowUs: Us): Frame {
    const publishUs = nowUs + PUBLISH_DELAY_US;
    const text = publisher.snapshot(
      nowUs,
      this.#stamper.stamps(this.#flow.lastChangeUs, publishUs),
      this.#flow.changes,
    );
    return { publishUs, topic: publisher.topic, text };
  }

  /** The matches of one taker have one time, and come in one message. */
  #publishTrades(out: Frame[]): void {
    const all = this.#matches;
    for (let start = 0; start < all.length;) {
      const { timeUs } = all[start]!;
      let end = start;
      while (end < all.length && all[end]!.timeUs === timeUs) end++;
      const publishUs = timeUs + PUBLISH_DELAY_US;
      const matches = all.slice(start, end).map(({ match }) => match);
      const stamps = this.#stamper.stamps(timeUs, publishUs);
      const text = tradeText(this.instrument, matches, stamps, this.#trades, this.#flow.changes);
      out.push({ publishUs, topic: this.tradeTopic, text });
      this.#trades += matches.length;
      start = end;
    }
    all.length = 0;
  }
}

const isOddSecond = (us: Us): boolean => Math.floor(us / 1_000_000) % 2 === 1;
