// The peers of the benchmark: public libraries that turn Bybit v5 public frames into updates, driven without sockets.
// Each starts from the bytes of a text frame and decodes them once with `toString()`, as `ws` does before it hands a
// text message to any of these libraries. README.md tells what is faked and why the comparison is fair.
import { createRequire } from 'node:module';
import { WebsocketClient, WS_KEY_MAP } from 'bybit-api';
import ccxt from 'ccxt';
import { OrderBookLevel, OrderBooksStore } from 'orderbooks';
import { normalizeBookChanges, normalizeTrades, OrderBook } from 'tardis-dev';

/**
 * @typedef {'linear' | 'spot'} Market
 * @typedef {{ text: string, buffer: Buffer, receiveTimeMs: number, market: Market }} Frame
 * @typedef {{ bids: [number, number][], asks: [number, number][] }} Levels price and size, best first
 * @typedef {{ market: Market, symbol: string, depth: number | undefined }} Subscription
 * @typedef {object} Peer
 * @property {string} name
 * @property {boolean} keepsBook
 * @property {() => any} create an instance with empty books; stays outside of the timed part
 * @property {(instance: any, frames: readonly Frame[]) => number} run feeds all frames once, synchronously, and returns
 * the updates delivered: one per orderbook frame and one per trade, as `expectedUpdates` counts them
 * @property {(instance: any, market: Market, symbol: string) => Levels} levels for checks, where `keepsBook` is true
 */

/** The pinned packages. @type {Record<string, string>} */
export const versions = createRequire(import.meta.url)('./package.json').dependencies;

const MARKETS = ['linear', 'spot'];
const forEachMarket = (build) => Object.fromEntries(MARKETS.map((market) => [market, build(market)]));

// What a user would have subscribed to for these frames to arrive. One orderbook depth per symbol: ccxt has one book
// per symbol and would mix the depths up.
/** @param {readonly Frame[]} frames @returns {Subscription[]} */
function subscriptionsOf(frames) {
  const found = new Map();
  for (const { market, text } of frames) {
    const [, level, symbol] = /"topic":"(?:publicTrade|orderbook\.(\d+))\.([^"]+)"/.exec(text) ?? [];
    if (symbol === undefined) continue;
    const key = `${market}:${symbol}`;
    const known = found.get(key)?.depth;
    const depth = level === undefined ? known : Number(level);
    if (known !== undefined && known !== depth) throw new Error(`${key}: expected one depth, came ${known}, ${depth}`);
    found.set(key, { market, symbol, depth });
  }
  return [...found.values()];
}

/** What `run` of every peer must return. @param {readonly Frame[]} frames */
export function expectedUpdates(frames) {
  let updates = 0;
  for (const { text } of frames) {
    const { topic = '', data } = JSON.parse(text);
    if (topic.startsWith('orderbook.')) updates += 1;
    else if (topic.startsWith('publicTrade.')) updates += data.length;
  }
  return updates;
}

// tardis-dev: the mappers of `streamNormalized` and `replayNormalized`, called directly, without the async generators
// around them. Any date after the v5 switch (2023-04-05) selects the v5 mappers.
const TARDIS_EXCHANGES = { linear: 'bybit', spot: 'bybit-spot' };
const TARDIS_DATE = new Date('2025-01-01T00:00:00Z');

function tardisBookMapper(exchange, depth) {
  const mapper = normalizeBookChanges(exchange, TARDIS_DATE);
  // The public function fixes the depth at 50. Another depth takes the same class.
  return depth === 50 ? mapper : new mapper.constructor(exchange, depth);
}

function tardisFeed(subscriptions, market, keepsBook) {
  const wanted = subscriptions.filter((subscription) => subscription.market === market);
  const depths = new Set(wanted.flatMap(({ depth }) => depth ?? []));
  const mappers = [...depths].map((depth) => tardisBookMapper(TARDIS_EXCHANGES[market], depth));
  mappers.push(normalizeTrades(TARDIS_EXCHANGES[market], TARDIS_DATE));
  return { mappers, books: keepsBook ? new Map(wanted.map(({ symbol }) => [symbol, new OrderBook()])) : undefined };
}

function runTardis(feeds, frames) {
  let updates = 0;
  for (const { buffer, market, receiveTimeMs } of frames) {
    const { mappers, books } = feeds[market];
    const message = JSON.parse(buffer.toString());
    const localTimestamp = new Date(receiveTimeMs);
    for (const mapper of mappers) {
      if (!mapper.canHandle(message)) continue;
      for (const update of mapper.map(message, localTimestamp)) {
        if (books !== undefined && update.type === 'book_change') books.get(update.symbol).update(update);
        updates += 1;
      }
      break; // a topic has one mapper here; the library would go on and ask the others
    }
  }
  return updates;
}

/** @param {Subscription[]} subscriptions @param {boolean} keepsBook @returns {Peer} */
function tardisPeer(subscriptions, keepsBook) {
  const toPairs = (levels) => Array.from(levels, ({ price, amount }) => [price, amount]);
  return {
    name: keepsBook ? 'tardis-dev + OrderBook' : 'tardis-dev',
    keepsBook,
    create: () => forEachMarket((market) => tardisFeed(subscriptions, market, keepsBook)),
    run: runTardis,
    levels(feeds, market, symbol) {
      const book = feeds[market].books.get(symbol);
      return { bids: toPairs(book.bids()), asks: toPairs(book.asks()) };
    },
  };
}

