import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { CATALOG, PUSHED } from '../../collector/src/metrics/catalog.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const read = (path: string): string => readFileSync(at(path), 'utf8');

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
const groupsOf = (path: string): { name: string; rules: Rule[] }[] =>
  (parse(read(path)) as { groups: { name: string; rules: Rule[] }[] }).groups;

const RULE_FILES = ['alerts/shadow_rules.yml', 'alerts/companion_rules.yml'];
const [six] = groupsOf(RULE_FILES[0]!);
const [companions] = groupsOf(RULE_FILES[1]!);
const alerts = [...six!.rules, ...companions!.rules].filter(({ alert }) => alert !== undefined);
const TABLE: readonly (readonly [string, string | undefined, string, string])[] = [
  ['ShadowEdgeLow', 'avg by (symbol) (avg_over_time(shadow_edge_bps[15m])) < 2.5', '10m', 'warning'],
  ['ShadowMakerLow', 'avg by (symbol) (avg_over_time(shadow_maker_taker_ratio[15m])) < 0.83', '10m', 'warning'],
  ['ShadowLatencyHigh', 'avg by (symbol) (avg_over_time(shadow_latency_ms[15m])) > 350', '10m', 'warning'],
  ['ShadowRiskHigh', 'avg by (symbol) (avg_over_time(shadow_risk_ratio[15m])) > 0.40', '10m', 'warning'],
  ['ShadowClockDriftHigh', 'abs(avg by (symbol) (avg_over_time(shadow_clock_drift_ms[10m]))) > 500', '5m', 'warning'],
  ['ShadowMetricsMissing', undefined, '5m', 'critical'],
];

const folder = mkdtempSync(join(tmpdir(), 'shadow-alerts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a program prints; throws what it says when it finds fault. */
const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });

describe('the rules', () => {
  test('promtool finds no fault with them, and their tests pass', () => {
    expect(run('promtool', 'check', 'rules', '--lint=all', '--lint-fatal', ...RULE_FILES.map(at))).not.toContain(
      'FAILED',
    );
    const tests = readdirSync(at('alerts')).filter((name) => name.endsWith('.test.yml'));
    expect(tests).toHaveLength(3);
    expect(run('promtool', 'test', 'rules', ...tests.map((name) => at(`alerts/${name}`)))).not.toContain('FAILED');
  });

  test('the six are those of the contract, in their group and with their label', () => {
    expect(six!.name).toBe('shadow.mode.rules');
    const rows = six!.rules.filter(({ alert }) => alert !== undefined);
    expect(
      rows.map(({ alert, expr, for: pending, labels }) => [
        alert,
        alert === 'ShadowMetricsMissing' ? undefined : expr,
        pending,
        labels!['severity'],
      ]),
    ).toEqual(TABLE);
    expect(rows.map(({ labels }) => labels!['component'])).toEqual(TABLE.map(() => 'shadow'));
  });

  test('no other alert is of the component of the six', () => {
    expect(new Set(companions!.rules.map(({ labels }) => labels!['component']))).toEqual(new Set(['shadow-companion']));
  });

  test.each(alerts.map((rule) => [rule.alert!, rule] as const))(
    '%s tells what, how much, and where to read on',
    (name, rule) => {
      const { summary, description, runbook_url: link } = rule.annotations!;
      expect(summary!.length).toBeGreaterThan(10);
      expect(description!.length).toBeGreaterThan(40);
      const path = /^https:\/\/github\.com\/shadow-mode\/shadow-mode\/blob\/main\/(alerts\/runbooks\/(\w+)\.md)$/.exec(
        link!,
      );
      expect(path?.[2]).toBe(name);
      const runbook = read(path![1]!);
      for (const section of [
        'Meaning',
        'Impact',
        'Diagnosis',
        'Mitigation',
        'Time to fire',
        'False positives',
        'Silence',
      ]) {
        expect(runbook).toContain(`\n## ${section}\n`);
      }
    },
  );

  test('every runbook is of an alert', () => {
    const names = readdirSync(at('alerts/runbooks')).map((name) => name.replace('.md', ''));
    expect(names.sort()).toEqual(alerts.map(({ alert }) => alert!).sort());
  });
});

/** Series that others export. */
const FOREIGN =
  /^(up|ALERTS|process_start_time_seconds|process_resident_memory_bytes|nodejs_eventloop_lag_p99_seconds|scrape_samples_scraped)$/;
const RECORDED = six!.rules.flatMap(({ record }) => record ?? []);

/** Names of series in an expression: what is left without strings, label lists, ranges, functions and words of the language. */
function seriesIn(expression: string): string[] {
  const bare = expression
    .replaceAll(/"[^"]*"|\b\d+[smhd]\b/g, '')
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, '')
    .replaceAll(/\b(by|on|group_left|without|ignoring)\s*\([^)]*\)/g, ' ');
  const words = bare.match(/[a-zA-Z_:][\w:]*(?!\w*\s*\()/g) ?? [];
  return words.filter((word) => !/^(or|and|unless|by|bool|offset)$/.test(word));
}

