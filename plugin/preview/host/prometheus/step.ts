/** Steps and variables of a query, as Grafana's Prometheus data source works them out. */
import { rangeUtil } from '@grafana/data';

/** Prometheus refuses more points a series. */
const MOST_POINTS = 11_000;
/** A rate needs two samples, and one scrape may fail. */
const SCRAPES_OF_A_RATE = 4;

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export const stepMs = ({ fromMs, toMs }: Span, intervalMs: number, scrapeMs: number): number =>
  Math.max(intervalMs, scrapeMs, rangeUtil.roundInterval((toMs - fromMs) / MOST_POINTS));

/** A range begins and ends at whole steps, so that the next refresh asks for the same points. */
export const aligned = (
  { fromMs, toMs }: Span,
  step: number
): { readonly startMs: number; readonly endMs: number } => ({
  startMs: Math.floor(fromMs / step) * step,
  endMs: Math.floor(toMs / step) * step,
});

/** Of a step or an interval, in the words of PromQL. */
export const duration = (ms: number): string => (ms % 1_000 === 0 ? `${ms / 1_000}s` : `${Math.round(ms)}ms`);

/** The expression with the variables that hang on the time range filled in; others stay. */
export function withTimes(expression: string, span: Span, step: number, intervalMs: number, scrapeMs: number): string {
  const rangeMs = span.toMs - span.fromMs;
  const variables: Readonly<Record<string, string>> = {
    __interval: duration(step),
    __interval_ms: String(step),
    __range: `${Math.round(rangeMs / 1_000)}s`,
    __range_s: String(Math.round(rangeMs / 1_000)),
    __range_ms: String(rangeMs),
    __rate_interval: duration(Math.max(intervalMs + scrapeMs, SCRAPES_OF_A_RATE * scrapeMs)),
  };
  const name = /\$(?:\{(__\w+)\}|(__\w+))/g;
  return expression.replace(name, (text, braced?: string, bare?: string) => variables[braced ?? bare ?? ''] ?? text);
}
