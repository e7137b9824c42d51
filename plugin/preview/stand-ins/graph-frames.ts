import { FieldType } from '@grafana/data';
import type { DataFrame } from '@grafana/data';

const drawable = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

/** Frames with a time and at least one number that can be drawn; what is not finite becomes a gap. Undefined: there are none. */
export function graphFrames(series: readonly DataFrame[]): DataFrame[] | undefined {
  const frames = series.flatMap((frame) => {
    const known = frame.fields.some(({ type }) => type === FieldType.number);
    const timed = frame.fields.some(({ type }) => type === FieldType.time);
    if (!known || !timed || frame.length === 0) {
      return [];
    }
    const fields = frame.fields.map((field) =>
      field.type === FieldType.number ? { ...field, values: field.values.map(drawable) } : field
    );
    return [{ ...frame, fields }];
  });
  return frames.length === 0 ? undefined : frames;
}
