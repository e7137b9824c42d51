import type { Grid, Instrument } from '../events.ts';
import type { Lots, Sign, Ticks, Us } from '../units.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';
import type { MatchingEngine } from './matching-engine.ts';

/** Book channels of linear contracts: levels a side and the time between two updates. "Orderbook", Bybit v5 WebSocket public. */
export const BOOK_CHANNELS = [
  { name: 'orderbook.1', depth: 1, cadenceUs: 10 * US_PER_MS },
  { name: 'orderbook.50', depth: 50, cadenceUs: 20 * US_PER_MS },
  { name: 'orderbook.200', depth: 200, cadenceUs: 100 * US_PER_MS },
] as const;

export interface BookChannelRule {
  readonly name: string;
  readonly depth: number;
  readonly cadenceUs: Us;
}

/** "If there is no change within 3 seconds, a snapshot message is pushed again, and `u` is the same" (level 1). */
const REPEAT_AFTER_US = 3 * US_PER_S;

/** Stamps of a frame, by the exchange's clock. */
export interface FrameStamps {
  /** When the matching engine last changed what the frame tells. */
  readonly engineMs: number;
  readonly publishMs: number;
}

/** The best levels of a side as last published: ticks, lots, ticks, lots, … best first. */
type Ladder = number[];

/** One book channel of one symbol: what it has published, and the frame that brings a subscriber up to date. */
export class BookPublisher {
  readonly topic: string;
  readonly rule: BookChannelRule;
  readonly #engine: MatchingEngine;
  readonly #instrument: Instrument;
  #bids: Ladder = [];
  #asks: Ladder = [];
  #nextBids: Ladder = [];
  #nextAsks: Ladder = [];
  #update = 1;
  #lastUs: Us = -Infinity;
  #lastStamps: FrameStamps = { engineMs: 0, publishMs: 0 };
  #started = false;

  constructor(rule: BookChannelRule, engine: MatchingEngine, instrument: Instrument) {
    this.rule = rule;
    this.topic = `${rule.name}.${instrument.symbol}`;
    this.#engine = engine;
    this.#instrument = instrument;
  }

