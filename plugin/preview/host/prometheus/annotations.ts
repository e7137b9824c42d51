/** Annotations from a query: a region for every stretch of time in which a series is there and not 0. */
import { FieldType, rangeUtil } from '@grafana/data';
import type { AnnotationEvent, AnnotationQuery, AnnotationSupport, DataFrame, Labels } from '@grafana/data';
import { of } from 'rxjs';
import type { PrometheusQuery } from './data-source';

const STEP = '60s';

interface Region {
  readonly time: number;
  timeEnd: number;
}

/** Times that are a step apart belong together. */
function regions(times: readonly number[], stepMs: number): Region[] {
  const found: Region[] = [];
  for (const time of times) {
    const last = found.at(-1);
    if (last !== undefined && time - last.timeEnd <= stepMs) {
      last.timeEnd = time;
    } else {
      found.push({ time, timeEnd: time });
    }
  }
  return found;
}

const stepOf = (annotation: AnnotationQuery): string => String(Reflect.get(annotation, 'step') ?? STEP);

const filledIn = (format: string | undefined, labels: Labels): string =>
  (format ?? '').replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label: string) => labels[label] ?? '');

function eventsOf(annotation: AnnotationQuery, frame: DataFrame): AnnotationEvent[] {
  const time = frame.fields.find(({ type }) => type === FieldType.time);
  const value = frame.fields.find(({ type }) => type === FieldType.number);
  if (time === undefined || value === undefined) {
    return [];
  }
  const labels = value.labels ?? {};
  const times = (time.values as number[]).filter((_, index) => Boolean(value.values[index]));
  const tagKeys = String(Reflect.get(annotation, 'tagKeys') ?? '').split(',');
  const text = {
    title: filledIn(Reflect.get(annotation, 'titleFormat') as string | undefined, labels),
    text: filledIn(Reflect.get(annotation, 'textFormat') as string | undefined, labels),
    tags: tagKeys.flatMap((key) => labels[key.trim()] ?? []),
  };
  // Over a long range the step is longer than what was asked for.
  const stepMs = time.config.interval ?? rangeUtil.intervalToMs(stepOf(annotation));
  return regions(times, stepMs).map((region) => ({ ...region, isRegion: true, annotation, ...text }));
}

export const annotationSupport: AnnotationSupport<PrometheusQuery> = {
  prepareAnnotation: (json) => json as AnnotationQuery<PrometheusQuery>,
  prepareQuery: (annotation) => ({
    refId: 'Anno',
    expr: String(Reflect.get(annotation, 'expr')),
    range: true,
    interval: stepOf(annotation),
  }),
  processEvents: (annotation, frames) => of(frames.flatMap((frame) => eventsOf(annotation, frame))),
};
