// What the services have to be together: mounts, networks, profiles, and how each is started.
import { existsSync } from 'node:fs';
import type { RunFlag } from '../../../collector/src/run-flags.ts';
import { RUN_FLAG_NAMES } from '../../../collector/src/run-flags.ts';
import { panelsOf, readDashboard } from '../grafana-dashboard.ts';
import { ROOT } from '../root.ts';
import type { Compose, Service } from './document.ts';
import { bindsOf, namedVolumesOf, networksOf, readText, servicesOf, shortBindsOf } from './document.ts';

const DEMO = '-demo';
const PLUGIN_JSON = 'plugin/src/plugin.json';
/** Made of it by npm run build:live. */
const BUILT_JSON = 'plugin/dist/plugin.json';

const isThere = (path: string): boolean => existsSync(new URL(path, ROOT));

export const mounts = (compose: Compose): string[] =>
  servicesOf(compose).flatMap(([name, service]) => [
    ...shortBindsOf(service).map(
      (source) => `${name}: ${source} is bound in the short form, which makes what is not there`,
    ),
    ...bindsOf(service).flatMap(({ source, target, read_only, bind }) => [
      ...(read_only === true ? [] : [`${name}: ${target} can be written`]),
      ...(bind?.create_host_path === false ? [] : [`${name}: ${source} would be made if it is not there`]),
      ...(isThere(source)
        ? []
        : [`${name}: no ${source}${source.startsWith('./plugin/') ? ': npm run build:live' : ''}`]),
    ]),
    ...namedVolumesOf(service)
      .filter((volume) => !(volume in compose.volumes))
      .map((volume) => `${name}: no volume ${volume}`),
  ]);

export const dependencies = (compose: Compose): string[] =>
  servicesOf(compose).flatMap(([name, service]) =>
    Object.entries(service.depends_on ?? {}).flatMap(([other, { condition }]) => [
      ...(condition === 'service_healthy' ? [] : [`${name}: does not wait until ${other} is healthy`]),
      ...(compose.services[other]?.profiles?.join() === service.profiles?.join()
        ? []
        : [`${name}: waits for ${other}, which is not of its profile`]),
    ]),
  );

/** Live and demo are the same services under the same names, and share nothing. */
export function twoStacks(compose: Compose): string[] {
  const live = servicesOf(compose).filter(([name]) => !name.endsWith(DEMO));
  const demo = servicesOf(compose).filter(([name]) => name.endsWith(DEMO));
  const names = (services: [string, Service][]): string => services.map(([name]) => name.replace(DEMO, '')).join();
  const used = (services: [string, Service][]): string[] =>
    services.flatMap(([, service]) => [...namedVolumesOf(service), ...networksOf(service)]);
  const shared = used(live).filter((each) => used(demo).includes(each));
  return [
    ...(names(live) === names(demo) ? [] : [`live has ${names(live)}, demo ${names(demo)}`]),
    ...shared.map((each) => `live and demo share ${each}`),
    ...live.flatMap(([name, { profiles }]) => (profiles?.join() === 'live' ? [] : [`${name}: not of live alone`])),
    ...demo.flatMap(([name, { profiles, networks }]) => [
      ...(profiles?.join() === 'demo' ? [] : [`${name}: not of demo alone`]),
      ...(JSON.stringify(networks) === JSON.stringify({ demo: { aliases: [name.replace(DEMO, '')] } })
        ? []
        : [`${name}: not reached by the name of its live twin`]),
    ]),
    ...demo.flatMap(([name, { secrets }]) => (secrets === undefined ? [] : [`${name}: a demo with secrets`])),
  ];
}

/** What Grafana is told, in both or in one of the stacks. */
const GRAFANA = {
  GF_PLUGINS_PREINSTALL_DISABLED: 'true',
  GF_PLUGINS_PLUGIN_ADMIN_ENABLED: 'false',
  GF_ANALYTICS_REPORTING_ENABLED: 'false',
  GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
  GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
  GF_NEWS_NEWS_FEED_ENABLED: 'false',
  GF_SECURITY_DISABLE_GRAVATAR: 'true',
  GF_USERS_ALLOW_SIGN_UP: 'false',
};
const GRAFANA_LIVE = {
  GF_AUTH_ANONYMOUS_ENABLED: 'false',
  GF_SECURITY_ADMIN_PASSWORD__FILE: '/run/secrets/grafana_admin_password',
};
const GRAFANA_DEMO = {
  GF_AUTH_ANONYMOUS_ENABLED: 'true',
  GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
  GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: 'true',
};

