// The panel in words: names of its parts, and what a screen reader is told.
import type { Field } from '@grafana/data';
import type { TimeZone } from '@grafana/schema';
import { KIND_NAMES, KINDS } from './fills';
import { formatExact, formatTime, hasUnit, sideOfFill } from './format';
import type { Picture } from './frames';
import { countsOf } from './kpis';
import { countBefore, countUntil, valueAt } from './lines';
import type { Part } from './palette';
import { isKind } from './palette';
import type { LineRole } from './roles';
import { ROLE_NAMES } from './roles';
import type { Scene } from './scene';
import { WALK_HELP } from './walk';

/** The uncertainty is told with the offset. */
export type ShownLine = Exclude<LineRole, 'uncertainty'>;

export function nameOfPart({ lines }: Picture, part: Part): string {
  if (isKind(part)) {
    return KIND_NAMES[part];
  }
  const name = lines[part]?.field.config.displayName ?? ROLE_NAMES[part];
  return part === 'offset' && lines.uncertainty !== undefined ? `${name} ± uncertainty` : name;
}

/** "Maker buy", "Taker sell". */
export function fillName({ fills }: Picture, index: number): string {
  const kind = KINDS[fills.kinds[index]!]!;
  const side = sideOfFill(fills, index);
  return kind === 'taker' || kind === 'unknown'
    ? `${KIND_NAMES[kind]}${side === undefined ? '' : ` ${side}`}`
    : KIND_NAMES[kind];
}

/** "0.004 @ 64000.5"; a size that is not known is said to be so. */
export function fillAmounts({ fills }: Picture, index: number): string {
  const { price } = fills.sources[fills.source[index]!]!;
  const size = fills.sizes[index]!;
  return `${Number.isNaN(size) ? 'size not known' : String(size)} @ ${formatExact(price, fills.prices[index]!)}`;
}

/** Value of a line at a time, the offset with its uncertainty; with the unit where the plot has one. */
export function lineText({ lines }: Picture, role: ShownLine, ms: number): string {
  const line = lines[role];
  const value = line === undefined ? null : valueAt(line, ms);
  if (line === undefined || value === null) {
    return 'not known';
  }
  if (role === 'bid' || role === 'ask' || role === 'quoteBuy' || role === 'quoteSell') {
    return formatExact(line.field, value);
  }
  const withUnit = (of: Field, amount: number): string => `${formatExact(of, amount)}${hasUnit(of) ? '' : ' ms'}`;
  const { uncertainty } = lines;
  const width = role === 'offset' && uncertainty !== undefined ? valueAt(uncertainty, ms) : null;
  if (width === null) {
    return withUnit(line.field, value);
  }
  return `${hasUnit(line.field) ? formatExact(line.field, value) : value} ± ${withUnit(uncertainty!.field, width)}`;
}

/** What there is in the time shown, without that time: it is told where it may change without being read out. */
export function summary({ symbol, fills, fillsKnown }: Picture, [fromMs, toMs]: [number, number]): string {
  const counts = countsOf(fills, fromMs, toMs);
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  const told = fillsKnown ? `${total} virtual fills` : 'Virtual fills not known';
  const split = counts.map(({ kind, count }) => `${count} ${KIND_NAMES[kind].toLowerCase()}`).join(', ');
  return `${told}${symbol === undefined ? '' : ` of ${symbol}`}${split === '' ? '' : `: ${split}`}`;
}

export const timeShown = ([fromMs, toMs]: [number, number], timeZone: TimeZone): string =>
  `From ${formatTime(fromMs, timeZone)} to ${formatTime(toMs, timeZone)}. ${WALK_HELP}`;

/** Fill 3 of 12: Maker buy 0.004 @ 64000.5 at 12:00:00.123 */
export function announcement(
  { picture, shown }: Scene,
  index: number,
  [fromMs, toMs]: [number, number],
  timeZone: TimeZone
): string {
  const { fills } = picture;
  let [at, of] = [0, 0];
  for (let other = countBefore(fills.times, fromMs); other < countUntil(fills.times, toMs); other++) {
    if (shown[fills.kinds[other]!]!) {
      of++;
      at += Number(other <= index);
    }
  }
  return `Fill ${at} of ${of}: ${fillName(picture, index)} ${fillAmounts(picture, index)} at ${formatTime(fills.times[index]!, timeZone, false)}`;
}
