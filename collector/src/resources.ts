import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PageFolders } from './live/page.ts';

/** The folder that holds `schema/`: the checkout, seen alike from the sources and from the build. */
function root(): URL {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    if (existsSync(new URL('schema/iter_summary.schema.json', folder))) return folder;
    if (folder.pathname === '/') throw new Error('the installation is incomplete: no schema folder found');
  }
}

const ROOT = root();

export const readSchema = (name: string): object =>
  JSON.parse(readFileSync(new URL(`schema/${name}.schema.json`, ROOT), 'utf8')) as object;

export const builtInProfiles = (): string => readFileSync(new URL('collector/profiles.json', ROOT), 'utf8');

/** What `npm run build:live` makes; it may not be there. */
export const pageFolders = (): PageFolders => ({
  app: fileURLToPath(new URL('plugin/preview/dist', ROOT)),
  plugin: fileURLToPath(new URL('plugin/dist', ROOT)),
});

export interface Build {
  readonly version: string;
  /** Commit the build was made from; "unknown" where git could not tell. */
  readonly commit: string;
}

export function readBuild(): Build {
  const { version } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as { version: string };
  const info = new URL('dist/build-info.json', ROOT);
  const commit = existsSync(info) ? (JSON.parse(readFileSync(info, 'utf8')) as { commit: string }).commit : 'unknown';
  return { version, commit };
}