describe('every series that is named', () => {
  const queries = (path: string): string[] =>
    [...read(path).matchAll(/```promql\n([^`]*)```/g)].map(([, query]) => query!);
  const runbooks = readdirSync(at('alerts/runbooks')).map((name) => `alerts/runbooks/${name}`);
  const sources: [string, string[]][] = [
    ...RULE_FILES.map((path): [string, string[]] => [path, groupsOf(path)[0]!.rules.map(({ expr }) => expr)]),
    ...runbooks.map((path): [string, string[]] => [path, queries(path)]),
  ];

  test.each(sources)('in %s is in the catalog', (_, expressions) => {
    expect(expressions.length).toBeGreaterThan(0);
    const names = new Set(expressions.flatMap(seriesIn).map((name) => name.replace(/_bucket$/, '')));
    const known = (name: string): boolean =>
      name in CATALOG || name in PUSHED || RECORDED.includes(name) || FOREIGN.test(name);
    expect([...names].filter((name) => !known(name))).toEqual([]);
  });

  test.each([...RULE_FILES, ...runbooks, 'alerts/README.md'])('in the prose of %s is in the catalog', (path) => {
    const text = read(path).replaceAll(/\bshadow_rules\b/g, '');
    const names = [...text.matchAll(/\bshadow_[a-z_]+/g)].map(([name]) => name.replace(/_bucket$/, ''));
    expect([...new Set(names)].filter((name) => !(name in CATALOG) && !(name in PUSHED))).toEqual([]);
  });

  test('names are found wherever they stand', () => {
    const expression =
      'abs(avg by (symbol) (rate(shadow_a_bucket{le="1"}[5m]))) - b:c > on (x) group_left () shadow_d or vector(1)';
    expect(seriesIn(expression)).toEqual(['shadow_a_bucket', 'b:c', 'shadow_d']);
  });

  test('and the queries of the runbooks are understood by Prometheus', () => {
    const all = runbooks.flatMap(queries);
    const rules = all.map((expr, index) => ({ record: `query:${index}`, expr }));
    const path = join(folder, 'queries.yml');
    writeFileSync(path, stringify({ groups: [{ name: 'queries', rules }] }));
    expect(run('promtool', 'check', 'rules', path)).toContain(`${all.length} rules found`);
  });
});

describe('what Prometheus and Alertmanager are given', () => {
  test('promtool accepts the configuration, its rule files at the places they are mounted to', () => {
    const config = read('provisioning/prometheus/prometheus.yml');
    const path = join(folder, 'prometheus.yml');
    writeFileSync(path, config.replaceAll('/etc/prometheus/rules', at('alerts')));
    const said = run('promtool', 'check', 'config', path);
    expect(said.match(/SUCCESS: \d+ rules found/g)).toHaveLength(RULE_FILES.length);
  });

  const alertmanager = 'provisioning/alertmanager/alertmanager.yml';
  test('amtool accepts the routes', () => {
    expect(run('amtool', 'check-config', at(alertmanager))).toContain('SUCCESS');
  });

  test.each([
    ...TABLE.map(([name, , , severity]) => ({ name, severity, component: 'shadow' })),
    ...companions!.rules.map(({ alert, labels }) => ({
      name: alert!,
      severity: labels!['severity']!,
      component: 'shadow-companion',
    })),
    { name: 'OfSomeoneElse', severity: 'page', component: 'other' },
  ])('$name of severity $severity goes where it should', ({ name, severity, component }) => {
    const receiver = { critical: 'on-call', warning: 'slack', none: 'heartbeat' }[severity] ?? 'webhook';
    const labels = [`alertname=${name}`, `severity=${severity}`, `component=${component}`, 'symbol=BTCUSDT'];
    expect(run('amtool', 'config', 'routes', 'test', `--config.file=${at(alertmanager)}`, ...labels).trim()).toBe(
      receiver,
    );
  });

  test('only what goes to Slack may be held back, and by missing metrics alone', () => {
    const { inhibit_rules: rules } = parse(read(alertmanager)) as {
      inhibit_rules: { source_matchers: string[]; target_matchers: string[] }[];
    };
    expect(rules.length).toBeGreaterThan(0);
    for (const { source_matchers: source, target_matchers: target } of rules) {
      expect(source[0]).toBe('alertname="ShadowMetricsMissing"');
      const named = /^alertname="(\w+)"$/.exec(target[0]!)?.[1];
      if (named === undefined) expect(target).toEqual(['severity="warning"', 'component="shadow"']);
      else expect(TABLE.find(([name]) => name === named)?.[3]).toBe('warning');
    }
  });

  test('secrets are files', () => {
    expect(read(alertmanager)).not.toMatch(/^\s*(api_url|routing_key|service_key|password|token|credentials):/m);
    expect(existsSync(at(alertmanager))).toBe(true);
  });
});
