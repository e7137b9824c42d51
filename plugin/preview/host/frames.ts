/** Data frames from plain JSON. */
import { dateTime, FieldType, LoadingState, toDataFrame } from '@grafana/data';
import type { DataFrame, FieldConfig, Labels, PanelData, QueryResultMeta, TimeRange } from '@grafana/data';

export interface FieldJson {
  readonly name: string;
  readonly type: 'time' | 'number' | 'string' | 'boolean' | 'other';
  readonly labels?: Labels;
  readonly config?: FieldConfig;
  /** Null where there is no value. */
  readonly values: readonly unknown[];
}

export interface FrameJson {
  readonly refId?: string;
  readonly name?: string;
  readonly meta?: QueryResultMeta;
  readonly fields: readonly FieldJson[];
}

/** Epoch milliseconds. */
export interface TimeRangeJson {
  readonly from: number;
  readonly to: number;
}

export const frameOf = (frame: FrameJson): DataFrame => {
  const fields = frame.fields.map(({ type, config = {}, ...field }) => ({ ...field, type: type as FieldType, config }));
  return toDataFrame({ ...frame, fields });
};

export function timeRangeOf({ from, to }: TimeRangeJson): TimeRange {
  const [start, end] = [dateTime(from), dateTime(to)];
  return { from: start, to: end, raw: { from: start, to: end } };
}

export interface PanelDataJson {
  readonly frames: readonly FrameJson[];
  readonly annotations?: readonly FrameJson[];
  readonly timeRange: TimeRangeJson;
  /** Done, where it is not told. */
  readonly state?: `${LoadingState}`;
  readonly errors?: readonly { readonly message: string; readonly refId?: string }[];
}

export function panelDataOf({ frames, annotations = [], timeRange, state, errors = [] }: PanelDataJson): PanelData {
  return {
    state: (state as LoadingState | undefined) ?? (errors.length > 0 ? LoadingState.Error : LoadingState.Done),
    series: frames.map(frameOf),
    annotations: annotations.map(frameOf),
    timeRange: timeRangeOf(timeRange),
    ...(errors.length === 0 ? {} : { errors: [...errors], error: errors[0]! }),
  };
}
