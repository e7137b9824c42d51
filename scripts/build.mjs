// Sources → dist/, with the commit they are of. Nothing is done when dist/ is of these very sources; it is there whole or not at all.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const at = (path) => fileURLToPath(new URL(path, root));

/** As the schemas of the artifacts have it. */
const COMMIT = /^([0-9a-f]{7,40}|unknown)$/;

function commit() {
  const given = process.env.SHADOW_GIT_COMMIT;
  if (given) {
    if (COMMIT.test(given)) return given;
    console.error(`SHADOW_GIT_COMMIT: expected 7 to 40 hexadecimal digits or "unknown", got ${JSON.stringify(given)}`);
    process.exit(2);
  }
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

function digest() {
  const sources = readdirSync(at('collector/src'), { recursive: true }).filter((name) => name.endsWith('.ts'));
  const files = [...sources.map((name) => `collector/src/${name}`), 'package-lock.json'];
  const configs = ['schema/types.gen.d.ts', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build.mjs'];
  const hash = createHash('sha256').update(commit());
  for (const file of [...files, ...configs].sort()) hash.update(`\n${file}\n`).update(readFileSync(at(file)));
  return hash.digest('hex');
}

const sources = digest();
const stamp = 'dist/.sources';
if (!existsSync(at(stamp)) || readFileSync(at(stamp), 'utf8') !== sources) {
  const next = `dist.${process.pid}`;
  try {
    const tsc = [at('node_modules/typescript/bin/tsc'), '-p', at('tsconfig.build.json'), '--outDir', at(next)];
    execFileSync(process.execPath, tsc, { stdio: 'inherit' });
    writeFileSync(at(`${next}/build-info.json`), `${JSON.stringify({ commit: commit() })}\n`);
    writeFileSync(at(`${next}/.sources`), sources);
    chmodSync(at(`${next}/main.js`), 0o755);
    rmSync(at('dist'), { recursive: true, force: true });
    renameSync(at(next), at('dist'));
  } catch (error) {
    rmSync(at(next), { recursive: true, force: true });
    console.error(`the build failed: ${error.message}`);
    process.exit(1);
  }
}
