// npm run check:plugin [-- FOLDER]: looks at the built plugin as a catalog would. Status 1 with a line a finding.
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { filesBelow, findingsOf } from './checks.mjs';

const HELP = `Looks at the built plugin as Grafana's catalog would: npm run check:plugin [-- FOLDER]

Fields of plugin.json, logo and screenshots, README, CHANGELOG, LICENSE, versions, size and imports of module.js. FOLDER: plugin/dist.
`;

const { values, positionals } = parseArgs({ options: { help: { type: 'boolean' } }, allowPositionals: true });
if (values.help === true) {
  process.stdout.write(HELP);
} else {
  const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
  const folder = positionals[0] ?? at('plugin/dist');
  const { version } = JSON.parse(readFileSync(at('plugin/package.json'), 'utf8'));
  const findings = findingsOf(folder, version);
  for (const finding of findings) console.error(finding);
  if (findings.length === 0)
    console.log(
      `${filesBelow(folder).length} files of version ${version}; module.js has ${statSync(`${folder}/module.js`).size} bytes`,
    );
  process.exitCode = findings.length === 0 ? 0 : 1;
}
