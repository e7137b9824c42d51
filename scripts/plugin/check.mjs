// What Grafana or its catalog would refuse, found in the built panel: npm run check:plugin. Their own validator needs a network.
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { archiveFindings } from './archive.mjs';
import { codeFindings } from './code.mjs';
import { documentsFindings } from './documents.mjs';
import { readFolder } from './folder.mjs';
import { imagesFindings, imagesOf } from './images.mjs';
import { metadataFindings, versionFindings } from './metadata.mjs';

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const HELP = `usage: node scripts/plugin/check.mjs [FOLDER] [--archive FILE]

Tells every fault of the built panel in a line "expected …, got …". Exit status 0 none, 1 some, 2 usage, 3 nothing to read.

  FOLDER          the built panel (plugin/dist)
  --archive FILE  also its archive, with FILE.sha1 beside it
`;

const NEEDED = ['plugin.json', 'module.js', 'module.js.map', 'README.md', 'CHANGELOG.md', 'LICENSE'];

function filesFindings({ files, json }) {
  const known = [...NEEDED, ...imagesOf(json)];
  return [
    ...NEEDED.filter((path) => !files.get(path)?.length).map((path) => `${path}: expected a file, got none or nothing`),
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
};

function readArchive(path) {
  const read = (file) => (existsSync(file) ? readFileSync(file) : undefined);
  return { name: basename(path), bytes: read(path), digest: read(`${path}.sha1`)?.toString() };
}

function readPlugin(folder, archive) {
  return {
    files: readFolder(folder),
    json: JSON.parse(readFileSync(join(folder, 'plugin.json'), 'utf8')),
    packageJson: JSON.parse(readFileSync(at('plugin/package.json'), 'utf8')),
    license: readFileSync(at('LICENSE'), 'utf8'),
    archive: archive === undefined ? undefined : readArchive(archive),
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

function report(plugin) {
  const checks = { ...CHECKS, ...(plugin.archive === undefined ? {} : { archive: archiveFindings }) };
  const findings = Object.values(checks).flatMap((check) => check(plugin));
  for (const finding of findings) console.error(finding);
  if (findings.length > 0) return 1;
  const { files, packageJson } = plugin;
  console.log(
    `${packageJson.name} ${packageJson.version}: ${Object.keys(checks).join(', ')} are fine; module.js has ${files.get('module.js').length} bytes`,
  );
  return 0;
}

const options = { archive: { type: 'string' }, help: { type: 'boolean' } };
const { values, positionals } = attempt(2, () => parseArgs({ options, allowPositionals: true }));
if (values.help === true) process.stdout.write(HELP);
else process.exitCode = report(attempt(3, () => readPlugin(positionals[0] ?? at('plugin/dist'), values.archive)));