  /** The update of this moment, or undefined when there is nothing to tell. `crossed`: show a bid above the best ask. */
  publish(nowUs: Us, stamps: FrameStamps, sequence: number, crossed: boolean): string | undefined {
    if (!this.#started) return undefined;
    this.#read(crossed);
    const bids = this.rule.depth === 1 ? '' : this.#changes(this.#bids, this.#nextBids, 1);
    const asks = this.rule.depth === 1 ? '' : this.#changes(this.#asks, this.#nextAsks, -1);
    const changed =
      this.rule.depth === 1
        ? !sameLadder(this.#bids, this.#nextBids) || !sameLadder(this.#asks, this.#nextAsks)
        : bids !== '' || asks !== '';
    if (changed) {
      this.#take(stamps);
      this.#lastUs = nowUs;
      if (this.rule.depth === 1) return this.#snapshotText(stamps, sequence);
      return this.#text('delta', bids, asks, stamps, sequence);
    }
    if (this.rule.depth > 1 || nowUs - this.#lastUs < REPEAT_AFTER_US) return undefined;
    this.#lastUs = nowUs;
    return this.#snapshotText({ engineMs: this.#lastStamps.engineMs, publishMs: stamps.publishMs }, sequence);
  }

  /** The whole book as last published, for a new subscriber: its update is not a new one. */
  snapshot(nowUs: Us, stamps: FrameStamps, sequence: number): string {
    if (!this.#started) {
      this.#started = true;
      this.#read(false);
      this.#take(stamps);
      this.#lastUs = nowUs;
    }
    return this.#snapshotText({ engineMs: this.#lastStamps.engineMs, publishMs: stamps.publishMs }, sequence);
  }

  /** Nobody is subscribed any more: nothing is published until the next snapshot. */
  stop(): void {
    this.#started = false;
  }

  /** "Once you have received u = 1, that is a snapshot because of a restart of the service: overwrite your local book." */
  restart(nowUs: Us, stamps: FrameStamps, sequence: number): string | undefined {
    if (!this.#started) return undefined;
    this.#read(false);
    this.#take(stamps);
    this.#lastUs = nowUs;
    this.#update = 1;
    return this.#snapshotText(stamps, sequence);
  }

  #take(stamps: FrameStamps): void {
    [this.#bids, this.#nextBids] = [this.#nextBids, this.#bids];
    [this.#asks, this.#nextAsks] = [this.#nextAsks, this.#asks];
    this.#lastStamps = stamps;
    this.#update++;
  }

  #read(crossed: boolean): void {
    readLadder(this.#engine, 1, this.rule.depth, this.#nextBids);
    readLadder(this.#engine, -1, this.rule.depth, this.#nextAsks);
    const bestAsk = this.#nextAsks[0];
    if (!crossed || bestAsk === undefined) return;
    this.#nextBids.unshift(bestAsk + 1, 1);
    this.#nextBids.length = Math.min(this.#nextBids.length, 2 * this.rule.depth);
  }

  /** Levels that are new, changed or (with size 0) gone; both ladders are sorted from the best on. */
  #changes(before: Ladder, now: Ladder, sign: Sign): string {
    let text = '';
    let old = 0;
    let at = 0;
    while (old < before.length || at < now.length) {
      const order = at >= now.length ? -1 : old >= before.length ? 1 : sign * (now[at]! - before[old]!);
      if (order > 0) {
        text += this.#level(now[at]!, now[at + 1]!, text);
        at += 2;
      } else if (order < 0) {
        text += this.#level(before[old]!, 0, text);
        old += 2;
      } else {
        if (now[at + 1] !== before[old + 1]) text += this.#level(now[at]!, now[at + 1]!, text);
        at += 2;
        old += 2;
      }
    }
    return text;
  }

  #level(ticks: Ticks, lots: Lots, before: string): string {
    const { tick, lot } = this.#instrument;
    const size = lots === 0 ? '0' : decimal(lots, lot);
    return `${before === '' ? '' : ','}["${decimal(ticks, tick)}","${size}"]`;
  }

  #snapshotText(stamps: FrameStamps, sequence: number): string {
    const bids = this.#changes([], this.#bids, 1);
    const asks = this.#changes([], this.#asks, -1);
    return this.#text('snapshot', bids, asks, stamps, sequence);
  }

  #text(type: string, bids: string, asks: string, { engineMs, publishMs }: FrameStamps, sequence: number): string {
    const { symbol } = this.#instrument;
    return `{"topic":"${this.topic}","type":"${type}","ts":${publishMs},"data":{"s":"${symbol}","b":[${bids}],"a":[${asks}],"u":${this.#update},"seq":${sequence}},"cts":${engineMs}}`;
  }
}

function readLadder(engine: MatchingEngine, sign: Sign, depth: number, out: Ladder): void {
  const levels = engine.levels(sign);
  let length = 0;
  for (let at = levels.length - 1; at >= 0 && length < 2 * depth; at--) {
    const { ticks, lots } = levels[at]!;
    if (lots === 0) continue;
    out[length++] = ticks;
    out[length++] = lots;
  }
  out.length = length;
}

const sameLadder = (a: Ladder, b: Ladder): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index]);

/** A whole number of grid steps as the decimal text it is: 651142 steps of 0.1 in two places are "65114.20". */
export function decimal(steps: number, { decimals, step }: Grid): string {
  const units = String(steps * step);
  if (decimals === 0) return units;
  const padded = units.length > decimals ? units : units.padStart(decimals + 1, '0');
  return `${padded.slice(0, -decimals)}.${padded.slice(-decimals)}`;
}

/** A match, as the trade channel tells it. */
export interface Match {
  readonly takerSign: Sign;
  readonly ticks: Ticks;
  readonly lots: Lots;
}

/** All matches of one taker in one message. "publicTrade": `S` is the taker's side, `T` the time of the match. */
export function tradeText(
  { symbol, tick, lot }: Instrument,
  matches: readonly Match[],
  { engineMs, publishMs }: FrameStamps,
  firstId: number,
  sequence: number,
): string {
  const data = matches.map(({ takerSign, ticks, lots }, index) => {
    const side = takerSign === 1 ? 'Buy' : 'Sell';
    const id = `00000000-0000-4000-8000-${String(firstId + index).padStart(12, '0')}`;
    return `{"T":${engineMs},"s":"${symbol}","S":"${side}","v":"${decimal(lots, lot)}","p":"${decimal(ticks, tick)}","L":"${side === 'Buy' ? 'PlusTick' : 'MinusTick'}","i":"${id}","BT":false,"RPI":false,"seq":${sequence}}`;
  });
  return `{"topic":"publicTrade.${symbol}","type":"snapshot","ts":${publishMs},"data":[${data.join(',')}]}`;
}