export function grafanaSettings({ services }: Compose): string[] {
  const wanted = (name: string, settings: Readonly<Record<string, string>>): string[] =>
    Object.entries(settings)
      .filter(([key, value]) => services[name]?.environment?.[key] !== value)
      .map(([key, value]) => `${name}: ${key} is not ${value}`);
  const guarded = (services['grafana']?.entrypoint ?? [])
    .join(' ')
    .includes('test -s "$$GF_SECURITY_ADMIN_PASSWORD__FILE"');
  return [
    ...wanted('grafana', { ...GRAFANA, ...GRAFANA_LIVE }),
    ...wanted('grafana-demo', { ...GRAFANA, ...GRAFANA_DEMO }),
    ...(guarded ? [] : ['grafana: starts with an empty password file']),
    ...(services['grafana']?.secrets?.includes('grafana_admin_password') === true ? [] : ['grafana: no password']),
  ];
}

const idIn = (path: string): string => (JSON.parse(readText(path)) as { readonly id: string }).id;

/** The id of our panel is one: in its source, as it is built, in the dashboard, where it is allowed and where it is mounted. */
export function pluginId({ services }: Compose): string[] {
  const id = idIn(PLUGIN_JSON);
  const built = isThere(BUILT_JSON) ? idIn(BUILT_JSON) : 'nothing: npm run build:live';
  return [
    ...(built === id ? [] : [`${BUILT_JSON}: expected ${id}, got ${built}`]),
    ...(panelsOf(readDashboard()).some(({ type }) => type === id) ? [] : [`the dashboard has no ${id}`]),
    ...['grafana', 'grafana-demo'].flatMap((name) => pluginOf(name, services[name]!, id)),
  ];
}

function pluginOf(name: string, service: Service, id: string): string[] {
  const mounted = bindsOf(service).some(
    ({ source, target }) => source === './plugin/dist' && target === `/var/lib/grafana/plugins/${id}`,
  );
  return [
    ...(service.environment?.['GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS'] === id
      ? []
      : [`${name}: ${id} is not allowed`]),
    ...(mounted ? [] : [`${name}: ${id} is not mounted`]),
  ];
}

const PROMETHEUS_FLAGS = [
  /^--web\.enable-remote-write-receiver$/,
  /^--rules\.alert\.for-grace-period=2m$/,
  /^--storage\.tsdb\.retention\.time=\d+d$/,
  /^--storage\.tsdb\.retention\.size=\d+GB$/,
  /^--config\.file=\/etc\/prometheus\/config\/prometheus\.yml$/,
];

export const prometheusFlags = ({ services }: Compose): string[] =>
  ['prometheus', 'prometheus-demo'].flatMap((name) => {
    const { command = [] } = services[name]!;
    return [
      ...PROMETHEUS_FLAGS.filter((flag) => !command.some((word) => flag.test(word))).map(
        (flag) => `${name}: no ${flag.source}`,
      ),
      ...command
        .filter((word) => /enable-(?:lifecycle|admin-api)/.test(word))
        .map((word) => `${name}: ${word} lets any page in a browser stop it`),
    ];
  });

export const collectorSettings = ({ services }: Compose): string[] =>
  ['collector', 'collector-demo'].flatMap((name) => {
    const { environment = {}, build } = services[name]!;
    const flags = Object.keys(environment).map((variable) => variable.replace(/^SHADOW_/, '').toLowerCase());
    const wanted = {
      SHADOW_METRICS_HOST: '0.0.0.0',
      SHADOW_METRICS_PORT: '9109',
      SHADOW_ITERATIONS: '0',
      SHADOW_REMOTE_WRITE_URL: 'http://prometheus:9090/api/v1/write',
      SHADOW_MOCK: String(name.endsWith(DEMO)),
    };
    return [
      ...flags
        .filter((flag) => !RUN_FLAG_NAMES.includes(flag as RunFlag))
        .map((flag) => `${name}: shadow run has no flag ${flag}`),
      ...Object.entries(wanted)
        .filter(([variable, value]) => environment[variable] !== value)
        .map(([variable, value]) => `${name}: ${variable} is not ${value}`),
      ...(build?.dockerfile !== undefined && isThere(build.dockerfile) ? [] : [`${name}: no Dockerfile`]),
    ];
  });
