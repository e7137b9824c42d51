import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import type { Compose } from '../support/compose/document.ts';
import { readCompose, readText } from '../support/compose/document.ts';
import {
  bounded,
  hardened,
  lifecycle,
  loopbackPorts,
  pinnedImages,
  secretsAsFiles,
} from '../support/compose/hardening.ts';
import { configurationFiles, dataSources, namedFiles } from '../support/compose/configuration.ts';
import {
  collectorSettings,
  dependencies,
  grafanaSettings,
  mounts,
  pluginId,
  prometheusFlags,
  twoStacks,
} from '../support/compose/stack.ts';
import { ROOT } from '../support/root.ts';

const ajv = new Ajv({ strict: false, validateFormats: false });
const schema = JSON.parse(readText('node_modules/dclint/schemas/compose.schema.json')) as Record<string, unknown>;
// The draft's own address, without which Ajv does not know it; the file spells it with https.
const validate = ajv.compile({ ...schema, $schema: 'http://json-schema.org/draft-07/schema#' });

const composeSpecification = (compose: Compose): string[] =>
  validate(compose) ? [] : validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);

const RULES = {
  composeSpecification,
  pinnedImages,
  loopbackPorts,
  hardened,
  bounded,
  lifecycle,
  secretsAsFiles,
  mounts,
  dependencies,
  twoStacks,
  grafanaSettings,
  pluginId,
  prometheusFlags,
  collectorSettings,
  dataSources,
  configurationFiles,
  namedFiles,
} as const satisfies Record<string, (compose: Compose) => string[]>;

type Rule = keyof typeof RULES;
type Break = (compose: Compose) => unknown;

const without = (list: readonly string[] | undefined, word: string): string[] =>
  (list ?? []).filter((each) => !each.includes(word));

