import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { CATALOG, PUSHED } from '../../collector/src/metrics/catalog.ts';
import type { Metric } from '../../collector/src/metrics/catalog.ts';
import { HORIZON_NAMES } from '../../collector/src/kpi/pool.ts';
import type { Panel } from '../support/grafana-dashboard.ts';
import { panelsOf, readDashboard } from '../support/grafana-dashboard.ts';
import { groupingLabelsOf, selectorsOf } from '../support/promql.ts';
import { ROOT } from '../support/root.ts';

const dashboard = readDashboard();
const panels = panelsOf(dashboard);
const PROMETHEUS = { type: 'prometheus', uid: 'shadow-prometheus' };
const at = (path: string): URL => new URL(path, ROOT);

/** Every query of the dashboard, by where it stands. */
const QUERIES = [
  ...panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr, legendFormat }) => ({ where: `${title}: ${refId}`, expr, legendFormat })),
  ),
  ...dashboard.annotations.list.map(({ name, expr }) => ({ where: name, expr, legendFormat: '' })),
  ...dashboard.templating.list.map(({ name, query }) => ({
    where: `$${name}`,
    expr: query.query.replace(/^label_values\((.*), *(\w+)\)$/, 'count by ($2) ($1)'),
    legendFormat: '',
  })),
];

/** What is scraped beside the catalog: Prometheus's own series, and the defaults of prom-client. */
const OTHERS: Readonly<Record<string, Metric>> = {
  up: { type: 'gauge', help: '', labels: [] },
  ALERTS: { type: 'gauge', help: '', labels: ['alertname', 'alertstate', 'component', 'severity', 'symbol'] },
  nodejs_eventloop_lag_p99_seconds: { type: 'gauge', help: '', labels: [] },
  process_resident_memory_bytes: { type: 'gauge', help: '', labels: [] },
};
const KNOWN: Readonly<Record<string, Metric>> = { ...CATALOG, ...PUSHED, ...OTHERS };
/** Set by Prometheus on all that it scrapes. */
const TARGET_LABELS = ['instance', 'job'];

/** Labels of a series; undefined where there is no such metric. */
function labelsOf(series: string): readonly string[] | undefined {
  const bucket = series.endsWith('_bucket') ? KNOWN[series.slice(0, -'_bucket'.length)] : undefined;
  if (bucket?.type === 'histogram') return [...bucket.labels, 'le', ...TARGET_LABELS];
  const metric = KNOWN[series];
  if (metric === undefined || metric.type === 'histogram') return undefined;
  return series in PUSHED ? metric.labels : [...metric.labels, ...TARGET_LABELS];
}

/** What is wrong with a query, by the catalog. */
function faultsOf(expression: string, legend = ''): string[] {
  const selectors = selectorsOf(expression);
  const unknown = selectors.filter(({ metric }) => labelsOf(metric) === undefined);
  if (unknown.length > 0) return unknown.map(({ metric }) => `no metric ${metric}`);
  const wrong = selectors.flatMap(({ metric, labels }) =>
    labels.filter((label) => !labelsOf(metric)!.includes(label)).map((label) => `${metric} has no label ${label}`),
  );
  const all = new Set(selectors.flatMap(({ metric }) => labelsOf(metric)!));
  const named = [...groupingLabelsOf(expression), ...[...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!)];
  return [...wrong, ...named.filter((label) => !all.has(label)).map((label) => `no series has a label ${label}`)];
}

/** Heading of a Markdown file as the fragment of its address. */
const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

