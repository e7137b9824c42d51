import type { Bps } from '../units.ts';
import type { Candidate, Cell, CellResult } from './cell.ts';
import { CANDIDATES } from './cell.ts';
import type { CandidateStatistics, CellStatistics } from './statistics.ts';
import { MARKOUT_S, statisticsOf } from './statistics.ts';

/** A cell and what came of it. */
export interface Calibrated {
  readonly cell: Cell;
  /** Which orders: all that joined the best price, those behind the longest queues, or those so far out. */
  readonly quotes: string;
  readonly statistics: CellStatistics;
}

/** The channels of the cells, by what a reader knows them as. */
export const FEEDS = {
  '50+1': [
    { name: 'orderbook.50', depth: 50, cadenceUs: 20_000 },
    { name: 'orderbook.1', depth: 1, cadenceUs: 10_000 },
  ],
  '20 ms': [{ name: 'orderbook.50', depth: 50, cadenceUs: 20_000 }],
  '100 ms': [{ name: 'orderbook.200', depth: 200, cadenceUs: 100_000 }],
  '1000 ms': [{ name: 'orderbook.50', depth: 50, cadenceUs: 1_000_000 }],
} as const;
export type FeedName = keyof typeof FEEDS;

const feedOf = ({ channels }: Cell): string =>
  Object.entries(FEEDS).find(([, rules]) => rules === channels)?.[0] ?? channels.map(({ name }) => name).join('+');

/** Every cell of the calibration: large and small tick, both cancel laws, all feeds; and quotes as the product places them. */
export function allCells(seconds: number, seed: number): Cell[] {
  const feeds = Object.values(FEEDS);
  const laws = ['uniform', 'back-heavy'] as const;
  const cellOf = (symbol: string, cancelLaw: Cell['cancelLaw'], channels: Cell['channels'], spreadBps: Bps): Cell => ({
    ...{ symbol, cancelLaw, channels, spreadBps, seconds, seed, scenarios: [] },
  });
  return [
    ...['DOGEUSDT', 'BTCUSDT'].flatMap((symbol) =>
      laws.flatMap((law) => feeds.map((channels) => cellOf(symbol, law, channels, 0))),
    ),
    ...laws.map((law) => cellOf('BTCUSDT', law, FEEDS['50+1'], 8)),
  ];
}

const percent = (share: number, digits = 1): string =>
  `${share >= 0 ? '+' : '−'}${Math.abs(100 * share).toFixed(digits)} %`;
const signed = (value: number): string => `${value >= 0 ? '+' : '−'}${Math.abs(value).toFixed(2)}`;
const plain = (share: number): string => `${(100 * share).toFixed(1)} %`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** All orders of a cell; and of one that shows queues well, those that had to wait longest for their turn. */
export function calibrated(cell: Cell, result: CellResult): Calibrated[] {
  const quotes = cell.spreadBps === 0 ? 'join' : `${cell.spreadBps} bps out`;
  const all = { cell, quotes, statistics: statisticsOf(result) };
  if (cell.spreadBps !== 0 || cell.channels !== FEEDS['20 ms']) return [all];
  const ahead = result.orders.map(({ queueAheadLots }) => queueAheadLots ?? 0).sort((a, b) => a - b);
  const long = ahead[Math.floor(0.8 * ahead.length)]!;
  const orders = result.orders.filter(({ queueAheadLots }) => (queueAheadLots ?? 0) >= long);
  return [
    all,
    { cell, quotes: LONG_QUEUES, statistics: statisticsOf({ ...result, orders, refusedInTruth: undefined }) },
  ];
}

const LONG_QUEUES = 'join, longest fifth of queues';

const nameOf = ({ cell, quotes }: Calibrated): readonly string[] => [cell.symbol, quotes, cell.cancelLaw, feedOf(cell)];