/** Ways to break the compose file, each by the rule that has to find it. */
// prettier-ignore
const BROKEN: [Rule, string, Break][] = [
  ['composeSpecification', 'a key that compose does not know', ({ services }) => Object.assign(services['collector']!, { healtcheck: {} })],
  ['composeSpecification', 'a service that is no object', ({ services }) => Object.assign(services, { collector: 'x' })],
  ['pinnedImages', 'latest', ({ services }) => (services['grafana']!.image = 'grafana/grafana:latest')],
  ['pinnedImages', 'no tag', ({ services }) => (services['prometheus']!.image = 'prom/prometheus')],
  ['pinnedImages', 'a tag that moves', ({ services }) => (services['prometheus']!.image = 'prom/prometheus:v3')],
  ['loopbackPorts', 'a port on every address', ({ services }) => (services['prometheus']!.ports = ['9090:9090'])],
  ['loopbackPorts', 'a port on 0.0.0.0', ({ services }) => (services['grafana-demo']!.ports = ['0.0.0.0:3000:3000'])],
  ['hardened', 'a writable file system', ({ services }) => (services['collector']!.read_only = false)],
  ['hardened', 'no tmpfs', ({ services }) => delete services['grafana']!.tmpfs],
  ['hardened', 'capabilities', ({ services }) => delete services['alertmanager']!.cap_drop],
  ['hardened', 'a capability', ({ services }) => (services['alertmanager']!.cap_add = ['NET_ADMIN'])],
  ['hardened', 'privileged', ({ services }) => (services['alertmanager']!.privileged = true)],
  ['hardened', 'new privileges', ({ services }) => (services['prometheus-demo']!.security_opt = [])],
  ['hardened', 'root', ({ services }) => (services['prometheus']!.user = '0:0')],
  ['hardened', 'no user', ({ services }) => delete services['collector-demo']!.user],
  ['bounded', 'no memory limit', ({ services }) => delete services['prometheus']!.mem_limit],
  ['bounded', 'no limit of processes', ({ services }) => delete services['prometheus']!.pids_limit],
  ['bounded', 'logs without end', ({ services }) => delete services['collector']!.logging],
  ['bounded', 'logs that are not rotated', ({ services }) => delete services['collector']!.logging!.options['max-file']],
  ['lifecycle', 'no restart', ({ services }) => (services['grafana']!.restart = 'no')],
  ['lifecycle', 'no init', ({ services }) => delete services['collector']!.init],
  ['lifecycle', 'no time to stop', ({ services }) => delete services['prometheus']!.stop_grace_period],
  ['lifecycle', 'no health check', ({ services }) => delete services['alertmanager']!.healthcheck],
  ['lifecycle', 'a health check that is off', ({ services }) => (services['collector']!.healthcheck = { test: ['NONE'], disable: true })],
  ['secretsAsFiles', 'a password in the environment', ({ services }) => (services['grafana']!.environment!['GF_SECURITY_ADMIN_PASSWORD'] = 'admin')],
  ['secretsAsFiles', 'a webhook in the environment', ({ services }) => (services['alertmanager']!.environment = { X: 'https://hooks.slack.com/services/T/B/x' })],
  ['secretsAsFiles', 'credentials in an address', ({ services }) => (services['collector']!.environment!['SHADOW_REMOTE_WRITE_URL'] = 'http://user:word@prometheus:9090/')],
  ['secretsAsFiles', 'a secret from the environment', ({ secrets }) => (secrets['slack_api_url'] = { environment: 'SLACK' })],
  ['secretsAsFiles', 'a secret that nobody declares', ({ services }) => services['alertmanager']!.secrets!.push('other')],
  ['mounts', 'a folder that is not there', ({ services }) => services['grafana']!.volumes!.push({ type: 'bind', source: './nothing', target: '/nothing', read_only: true, bind: { create_host_path: false } })],
  ['mounts', 'a folder in the short form', ({ services }) => services['grafana']!.volumes!.push('./schema:/schema:ro')],
  ['mounts', 'a folder that can be written', ({ services }) => Object.assign(services['prometheus']!.volumes![0]!, { read_only: false })],
  ['mounts', 'a folder that is made', ({ services }) => Object.assign(services['prometheus']!.volumes![0]!, { bind: { create_host_path: true } })],
  ['mounts', 'a volume that nobody declares', ({ volumes }) => delete volumes['grafana']],
  ['dependencies', 'started is not healthy', ({ services }) => (services['grafana']!.depends_on!['prometheus']!.condition = 'service_started')],
  ['dependencies', 'another profile', ({ services }) => (services['grafana']!.depends_on = { 'prometheus-demo': { condition: 'service_healthy' } })],
  ['twoStacks', 'a volume of both', ({ services }) => (services['prometheus-demo']!.volumes = ['prometheus:/prometheus'])],
  ['twoStacks', 'a network of both', ({ services }) => (services['prometheus-demo']!.networks = ['live'])],
  ['twoStacks', 'a service without a profile', ({ services }) => delete services['collector']!.profiles],
  ['twoStacks', 'a demo in live', ({ services }) => services['grafana-demo']!.profiles!.push('live')],
  ['twoStacks', 'a twin that is missing', ({ services }) => delete services['alertmanager-demo']],
  ['twoStacks', 'a twin of another name', ({ services }) => (services['collector-demo']!.networks = { demo: { aliases: ['simulator'] } })],
  ['twoStacks', 'a demo that wakes people', ({ services }) => (services['alertmanager-demo']!.secrets = ['slack_api_url'])],
  ['grafanaSettings', 'anyone in live', ({ services }) => (services['grafana']!.environment!['GF_AUTH_ANONYMOUS_ENABLED'] = 'true')],
  ['grafanaSettings', 'an anonymous editor', ({ services }) => (services['grafana-demo']!.environment!['GF_AUTH_ANONYMOUS_ORG_ROLE'] = 'Editor')],
  ['grafanaSettings', 'an administrator in the demo', ({ services }) => delete services['grafana-demo']!.environment!['GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION']],
  ['grafanaSettings', 'no password', ({ services }) => delete services['grafana']!.environment!['GF_SECURITY_ADMIN_PASSWORD__FILE']],
  ['grafanaSettings', 'no file for the password', ({ services }) => (services['grafana']!.secrets = [])],
  ['grafanaSettings', 'an empty password', ({ services }) => delete services['grafana']!.entrypoint],
  ['grafanaSettings', 'reports home', ({ services }) => (services['grafana']!.environment!['GF_ANALYTICS_REPORTING_ENABLED'] = 'true')],
  ['pluginId', 'another plugin is allowed', ({ services }) => (services['grafana']!.environment!['GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS'] = 'other-panel')],
  ['pluginId', 'the sources of the plugin are mounted', ({ services }) => Object.assign(services['grafana']!.volumes![2]!, { source: './plugin/src' })],
  ['pluginId', 'the plugin is not mounted', ({ services }) => services['grafana-demo']!.volumes!.splice(2, 1)],
  ['prometheusFlags', 'fills are not taken', ({ services }) => (services['prometheus']!.command = without(services['prometheus']!.command, 'remote-write'))],
  ['prometheusFlags', 'alerts begin anew at a restart', ({ services }) => (services['prometheus']!.command = without(services['prometheus']!.command, 'grace'))],
  ['prometheusFlags', 'no end of data', ({ services }) => (services['prometheus-demo']!.command = without(services['prometheus-demo']!.command, 'retention.size'))],
  ['prometheusFlags', 'anyone may stop it', ({ services }) => services['prometheus']!.command!.push('--web.enable-lifecycle')],
  ['collectorSettings', 'a flag that is none', ({ services }) => (services['collector']!.environment!['SHADOW_SYMBOL'] = 'BTCUSDT')],
  ['collectorSettings', 'metrics that nobody reaches', ({ services }) => delete services['collector']!.environment!['SHADOW_METRICS_HOST']],
  ['collectorSettings', 'fills that go elsewhere', ({ services }) => (services['collector']!.environment!['SHADOW_REMOTE_WRITE_URL'] = 'http://prometheus:9090/')],
  ['collectorSettings', 'a simulation in live', ({ services }) => (services['collector']!.environment!['SHADOW_MOCK'] = 'true')],
  ['collectorSettings', 'an image from nothing', ({ services }) => (services['collector']!.build!.dockerfile = 'Dockerfile')],
  ['dataSources', 'Prometheus on another port', ({ services }) => (services['prometheus']!.ports = ['127.0.0.1:9091:9091'])],
  ['dataSources', 'no Alertmanager', ({ services }) => delete services['alertmanager']],
  ['configurationFiles', 'a configuration that is not mounted', ({ services }) => (services['alertmanager']!.command![0] = '--config.file=/etc/prometheus/alertmanager.yml')],
  ['configurationFiles', 'no mount of it', ({ services }) => services['prometheus-demo']!.volumes!.shift()],
  ['namedFiles', 'rules that are mounted elsewhere', ({ services }) => Object.assign(services['prometheus']!.volumes![1]!, { target: '/rules' })],
  ['namedFiles', 'a secret that is not mounted', ({ services }) => services['alertmanager']!.secrets!.pop()],
];

