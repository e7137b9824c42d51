/** Price ticks and size lots of one level. */
export type Level = readonly [ticks: number, lots: number];

interface Listing {
  readonly tickDecimals: number;
  readonly lotDecimals: number;
  readonly bidTicks: number;
  readonly bestLots: number;
}

const LISTINGS: Readonly<Record<string, Listing>> = {
  BTCUSDT: { tickDecimals: 1, lotDecimals: 3, bidTicks: 650_000, bestLots: 1_500 },
  ETHUSDT: { tickDecimals: 2, lotDecimals: 2, bidTicks: 350_000, bestLots: 2_500 },
};

export const BOOK_CHANNELS = ['orderbook.50', 'orderbook.1'] as const;
export type BookChannelName = (typeof BOOK_CHANNELS)[number];

const LEVELS = 20;

interface Ladder {
  readonly bids: ReadonlyMap<number, number>;
  readonly asks: ReadonlyMap<number, number>;
}

/** Options of a hand-made frame: whatever stands here replaces what the market would have said. */
export interface Stamps {
  readonly u?: number;
  readonly ts?: number;
  readonly cts?: number;
}

/**
 * One symbol of the test exchange: a ladder of levels around a best bid, one tick wide, and its frames in the shape of Bybit's
 * documents "Orderbook", "Trade" and "Get Instruments Info". Sequences are per channel.
 */
export class Market {
  readonly symbol: string;
  readonly #listing: Listing;
  readonly #sequences = new Map<BookChannelName, number>();
  #crossSequence = 7_000_000;
  #tradeNumber = 0;
  bidTicks: number;
  bestLots: number;

  constructor(symbol: string) {
    this.symbol = symbol;
    this.#listing = LISTINGS[symbol] ?? LISTINGS['BTCUSDT']!;
    this.bidTicks = this.#listing.bidTicks;
    this.bestLots = this.#listing.bestLots;
    for (const channel of BOOK_CHANNELS) this.#sequences.set(channel, 1_000);
  }

  get askTicks(): number {
    return this.bidTicks + 1;
  }

  price(ticks: number): string {
    return (ticks / 10 ** this.#listing.tickDecimals).toFixed(this.#listing.tickDecimals);
  }

  size(lots: number): string {
    return (lots / 10 ** this.#listing.lotDecimals).toFixed(this.#listing.lotDecimals);
  }

  /** The update id of the channel's last frame. */
  sequence(channel: BookChannelName): number {
    return this.#sequences.get(channel)!;
  }

  setSequence(channel: BookChannelName, u: number): void {
    this.#sequences.set(channel, u);
  }

  ladder(): Ladder {
    const side = (best: number, step: number): Map<number, number> =>
      new Map(Array.from({ length: LEVELS }, (_, place) => [best + place * step, this.bestLots + 10 * place]));
    return { bids: side(this.bidTicks, -1), asks: side(this.askTicks, 1) };
  }

  /** The whole book of a channel, under its next update id. */
  snapshot(channel: BookChannelName, stamps: Stamps = {}): string {
    const { bids, asks } = this.ladder();
    const take = channel === 'orderbook.1' ? 1 : LEVELS;
    return this.book(channel, 'snapshot', [...bids].slice(0, take), [...asks].slice(0, take), stamps);
  }

  /** The frame of orderbook.50 that leads from `before` to the ladder as it is. */
  deltaFrom(before: Ladder, stamps: Stamps = {}): string {
    const { bids, asks } = this.ladder();
    return this.book('orderbook.50', 'delta', changes(before.bids, bids), changes(before.asks, asks), stamps);
  }

  book(
    channel: BookChannelName,
    type: 'snapshot' | 'delta',
    bids: readonly Level[],
    asks: readonly Level[],
    stamps: Stamps = {},
  ): string {
    const u = stamps.u ?? this.sequence(channel) + 1;
    this.#sequences.set(channel, u);
    const ts = stamps.ts ?? Date.now();
    const text = (levels: readonly Level[]) => levels.map(([ticks, lots]) => [this.price(ticks), this.size(lots)]);
    return JSON.stringify({
      topic: `${channel}.${this.symbol}`,
      ts,
      type,
      data: { s: this.symbol, b: text(bids), a: text(asks), u, seq: ++this.#crossSequence },
      cts: stamps.cts ?? ts,
    });
  }

  trade(side: 'Buy' | 'Sell', ticks: number, lots: number): string {
    const ts = Date.now();
    return JSON.stringify({
      topic: `publicTrade.${this.symbol}`,
      type: 'snapshot',
      ts,
      data: [
        {
          T: ts,
          s: this.symbol,
          S: side,
          v: this.size(lots),
          p: this.price(ticks),
          L: side === 'Buy' ? 'PlusTick' : 'MinusTick',
          i: `00000000-0000-4000-8000-${String(++this.#tradeNumber).padStart(12, '0')}`,
          BT: false,
          RPI: false,
          seq: ++this.#crossSequence,
        },
      ],
    });
  }

  /** The symbol's entry of "Get Instruments Info", linear. */
  instrument(): object {
    return {
      symbol: this.symbol,
      contractType: 'LinearPerpetual',
      status: 'Trading',
      baseCoin: this.symbol.replace(/USDT$/, ''),
      quoteCoin: 'USDT',
      launchTime: '1584230400000',
      deliveryTime: '0',
      priceScale: String(this.#listing.tickDecimals),
      leverageFilter: { minLeverage: '1', maxLeverage: '100.00', leverageStep: '0.01' },
      priceFilter: { minPrice: this.price(1), maxPrice: '1999999.80', tickSize: this.price(1) },
      lotSizeFilter: {
        maxOrderQty: '1190.000',
        minOrderQty: this.size(1),
        qtyStep: this.size(1),
        postOnlyMaxOrderQty: '1190.000',
        maxMktOrderQty: '119.000',
        minNotionalValue: '5',
      },
      unifiedMarginTrade: true,
      fundingInterval: 480,
      settleCoin: 'USDT',
    };
  }
}

function changes(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): Level[] {
  const gone = [...before.keys()].filter((ticks) => !after.has(ticks)).map((ticks): Level => [ticks, 0]);
  return [...gone, ...[...after].filter(([ticks, lots]) => before.get(ticks) !== lots)];
}