/** Fill-time bias of each candidate, cell by cell: the table of the README. */
export function biasTable(results: readonly Calibrated[]): string {
  const head = ['symbol', 'quotes', 'cancel law', 'feed', 'true fill after', ...CANDIDATES, 'in band'];
  const rows = results.map((each) => [
    ...nameOf(each),
    `${each.statistics.meanTrueS.toFixed(2)} s`,
    ...each.statistics.candidates.map(({ timeBiasShare }) => percent(timeBiasShare, 0)),
    plain(each.statistics.bandCoverage),
  ]);
  return table(head, rows);
}

function shareTable(results: readonly Calibrated[]): string {
  const head = ['symbol', 'quotes', 'cancel law', 'feed', 'orders', 'refused', 'truth', ...CANDIDATES];
  const rows = results.map((each) => [
    ...nameOf(each),
    String(each.statistics.orders),
    each.statistics.refusedInTruth === undefined ? '–' : String(each.statistics.refusedInTruth),
    plain(each.statistics.trueFillShare),
    ...each.statistics.candidates.map(({ fillShare }) => plain(fillShare)),
  ]);
  return table(head, rows);
}

function markoutTable(results: readonly Calibrated[]): string {
  const head = ['symbol', 'quotes', 'cancel law', 'feed', 'truth, bps', ...CANDIDATES, 'in queue band'];
  const rows = results.map((each) => [
    ...nameOf(each),
    signed(each.statistics.trueMarkoutBps),
    ...each.statistics.candidates.map(({ markoutBiasBps }) => signed(markoutBiasBps)),
    plain(each.statistics.queueBandCoverage),
  ]);
  return table(head, rows);
}

/** What a candidate gets wrong, from the least to the most over the cells. */
function verdict(candidate: Candidate, results: readonly Calibrated[]): string {
  const all = results.map(({ statistics }) => ({
    truth: statistics.trueFillShare,
    own: statistics.candidates.find((each) => each.candidate === candidate)!,
  }));
  const range = (of: (own: CandidateStatistics, truth: number) => number, show: (value: number) => string): string => {
    const values = all.map(({ own, truth }) => of(own, truth));
    return `${show(Math.min(...values))} to ${show(Math.max(...values))}`;
  };
  const times = range(
    ({ timeBiasShare }) => timeBiasShare,
    (value) => percent(value, 0),
  );
  const shares = range(
    ({ fillShare }, truth) => fillShare / truth - 1,
    (value) => percent(value, 0),
  );
  const markouts = range(({ markoutBiasBps }) => markoutBiasBps, signed);
  return `| ${candidate} | ${times} | ${shares} | ${markouts} bps |`;
}

