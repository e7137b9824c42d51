// The panel in words: names of its parts, and what a screen reader is told.
import type { TimeZone } from '@grafana/data';
import { KIND_NAMES, KINDS } from './fills';
import { formatTime } from './format';
import type { Picture } from './frames';
import type { Part } from './palette';
import { isKind } from './palette';
import { ROLE_NAMES } from './roles';
import type { Scene } from './scene';
import { fillAmounts, fillName } from './Tooltip';
import { WALK_HELP } from './walk';

export function nameOfPart({ lines }: Picture, part: Part): string {
  if (isKind(part)) return KIND_NAMES[part];
  const name = lines[part]?.field.config.displayName ?? ROLE_NAMES[part];
  return part === 'offset' && lines.uncertainty !== undefined ? `${name} ± uncertainty` : name;
}

export function summary(
  { symbol, fills, fillsKnown }: Picture,
  [fromMs, toMs]: [number, number],
  timeZone: TimeZone
): string {
  const counts = KINDS.map((kind, index) => ({
    kind,
    count: fills.kinds.reduce((sum, one) => sum + Number(one === index), 0),
  })).filter(({ count }) => count > 0);
  const told = fillsKnown ? `${fills.times.length} virtual fills` : 'Virtual fills not known';
  const split = counts.map(({ kind, count }) => `${count} ${KIND_NAMES[kind].toLowerCase()}`).join(', ');
  const time = `from ${formatTime(fromMs, timeZone)} to ${formatTime(toMs, timeZone)}`;
  return `${told}${symbol === undefined ? '' : ` of ${symbol}`}${split === '' ? '' : `: ${split}`}, ${time}. ${WALK_HELP}`;
}

/** Fill 3 of 12: Maker buy 0.004 @ 64000.5 at 12:00:00.123 */
export function announcement({ picture, shown }: Scene, index: number, timeZone: TimeZone): string {
  const { fills } = picture;
  let [at, of] = [0, 0];
  fills.kinds.forEach((kind, other) => {
    if (!shown[kind]!) return;
    of++;
    if (other <= index) at++;
  });
  return `Fill ${at} of ${of}: ${fillName(picture, index)} ${fillAmounts(picture, index)} at ${formatTime(fills.times[index]!, timeZone, false)}`;
}
