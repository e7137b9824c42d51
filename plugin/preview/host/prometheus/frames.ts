/** Answers of Prometheus as data frames of the shape that Grafana's own data source gives. */
import { FieldType } from '@grafana/data';
import type { DataFrame, Field, Labels } from '@grafana/data';
import type { QueryResult, Sample, Series } from './client';

export interface Asked {
  readonly refId: string;
  readonly expression: string;
  readonly legendFormat: string;
  readonly stepMs: number;
  readonly executed: string;
}

const SPECIAL: Readonly<Record<string, number>> = { NaN: NaN, '+Inf': Infinity, '-Inf': -Infinity };

const numberOf = (text: string): number => SPECIAL[text] ?? Number(text);

function metricName({ __name__: name = '', ...labels }: Labels): string {
  const pairs = Object.entries(labels)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .sort();
  return pairs.length === 0 && name !== '' ? name : `${name}{${pairs.join(', ')}}`;
}

/** The name of a series by the legend of its query; undefined leaves it to Grafana. */
function legend({ legendFormat, expression }: Asked, labels: Labels): string | undefined {
  if (legendFormat === '__auto' && Object.keys(labels).length > 0) {
    return undefined;
  }
  const name =
    legendFormat === '' || legendFormat === '__auto'
      ? metricName(labels)
      : legendFormat.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label: string) => labels[label] ?? '');
  return name === '{}' ? expression : name;
}

function frameOf(asked: Asked, labels: Labels, samples: readonly Sample[], resultType: string): DataFrame {
  const displayName = legend(asked, labels);
  const time: Field = {
    name: 'Time',
    type: FieldType.time,
    // Of every answer, that of an instant query too.
    config: { interval: asked.stepMs },
    values: samples.map(([seconds]) => Math.round(seconds * 1_000)),
  };
  const value: Field = {
    name: labels['__name__'] ?? 'Value',
    type: FieldType.number,
    labels,
    config: displayName === undefined ? {} : { displayNameFromDS: displayName },
    values: samples.map(([, text]) => numberOf(text)),
  };
  return {
    refId: asked.refId,
    meta: {
      type: (resultType === 'matrix' ? 'timeseries-multi' : 'numeric-multi') as never,
      typeVersion: [0, 1],
      custom: { resultType },
      preferredVisualisationType: 'graph',
    },
    fields: [time, value],
    length: samples.length,
  };
}

const samplesOf = ({ values, value }: Series): readonly Sample[] => values ?? (value === undefined ? [] : [value]);

const isSample = (result: QueryResult['result']): result is Sample => typeof result[0] === 'number';

/** At least one frame: a query without an answer has one without fields. */
export function framesOf(asked: Asked, { resultType, result, warnings }: QueryResult): DataFrame[] {
  const frames = isSample(result)
    ? [frameOf(asked, {}, [result], resultType)]
    : result.map((series) => frameOf(asked, series.metric, samplesOf(series), resultType));
  const [first = { refId: asked.refId, fields: [], length: 0 }, ...others] = frames;
  const meta = {
    ...first.meta,
    executedQueryString: asked.executed,
    ...(warnings.length === 0 ? {} : { notices: warnings.map((text) => ({ severity: 'warning' as const, text })) }),
  };
  return [{ ...first, meta }, ...others];
}