/** The document, but for its plot. */
export function calibrationMarkdown(results: readonly Calibrated[], hours: number, seed: number): string {
  const least = Math.min(...results.map(({ statistics }) => statistics.bandCoverage));
  return `# How far the fill models are from the truth

Made by \`npm run calibrate\` (seed ${seed}, ${hours} h of market a cell); do not edit. The simulated exchange knows the truth: behind every virtual quote it
keeps a probe, an order that holds a place in the FIFO queue but is not displayed and takes no volume, so that the market with it is the same,
event by event, as without. The product sees only what a client of the exchange sees: book updates and trades, late and netted. Orders of one
lot; \`trade-through\` drives, so that all models are compared on the same orders. Synthetic markets: evidence of mechanism, not of your symbol.

Feeds: "50+1" is the product's default, orderbook.50 every 20 ms with orderbook.1 every 10 ms over it; the others are one channel alone, of 50 levels
(200 at 100 ms), at that cadence. Cancel laws: "uniform" cancels any order of a queue alike; under "back-heavy" one younger than two seconds is cancelled
about seven times as often as an older one at the best price, and less so behind it. DOGEUSDT has a large tick (0.5 bps), BTCUSDT a small one (0.015 bps).

![Fill-time bias by cell](calibration.svg)

## Fill time

Model less truth, over the mean true time, of the orders filled in either (an unfilled one counts to its end). Negative: the model fills too early.
"In band": share of orders whose truth lies between \`touch\` and \`trade-through\`, to the resolution of the feed (a stamp is a whole millisecond; what
is not printed is seen one book update later at most). The least over all cells is ${plain(least)}.

${biasTable(results)}

## Fill share

Filled orders over all that rested. "Refused": orders that rested in the shadow book and that the true one, which no feed shows in time, would have
rejected as post-only; they are left out of the comparison.

${shareTable(results)}

## Markout after ${MARKOUT_S} s

Mean over the fills of a model, less that over the true fills. "In queue band": share of orders whose truth lies between n = 1 and n = ∞.

${markoutTable(results)}

## Where each model is wrong

| model | fill time | fills | markout |
| --- | --- | --- | --- |
${CANDIDATES.map((candidate) => verdict(candidate, results)).join('\n')}

- **trade-through** knows no fill at the price itself. What it has is filled late, and is the worse half: the fills that the price ran over.
- **touch** ignores the queue. At the best price it fills whatever is printed there, long before its turn, and its markouts flatter.
- **queue** errs by its cancel law: the lower n, the sooner it fills, and whether that is before or after the truth depends on where in the queue orders are
  cancelled. Where the feed nets additions against cancels every n is later, and the slower the feed the more. n = 1 to ∞ brackets the truth only in part;
  \`touch\` and \`trade-through\` do.
- **touch-dwell** is a filter against flicker, not a queue: at the best price it waits for the level to break, misses many fills and has the worst of
  the rest. Far outside the best price, where it is used by default, it errs by its dwell.
`;
}

/** A Vega-Lite plot of the fill-time bias of the queue model by exponent, cell by cell, with two standard errors. */
export function biasPlot(results: readonly Calibrated[]): object {
  const values = results
    .filter(({ quotes }) => quotes === 'join')
    .flatMap(({ cell, statistics }) =>
      statistics.candidates
        .filter(({ candidate }) => candidate.startsWith('queue'))
        .map(({ candidate, timeBiasShare, timeBiasError }) => ({
          model: candidate,
          feed: feedOf(cell),
          group: `${cell.symbol}, cancels ${cell.cancelLaw}`,
          bias: 100 * timeBiasShare,
          low: 100 * (timeBiasShare - 2 * timeBiasError),
          high: 100 * (timeBiasShare + 2 * timeBiasError),
        })),
    );
  const x = { field: 'feed', type: 'nominal', sort: Object.keys(FEEDS), title: 'feed', axis: { labelAngle: 0 } };
  const xOffset = { field: 'model', type: 'nominal' };
  const color = {
    field: 'model',
    type: 'nominal',
    title: null,
    // Okabe and Ito's palette: told apart by the color-blind too.
    scale: { range: ['#0072B2', '#D55E00', '#009E73', '#CC79A7'] },
  };
  const y = { type: 'quantitative', title: 'fill time, model less truth, %' };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    data: { values },
    columns: 2,
    facet: { field: 'group', type: 'nominal', title: null, header: { labelFontSize: 12 } },
    spec: {
      width: 330,
      height: 190,
      layer: [
        {
          mark: { type: 'rect', color: '#0072B2', opacity: 0.08 },
          data: { values: [{ low: -15, high: 15 }] },
          encoding: { y: { field: 'low', ...y }, y2: { field: 'high' } },
        },
        { mark: 'rule', data: { values: [{ zero: 0 }] }, encoding: { y: { field: 'zero', ...y } } },
        {
          mark: { type: 'rule', strokeWidth: 2 },
          encoding: { x, xOffset, color, y: { field: 'low', ...y }, y2: { field: 'high' } },
        },
        {
          mark: { type: 'point', filled: true, size: 60 },
          encoding: {
            x,
            xOffset,
            color,
            shape: { field: 'model', type: 'nominal', title: null },
            y: { field: 'bias', ...y },
          },
        },
      ],
    },
  };
}