/** Whether the address is one of a file of this repository, and of a heading in it. */
function resolves(url: string): boolean {
  const [, path, fragment] =
    /^https:\/\/github\.com\/shadow-mode\/shadow-mode\/blob\/main\/([^#]+)(?:#(.+))?$/.exec(url) ?? [];
  if (path === undefined) return false;
  if (!existsSync(at(path))) return false;
  if (fragment === undefined) return true;
  const headings = readFileSync(at(path), 'utf8').matchAll(/^#+ (.+)$/gm);
  return [...headings].some(([, heading]) => slugOf(heading!) === fragment);
}

describe('the dashboard', () => {
  test('is what scripts/dashboard makes', () => {
    const check = (): Buffer =>
      execFileSync(process.execPath, [fileURLToPath(at('scripts/dashboard/generate.mjs')), '--check']);
    expect(check).not.toThrow();
  });

  test('is read by Grafana 11.6 and 12, provisioned, and live', () => {
    expect(dashboard).toMatchObject({
      uid: 'shadow-mode',
      title: 'Shadow mode',
      editable: false,
      refresh: '5s',
      graphTooltip: 1,
      timezone: 'browser',
      time: { from: 'now-15m', to: 'now' },
    });
    expect(dashboard.schemaVersion).toBeLessThanOrEqual(41);
    expect(dashboard.templating.list).toMatchObject([{ name: 'symbol', multi: false }]);
  });

  test('lays its panels without overlap on 24 columns, ids in order', () => {
    expect(dashboard.panels.map(({ id }) => id)).toEqual(dashboard.panels.map((_, index) => index + 1));
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect({ title, x, y, free: !taken.has(`${x},${y}`) }).toEqual({ title, x, y, free: true });
          taken.add(`${x},${y}`);
        }
      }
    }
  });

  test('asks its three questions, and begins with our panel', () => {
    const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual(
      expect.arrayContaining(['What would we have earned', 'Is the feed healthy', 'Is the clock trusted']),
    );
    expect(panels[0]).toMatchObject({ type: 'shadowmode-fills-panel', gridPos: { w: 24 } });
    expect(panels[0]!.gridPos.h).toBeGreaterThanOrEqual(14);
  });

  test('reads fills as stored samples', () => {
    const byRef = new Map(panels[0]!.targets!.map((target) => [target.refId, target]));
    for (const [refId, metric] of [
      ['fills', 'shadow_fill_price'],
      ['sizes', 'shadow_fill_size'],
    ] as const) {
      expect(byRef.get(refId)).toMatchObject({
        instant: true,
        range: false,
        expr: `${metric}{symbol="$symbol"}[$__range]`,
      });
    }
    for (const refId of ['bid', 'ask', 'quotes', 'drift', 'offset', 'uncertainty', 'latency']) {
      expect(byRef.get(refId)).toMatchObject({ instant: false, range: true });
    }
  });

  test('shows markouts in the order of their horizons', () => {
    const panel = panels.find(({ title }) => title === 'Markout by horizon')!;
    expect(panel.targets!.map(({ legendFormat }) => legendFormat)).toEqual([...HORIZON_NAMES]);
  });
});

describe('every panel', () => {
  test.each(panels.map((panel) => [panel.title, panel] as const))('%s says what it is', (_, panel) => {
    expect(panel.description ?? '').toMatch(/\.$/);
    expect(panel.fieldConfig?.defaults.unit ?? '').not.toBe('');
    expect(panel.fieldConfig?.defaults.noValue ?? '').toMatch(/[a-z]/);
    expect(panel.datasource).toEqual(PROMETHEUS);
    expect(panel.links!.length).toBeGreaterThan(0);
    const refIds = panel.targets!.map(({ refId }) => refId);
    expect(new Set(refIds).size).toBe(refIds.length);
    for (const { datasource, instant, range } of panel.targets!) {
      expect(datasource).toEqual(PROMETHEUS);
      expect(instant).not.toBe(range);
    }
  });

  test.each(panels.map((panel) => [panel.title, panel] as const))(
    '%s makes no value of what is not there',
    (_, panel) => {
      for (const { type, options } of panel.fieldConfig?.defaults.mappings ?? []) {
        if (type === 'special') {
          const { noValue } = panel.fieldConfig!.defaults;
          expect(options).toEqual({ match: 'null+nan', result: { text: noValue, color: 'text', index: 99 } });
        } else {
          expect(type).toBe('value');
          for (const value of Object.keys(options)) expect(Number.isFinite(Number(value))).toBe(true);
        }
      }
      for (const { expr } of panel.targets!) expect(expr).not.toMatch(/\bor\s+(?:on\s*\(\)\s*)?vector\b/);
    },
  );

  test('a colored stat has no color for what is not known', () => {
    for (const { type, fieldConfig } of panels) {
      if (type !== 'stat' || fieldConfig?.defaults.thresholds === undefined) continue;
      expect(fieldConfig.defaults.mappings!.map((mapping) => mapping.type)).toContain('special');
    }
  });

  test('a stat asks for what is there now, so that it cannot show what has ceased to be', () => {
    for (const { type, targets } of panels) {
      if (type === 'stat') expect(targets!.every(({ instant }) => instant)).toBe(true);
    }
  });
});

