// What the files that are mounted say of each other: paths, secrets, addresses, the pace of the scrapes.
import { existsSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { parse } from 'yaml';
import { panelsOf, readDashboard } from '../grafana-dashboard.ts';
import { ROOT } from '../root.ts';
import type { Compose, Service } from './document.ts';
import { bindsOf, readText, servicesOf } from './document.ts';

const PROMETHEUS_CONFIG = 'provisioning/prometheus/prometheus.yml';
const ALERTMANAGER_CONFIG = 'provisioning/alertmanager/alertmanager.yml';

const isThere = (path: string): boolean => existsSync(new URL(path, ROOT));

/** Where a path in the container comes from in this project; undefined where nothing is mounted. */
function origin(service: Service, path: string): string | undefined {
  const mount = bindsOf(service).find(({ target }) => path.startsWith(`${target}/`));
  return mount === undefined ? undefined : path.replace(mount.target, mount.source.replace(/^\.\//, ''));
}

/** Files of the project that a path with wildcards in its last part names. */
function filesOf(pattern: string): string[] {
  const folder = posix.dirname(pattern);
  const name = new RegExp(`^${posix.basename(pattern).replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);
  return readdirSync(new URL(`${folder}/`, ROOT)).filter((file) => name.test(file));
}

/** What `--config.file` names is mounted, and is there. */
export const configurationFiles = (compose: Compose): string[] =>
  servicesOf(compose).flatMap(([name, service]) =>
    (service.command ?? [])
      .filter((word) => word.startsWith('--config.file='))
      .map((word) => ({ path: word.replace('--config.file=', '') }))
      .map(({ path }) => ({ path, file: origin(service, path) }))
      .filter(({ file }) => file === undefined || !isThere(file))
      .map(({ path }) => `${name}: ${path} is not mounted`),
  );

/** Rules are looked for where they are mounted, and secrets where compose puts them. */
export function namedFiles({ services }: Compose): string[] {
  const faults: string[] = [];
  const { rule_files: ruleFiles } = parse(readText(PROMETHEUS_CONFIG)) as { readonly rule_files: readonly string[] };
  for (const path of ruleFiles) {
    const pattern = origin(services['prometheus']!, path);
    if (pattern === undefined || filesOf(pattern).length === 0) faults.push(`prometheus: no rules at ${path}`);
  }
  for (const [, secret] of readText(ALERTMANAGER_CONFIG).matchAll(/\/run\/secrets\/(\w+)/g)) {
    if (services['alertmanager']?.secrets?.includes(secret!) !== true) faults.push(`alertmanager: no secret ${secret}`);
  }
  return faults;
}

interface DataSources {
  readonly datasources: readonly {
    readonly uid: string;
    readonly type: string;
    readonly url: string;
    readonly jsonData: Readonly<Record<string, unknown>>;
  }[];
}

/** The data sources are servers of the stack, and those that the dashboard asks, at the pace at which Prometheus scrapes. */
export function dataSources({ services }: Compose): string[] {
  const { datasources } = parse(readText('provisioning/grafana/datasources/shadow.yml')) as DataSources;
  const asked = new Set(panelsOf(readDashboard()).map(({ datasource }) => datasource!.uid));
  const prometheus = datasources.find(({ type }) => type === 'prometheus');
  return [
    ...datasources.flatMap(({ url }) => {
      const { hostname, port } = new URL(url);
      const listens = services[hostname]?.ports?.some((each) => each.endsWith(`:${port}`)) === true;
      return listens ? [] : [`no service listens at ${url}`];
    }),
    ...(asked.size === 1 && asked.has(prometheus?.uid ?? '') ? [] : ['the dashboard asks another data source']),
    ...(prometheus?.jsonData['timeInterval'] === scrapeInterval() ? [] : ['timeInterval is not the scrape interval']),
  ];
}

function scrapeInterval(): string {
  interface Config {
    readonly global?: { readonly scrape_interval?: string };
    readonly scrape_configs: readonly { readonly job_name: string; readonly scrape_interval?: string }[];
  }
  const config = parse(readText(PROMETHEUS_CONFIG)) as Config;
  const job = config.scrape_configs.find(({ job_name }) => job_name === 'shadow');
  return job?.scrape_interval ?? config.global?.scrape_interval ?? '1m';
}
