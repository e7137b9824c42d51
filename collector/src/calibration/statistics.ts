import type { Bps, Us } from '../units.ts';
import { US_PER_S } from '../units.ts';
import type { Candidate, CellResult, ComparedOrder } from './cell.ts';
import { CANDIDATES } from './cell.ts';

/** How far one candidate is from the truth in one cell. Signs: candidate less truth. */
export interface CandidateStatistics {
  readonly candidate: Candidate;
  /** Filled orders over all. */
  readonly fillShare: number;
  /** Mean difference of fill times over the mean true time, of the orders that were filled in truth or by the candidate; unfilled ones count to their end. */
  readonly timeBiasShare: number;
  /** Standard error of `timeBiasShare`. */
  readonly timeBiasError: number;
  /** Mean markout after `MARKOUT_S` of its fills less that of the true fills, basis points. */
  readonly markoutBiasBps: Bps;
}

export interface CellStatistics {
  readonly orders: number;
  readonly refusedInTruth: number | undefined;
  readonly trueFillShare: number;
  /** Of the orders filled in truth. */
  readonly meanTrueS: number;
  readonly trueMarkoutBps: Bps;
  /**
   * Share of orders whose truth lies between `touch` (not before) and `trade-through` (not after), to the resolution of the feed: a stamp is a
   * whole millisecond, and what is not printed is seen one book update later at most.
   */
  readonly bandCoverage: number;
  /** The same for the band of the queue model, n = 1 … ∞. */
  readonly queueBandCoverage: number;
  readonly candidates: readonly CandidateStatistics[];
}

/** The product's KPI horizon. */
export const MARKOUT_S = 5;
/** Exchange stamps are whole milliseconds: a true time within one of them is not before it. */
const STAMP_US: Us = 1_000;

export function statisticsOf(result: CellResult): CellStatistics {
  const { orders, refusedInTruth, resolutionUs } = result;
  const filled = orders.filter(({ trueUs }) => trueUs !== undefined);
  const trueMarkoutBps = meanMarkoutBps(result, ({ trueUs }) => trueUs);
  return {
    orders: orders.length,
    refusedInTruth,
    trueFillShare: filled.length / orders.length,
    meanTrueS: mean(filled.map(({ trueUs, liveUs }) => (trueUs! - liveUs) / US_PER_S)),
    trueMarkoutBps,
    bandCoverage: share(orders, (order) => within(order, 'touch', 'trade-through', resolutionUs)),
    queueBandCoverage: share(orders, (order) => within(order, 'queue n=1', 'queue n=∞', resolutionUs)),
    candidates: CANDIDATES.map((candidate) => {
      const fillOf = ({ fills }: ComparedOrder): Us | undefined => fills.get(candidate);
      const either = orders.filter((order) => order.trueUs !== undefined || fillOf(order) !== undefined);
      const differences = either.map((order) => until(order, fillOf(order)) - until(order, order.trueUs));
      const trueTime = mean(either.map((order) => until(order, order.trueUs) - order.liveUs));
      return {
        candidate,
        fillShare: share(orders, (order) => fillOf(order) !== undefined),
        timeBiasShare: mean(differences) / trueTime,
        timeBiasError: standardError(differences) / trueTime,
        markoutBiasBps: meanMarkoutBps(result, fillOf) - trueMarkoutBps,
      };
    }),
  };
}

/** A fill, or the order's end where it had none. */
const until = ({ endUs }: ComparedOrder, fillUs: Us | undefined): Us => Math.min(fillUs ?? Infinity, endUs);

/** Not before the early candidate and not after the late one; an order that was never filled is filled last. */
function within(order: ComparedOrder, early: Candidate, late: Candidate, resolutionUs: Us): boolean {
  const { trueUs = Infinity, met, fills } = order;
  const seenUs = trueUs + STAMP_US + (met ? resolutionUs : 0);
  return seenUs >= (fills.get(early) ?? Infinity) && trueUs <= (fills.get(late) ?? Infinity) + STAMP_US;
}

function meanMarkoutBps({ orders, midHalfAt }: CellResult, fillOf: (order: ComparedOrder) => Us | undefined): Bps {
  const markouts: Bps[] = [];
  for (const order of orders) {
    const fillUs = fillOf(order);
    const later = fillUs === undefined ? undefined : midHalfAt(fillUs + MARKOUT_S * US_PER_S);
    if (later === undefined) continue;
    markouts.push(((order.sign * (later / 2 - order.priceTicks)) / order.priceTicks) * 1e4);
  }
  return mean(markouts);
}

const share = <T>(items: readonly T[], holds: (item: T) => boolean): number =>
  items.filter(holds).length / items.length;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function standardError(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - center) ** 2)) / values.length);
}