// ccxt pro: `client.onMessage`, to which its socket loop hands each text message; it parses, dispatches and updates
// `exchange.orderbooks` and `exchange.trades`. The markets come from `setMarkets` instead of `loadMarkets`. No `watch`
// call is pending, so no promise is settled per message. The overrides only count.
class CountingBybit extends ccxt.pro.bybit {
  updates = 0;

  handleOrderBook(client, message) {
    super.handleOrderBook(client, message);
    this.updates += 1;
  }

  handleTrades(client, message) {
    super.handleTrades(client, message);
    this.updates += message.data.length;
  }
}

function ccxtMarket({ market, symbol: id }) {
  const [, base, quote] = /^(.+?)(USDT|USDC|USD|EUR|BTC)$/.exec(id) ?? [id, id, 'USDT'];
  const pair = { id, base, quote, baseId: base, quoteId: quote, precision: { amount: 1e-6, price: 1e-6 } };
  if (market === 'spot') return { ...pair, symbol: `${base}/${quote}`, type: 'spot', spot: true, contract: false };
  const contract = { type: 'swap', spot: false, swap: true, contract: true, linear: true, contractSize: 1 };
  return { ...pair, ...contract, symbol: `${base}/${quote}:${quote}`, settle: quote, settleId: quote };
}

/** @param {Subscription[]} subscriptions @returns {Peer} */
function ccxtPeer(subscriptions) {
  return {
    name: 'ccxt pro',
    keepsBook: true,
    create() {
      const exchange = new CountingBybit();
      exchange.setMarkets(subscriptions.map(ccxtMarket));
      const urls = exchange.urls.api.ws.public;
      return { exchange, clients: forEachMarket((market) => exchange.client(exchange.implodeHostname(urls[market]))) };
    },
    run({ exchange, clients }, frames) {
      const before = exchange.updates;
      for (const { buffer, market } of frames) clients[market].onMessage({ data: buffer.toString() });
      return exchange.updates - before;
    },
    levels({ exchange }, market, symbol) {
      const { bids, asks } = exchange.orderbooks[ccxtMarket({ market, symbol }).symbol];
      return { bids: Array.from(bids), asks: Array.from(asks) };
    },
  };
}

// bybit-api: `onWsMessage`, the `onmessage` handler of its sockets, and the documented `update` event. It has no book
// of its own; the companion its README names is its author's `orderbooks`, fed as in that package's Bybit sample.
const BYBIT_API_KEYS = { linear: WS_KEY_MAP.v5LinearPublic, spot: WS_KEY_MAP.v5SpotPublic };

function updateStore(store, { type, data, cts }) {
  const levels = [];
  for (const [price, size] of data.b) levels.push(OrderBookLevel(data.s, +price, 'Buy', +size));
  for (const [price, size] of data.a) levels.push(OrderBookLevel(data.s, +price, 'Sell', +size));
  if (type === 'snapshot') return store.handleSnapshot(data.s, levels, cts);
  const deleted = [];
  const upserted = [];
  for (const level of levels) (level[3] === 0 ? deleted : upserted).push(level);
  return store.handleDelta(data.s, deleted, upserted, [], cts);
}

function createBybitApi(keepsBook) {
  // Bybit deletes what leaves the depth, so nothing has to be trimmed; the default would cut books of 200 a side.
  const stores = MARKETS.map((market) => [BYBIT_API_KEYS[market], new OrderBooksStore({ maxDepth: Infinity })]);
  const instance = { client: new WebsocketClient(), stores: Object.fromEntries(stores), updates: 0 };
  instance.client.on('update', (message) => {
    if (message.topic.startsWith('orderbook.')) {
      if (keepsBook) updateStore(instance.stores[message.wsKey], message);
      instance.updates += 1;
    } else if (message.topic.startsWith('publicTrade.')) instance.updates += message.data.length;
  });
  return instance;
}

/** @param {boolean} keepsBook @returns {Peer} */
function bybitApiPeer(keepsBook) {
  return {
    name: keepsBook ? 'bybit-api + orderbooks' : 'bybit-api',
    keepsBook,
    create: () => createBybitApi(keepsBook),
    run(instance, frames) {
      const before = instance.updates;
      for (const { buffer, market } of frames) {
        instance.client.onWsMessage({ type: 'message', data: buffer.toString() }, BYBIT_API_KEYS[market]);
      }
      return instance.updates - before;
    },
    levels({ stores }, market, symbol) {
      const book = stores[BYBIT_API_KEYS[market]].getBook(symbol).getBookState();
      const sideOf = (wanted) => book.flatMap(([, price, side, size]) => (side === wanted ? [[price, size]] : []));
      return { bids: sideOf('Buy'), asks: sideOf('Sell').reverse() };
    },
  };
}

/** The frames are read here only for their topics. @param {readonly Frame[]} frames @returns {Peer[]} */
export function createPeers(frames) {
  const subscriptions = subscriptionsOf(frames);
  const tardis = [tardisPeer(subscriptions, false), tardisPeer(subscriptions, true)];
  return [...tardis, ccxtPeer(subscriptions), bybitApiPeer(false), bybitApiPeer(true)];
}