describe('docker-compose.yml', () => {
  test.each(Object.entries(RULES))('follows the rule %s', (_, rule) => {
    expect(rule(readCompose())).toEqual([]);
  });

  test.each(BROKEN)('%s finds: %s', (rule, _, breakIt) => {
    const compose = readCompose();
    breakIt(compose);
    expect(RULES[rule](compose).length).toBeGreaterThan(0);
  });

  test('every rule is tried', () => {
    expect(new Set(BROKEN.map(([rule]) => rule))).toEqual(new Set(Object.keys(RULES)));
  });

  test('up without a profile is live', () => {
    expect(readText('.env').split('\n')).toContain('COMPOSE_PROFILES=live');
  });

  test('the tag of the collector is the version of the package', () => {
    const { version } = JSON.parse(readText('package.json')) as { version: string };
    expect(readCompose().services['collector']!.image).toBe(`shadow-mode/collector:${version}`);
  });

  test('dashboards are looked for where they are mounted', () => {
    const { providers } = parse(readText('provisioning/grafana/dashboards/provider.yml')) as {
      providers: { options: { path: string } }[];
    };
    const targets = readCompose().services['grafana']!.volumes!.map((volume) =>
      typeof volume === 'string' ? '' : volume.target,
    );
    expect(targets).toContain(providers[0]!.options.path);
    expect(readCompose().services['grafana']!.environment!['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH']).toBe(
      `${providers[0]!.options.path}/shadow-mode.json`,
    );
  });
});

describe('make secrets', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'shadow-secrets-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const script = fileURLToPath(new URL('scripts/secrets.sh', ROOT));
  const make = (env: Readonly<Record<string, string>> = {}): unknown =>
    execFileSync('sh', [script, folder], { env: { PATH: process.env['PATH'], ...env }, stdio: 'pipe' });
  const secret = (name: string): string => readFileSync(join(folder, name), 'utf8');

  test('writes every secret that the stack mounts, in a folder of the owner alone', () => {
    make({ SLACK_API_URL: 'https://example.org/x' });
    for (const { file } of Object.values(readCompose().secrets)) {
      expect(statSync(join(folder, file!.replace('./secrets/', ''))).mode & 0o777).toBe(0o644);
    }
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(secret('grafana_admin_password')).toMatch(/^[0-9a-f]{48}$/);
    expect(secret('slack_api_url')).toBe('https://example.org/x');
    expect(secret('pagerduty_routing_key')).toBe('');
  });

  test('keeps what is there and fills what is empty', () => {
    make();
    const password = secret('grafana_admin_password');
    make({ SLACK_API_URL: 'https://example.org/x' });
    expect(secret('grafana_admin_password')).toBe(password);
    expect(secret('slack_api_url')).toBe('https://example.org/x');
    make({ SLACK_API_URL: 'https://example.org/y' });
    expect(secret('slack_api_url')).toBe('https://example.org/x');
  });

  test('no two passwords are alike', () => {
    make();
    const password = secret('grafana_admin_password');
    writeFileSync(join(folder, 'grafana_admin_password'), '');
    make();
    expect(secret('grafana_admin_password')).not.toBe(password);
  });

  test('git takes none of them', () => {
    for (const file of ['secrets/grafana_admin_password', 'secrets/slack_api_url', 'collector.env']) {
      expect(readText('.gitignore')).toContain(file.startsWith('secrets/') ? '\n/secrets/*\n' : `\n/${file}\n`);
    }
  });
});
