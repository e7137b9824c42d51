// `npm start`: installs, builds and runs a shadow session on the simulated exchange until Ctrl-C. Further flags: npm start -- --symbols …
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** Quotes that the simulated market's shocks reach every few seconds; the limit leaves room for the inventory to wander. */
const FLAGS = {
  mock: 'true',
  symbols: 'BTCUSDT,ETHUSDT',
  spread_bps: '8',
  inventory_limit: '25000',
  iterations: '0',
  log_level: 'warn',
};

for (const script of ['install', 'build']) {
  if (script === 'build') console.error('building');
  const { status } = spawnSync(process.execPath, [`${root}/scripts/${script}.mjs`], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

console.error(
  'shadow mode: a line at the end of each window, of 60 s unless --duration says otherwise. Ctrl-C stops it',
);
const flags = Object.entries(FLAGS).map(([name, value]) => `--${name}=${value}`);
const args = [`${root}/dist/main.js`, 'run', ...flags, ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { stdio: 'inherit' });
// Ctrl-C reaches the child by the terminal; SIGTERM comes to this process alone and is passed on.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 3);
});
