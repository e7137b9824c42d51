// The built panel as an archive with its SHA-1, as a catalog takes it, not signed: npm run plugin:package, which builds and checks before.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { archiveFindings, archiveName, digestLine, pack } from './archive.mjs';
import { readFolder } from './folder.mjs';

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const HELP = `usage: node scripts/plugin/package.mjs [FOLDER] [--output DIR]

Writes <id>-<version>.zip and <id>-<version>.zip.sha1. The same files are the same bytes. Exit status 1 the archive is
not what was built, 2 usage, 3 cannot read or write.

  FOLDER        the built panel (plugin/dist)
  --output DIR  where the archive goes (plugin)
`;

function flags() {
  try {
    const options = { output: { type: 'string' }, help: { type: 'boolean' } };
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`);
    return process.exit(2);
  }
}

/** Writes, and reads back what a catalog would get. */
function packTo(folder, output) {
  const { id, info } = JSON.parse(readFileSync(join(folder, 'plugin.json'), 'utf8'));
  const name = archiveName(id, info.version);
  const path = join(output, name);
  const files = readFolder(folder);
  const packed = pack(files, id);
  writeFileSync(path, packed);
  writeFileSync(`${path}.sha1`, digestLine(packed, name));
  const archive = { name, bytes: readFileSync(path), digest: readFileSync(`${path}.sha1`, 'utf8') };
  const findings = archiveFindings({ files, packageJson: { name: id, version: info.version }, archive });
  for (const finding of findings) console.error(finding);
  console.log(`${name}: ${files.size} files, ${packed.length} bytes`);
  return findings.length === 0 ? 0 : 1;
}

const { values, positionals } = flags();
if (values.help === true) {
  process.stdout.write(HELP);
} else {
  try {
    process.exitCode = packTo(positionals[0] ?? at('plugin/dist'), values.output ?? at('plugin'));
  } catch (error) {
    console.error(`the archive cannot be written: ${error.message}`);
    process.exitCode = 3;
  }
}
