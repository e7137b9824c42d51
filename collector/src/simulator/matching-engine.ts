import type { Lots, Sign, Ticks, Us } from '../units.ts';

/**
 * An order that holds a place in a queue and nothing else: it is not displayed and takes no volume, so that a market with it is the same
 * market, event by event, as one without. It is filled when a taker would have reached it: the truth that a virtual quote estimates.
 */
export class ProbeOrder {
  readonly sign: Sign;
  readonly ticks: Ticks;
  /** True engine time of the fill; undefined while it has none. */
  filledUs: Us | undefined;
  /** It was not taken: an order of the other side came to rest at its price, and would have traded with it instead. */
  met = false;

  constructor(sign: Sign, ticks: Ticks) {
    this.sign = sign;
    this.ticks = ticks;
  }
}

/** An order in the queue of its level. */
export interface RestingOrder {
  lots: Lots;
  readonly bornUs: Us;
  readonly level: Level;
  /** Its place in the list of all orders; −1 for a probe, which is in none, and for an order that is gone. */
  place: number;
  readonly probe: ProbeOrder | undefined;
  previous: RestingOrder | undefined;
  next: RestingOrder | undefined;
}

/** One price of one side: a queue, first in, first out. */
export class Level {
  readonly sign: Sign;
  readonly ticks: Ticks;
  lots: Lots = 0;
  first: RestingOrder | undefined;
  last: RestingOrder | undefined;

  constructor(sign: Sign, ticks: Ticks) {
    this.sign = sign;
    this.ticks = ticks;
  }

  append(order: RestingOrder): void {
    order.previous = this.last;
    if (this.last === undefined) this.first = order;
    else this.last.next = order;
    this.last = order;
    this.lots += order.lots;
  }

  unlink(order: RestingOrder): void {
    if (order.previous === undefined) this.first = order.next;
    else order.previous.next = order.next;
    if (order.next === undefined) this.last = order.previous;
    else order.next.previous = order.previous;
    this.lots -= order.lots;
  }
}

/** One maker order met by a taker. */
export type OnMatch = (timeUs: Us, takerSign: Sign, ticks: Ticks, lots: Lots) => void;

/** Price-time priority on integer ticks: who is first at the best price trades first. */
export class MatchingEngine {
  /** Levels by side, worst price first; one that holds nothing but probes has 0 lots. */
  readonly #bids: Level[] = [];
  readonly #asks: Level[] = [];
  readonly #orders: RestingOrder[] = [];
  readonly #probes = new Map<ProbeOrder, RestingOrder>();
  readonly #onMatch: OnMatch;

  constructor(onMatch: OnMatch) {
    this.#onMatch = onMatch;
  }

  /** Orders resting on both sides, probes not counted. */
  get orderCount(): number {
    return this.#orders.length;
  }

  orderAt(place: number): RestingOrder {
    return this.#orders[place]!;
  }

  /** Levels of a side, worst price first. Levels of 0 lots are to be passed over. */
  levels(sign: Sign): readonly Level[] {
    return sign === 1 ? this.#bids : this.#asks;
  }

  /** The best level that holds lots; undefined on an empty side. */
  best(sign: Sign): Level | undefined {
    const levels = this.levels(sign);
    for (let at = levels.length - 1; at >= 0; at--) if (levels[at]!.lots > 0) return levels[at];
    return undefined;
  }

  /** The order first in the queue at the worst price that holds lots; undefined on an empty side. */
  deepest(sign: Sign): RestingOrder | undefined {
    for (const level of this.levels(sign)) {
      for (let order = level.first; order !== undefined; order = order.next)
        if (order.probe === undefined) return order;
    }
    return undefined;
  }

