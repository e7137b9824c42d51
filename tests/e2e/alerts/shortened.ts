import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';

const root = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(fileURLToPath(new URL(path, root)), 'utf8');

/** A minute of the rules in the tests. The KPIs are those of windows of 12 s and more instead of 60 s. */
export const SECONDS_A_MINUTE = 4;

interface Rules {
  groups: { name: string; interval?: string; rules: { alert?: string; expr: string; for?: string }[] }[];
}

const shorter = (minutes: string): string => `${Number(minutes) * SECONDS_A_MINUTE}s`;

/** The rules with minutes of seconds: `[15m]` becomes `[60s]`. `missingFor` replaces the time that metrics are missing before it is told. */
export function shortenedRules(path: string, missingFor?: string): string {
  const rules = parse(read(path)) as Rules;
  for (const group of rules.groups) {
    delete group.interval;
    for (const rule of group.rules) {
      rule.expr = rule.expr.replaceAll(/\[(\d+)m\]/g, (_, minutes: string) => `[${shorter(minutes)}]`);
      if (rule.for !== undefined) rule.for = rule.for.replace(/^(\d+)m$/, (_, minutes: string) => shorter(minutes));
      if (rule.alert === 'ShadowMetricsMissing' && missingFor !== undefined) rule.for = missingFor;
    }
  }
  return stringify(rules);
}

interface Target {
  readonly address: string;
}

interface PrometheusConfig {
  global: Record<string, unknown>;
  rule_files: string[];
  alerting: unknown;
  scrape_configs: { job_name: string; static_configs: unknown; scrape_interval?: string; scrape_timeout?: string }[];
}

/** The provisioned configuration on addresses of this machine, scraping and evaluating every second. */
export function prometheusConfig(
  targets: readonly Target[],
  alertmanager: Target,
  ruleFiles: readonly string[],
): PrometheusConfig {
  const config = parse(read('provisioning/prometheus/prometheus.yml')) as PrometheusConfig;
  config.global = { ...config.global, scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
  config.rule_files = [...ruleFiles];
  config.alerting = { alertmanagers: [{ static_configs: [{ targets: [alertmanager.address] }] }] };
  config.scrape_configs = config.scrape_configs.filter(({ job_name: name }) => name === 'shadow');
  for (const job of config.scrape_configs) {
    delete job.scrape_interval;
    delete job.scrape_timeout;
    job.static_configs = [{ targets: targets.map(({ address }) => address) }];
  }
  return config;
}

interface Route {
  group_wait?: string;
  group_interval?: string;
  routes?: Route[];
}
interface AlertmanagerConfig {
  route: Route;
  receivers: ({ name: string } & Record<string, unknown>)[];
  templates?: string[];
}

/** The provisioned configuration, whose receivers are all the webhook, by their names, and which waits for no one. */
export function alertmanagerConfig(webhookUrl: string): string {
  const config = parse(read('provisioning/alertmanager/alertmanager.yml')) as AlertmanagerConfig;
  const hasten = (route: Route): void => {
    route.group_wait = '1s';
    route.group_interval = '2s';
    route.routes?.forEach(hasten);
  };
  hasten(config.route);
  delete config.templates;
  config.receivers = config.receivers.map(({ name, ...kinds }) => {
    const silent = Object.keys(kinds).length === 0;
    const url = `${webhookUrl}/${encodeURIComponent(name)}`;
    return silent ? { name } : { name, webhook_configs: [{ url, send_resolved: true }] };
  });
  return stringify(config);
}
