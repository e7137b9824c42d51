// What each service has to be, by itself. A rule takes the parsed compose file and tells what breaks it.
import type { Compose, Service } from './document.ts';
import { readText, servicesOf } from './document.ts';

const each = (compose: Compose, faults: (service: Service) => (string | false | undefined)[]): string[] =>
  servicesOf(compose).flatMap(([name, service]) =>
    faults(service)
      .filter((fault) => typeof fault === 'string')
      .map((fault) => `${name}: ${fault}`),
  );

/** A tag that names one release: it has a number of at least two parts. */
export const pinnedImages = (compose: Compose): string[] =>
  each(compose, ({ image }) => [
    !/^[\w./-]+:v?\d+\.\d+(?:\.\d+)?[\w.-]*$/.test(image) && `image ${image} is not pinned`,
  ]);

export const loopbackPorts = (compose: Compose): string[] =>
  each(compose, ({ ports = [] }) =>
    ports.map((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port) && `port ${port} is not on 127.0.0.1 alone`),
  );

export const hardened = (compose: Compose): string[] =>
  each(compose, (service) => [
    service.read_only !== true && 'its file system can be written',
    !(service.tmpfs ?? []).includes('/tmp') && 'no tmpfs on /tmp',
    !(service.cap_drop ?? []).includes('ALL') && 'capabilities are kept',
    service.cap_add !== undefined && 'capabilities are added',
    service.privileged === true && 'privileged',
    !(service.security_opt ?? []).includes('no-new-privileges:true') && 'may gain privileges',
    !/^[1-9]\d*:\d+$/.test(service.user ?? '') && `user ${service.user ?? 'of the image'} is root or only a name`,
  ]);

export const bounded = (compose: Compose): string[] =>
  each(compose, (service) => [
    !/^\d+[mg]$/.test(service.mem_limit ?? '') && 'no memory limit',
    !((service.pids_limit ?? 0) > 0) && 'no limit of processes',
    service.logging?.options['max-size'] === undefined && 'logs have no largest size',
    !(Number(service.logging?.options['max-file']) > 1) && 'logs are not rotated',
  ]);

export const lifecycle = (compose: Compose): string[] =>
  each(compose, (service) => [
    service.restart !== 'unless-stopped' && 'is not restarted',
    service.init !== true && 'has no init',
    !/^\d+s$/.test(service.stop_grace_period ?? '') && 'no time to stop in',
    !isChecked(service) && 'no health check',
  ]);

/** By the compose file, or by the image that is built here. */
function isChecked({ healthcheck, build }: Service): boolean {
  if (healthcheck !== undefined) return healthcheck.disable !== true && healthcheck.test[0] === 'CMD';
  return build !== undefined && /^HEALTHCHECK /m.test(readText(build.dockerfile));
}

/** Names of variables that hold a secret itself, and not the path of a file. */
const SECRET_NAME = /(?:PASSWORD|SECRET|SECRET_KEY|TOKEN|API_URL|WEBHOOK\w*|ROUTING_KEY)$/;

export const secretsAsFiles = (compose: Compose): string[] => [
  ...each(compose, ({ environment = {}, command = [] }) => [
    ...Object.keys(environment).map((name) => SECRET_NAME.test(name) && `${name} is a secret in the environment`),
    ...[...Object.values(environment), ...command].map(
      (text) => /hooks\.slack\.com|:\/\/[^/\s]*:[^/\s]*@/.test(text) && `${text} holds a secret`,
    ),
  ]),
  ...servicesOf(compose).flatMap(([name, { secrets = [] }]) =>
    secrets.filter((secret) => !(secret in compose.secrets)).map((secret) => `${name}: no secret ${secret}`),
  ),
  ...Object.entries(compose.secrets)
    .filter(([name, { file }]) => file !== `./secrets/${name}`)
    .map(([name]) => `secret ${name} is not the file secrets/${name}`),
];
