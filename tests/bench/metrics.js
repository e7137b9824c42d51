// What a scrape costs, and how long it keeps messages waiting: a loop that takes a turn whenever it can, with and without a scrape in it.
import { setImmediate as turn } from 'node:timers/promises';
import { BucketHistogram, BucketScale } from '../../dist/clock/histogram.js';
import { CATALOG } from '../../dist/metrics/catalog.js';
import { MetricsRegistry } from '../../dist/metrics/registry.js';

const ROUNDS = 30;
const VALUES = { side: ['buy', 'sell'], horizon: ['100ms', '1s', '5s', '30s', '60s'], model: ['a', 'b', 'c', 'd'] };
const EVENTS = ['new', 'activated', 'rejected_post_only', 'filled', 'canceled', 'censored', 'skipped'];

/** The label sets of one symbol for a metric of the catalog. */
function labelSets({ labels }, symbol) {
  let sets = [{}];
  for (const label of labels) {
    const values = label === 'symbol' ? [symbol] : label === 'event' ? EVENTS : (VALUES[label] ?? ['x']);
    sets = sets.flatMap((set) => values.map((value) => ({ ...set, [label]: value })));
  }
  return sets;
}

function registryOf(symbols) {
  const histogram = new BucketHistogram(new BucketScale(Array.from({ length: 15 }, (_, index) => 1_000 * 2 ** index)));
  const own = Object.entries(CATALOG).filter(([, { labels }]) => labels.includes('symbol'));
  const series = Array.from({ length: symbols }, (_, index) =>
    own.flatMap(([name, metric]) => labelSets(metric, `SIM${index}USDT`).map((labels) => [name, metric.type, labels])),
  );
  return new MetricsRegistry(function* (put) {
    for (const each of series) {
      for (const [name, type, labels] of each) put(name, labels, type === 'histogram' ? histogram : 1.5);
      yield;
    }
  });
}

const quantile = (values, p) =>
  values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(p * values.length))];

console.log('symbols   lines    scrape ms   longest wait in a scrape, ms: median / worst of', ROUNDS);
for (const symbols of [2, 10, 100, 1_000]) {
  const registry = registryOf(symbols);
  const text = (await registry.render()).join('');
  const took = [];
  const waits = [];
  for (let round = 0; round < ROUNDS; round++) {
    let done = false;
    const start = performance.now();
    const rendering = registry.render().then(() => (done = true));
    let longest = performance.now() - start;
    while (!done) {
      const before = performance.now();
      await turn();
      longest = Math.max(longest, performance.now() - before);
    }
    await rendering;
    took.push(performance.now() - start);
    waits.push(longest);
  }
  const row = [symbols, text.split('\n').length, quantile(took, 0.5).toFixed(1), quantile(waits, 0.5).toFixed(2)];
  console.log(
    row.map((cell, index) => String(cell).padStart([7, 9, 12, 16][index])).join(''),
    '/',
    quantile(waits, 1).toFixed(2),
  );
}
