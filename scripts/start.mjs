// `npm start`: installs, builds and runs a shadow session on the live public feed until Ctrl-C. Further flags: npm start -- --symbols …
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

for (const script of ['install', 'build']) {
  const { status } = spawnSync(process.execPath, [`${root}/scripts/${script}.mjs`], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
const args = [`${root}/dist/main.js`, 'run', '--symbols', 'BTCUSDT,ETHUSDT', '--spread_bps', '0', '--iterations', '0'];
const child = spawn(process.execPath, [...args, ...process.argv.slice(2)], { stdio: 'inherit' });
// Ctrl-C reaches the child by the terminal; SIGTERM comes to this process alone and is passed on.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 3);
});
