// The panel as an archive with its SHA-1, as a catalog takes it: npm run plugin:package.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { archiveName, digestLine, pack } from './plugin/archive.mjs';
import { readFolder } from './plugin/folder.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const HELP = `usage: node scripts/package-plugin.mjs [--dist DIR] [--output DIR]

Builds the panel and writes <id>-<version>.zip and <id>-<version>.zip.sha1. The same files are the same bytes.

  --dist DIR    pack this folder as it is; without it plugin/dist is built first where its sources have changed
  --output DIR  where the archive goes (plugin)
`;

function flags() {
  try {
    const text = { type: 'string' };
    return parseArgs({ options: { dist: text, output: text, help: { type: 'boolean' } } }).values;
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`);
    return process.exit(2);
  }
}

const { dist, output = at('plugin'), help } = flags();
if (help) {
  process.stdout.write(HELP);
  process.exit(0);
}
if (dist === undefined) {
  const { status } = spawnSync(process.execPath, [at('scripts/build-live.mjs')], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
try {
  const folder = dist ?? at('plugin/dist');
  const { id, info } = JSON.parse(readFileSync(join(folder, 'plugin.json'), 'utf8'));
  const name = archiveName(id, info.version);
  const archive = pack(readFolder(folder), id);
  writeFileSync(join(output, name), archive);
  writeFileSync(join(output, `${name}.sha1`), digestLine(archive, name));
  console.log(`${join(output, name)}: ${archive.length} bytes`);
} catch (error) {
  console.error(`the archive cannot be written: ${error.message}`);
  process.exitCode = 3;
}
