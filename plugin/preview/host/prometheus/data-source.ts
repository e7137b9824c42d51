/** A data source for Grafana's scenes that speaks to a Prometheus, as Grafana's own does through its server. */
import { DataSourceApi, rangeUtil } from '@grafana/data';
import type {
  AnnotationSupport,
  DataQuery,
  DataQueryError,
  DataQueryRequest,
  DataQueryResponse,
  DataSourceInstanceSettings,
  LegacyMetricFindQueryOptions,
  MetricFindValue,
  TestDataSourceResponse,
} from '@grafana/data';
import { getTemplateSrv } from '@grafana/runtime';
import { Observable } from 'rxjs';
import { annotationSupport } from './annotations';
import { PrometheusClient } from './client';
import { framesOf } from './frames';
import { aligned, duration, stepMs, withTimes } from './step';
import type { Span } from './step';

export interface PrometheusQuery extends DataQuery {
  readonly expr: string;
  readonly legendFormat?: string;
  readonly instant?: boolean;
  readonly range?: boolean;
  /** The smallest step. */
  readonly interval?: string;
}

export interface PrometheusSettings {
  readonly uid: string;
  readonly name: string;
  /** The address before `/api/v1`. */
  readonly url: string;
  /** The scrape interval, as `timeInterval` of the provisioned data source. */
  readonly timeInterval: string;
}

const spanOf = ({ range }: DataQueryRequest<PrometheusQuery>): Span => ({
  fromMs: range.from.valueOf(),
  toMs: range.to.valueOf(),
});

export class PrometheusDataSource extends DataSourceApi<PrometheusQuery> {
  override annotations: AnnotationSupport<PrometheusQuery> = annotationSupport;
  readonly #client: PrometheusClient;
  readonly #scrapeMs: number;

  constructor({ uid, name, url, timeInterval }: PrometheusSettings) {
    const meta = { id: 'prometheus', name: 'Prometheus', info: { logos: { small: '', large: '' } } };
    super({ uid, name, type: 'prometheus', meta, jsonData: {} } as unknown as DataSourceInstanceSettings);
    this.interval = timeInterval;
    this.#client = new PrometheusClient(url);
    this.#scrapeMs = rangeUtil.intervalToMs(timeInterval);
  }

  override query(request: DataQueryRequest<PrometheusQuery>): Observable<DataQueryResponse> {
    return new Observable((subscriber) => {
      const controller = new AbortController();
      const targets = request.targets.filter(({ hide }) => hide !== true);
      const answers = targets.map((target) => this.#answer(request, target, controller.signal));
      void Promise.all(answers).then((all) => {
        subscriber.next({
          data: all.flatMap(({ data }) => data),
          errors: all.flatMap(({ errors = [] }) => errors),
        });
        subscriber.complete();
      });
      return () => controller.abort();
    });
  }

  /** Of one query; what is wrong with it is told beside the answers of the others. */
  async #answer(
    request: DataQueryRequest<PrometheusQuery>,
    target: PrometheusQuery,
    signal: AbortSignal
  ): Promise<DataQueryResponse> {
    try {
      return { data: await this.#frames(request, target, signal) };
    } catch (error) {
      const problem: DataQueryError = {
        refId: target.refId,
        message: error instanceof Error ? error.message : String(error),
      };
      return { data: [], errors: [problem] };
    }
  }

  async #frames(request: DataQueryRequest<PrometheusQuery>, target: PrometheusQuery, signal: AbortSignal) {
    const span = spanOf(request);
    const scrapeMs = target.interval === undefined ? this.#scrapeMs : rangeUtil.intervalToMs(target.interval);
    const step = stepMs(span, request.intervalMs, scrapeMs);
    const timed = withTimes(target.expr, span, step, request.intervalMs, this.#scrapeMs);
    const expression = getTemplateSrv().replace(timed, request.scopedVars);
    const asked = {
      refId: target.refId,
      expression,
      legendFormat: getTemplateSrv().replace(target.legendFormat ?? '', request.scopedVars),
      stepMs: step,
      executed: `Expr: ${expression}\nStep: ${duration(step)}`,
    };
    const result = target.instant
      ? await this.#client.query(expression, span.toMs, signal)
      : await this.#client.queryRange(expression, { ...aligned(span, step), stepMs: step }, signal);
    return framesOf(asked, result);
  }

  /** `label_values(label)` and `label_values(selector, label)`, which is all that the dashboard asks. */
  override async metricFindQuery(
    query: string | { readonly query: string },
    options: LegacyMetricFindQueryOptions
  ): Promise<MetricFindValue[]> {
    const text = getTemplateSrv().replace(typeof query === 'string' ? query : query.query, options.scopedVars);
    const [, selector, label] = /^label_values\((?:(.+),)?\s*(\w+)\s*\)$/.exec(text.trim()) ?? [];
    if (label === undefined) {
      throw new Error(`expected label_values(selector, label), got ${text}`);
    }
    const values = await this.#client.labelValues(label, {
      ...(selector === undefined ? {} : { 'match[]': selector.trim() }),
      ...(options.range === undefined
        ? {}
        : { start: String(options.range.from.unix()), end: String(options.range.to.unix()) }),
    });
    return values.map((value) => ({ text: value }));
  }

  override async testDatasource(): Promise<TestDataSourceResponse> {
    await this.#client.labelValues('__name__', { limit: '1' });
    return { status: 'success', message: 'Prometheus answers' };
  }
}
