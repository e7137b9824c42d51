import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ROOT } from '../root.ts';

export interface BindMount {
  readonly type: 'bind';
  source: string;
  target: string;
  read_only?: boolean;
  bind?: { create_host_path: boolean };
}

export interface Service {
  image: string;
  build?: { context: string; dockerfile: string };
  profiles?: string[];
  user?: string;
  restart?: string;
  init?: boolean;
  read_only?: boolean;
  privileged?: boolean;
  tmpfs?: string[];
  cap_drop?: string[];
  cap_add?: string[];
  security_opt?: string[];
  mem_limit?: string;
  pids_limit?: number;
  stop_grace_period?: string;
  logging?: { driver: string; options: Record<string, string> };
  ports?: string[];
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string>;
  env_file?: { path: string; required: boolean }[];
  networks: string[] | Record<string, { aliases: string[] }>;
  volumes?: (string | BindMount)[];
  secrets?: string[];
  healthcheck?: { test: string[]; disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
}

export interface Compose {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
  volumes: Record<string, object | null>;
  secrets: Record<string, { file?: string; environment?: string }>;
}

export const readText = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

// As JSON, since aliases are one object in several places, and a test that breaks one would break all.
const DOCUMENT = JSON.stringify(parse(readText('docker-compose.yml'), { merge: true }));

/** The compose file as compose sees it, aliases and merges resolved; a new object at every call. */
export const readCompose = (): Compose => JSON.parse(DOCUMENT) as Compose;

export const servicesOf = ({ services }: Compose): [string, Service][] => Object.entries(services);

export const bindsOf = ({ volumes = [] }: Service): BindMount[] =>
  volumes.filter((volume): volume is BindMount => typeof volume !== 'string');

/** Named volumes, as [name, path in the container]; short forms that bind a folder are told by `shortBindsOf`. */
export const namedVolumesOf = ({ volumes = [] }: Service): string[] =>
  shortForms(volumes).filter((name) => !/^[./~]/.test(name));

export const shortBindsOf = ({ volumes = [] }: Service): string[] =>
  shortForms(volumes).filter((name) => /^[./~]/.test(name));

const shortForms = (volumes: readonly (string | BindMount)[]): string[] =>
  volumes.filter((volume) => typeof volume === 'string').map((volume) => volume.split(':')[0]!);

export const networksOf = ({ networks }: Service): string[] =>
  Array.isArray(networks) ? networks : Object.keys(networks);
