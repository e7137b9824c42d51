// Decoded events through the pure core (reorder → book → quotes and four fill models → KPIs), in events a second: of the recorded
// orderbook.200, and of the default subscription (orderbook.50, orderbook.1, publicTrade) made from it. Prints JSON.
import { OrderBook } from '../../dist/book/order-book.js';
import { Pipeline } from '../../dist/pipeline.js';
import { CHANNELS, frames, instruments, MARKETS, parameters, SYMBOLS } from './recording.js';

const ROUNDS = 9;
const WARM_UP = 100;
const PASSES = 20;

const ignore = () => undefined;
const outputs = { onSymbolWindow: ignore, onWindow: ignore, onFill: ignore, onResync: ignore };
const DEFAULTS = [
  { name: 'orderbook.50', depth: 50 },
  { name: 'orderbook.1', depth: 1 },
];

const decoders = Object.fromEntries(
  Object.entries(MARKETS).map(([market, exchange]) => {
    const own = new Map(SYMBOLS[market].map((symbol) => [symbol, instruments[market].get(symbol)]));
    return [market, exchange.createDecoder(own, CHANNELS)];
  }),
);
const recorded = frames.map(({ buffer, stamps, market }) => {
  const events = [];
  decoders[market].decode(buffer, stamps, events);
  return { market, events };
});

/** The first `depth` levels of a side as a Map of price to size. */
function top(side, depth) {
  const levels = new Map();
  side.walk((ticks, lots) => levels.set(ticks, lots).size < depth);
  return levels;
}

function changes(before, now) {
  const levels = [];
  for (const ticks of before.keys()) if (!now.has(ticks)) levels.push(ticks, 0);
  for (const [ticks, lots] of now) if (before.get(ticks) !== lots) levels.push(ticks, lots);
  return levels;
}

/** What the same book changes look like on the two default channels; a frame that changes nothing there is not sent. */
class DefaultChannels {
  #book = new OrderBook();
  #shown = { 50: { bids: new Map(), asks: new Map() }, 1: { bids: new Map(), asks: new Map() } };
  #sequence = { 50: 1, 1: 1 };

  events(event) {
    if (event.snapshot) this.#book.replace(event.bids, event.asks);
    else this.#book.apply(event.bids, event.asks);
    return [50, 1].flatMap((depth) => this.#frame(event, depth));
  }

  #frame(event, depth) {
    const now = { bids: top(this.#book.bids, depth), asks: top(this.#book.asks, depth) };
    const bids = changes(this.#shown[depth].bids, now.bids);
    const asks = changes(this.#shown[depth].asks, now.asks);
    this.#shown[depth] = now;
    if (bids.length + asks.length === 0) return [];
    const sequence = ++this.#sequence[depth];
    const own = { ...event, channel: `orderbook.${depth}`, depth, sequence, snapshot: depth === 1 || sequence === 2 };
    return [depth === 1 ? { ...own, bids: [...now.bids].flat(), asks: [...now.asks].flat() } : { ...own, bids, asks }];
  }
}

const books = new Map();
const defaults = recorded
  .map(({ market, events }) => ({
    market,
    events: events.flatMap((event) => {
      if (event.kind !== 'book') return [event];
      const key = `${market} ${event.symbol}`;
      if (!books.has(key)) books.set(key, new DefaultChannels());
      return books.get(key).events(event);
    }),
  }))
  .filter(({ events }) => events.length > 0);

const create = (channels) => ({
  linear: new Pipeline(parameters('linear', channels), outputs),
  spot: new Pipeline(parameters('spot', channels), outputs),
});

function pass(instance, batches) {
  for (const { market, events } of batches) instance[market].push(events);
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function eventsPerSecond(batches, channels) {
  const count = batches.reduce((sum, { events }) => sum + events.length, 0);
  const kept = create(channels);
  pass(kept, batches);
  for (const { simulation } of kept.linear.symbols.values()) if (!simulation.live) throw new Error('a book was lost');
  for (let index = 0; index < WARM_UP; index++) pass(create(channels), batches);
  const rates = Array.from({ length: ROUNDS }, () => {
    const instances = Array.from({ length: PASSES }, () => create(channels));
    pass(create(channels), batches);
    const start = process.cpuUsage();
    for (const instance of instances) pass(instance, batches);
    const { user, system } = process.cpuUsage(start);
    return (count * PASSES) / ((user + system) / 1e6);
  });
  return Math.round(median(rates));
}

console.log(
  JSON.stringify({ defaults: eventsPerSecond(defaults, DEFAULTS), recorded: eventsPerSecond(recorded, CHANNELS) }),
);
