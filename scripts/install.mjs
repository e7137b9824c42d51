// Makes node_modules what package-lock.json says, unless it is already: of the collector, or of a folder that is named (plugin).
// Plain node: it runs before anything is installed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL(`../${process.argv[2] ?? ''}`, import.meta.url));
const MINIMUM = [20, 19];
const PROGRESS_MS = 5_000;

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1])) {
  console.error(`Node ${MINIMUM.join('.')} or newer is needed, this is ${process.versions.node}`);
  process.exit(2);
}

const lock = createHash('sha256')
  .update(readFileSync(`${root}/package-lock.json`))
  .digest('hex');
const stamp = `${root}/node_modules/.shadow-lock`;
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  const what = process.argv[2] === undefined ? 'dependencies' : `dependencies of ${process.argv[2]}`;
  console.error(`installing ${what} (npm ci), once: about ${process.argv[2] === undefined ? 'half a' : 'a'} minute`);
  const start = Date.now();
  const timer = setInterval(
    () => console.error(`… installing for ${Math.round((Date.now() - start) / 1_000)} s`),
    PROGRESS_MS,
  );
  const npm = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  const status = await new Promise((resolve) => {
    npm.on('close', resolve);
    npm.on('error', (error) => {
      console.error(`npm cannot be started: ${error.message}`);
      resolve(1);
    });
  });
  clearInterval(timer);
  if (status !== 0) {
    console.error('npm ci failed; what it said stands above. A registry must be reachable (npm config get registry)');
    process.exit(status ?? 1);
  }
  writeFileSync(stamp, lock);
}
