import type { IterSummary } from '../../../schema/types.gen.js';
import { isBucketBound, quantileOfBuckets } from '../clock/histogram.ts';
import { BAND_MODELS, bandModelOf, HORIZON_NAMES } from '../kpi/pool.ts';

type Summary = IterSummary['summary'];

/** A number that cannot be true beside another, and where. */
export interface Contradiction {
  readonly pointer: string;
  readonly message: string;
}

/** Published numbers carry six decimals: half of the last one, each. */
const ROUNDING = 5e-7;
/** Means of means: rounding of both, and of their weights. */
const MEAN_TOLERANCE = 1e-3;

const COUNTS = ['fills', 'maker_count', 'taker_count', 'would_be_taker', 'markout_invalid', 'markout_pending'] as const;
const FEED_COUNTS = ['messages', 'gaps', 'late', 'dropped', 'bad', 'reconnects', 'trades', 'book_updates'] as const;
const NOTIONALS = ['maker', 'taker', 'would_be_taker'] as const;

/**
 * What a schema cannot see: numbers of a window that exclude each other. A window that a run has written has none; one that was edited or put together
 * by another program usually has.
 */
export function contradictionsOf(window: IterSummary): Contradiction[] {
  const { summary, by_symbol: bySymbol, symbols } = window;
  const [listed, given] = [symbols, Object.keys(bySymbol)].map((names) => [...names].sort().join(', '));
  if (listed !== given) {
    return [{ pointer: '/by_symbol', message: `expected the symbols ${listed}, got ${given}` }];
  }
  const found = [...inSummary(summary, '/summary'), ...inWhole(summary, Object.values(bySymbol))];
  for (const [symbol, own] of Object.entries(bySymbol)) {
    const at = `/by_symbol/${symbol.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    found.push(...inSummary(own, at));
    if (own.fill_model !== summary.fill_model) {
      found.push({
        pointer: `${at}/fill_model`,
        message: `expected ${summary.fill_model} as in the whole, got ${own.fill_model}`,
      });
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

/** The whole against its symbols: counts and weights add up, means are the weighted means. */
function* inWhole(whole: Summary, symbols: readonly Summary[]): Generator<Contradiction> {
  const sum = (valueOf: (summary: Summary) => number): number =>
    symbols.reduce((total, own) => total + valueOf(own), 0);
  for (const key of COUNTS)
    yield* sums(
      `/summary/${key}`,
      whole[key],
      sum((own) => own[key]),
      0,
    );
  for (const key of FEED_COUNTS)
    yield* sums(
      `/summary/feed/${key}`,
      whole.feed[key],
      sum((own) => own.feed[key]),
      0,
    );
  const rounding = ROUNDING * (symbols.length + 1);
  for (const key of NOTIONALS) {
    yield* sums(
      `/summary/notional_quote/${key}`,
      whole.notional_quote[key],
      sum((own) => own.notional_quote[key]),
      rounding,
    );
  }
  const coverage = symbols.some(({ feed }) => feed.coverage === null)
    ? null
    : sum((own) => own.feed.coverage!) / symbols.length;
  if (coverage !== null) yield* sums('/summary/feed/coverage', whole.feed.coverage, coverage, MEAN_TOLERANCE);
  const messages = (own: Summary): number => own.latency_ms.feed.n + own.latency_ms.feed.uncorrected;
  yield* sums('/summary/latency_ms/feed/n', messages(whole), sum(messages), 0);
  for (const model of BAND_MODELS) {
    yield* sums(
      `/summary/model_band/${model}/fills`,
      whole.model_band[model].fills,
      sum((own) => own.model_band[model].fills),
      0,
    );
    const parts = symbols.map(({ model_band: band }) => ({ ...band[model], mean: band[model].net_bps }));
    yield* meanOfParts(
      `/summary/model_band/${model}`,
      { ...whole.model_band[model], mean: whole.model_band[model].net_bps },
      parts,
    );
  }
  for (const name of HORIZON_NAMES) {
    const parts = symbols.map(({ markouts }) => ({ ...markouts[name], mean: markouts[name].mean_bps }));
    yield* meanOfParts(
      `/summary/markouts/${name}`,
      { ...whole.markouts[name], mean: whole.markouts[name].mean_bps },
      parts,
    );
  }
}

interface Part {
  readonly n: number;
  readonly weight_quote: number;
  readonly mean: number | null;
}

function* meanOfParts(at: string, whole: Part, parts: readonly Part[]): Generator<Contradiction> {
  const weight = parts.reduce((total, part) => total + part.weight_quote, 0);
  yield* sums(
    `${at}/n`,
    whole.n,
    parts.reduce((total, { n }) => total + n, 0),
    0,
  );
  yield* sums(`${at}/weight_quote`, whole.weight_quote, weight, ROUNDING * (parts.length + 1));
  if (whole.mean === null || weight === 0) return;
  const mean = parts.reduce((total, part) => total + part.weight_quote * (part.mean ?? 0), 0) / weight;
  yield* sums(at, whole.mean, mean, MEAN_TOLERANCE * Math.max(1, Math.abs(mean)));
}

function* inSummary(summary: Summary, at: string): Generator<Contradiction> {
  const { fills, maker_count: maker, taker_count: taker, inventory } = summary;
  yield* sums(`${at}/fills`, fills, maker + taker, 0);
  yield* inMakerShare(summary, at);
  const driver = summary.model_band[bandModelOf(summary)];
  yield* sums(`${at}/model_band`, driver.fills, fills, 0);
  if (driver.net_bps !== summary.net_bps) {
    yield differs(`${at}/net_bps`, `${String(driver.net_bps)} as in model_band`, summary.net_bps);
  }
  if (driver.n + summary.markout_invalid > fills) {
    yield differs(`${at}/markout_invalid`, `at most ${fills - driver.n} of ${fills} fills`, summary.markout_invalid);
  }
  if (summary.markout_pending > fills)
    yield differs(`${at}/markout_pending`, `at most ${fills}`, summary.markout_pending);
  const risk = inventory.time_weighted === null ? null : Math.min(1, inventory.time_weighted);
  if (risk !== summary.risk_ratio)
    yield differs(`${at}/risk_ratio`, `${String(risk)} as in inventory`, summary.risk_ratio);
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

function* inMakerShare(
  { maker_taker_ratio: share, notional_quote: notional }: Summary,
  at: string,
): Generator<Contradiction> {
  const whole = notional.maker + notional.taker + notional.would_be_taker;
  const pointer = `${at}/maker_taker_ratio`;
  if (share === null || whole === 0) {
    if (share !== null || whole > 0)
      yield differs(pointer, whole > 0 ? 'a share' : 'null, there is no notional', share);
    return;
  }
  // Each part is rounded, and the share is.
  const tolerance = ROUNDING + (4 * ROUNDING) / whole;
  if (Math.abs(notional.maker / whole - share) > tolerance)
    yield differs(pointer, String(notional.maker / whole), share);
}

function* inLatency(summary: Summary, at: string): Generator<Contradiction> {
  const { n, negative, corrected, uncorrected, histogram_us: buckets, p95 } = summary.latency_ms.feed;
  const pointer = `${at}/latency_ms/feed/histogram_us`;
  const counts = new Map(buckets);
  yield* sums(
    pointer,
    [...counts.values()].reduce((total, count) => total + count, 0),
    corrected ? n : n - negative,
    0,
  );
  if (![...counts.keys()].every(isBucketBound)) yield { pointer, message: 'expected lower bounds of buckets' };
  if (negative > n) yield differs(`${at}/latency_ms/feed/negative`, `at most ${n}`, negative);
  if (n + uncorrected > summary.feed.messages) {
    yield differs(`${at}/latency_ms/feed/n`, `at most ${summary.feed.messages} messages`, n + uncorrected);
  }
  const us = quantileOfBuckets(counts, n, corrected ? 0 : negative, 0.95);
  const expected = us === undefined ? null : us / 1_000;
  if (p95 !== expected) yield differs(`${at}/latency_ms/feed/p95`, `${String(expected)} as in histogram_us`, p95);
  if (summary.p95_latency_ms !== p95) {
    yield differs(`${at}/p95_latency_ms`, `${String(p95)} as in latency_ms`, summary.p95_latency_ms);
  }
}

function* sums(pointer: string, got: number | null, expected: number, tolerance: number): Generator<Contradiction> {
  if (got === null || Math.abs(got - expected) > tolerance) yield differs(pointer, String(expected), got);
}

const differs = (pointer: string, expected: string, got: number | null): Contradiction => ({
  pointer,
  message: `expected ${expected}, got ${String(got)}`,
});
