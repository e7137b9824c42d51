// Channels of one role → one line over time, with its holes.
import type { Field } from '@grafana/data';
import type { Channel } from './channels';
import type { LineRole, Role } from './roles';
import { ROLE_NAMES } from './roles';

/** A value over time. */
export interface Course {
  /** Milliseconds since the epoch, ascending; may be fractional. */
  readonly times: readonly number[];
  /** Null: not known from here to the next time. */
  readonly values: ReadonlyArray<number | null>;
  /** Distance of the samples, milliseconds; undefined where the data do not say. */
  readonly intervalMs: number | undefined;
  readonly field: Field;
}

export interface Line extends Course {
  readonly role: LineRole;
}

interface Samples {
  readonly times: readonly number[];
  readonly values: ReadonlyArray<number | null>;
}

/** Samples of a query that are further apart than this many of its steps have a hole between them. */
const HOLE_STEPS = 1.5;

/** Null where no channel has the role, or none of its samples is at a known time. */
export function lineOf(role: LineRole, channels: readonly Channel[], notices: string[]): Line | null {
  const course = courseOf(role, channels, notices);
  return course === null ? null : { role, ...course };
}

export function courseOf(role: Role, channels: readonly Channel[], notices: string[]): Course | null {
  const series = channels
    .filter((channel) => channel.role === role)
    .map((channel) => ({ channel, samples: samplesOf(channel, notices) }))
    .filter(({ samples }) => samples.times.length > 0)
    .sort((a, b) => a.samples.times[0]! - b.samples.times[0]!);
  if (series.length === 0) {
    return null;
  }
  const chosen = overlap(series.map(({ samples }) => samples)) ? [latest(series, role, notices)] : series;
  const { value, time } = chosen.at(-1)!.channel;
  const intervalMs = time.config.interval ?? undefined;
  return {
    intervalMs,
    field: value,
    ...withHoles(
      chosen.map(({ samples }) => samples),
      intervalMs
    ),
  };
}

/** The value that holds at a time: that of the last sample at or before it; null before the first, in a hole, and long after the last. */
export function valueAt({ times, values, intervalMs }: Course, ms: number): number | null {
  const index = countUntil(times, ms) - 1;
  if (index < 0) {
    return null;
  }
  const isLast = index === times.length - 1;
  if (isLast && intervalMs !== undefined && ms - times[index]! > HOLE_STEPS * intervalMs) {
    return null;
  }
  return values[index]!;
}

/** How many of ascending `times` are at or before `ms`. */
export const countUntil = (times: ArrayLike<number>, ms: number): number => countOf(times, ms, true);

/** How many of ascending `times` are before `ms`. */
export const countBefore = (times: ArrayLike<number>, ms: number): number => countOf(times, ms, false);

function countOf(times: ArrayLike<number>, ms: number, withEqual: boolean): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const time = times[middle]!;
    if (time < ms || (withEqual && time === ms)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** Indices of `times` in ascending order of time, those of the same time as they came; undefined when they are in order already. */
export function sortedOrder(times: ArrayLike<number>): Uint32Array | undefined {
  let ordered = true;
  for (let index = 1; ordered && index < times.length; index++) {
    ordered = times[index]! >= times[index - 1]!;
  }
  if (ordered) {
    return undefined;
  }
  return Uint32Array.from({ length: times.length }, (_, index) => index).sort((a, b) => times[a]! - times[b]! || a - b);
}

function samplesOf({ role, time, value }: Channel, notices: string[]): Samples {
  const times: number[] = [];
  const values: Array<number | null> = [];
  const length = Math.min(time.values.length, value.values.length);
  for (let row = 0; row < length; row++) {
    const ms: unknown = time.values[row];
    if (typeof ms === 'number' && Number.isFinite(ms)) {
      times.push(ms);
      values.push(numberOrNull(value.values[row]));
    }
  }
  const order = sortedOrder(times);
  if (order === undefined) {
    return { times, values };
  }
  notices.push(`The times of ${ROLE_NAMES[role]} were not in order and have been sorted.`);
  return { times: Array.from(order, (index) => times[index]!), values: Array.from(order, (index) => values[index]!) };
}

/** NaN and infinities are not known either. */
export const numberOrNull = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

const overlap = (series: readonly Samples[]): boolean =>
  series.some(({ times }, index) => index > 0 && times[0]! <= series[index - 1]!.times.at(-1)!);

interface Series {
  readonly channel: Channel;
  readonly samples: Samples;
}

/** Two series that tell one thing at once: which is true cannot be known here. */
function latest(series: readonly Series[], role: Role, notices: string[]): Series {
  const last = series.reduce((best, one) => (one.samples.times.at(-1)! > best.samples.times.at(-1)! ? one : best));
  const labels = Object.entries(last.channel.value.labels ?? {}).filter(([name]) => name !== '__name__');
  const text = labels.map(([name, value]) => `${name}="${value}"`).join(', ');
  notices.push(
    `${series.length} series tell ${ROLE_NAMES[role]} at once; shown is {${text}}. Choose one in the query.`
  );
  return last;
}

function withHoles(series: readonly Samples[], intervalMs: number | undefined): Samples {
  const times: number[] = [];
  const values: Array<number | null> = [];
  for (const samples of series) {
    samples.times.forEach((ms, index) => {
      const previous = times.at(-1);
      if (previous !== undefined && intervalMs !== undefined && ms - previous > HOLE_STEPS * intervalMs) {
        times.push(previous + intervalMs);
        values.push(null);
      }
      times.push(ms);
      values.push(samples.values[index]!);
    });
  }
  return { times, values };
}
