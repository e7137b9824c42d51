// The header: what there is to say at a glance, each judged by the limit of its alert.
import type { Fills, Kind } from './fills';
import { KINDS } from './fills';
import { signed } from './format';
import type { Picture } from './frames';
import { kpiAt } from './frames';
import { countBefore, countUntil } from './lines';
import type { FillsOptions } from './options';

/** `good` and `bad` by the limit of an alert; `plain` has none; `unknown` is not known. */
export type Verdict = 'good' | 'bad' | 'plain' | 'unknown';

export interface Kpi {
  readonly name: string;
  /** Undefined: not known. */
  readonly text: string | undefined;
  /** What it is made up of, by the kind of marker. */
  readonly counts?: ReadonlyArray<{ readonly kind: Kind; readonly count: number }>;
  readonly verdict: Verdict;
  /** What it is and by what it is judged. */
  readonly help: string;
}

/** How the alerts differ from what is judged here: they look at averages, and for longer. */
const ALERT = 'The alert judges the average of 15 minutes, and fires after 10.';
const DRIFT_ALERT = 'The alert judges the average of 10 minutes, and fires after 5.';

export function kpisOf(picture: Picture, { thresholds, horizon }: FillsOptions, fromMs: number, toMs: number): Kpi[] {
  const { fills, fillsKnown } = picture;
  const { edgeBps, makerShare, driftMs } = thresholds;
  const markoutBps = kpiAt(picture, 'markout', toMs);
  const counts = countsOf(fills, fromMs, toMs);
  const limitPercent = Number((100 * makerShare).toPrecision(12));
  return [
    {
      name: 'Fills',
      text: fillsKnown ? String(counts.reduce((sum, { count }) => sum + count, 0)) : undefined,
      counts,
      verdict: fillsKnown ? 'plain' : 'unknown',
      help: 'Virtual fills in the time shown: maker buys, maker sells, taker fills.',
    },
    judged('Maker share', kpiAt(picture, 'makerShare', toMs), {
      isBad: (value) => value < makerShare,
      textOf: (value, decimals) => `${(100 * value).toFixed(1 + decimals)} %`,
      shownOf: (value, decimals) => Number((100 * value).toFixed(1 + decimals)) / 100,
      help: `Share of maker fills in the last completed window; its limit is ${limitPercent} %. ${ALERT}`,
    }),
    judged('Net edge', kpiAt(picture, 'edge', toMs), {
      isBad: (value) => value < edgeBps,
      textOf: (value, decimals) => `${signed(value, 2 + decimals)} bps`,
      shownOf: (value, decimals) => Number(value.toFixed(2 + decimals)),
      help: `Net of fees, last completed window; its limit is ${edgeBps} bps. ${ALERT}`,
    }),
    {
      name: `Markout ${horizon}`,
      text: markoutBps === null ? undefined : `${signed(markoutBps, 2)} bps`,
      verdict: markoutBps === null ? 'unknown' : 'plain',
      help: `Our side × (mid ${horizon} after − fill price), fees not taken off, last completed window; + is good for us.`,
    },
    judged('Clock drift', kpiAt(picture, 'drift', toMs), {
      isBad: (value) => Math.abs(value) > driftMs,
      textOf: (value, decimals) => `${signed(value, 1 + decimals)} ms`,
      shownOf: (value, decimals) => Number(value.toFixed(1 + decimals)),
      help: `Receive time − exchange time at the end of the time shown; its limit is ±${driftMs} ms. ${DRIFT_ALERT}`,
    }),
  ];
}

interface Judgement {
  readonly isBad: (value: number) => boolean;
  /** With so many decimals more than usual. */
  readonly textOf: (value: number, decimals: number) => string;
  /** The value that the text says. */
  readonly shownOf: (value: number, decimals: number) => number;
  readonly help: string;
}

const MOST_DECIMALS = 6;

/** What is shown lies on the same side of the limit as what is: close to it there are more decimals. */
function judged(name: string, value: number | null, { isBad, textOf, shownOf, help }: Judgement): Kpi {
  if (value === null) {
    return { name, help, text: undefined, verdict: 'unknown' };
  }
  let decimals = 0;
  while (decimals < MOST_DECIMALS && isBad(shownOf(value, decimals)) !== isBad(value)) {
    decimals++;
  }
  return { name, help, text: textOf(value, decimals), verdict: isBad(value) ? 'bad' : 'good' };
}

/** How many fills there are of each kind in a time, without those of which there are none. */
export function countsOf({ times, kinds }: Fills, fromMs: number, toMs: number): Array<{ kind: Kind; count: number }> {
  const counts = KINDS.map((kind) => ({ kind, count: 0 }));
  const end = countUntil(times, toMs);
  for (let index = countBefore(times, fromMs); index < end; index++) {
    counts[kinds[index]!]!.count++;
  }
  return counts.filter(({ count }) => count > 0);
}