describe('the queries', () => {
  test.each(QUERIES.map(({ where, ...rest }) => [where, rest] as const))(
    '%s is of the catalog',
    (_, { expr, legendFormat }) => {
      expect(selectorsOf(expr).length).toBeGreaterThan(0);
      expect(faultsOf(expr, legendFormat)).toEqual([]);
    },
  );

  test.each([
    ['an unknown metric', 'shadow_edge{symbol="A"}', '', 'no metric shadow_edge'],
    ['a bare histogram', 'rate(shadow_processing_seconds[1m])', '', 'no metric shadow_processing_seconds'],
    ['a label of another metric', 'shadow_edge_bps{exchange="A"}', '', 'shadow_edge_bps has no label exchange'],
    ['a grouping by nothing', 'sum by (mode) (shadow_model_edge_bps)', '', 'no series has a label mode'],
    ['a legend of nothing', 'shadow_edge_bps', '{{model}}', 'no series has a label model'],
    ['a target label of a pushed series', 'shadow_fill_size{job="shadow"}', '', 'shadow_fill_size has no label job'],
  ])('%s would be found', (_, expression, legend, fault) => {
    expect(faultsOf(expression, legend)).toEqual([fault]);
  });

  test('everything but what is of the process alone is of the chosen symbol or its exchange', () => {
    const OF_THE_PROCESS =
      /^(?:up|nodejs_|process_|shadow_(?:build_info|fill_model_info|windows_total|ingest_queue|processing|artifact|recording|metrics_rejected|remote_write))/;
    for (const { expr } of panels.flatMap(({ targets = [] }) => targets)) {
      if (!expr.includes('$symbol'))
        expect(selectorsOf(expr).every(({ metric }) => OF_THE_PROCESS.test(metric))).toBe(true);
    }
  });
});

describe('thresholds', () => {
  const stepsOf = (title: string): Panel['fieldConfig'] => panels.find((panel) => panel.title === title)!.fieldConfig;

  const EXPECTED: [title: string, metric: string, values: (number | null)[], colors: string[]][] = [
    ['Net edge', 'shadow_edge_bps', [null, 2.5], ['red', 'green']],
    ['Maker share', 'shadow_maker_taker_ratio', [null, 0.83], ['red', 'green']],
    ['Latency, p95', 'shadow_latency_ms', [null, 350], ['green', 'red']],
    ['Risk', 'shadow_risk_ratio', [null, 0.4], ['green', 'red']],
    ['Clock drift', 'shadow_clock_drift_ms', [null, -500, 500], ['red', 'green', 'red']],
  ];

  test.each(EXPECTED)('%s is colored as its alert fires', (title, metric, values, colors) => {
    const { steps } = stepsOf(title)!.defaults.thresholds!;
    expect(steps.map(({ value }) => value)).toEqual(values);
    expect(steps.map(({ color }) => color)).toEqual(colors);
    for (const [found, alert] of alertThresholds(metric)) expect([alert, values.at(-1)]).toEqual([alert, found]);
  });
});

/** Thresholds of the alerts on a metric, by name. */
function alertThresholds(metric: string): [number, string][] {
  const file = at('alerts/shadow_rules.yml');
  interface Rules {
    readonly groups: readonly { readonly rules: readonly { readonly alert?: string; readonly expr: string }[] }[];
  }
  const rules = (parse(readFileSync(file, 'utf8')) as Rules).groups.flatMap((group) => group.rules);
  const found = rules.flatMap(({ alert, expr }): [number, string][] => {
    const threshold = new RegExp(`${metric}\\[\\d+m\\]\\)+\\s*[<>]\\s*([\\d.]+)`).exec(
      expr.replaceAll(/\s+/g, ' '),
    )?.[1];
    return alert === undefined || threshold === undefined ? [] : [[Number(threshold), alert]];
  });
  if (found.length === 0) throw new Error(`no alert on ${metric} in ${file.pathname}`);
  return found;
}

describe('links', () => {
  const links = [...panels.flatMap((panel) => panel.links!), ...dashboard.links].map(({ url }) => url);

  test.each([...new Set(links)])('%s is there', (url) => {
    expect(resolves(url)).toBe(true);
  });

  test.each([
    'https://example.org/',
    'https://github.com/shadow-mode/shadow-mode/blob/main/NOTHING.md',
    'https://github.com/shadow-mode/shadow-mode/blob/main/README.md#nothing-of-the-kind',
    'https://github.com/shadow-mode/shadow-mode/blob/main/alerts/runbooks/ShadowNothing.md',
  ])('%s would be found broken', (url) => {
    expect(resolves(url)).toBe(false);
  });
});
