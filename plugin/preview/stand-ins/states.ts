import { FieldType, getFieldDisplayName } from '@grafana/data';
import type { DataFrame, Field } from '@grafana/data';

export interface Stretch {
  readonly from: number;
  to: number;
  readonly text: string;
  readonly color: string;
}

export interface Row {
  readonly name: string;
  readonly stretches: readonly Stretch[];
}

/** Where neighbors in time are further apart, nothing was known between them. */
const LONGEST_STEP = 1.5;

function stretchesOf(times: readonly number[], field: Field, stepMs: number): readonly Stretch[] {
  const found: Stretch[] = [];
  times.forEach((from, index) => {
    const value: unknown = field.values[index];
    const last = found.at(-1);
    if (value === null || value === undefined) {
      return;
    }
    const { text, color = 'transparent' } = field.display!(value);
    if (last !== undefined && last.text === text && from - last.to <= (LONGEST_STEP - 1) * stepMs) {
      last.to = from + stepMs;
    } else {
      found.push({ from, to: from + stepMs, text, color });
    }
  });
  return found;
}

const shortestStep = (times: readonly number[]): number =>
  times.reduce((least, time, index) => (index === 0 ? least : Math.min(least, time - times[index - 1]!)), Infinity);

/** A row for each series, and in it a stretch for each time that it had the same state. */
export function rowsOf(frames: readonly DataFrame[]): readonly Row[] {
  return frames.flatMap((frame) => {
    const time = frame.fields.find(({ type }) => type === FieldType.time);
    if (time === undefined || frame.length === 0) {
      return [];
    }
    const times = time.values as readonly number[];
    const step = time.config.interval ?? shortestStep(times);
    return frame.fields
      .filter((field) => field.type === FieldType.number || field.type === FieldType.string)
      .map((field) => ({
        name: getFieldDisplayName(field, frame, [...frames]),
        stretches: stretchesOf(times, field, Number.isFinite(step) ? step : 0),
      }));
  });
}