  /** A post-only limit order. False when it would take: it is not let in. */
  add(sign: Sign, ticks: Ticks, lots: Lots, timeUs: Us): boolean {
    const opposite = this.best(-sign as Sign);
    if (opposite !== undefined && sign * (ticks - opposite.ticks) >= 0) return false;
    if (this.#probes.size > 0) this.#fillProbes(-sign as Sign, ticks, timeUs);
    const level = this.#levelAt(sign, ticks);
    const place = this.#orders.length;
    const order = { lots, bornUs: timeUs, level, place, probe: undefined, previous: undefined, next: undefined };
    level.append(order);
    this.#orders.push(order);
    return true;
  }

  cancel(order: RestingOrder): void {
    const { level } = order;
    this.#remove(order);
    if (level.first === undefined) this.#dropLevel(level);
  }

  /** A taker's order of up to `lots`, at `limitTicks` or better. Returns the lots that traded. */
  take(takerSign: Sign, lots: Lots, limitTicks: Ticks, timeUs: Us): Lots {
    const levels = takerSign === 1 ? this.#asks : this.#bids;
    let open = lots;
    for (let at = levels.length - 1; at >= 0 && open > 0; at--) {
      const level = levels[at]!;
      if (takerSign * (level.ticks - limitTicks) > 0) break;
      open = this.#takeLevel(level, takerSign, open, timeUs);
      if (level.first === undefined) levels.splice(at, 1);
    }
    return lots - open;
  }

  /** Puts a probe behind what rests at its price. It must not be marketable. */
  place(probe: ProbeOrder, timeUs: Us): void {
    const level = this.#levelAt(probe.sign, probe.ticks);
    const node = { lots: 0, bornUs: timeUs, level, place: -1, probe, previous: undefined, next: undefined };
    level.append(node);
    this.#probes.set(probe, node);
  }

  /** Takes a probe out; one that is filled is gone already. */
  withdraw(probe: ProbeOrder): void {
    const node = this.#probes.get(probe);
    if (node === undefined) return;
    this.#probes.delete(probe);
    node.level.unlink(node);
    if (node.level.first === undefined) this.#dropLevel(node.level);
  }

  #takeLevel(level: Level, takerSign: Sign, lots: Lots, timeUs: Us): Lots {
    let open = lots;
    let order = level.first;
    while (order !== undefined && open > 0) {
      const next: RestingOrder | undefined = order.next;
      if (order.probe !== undefined) {
        order.probe.filledUs = timeUs;
        this.#probes.delete(order.probe);
        level.unlink(order);
      } else {
        const taken = Math.min(order.lots, open);
        open -= taken;
        if (taken === order.lots) this.#remove(order);
        else {
          order.lots -= taken;
          level.lots -= taken;
        }
        this.#onMatch(timeUs, takerSign, level.ticks, taken);
      }
      order = next;
    }
    return open;
  }

  /** An order at `ticks` of the other side would have met these instead of resting. */
  #fillProbes(sign: Sign, ticks: Ticks, timeUs: Us): void {
    for (const probe of [...this.#probes.keys()]) {
      if (probe.sign !== sign || sign * (probe.ticks - ticks) < 0) continue;
      probe.filledUs = timeUs;
      probe.met = true;
      this.withdraw(probe);
    }
  }

  #remove(order: RestingOrder): void {
    order.level.unlink(order);
    const last = this.#orders.pop()!;
    if (last !== order) {
      this.#orders[order.place] = last;
      last.place = order.place;
    }
    order.place = -1;
  }

  #levelAt(sign: Sign, ticks: Ticks): Level {
    const levels = sign === 1 ? this.#bids : this.#asks;
    const at = placeOf(levels, sign, ticks);
    const found = levels[at];
    if (found?.ticks === ticks) return found;
    const level = new Level(sign, ticks);
    levels.splice(at, 0, level);
    return level;
  }

  #dropLevel(level: Level): void {
    const levels = level.sign === 1 ? this.#bids : this.#asks;
    const at = placeOf(levels, level.sign, level.ticks);
    if (levels[at] === level) levels.splice(at, 1);
  }
}

/** First place whose price is not worse than `ticks`. */
function placeOf(levels: readonly Level[], sign: Sign, ticks: Ticks): number {
  let low = 0;
  let high = levels.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sign * (levels[middle]!.ticks - ticks) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
