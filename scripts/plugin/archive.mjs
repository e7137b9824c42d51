// The archive that Grafana and its catalog take: one folder, named by the plugin. The same files are the same bytes.
import { createHash } from 'node:crypto';
import { unzipSync, zipSync } from 'fflate';

/** The first time that a zip can tell; as it is in no time zone, neither is this. */
const TIME = new Date(1980, 0, 1);
const UNIX = 3;
const REGULAR_FILE = 0o100644 << 16;

export const archiveName = (id, version) => `${id}-${version}.zip`;

export const pack = (files, id) =>
  zipSync(Object.fromEntries([...files].map(([path, bytes]) => [`${id}/${path}`, bytes])), {
    level: 9,
    mtime: TIME,
    os: UNIX,
    attrs: REGULAR_FILE,
  });

/** As sha1sum writes and checks it. The catalog takes SHA-1 or MD5. */
export const digestLine = (archive, name) => `${createHash('sha1').update(archive).digest('hex')}  ${name}\n`;

function unpack(archive) {
  try {
    return Object.entries(unzipSync(archive));
  } catch (error) {
    return error;
  }
}

export function archiveFindings({ files, packageJson, archive }) {
  const { name: id, version } = packageJson;
  const { bytes, name, digest } = archive;
  if (bytes === undefined) return [`archive: expected ${name}, got no such file: npm run plugin:package`];
  const entries = unpack(bytes);
  if (entries instanceof Error) return [`${name}: expected a zip, got ${entries.message}`];
  const paths = entries.map(([path]) => path);
  const unlike = entries.filter(([path, content]) => files.get(path.slice(id.length + 1))?.equals(content) === false);
  const line = digestLine(bytes, name);
  return [
    ...(name === archiveName(id, version) ? [] : [`archive: expected ${archiveName(id, version)}, got ${name}`]),
    ...paths
      .filter((path) => !path.startsWith(`${id}/`) || path.split('/').includes('..'))
      .map((path) => `${name}: expected all below ${id}/, got ${path}`),
    ...paths
      .filter((path) => path.startsWith(`${id}/`) && !files.has(path.slice(id.length + 1)))
      .map((path) => `${name}: expected what is built, got ${path}`),
    ...[...files.keys()]
      .filter((path) => !paths.includes(`${id}/${path}`))
      .map((path) => `${name}: expected ${id}/${path}, got no such file`),
    ...unlike.map(([path]) => `${name}: expected ${path} as it is built, got other bytes`),
    ...(digest === line ? [] : [`${name}.sha1: expected ${line.trim()}, got ${digest?.trim() ?? 'no such file'}`]),
  ];
}
