import type { IterSummary } from '../../../schema/types.gen.js';
import { isBucketBound } from '../clock/histogram.ts';
import { BAND_MODELS, bandModelOf, HORIZON_NAMES } from '../kpi/pool.ts';

type Summary = IterSummary['summary'];

/** A number that cannot be true beside another, and where. */
export interface Contradiction {
  readonly pointer: string;
  readonly message: string;
}

/** Published numbers carry six decimals; sums of some hundred may differ by this. */
const ROUNDING = 1e-3;

/**
 * What a schema cannot see: numbers of a window that exclude each other. A window that a run has written has none; one that was edited or put together
 * by another program usually has.
 */
export function contradictionsOf(window: IterSummary): Contradiction[] {
  const { summary, by_symbol: bySymbol, symbols } = window;
  const found = [...inSummary(summary, '/summary')];
  const [listed, given] = [symbols, Object.keys(bySymbol)].map((names) => [...names].sort().join(', '));
  if (listed !== given) {
    found.push({ pointer: '/by_symbol', message: `expected the symbols ${listed}, got ${given}` });
  }
  for (const [symbol, own] of Object.entries(bySymbol)) {
    found.push(...inSummary(own, `/by_symbol/${symbol.replaceAll('~', '~0').replaceAll('/', '~1')}`));
    if (own.fill_model !== summary.fill_model) {
      found.push({ pointer: `/by_symbol/${symbol}/fill_model`, message: `expected that of the whole` });
    }
  }
  for (const key of ['fills', 'maker_count', 'taker_count', 'would_be_taker'] as const) {
    const sum = Object.values(bySymbol).reduce((total, own) => total + own[key], 0);
    if (sum !== summary[key]) {
      found.push({ pointer: `/summary/${key}`, message: `expected the sum over symbols, ${sum}, got ${summary[key]}` });
    }
  }
  // The format allows a leap second, which is no time to count with.
  if (!Number.isFinite(Date.parse(window.timestamp))) {
    found.push({ pointer: '/timestamp', message: `expected a time, got ${window.timestamp}` });
  }
  if (window.cut_short && !window.provisional) {
    found.push({ pointer: '/provisional', message: 'a window that was cut short is provisional' });
  }
  return found;
}

function* inSummary(summary: Summary, at: string): Generator<Contradiction> {
  const { fills, maker_count: maker, taker_count: taker, notional_quote: notional } = summary;
  if (fills !== maker + taker) yield differs(`${at}/fills`, `maker_count + taker_count = ${maker + taker}`, fills);
  const whole = notional.maker + notional.taker + notional.would_be_taker;
  yield* ratioOf(`${at}/maker_taker_ratio`, summary.maker_taker_ratio, notional.maker, whole);
  const driver = summary.model_band[bandModelOf(summary)];
  if (driver.fills !== fills) yield differs(`${at}/model_band`, `${fills} fills of the driving model`, driver.fills);
  if (driver.net_bps !== summary.net_bps) {
    yield differs(`${at}/net_bps`, `${String(driver.net_bps)} as in model_band`, summary.net_bps);
  }
  for (const model of BAND_MODELS) {
    const { n, fills: granted, net_bps: net, weight_quote: weight } = summary.model_band[model];
    yield* meanOf(`${at}/model_band/${model}`, n, granted, weight, net);
  }
  for (const name of HORIZON_NAMES) {
    const { n, mean_bps: mean, weight_quote: weight } = summary.markouts[name];
    yield* meanOf(`${at}/markouts/${name}`, n, fills, weight, mean);
  }
  yield* inLatency(summary, at);
}

/** A mean is there exactly where it is of something, and of no more than there is. */
function* meanOf(at: string, n: number, most: number, weight: number, mean: number | null): Generator<Contradiction> {
  if (n > most) yield differs(`${at}/n`, `at most ${most} fills`, n);
  if (n > 0 !== (mean !== null) || n > 0 !== weight > 0) {
    yield { pointer: at, message: `n ${n}, weight ${weight} and mean ${String(mean)} exclude each other` };
  }
}

function* ratioOf(pointer: string, value: number | null, part: number, whole: number): Generator<Contradiction> {
  const expected = whole > 0 ? part / whole : null;
  const agrees = expected === null || value === null ? expected === value : Math.abs(expected - value) < ROUNDING;
  if (!agrees) yield differs(pointer, String(expected), value);
}

function* inLatency(summary: Summary, at: string): Generator<Contradiction> {
  const { n, negative, corrected, histogram_us: buckets, p95 } = summary.latency_ms.feed;
  const pointer = `${at}/latency_ms/feed/histogram_us`;
  const expected = corrected ? n : n - negative;
  const counted = buckets.reduce((total, [, count]) => total + count, 0);
  if (counted !== expected) yield differs(pointer, `${expected} messages`, counted);
  if (!buckets.every(([lower]) => isBucketBound(lower))) {
    yield { pointer, message: 'expected lower bounds of buckets' };
  }
  if (summary.p95_latency_ms !== p95)
    yield differs(`${at}/p95_latency_ms`, `${String(p95)} as in latency_ms`, summary.p95_latency_ms);
}

const differs = (pointer: string, expected: string, got: number | null): Contradiction => ({
  pointer,
  message: `expected ${expected}, got ${String(got)}`,
});
