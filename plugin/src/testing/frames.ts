// Frames of the shape that Grafana's Prometheus data source gives, for tests.
import type { DataFrame, Field, FieldConfig, Labels } from '@grafana/data';
import type { Picture } from '../frames';
import { readFrames } from '../frames';

type Values = readonly unknown[];

export function field(
  name: string,
  type: string,
  values: Values,
  rest: { labels?: Labels; config?: FieldConfig } = {}
): Field {
  return { name, type: type as Field['type'], values: [...values], config: rest.config ?? {}, labels: rest.labels };
}

export function frame(refId: string, ...fields: Field[]): DataFrame {
  return { refId, fields, length: Math.max(0, ...fields.map(({ values }) => values.length)) };
}

interface SeriesOptions {
  readonly labels?: Labels;
  readonly intervalMs?: number;
  readonly config?: FieldConfig;
  readonly refId?: string;
}

/** A series as a range query (with `intervalMs`) or an instant query gives it. */
export function series(
  metric: string,
  times: Values,
  values: Values,
  { labels = {}, intervalMs, config = {}, refId = 'A' }: SeriesOptions = {}
): DataFrame {
  return frame(
    refId,
    field('Time', 'time', times, { config: intervalMs === undefined ? {} : { interval: intervalMs } }),
    field(metric, 'number', values, { labels: { __name__: metric, symbol: 'BTCUSDT', ...labels }, config })
  );
}

export const MAKER_BUY = { side: 'buy', liquidity: 'maker' };
export const MAKER_SELL = { side: 'sell', liquidity: 'maker' };
export const TAKER_BUY = { side: 'buy', liquidity: 'taker' };

/** The picture that frames make; they must make one. */
export function pictureOf(...frames: DataFrame[]): Picture {
  const { picture, problem } = readFrames(frames, '1s');
  if (picture === undefined) {
    throw new Error(problem);
  }
  return picture;
}
