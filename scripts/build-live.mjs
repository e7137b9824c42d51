// The panel (plugin/dist) and the pages that show it without Grafana (plugin/preview/dist), one of which the collector serves as its live
// view. Installs what that needs; does nothing where both are of these very sources.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const at = (path) => fileURLToPath(new URL(path, root));
/** What is built or fetched: no source. */
const MADE = /(^|\/)(node_modules|dist)\//;

function run(program, args, cwd = at('.')) {
  const { status, error } = spawnSync(program, args, { cwd, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error(`${[program, ...args].join(' ')} failed${error === undefined ? '' : `: ${error.message}`}`);
  process.exit(status ?? 1);
}

function filesBelow(path) {
  const entries = readdirSync(at(path), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`);
  return files.map((file) => file.slice(at('.').length)).filter((file) => !MADE.test(file));
}

function digest(paths) {
  const hash = createHash('sha256');
  for (const file of paths.flatMap((path) => (path.endsWith('/') ? filesBelow(path) : [path])).sort()) {
    hash.update(`\n${file}\n`).update(readFileSync(at(file)));
  }
  return hash.digest('hex');
}

/** The stamp lies outside of what is built, which is packed and served as it is. */
function make(what, { stamp, target, sources, command }) {
  const now = digest(sources);
  if (existsSync(at(target)) && existsSync(at(stamp)) && readFileSync(at(stamp), 'utf8') === now) return;
  console.error(`building ${what}`);
  run(...command, at('plugin'));
  writeFileSync(at(stamp), now);
}

const COMMON = ['plugin/package-lock.json', 'plugin/package.json', 'scripts/build-live.mjs'];

run(process.execPath, [at('scripts/install.mjs'), 'plugin']);
make('the panel', {
  stamp: 'plugin/node_modules/.shadow-panel',
  target: 'plugin/dist/module.js',
  sources: [
    ...COMMON,
    'plugin/src/',
    'plugin/.config/',
    'plugin/tsconfig.json',
    'plugin/CHANGELOG.md',
    'plugin/LICENSE',
  ],
  command: ['npm', ['run', '-s', 'build', '--', '--stats', 'errors-warnings']],
});
make('the live view', {
  stamp: 'plugin/node_modules/.shadow-pages',
  target: 'plugin/preview/dist/index.html',
  sources: [...COMMON, 'plugin/preview/'],
  command: [process.execPath, [at('plugin/preview/build.mjs')]],
});
