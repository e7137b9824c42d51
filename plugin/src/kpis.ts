// The header: what there is to say at a glance, each judged by the limit of its alert.
import type { Fills, Kind } from './fills';
import { KINDS } from './fills';
import { signed } from './format';
import type { Picture } from './frames';
import { driftAt } from './frames';
import { countUntil } from './lines';
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

export function kpisOf(picture: Picture, { thresholds, horizon }: FillsOptions, fromMs: number, toMs: number): Kpi[] {
  const { kpis, fills, fillsKnown } = picture;
  const { edgeBps, makerShare, driftMs } = thresholds;
  const judged = (
    name: string,
    value: number | null,
    text: (value: number) => string,
    bad: (value: number) => boolean,
    help: string
  ): Kpi => ({
    name,
    help,
    text: value === null ? undefined : text(value),
    verdict: value === null ? 'unknown' : bad(value) ? 'bad' : 'good',
  });
  const counts = countsOf(fills, fromMs, toMs);
  return [
    {
      name: 'Fills',
      text: fillsKnown ? String(counts.reduce((sum, { count }) => sum + count, 0)) : undefined,
      counts,
      verdict: fillsKnown ? 'plain' : 'unknown',
      help: 'Virtual fills in the time shown: maker buys, maker sells, taker fills.',
    },
    judged(
      'Maker share',
      kpis.makerShare,
      (value) => `${(100 * value).toFixed(1)} %`,
      (value) => value < makerShare,
      `Share of maker fills in the last completed window; the alert is below ${100 * makerShare} %.`
    ),
    judged(
      'Net edge',
      kpis.edgeBps,
      (value) => `${signed(value, 2)} bps`,
      (value) => value < edgeBps,
      `Net of fees, last completed window; the alert is below ${edgeBps} bps.`
    ),
    {
      name: `Markout ${horizon}`,
      text: kpis.markoutBps === null ? undefined : `${signed(kpis.markoutBps, 2)} bps`,
      verdict: kpis.markoutBps === null ? 'unknown' : 'plain',
      help: `Our side × (mid ${horizon} after − fill price), fees not taken off, last completed window; + is good for us.`,
    },
    judged(
      'Clock drift',
      driftAt(picture, toMs),
      (value) => `${signed(value, 1)} ms`,
      (value) => Math.abs(value) > driftMs,
      `Receive time − exchange time at the end of the time shown; the alert is beyond ±${driftMs} ms.`
    ),
  ];
}

/** How many fills there are of each kind in a time, without those of which there are none. */
export function countsOf({ times, kinds }: Fills, fromMs: number, toMs: number): Array<{ kind: Kind; count: number }> {
  const counts = KINDS.map((kind) => ({ kind, count: 0 }));
  const end = countUntil(times, toMs);
  for (let index = countUntil(times, fromMs - 1e-6); index < end; index++) {
    counts[kinds[index]!]!.count++;
  }
  return counts.filter(({ count }) => count > 0);
}
