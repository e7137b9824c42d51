// plugin/dist → plugin/shadowmode-fills-panel-<version>.zip with the one folder that Grafana expects, not signed, and its SHA-1 beside it. Of one build the same bytes each time.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { zipSync } from 'fflate';
import { filesBelow } from './checks.mjs';

const DIST = fileURLToPath(new URL('../../plugin/dist/', import.meta.url));
const TARGET = fileURLToPath(new URL('../../plugin/', import.meta.url));
/** Of every file: the oldest time that the format can tell. */
const MODIFIED = new Date(1980, 0, 1);

const { id, info } = JSON.parse(readFileSync(`${DIST}plugin.json`, 'utf8'));
const names = filesBelow(DIST);
const files = names.map((name) => [`${id}/${name}`, [readFileSync(DIST + name), { mtime: MODIFIED }]]);
const zip = zipSync(Object.fromEntries(files), { level: 9 });
const name = `${id}-${info.version}.zip`;
writeFileSync(TARGET + name, zip);
writeFileSync(`${TARGET}${name}.sha1`, `${createHash('sha1').update(zip).digest('hex')}  ${name}\n`);
console.log(`plugin/${name}: ${names.length} files, ${Math.round(zip.length / 1024)} kB`);
