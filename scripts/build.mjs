// Sources → dist/, with the commit they are of.
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const at = (path) => fileURLToPath(new URL(path, root));

function commit() {
  if (process.env.SHADOW_GIT_COMMIT) return process.env.SHADOW_GIT_COMMIT;
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: at('.'),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown'; // No git, or no repository: an archive of the sources.
  }
}

rmSync(at('dist'), { recursive: true, force: true });
execFileSync(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', at('tsconfig.build.json')], {
  stdio: 'inherit',
});
writeFileSync(at('dist/build-info.json'), `${JSON.stringify({ commit: commit() })}\n`);
chmodSync(at('dist/main.js'), 0o755);
