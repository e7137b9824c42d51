import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { panelsOf, readDashboard } from '../support/grafana-dashboard.ts';
import { Collector } from './support/collector.ts';
import { Prometheus } from './support/prometheus.ts';
import { Scope, waitFor } from './support/scope.ts';
import { freePort } from './support/server-process.ts';

const dashboard = readDashboard();
const SYMBOL = 'BTCUSDT';
/** What Grafana puts in for its variables. Prometheus scrapes every second here, and not every five. */
const VARIABLES: Readonly<Record<string, string>> = {
  $symbol: SYMBOL,
  $__range: '60s',
  $__rate_interval: '20s',
  $__interval: '5s',
};
const RANGE_S = 60;
const STEP_S = 5;

const filledIn = (expression: string): string =>
  Object.entries(VARIABLES).reduce((text, [name, value]) => text.replaceAll(name, value), expression);

interface Query {
  readonly where: string;
  readonly expression: string;
  readonly instant: boolean;
}

const QUERIES: readonly Query[] = [
  ...panelsOf(dashboard).flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr, instant }) => ({ where: `${title}: ${refId}`, expression: expr, instant })),
  ),
  ...dashboard.annotations.list.map(({ name, expr }) => ({ where: name, expression: expr, instant: false })),
];

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: {
    readonly resultType: string;
    readonly result: readonly { readonly metric: Readonly<Record<string, string>> }[];
  };
}

/** By POST, as the data source is told to. */
async function ask({ url }: Prometheus, path: string, parameters: Readonly<Record<string, string>>): Promise<Answer> {
  const body = new URLSearchParams(parameters);
  return (await (await fetch(`${url}/api/v1/${path}`, { method: 'POST', body })).json()) as Answer;
}

async function answer(prometheus: Prometheus, { expression, instant }: Query): Promise<Answer> {
  const query = filledIn(expression);
  const now = Date.now() / 1_000;
  if (instant) return ask(prometheus, 'query', { query, time: String(now) });
  const range = { start: String(now - RANGE_S), end: String(now), step: String(STEP_S) };
  return ask(prometheus, 'query_range', { query, ...range });
}

/** A Prometheus with an alert that fires, so that the queries of alerts have something to find. */
async function startPrometheus(scope: Scope, metricsPort: number): Promise<Prometheus> {
  const alert = { alert: 'Test', expr: 'up == 1', labels: { component: 'shadow', severity: 'none' } };
  return Prometheus.start(scope, {
    config: {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yml'],
      scrape_configs: [{ job_name: 'shadow', static_configs: [{ targets: [`127.0.0.1:${metricsPort}`] }] }],
    },
    files: { 'rules.yml': stringify({ groups: [{ name: 'test', rules: [alert] }] }) },
    args: ['--web.enable-remote-write-receiver'],
  });
}

/** The clock offset is known after a minute and eight probes, and a markout of a minute after that minute. */
const KNOWN_AFTER_MS = 110_000;

describe('every query of the dashboard, on a real Prometheus that scrapes a running collector', () => {
  const scope = new Scope();
  let prometheus: Prometheus;

  beforeAll(async () => {
    const metricsPort = await freePort();
    prometheus = await startPrometheus(scope, metricsPort);
    // A window that does not end: its KPIs are told while it runs, markouts of a minute among them.
    const flags = { symbols: `${SYMBOL},ETHUSDT`, spread_bps: 0, duration: 600, metrics_port: metricsPort };
    await Collector.startMock(scope, { ...flags, remote_write_url: prometheus.writeUrl });
    const known = async (query: string): Promise<boolean> => (await prometheus.query(query)).length > 0;
    for (const query of ['shadow_clock_offset_ms', `shadow_markout_bps{symbol="${SYMBOL}",horizon="60s"}`]) {
      await waitFor(query, () => known(query), KNOWN_AFTER_MS);
    }
    // Two scrapes with buckets of latency, which begin when the offset is known.
    const buckets = `rate(shadow_feed_latency_seconds_count{symbol="${SYMBOL}"}[20s]) > 0`;
    await waitFor(buckets, () => known(buckets), KNOWN_AFTER_MS);
  }, 3 * KNOWN_AFTER_MS);
  afterAll(() => scope.close());

  test.each(QUERIES.map((query) => [query.where, query] as const))(
    '%s has data',
    async (_, query) => {
      const { status, error, data } = await answer(prometheus, query);
      expect({ status, error }).toEqual({ status: 'success', error: undefined });
      const matrix = !query.instant || /\]$/.test(query.expression);
      expect(data.resultType).toBe(matrix ? 'matrix' : 'vector');
      // Some are away for a while, as the latency is until enough messages of the window are of the time after the offset was measured.
      await waitFor(
        query.expression,
        async () => (await answer(prometheus, query)).data.result.length > 0,
        KNOWN_AFTER_MS,
      );
    },
    2 * KNOWN_AFTER_MS,
  );

  test('the variable has every configured symbol', async () => {
    const [, series, label] = /^label_values\((.*), *(\w+)\)$/.exec(dashboard.templating.list[0]!.query.query)!;
    const { status, data } = (await ask(prometheus, 'series', { 'match[]': series! })) as unknown as {
      status: string;
      data: Readonly<Record<string, string>>[];
    };
    expect(status).toBe('success');
    expect(new Set(data.map((labels) => labels[label!]))).toEqual(new Set([SYMBOL, 'ETHUSDT']));
  });

  test('a broken query would be found', async () => {
    const { status } = await answer(prometheus, { where: '', expression: 'rate(shadow_fills_total)', instant: true });
    expect(status).toBe('error');
  });
});
