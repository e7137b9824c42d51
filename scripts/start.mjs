// `npm start`: installs, builds and runs a shadow session on the simulated exchange until Ctrl-C. Further flags: npm start -- --symbols …
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/**
 * Quotes that the simulated market's shocks reach every few seconds; the limit leaves room for the inventory to wander. Given by the environment,
 * so that the user's flags and environment beat them.
 */
const DEFAULTS = {
  SHADOW_SYMBOLS: 'BTCUSDT,ETHUSDT',
  SHADOW_SPREAD_BPS: '8',
  SHADOW_INVENTORY_LIMIT: '25000',
  SHADOW_ITERATIONS: '0',
  SHADOW_LOG_LEVEL: 'warn',
};
const flags = process.argv.slice(2);
/** Another source of the feed than the simulated exchange. */
const ELSEWHERE = /^--(mock|replay|exchange|ws[_-]url|rest[_-]url)\b/;
if (!flags.some((flag) => ELSEWHERE.test(flag))) DEFAULTS.SHADOW_MOCK = 'true';

for (const script of ['install', 'build']) {
  if (script === 'build') console.error('building');
  const { status } = spawnSync(process.execPath, [`${root}/scripts/${script}.mjs`], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
const { status: live } = spawnSync(process.execPath, [`${root}/scripts/build-live.mjs`], { stdio: ['ignore', 2, 2] });
if (live !== 0)
  console.error('the live view could not be built; the run goes on without it (npm run build:live tries again)');

console.error(
  'shadow mode: a line at the end of each window, of 60 s unless --duration says otherwise. Ctrl-C stops it',
);
const args = [`${root}/dist/main.js`, 'run', ...flags];
const child = spawn(process.execPath, args, { stdio: 'inherit', env: { ...DEFAULTS, ...process.env } });
// Ctrl-C reaches the child by the terminal too, and takes the second signal for the echo it is; `kill` reaches this process alone.
process.on('SIGINT', () => child.kill('SIGINT'));
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code) => {
  process.exitCode = code ?? 3;
});
