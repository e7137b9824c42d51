import { applyNullInsertThreshold, FieldType } from '@grafana/data';
import type { DataFrame, Field } from '@grafana/data';

const drawable = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

/** Where samples are missing there is a row without values, so that no line is drawn over it. */
function withHoles(frame: DataFrame, time: Field): DataFrame {
  const filled = applyNullInsertThreshold({ frame, refFieldName: time.name });
  const fields = filled.fields.map((field) =>
    field.type === FieldType.number ? { ...field, values: field.values.map(drawable) } : field
  );
  return { ...filled, fields };
}

/** Frames with a time and numbers, with holes where something is missing or not finite. Undefined: there are none. */
export function graphFrames(series: readonly DataFrame[]): DataFrame[] | undefined {
  const frames = series.flatMap((frame) => {
    const time = frame.fields.find(({ type }) => type === FieldType.time);
    const known = frame.fields.some(({ type }) => type === FieldType.number);
    return time === undefined || !known || frame.length === 0 ? [] : [withHoles(frame, time)];
  });
  return frames.length === 0 ? undefined : frames;
}
