import type { Lots, Sign, Ticks } from '../units.ts';

/** More levels than this on one side is no depth channel we subscribe to; the frame that brings them is refused. */
export const MAX_LEVELS = 4_096;
const INITIAL_LEVELS = 256;
/** Up to this many levels a loop moves faster than `copyWithin`, whose call alone costs as much. */
const SHORT_MOVE = 48;

/**
 * One side of a book: levels in two parallel arrays, worst price first, so that the busy end is the end of the array and
 * an insert there moves almost nothing. Prices are kept as s·ticks (bids as they are, asks negated): then "better" is
 * "larger" on both sides and one code serves both.
 */
export class BookSide {
  readonly sign: Sign;
  count = 0;
  #keys = new Float64Array(INITIAL_LEVELS);
  #lots = new Float64Array(INITIAL_LEVELS);

  constructor(sign: Sign) {
    this.sign = sign;
  }

  clear(): void {
    this.count = 0;
  }

  /** Undefined on an empty side. */
  get bestTicks(): Ticks | undefined {
    return this.count === 0 ? undefined : this.sign * this.#keys[this.count - 1]!;
  }

  get bestLots(): Lots {
    return this.count === 0 ? 0 : this.#lots[this.count - 1]!;
  }

  /** Undefined on an empty side. */
  get deepestTicks(): Ticks | undefined {
    return this.count === 0 ? undefined : this.sign * this.#keys[0]!;
  }

  /** Displayed size at the price; 0 where there is no level. */
  lotsAt(ticks: Ticks): Lots {
    const key = this.sign * ticks;
    const at = this.#find(key);
    return at < this.count && this.#keys[at] === key ? this.#lots[at]! : 0;
  }

  /** Sets the absolute size of a level; 0 removes it. False when the side is full. */
  set(ticks: Ticks, lots: Lots): boolean {
    const key = this.sign * ticks;
    const at = this.#find(key);
    if (at === this.count || this.#keys[at] !== key) return lots === 0 || this.#insert(at, key, lots);
    if (lots === 0) this.#remove(at);
    else this.#lots[at] = lots;
    return true;
  }

  /** Visits levels from the best price on while `visit` answers true. */
  walk(visit: (ticks: Ticks, lots: Lots) => boolean): void {
    for (let at = this.count - 1; at >= 0; at--) {
      if (!visit(this.sign * this.#keys[at]!, this.#lots[at]!)) return;
    }
  }

  /** Displayed size at `ticks` and every better price. */
  lotsAtOrBetter(ticks: Ticks): Lots {
    const key = this.sign * ticks;
    let sum = 0;
    for (let at = this.count - 1; at >= 0 && this.#keys[at]! >= key; at--) sum += this.#lots[at]!;
    return sum;
  }

  /** First index whose key is not below `key`. */
  #find(key: number): number {
    const keys = this.#keys;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #remove(at: number): void {
    const last = --this.count;
    if (last - at > SHORT_MOVE) {
      this.#keys.copyWithin(at, at + 1, last + 1);
      this.#lots.copyWithin(at, at + 1, last + 1);
      return;
    }
    for (let index = at; index < last; index++) {
      this.#keys[index] = this.#keys[index + 1]!;
      this.#lots[index] = this.#lots[index + 1]!;
    }
  }

  #insert(at: number, key: number, lots: Lots): boolean {
    if (this.count === this.#keys.length && !this.#grow()) return false;
    if (this.count - at > SHORT_MOVE) {
      this.#keys.copyWithin(at + 1, at, this.count);
      this.#lots.copyWithin(at + 1, at, this.count);
    } else {
      for (let index = this.count; index > at; index--) {
        this.#keys[index] = this.#keys[index - 1]!;
        this.#lots[index] = this.#lots[index - 1]!;
      }
    }
    this.#keys[at] = key;
    this.#lots[at] = lots;
    this.count++;
    return true;
  }

  #grow(): boolean {
    if (this.count >= MAX_LEVELS) return false;
    const keys = new Float64Array(this.count * 2);
    const lots = new Float64Array(this.count * 2);
    keys.set(this.#keys);
    lots.set(this.#lots);
    this.#keys = keys;
    this.#lots = lots;
    return true;
  }
}

/** The book of one channel: absolute level sizes, applied in sequence. It does not judge; `sequence.ts` does. */
export class OrderBook {
  readonly bids = new BookSide(1);
  readonly asks = new BookSide(-1);

  clear(): void {
    this.bids.clear();
    this.asks.clear();
  }

  side(sign: Sign): BookSide {
    return sign === 1 ? this.bids : this.asks;
  }

  /**
   * Applies flat `ticks, lots` pairs. All levels of a frame are applied before anything is read: in older Bybit frames a
   * delete may stand before or after the level that replaces it. False when a side is full.
   */
  apply(bids: readonly number[], asks: readonly number[]): boolean {
    return applyLevels(this.bids, bids) && applyLevels(this.asks, asks);
  }

  /** Replaces everything by a snapshot. False when a side is full. */
  replace(bids: readonly number[], asks: readonly number[]): boolean {
    this.clear();
    return fillLevels(this.bids, bids) && fillLevels(this.asks, asks);
  }
}

function applyLevels(side: BookSide, levels: readonly number[]): boolean {
  for (let index = 0; index < levels.length; index += 2) {
    if (!side.set(levels[index]!, levels[index + 1]!)) return false;
  }
  return true;
}

/** From the last level to the first: snapshots come best price first, so each level is appended and none moved. */
function fillLevels(side: BookSide, levels: readonly number[]): boolean {
  for (let index = levels.length - 2; index >= 0; index -= 2) {
    if (!side.set(levels[index]!, levels[index + 1]!)) return false;
  }
  return true;
}
