// What Grafana or its catalog would refuse, found in the built panel and in its archive: npm run check:plugin. Their own validator needs a network.
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { archiveFindings, archiveName } from './plugin/archive.mjs';
import { codeFindings } from './plugin/code.mjs';
import { documentsFindings } from './plugin/documents.mjs';
import { readFolder } from './plugin/folder.mjs';
import { imagesFindings, imagesOf } from './plugin/images.mjs';
import { metadataFindings, versionFindings } from './plugin/metadata.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path) => (existsSync(path) ? readFileSync(path) : undefined);

const HELP = `usage: node scripts/check-plugin.mjs [--dist DIR] [--archive FILE]

Tells every fault of the built panel in a line "expected …, got …". Exit status 0 none, 1 some, 2 usage, 3 nothing to read.

  --dist DIR      the built panel (plugin/dist)
  --archive FILE  its archive, with FILE.sha1 beside it (plugin/<id>-<version>.zip)
`;

const NEEDED = ['plugin.json', 'module.js', 'module.js.map', 'README.md', 'CHANGELOG.md', 'LICENSE'];

function filesFindings({ files, json }) {
  const known = [...NEEDED, ...imagesOf(json)];
  return [
    ...NEEDED.filter((path) => !files.has(path)).map((path) => `${path}: expected in the plugin, got no such file`),
    ...[...files.keys()].filter((path) => !known.includes(path)).map((path) => `expected no such file, got ${path}`),
  ];
}

const CHECKS = {
  files: filesFindings,
  'plugin.json': metadataFindings,
  versions: versionFindings,
  documents: documentsFindings,
  images: imagesFindings,
  code: codeFindings,
  archive: archiveFindings,
};

function readPlugin({ dist = at('plugin/dist'), archive }) {
  const files = readFolder(dist);
  const json = JSON.parse(readFileSync(join(dist, 'plugin.json'), 'utf8'));
  const packageJson = JSON.parse(readFileSync(at('plugin/package.json'), 'utf8'));
  const { name: id, version } = packageJson;
  const path = archive ?? at(`plugin/${archiveName(id, version)}`);
  return {
    ...{ files, json, packageJson, id, version },
    license: readFileSync(at('LICENSE'), 'utf8'),
    archive: { name: basename(path), bytes: read(path), digest: read(`${path}.sha1`)?.toString() },
  };
}

function attempt(status, action) {
  try {
    return action();
  } catch (error) {
    console.error(status === 2 ? `${error.message}\n\n${HELP}` : `the plugin cannot be read: ${error.message}`);
    return process.exit(status);
  }
}

const text = { type: 'string' };
const options = { dist: text, archive: text, help: { type: 'boolean' } };
const { help, ...where } = attempt(2, () => parseArgs({ options }).values);
if (help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const plugin = attempt(3, () => readPlugin(where));
const findings = Object.values(CHECKS).flatMap((check) => check(plugin));
if (findings.length > 0) {
  console.log(findings.join('\n'));
  process.exitCode = 1;
} else {
  const [code, archive] = [plugin.files.get('module.js'), plugin.archive.bytes];
  console.log(
    `${plugin.id} ${plugin.version}: ${Object.keys(CHECKS).join(', ')} are fine; module.js has ${code.length} bytes, the archive ${archive.length}`,
  );
}
