// npm run preview: the whole dashboard in a browser, on the simulated exchange, a Prometheus and no Grafana, until Ctrl-C.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { serve } from './serve.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const plugin = dirname(here);
const root = dirname(plugin);

const HELP = `Shows the dashboard without Grafana: npm run preview -- [flags]

  --port N          of the page (default: 3010; 0 takes a free one)
  --symbols LIST    of the simulated exchange (default: BTCUSDT,ETHUSDT)
  --duration S      of a window, in seconds (default: 30)
  --scrape TIME     how often Prometheus asks the collector (default: 5s, as the stack does)
  --help

Needs Prometheus 2.42 or newer as "prometheus" on the PATH. Nothing is kept: what the run writes is removed at its end.
`;

function usage(message) {
  console.error(`${message}\n\n${HELP}`);
  process.exit(2);
}

function readFlags() {
  const text = { type: 'string' };
  try {
    const { values } = parseArgs({
      options: { port: text, symbols: text, duration: text, scrape: text, help: { type: 'boolean' } },
    });
    return values;
  } catch (error) {
    return usage(error.message);
  }
}

/** Runs a script to its end, and ends with its status where that is not 0. Messages only: the output is for addresses. */
function run(program, args, cwd) {
  const { status, error } = spawnSync(program, args, { cwd, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    console.error(`${[program, ...args].join(' ')} failed${error === undefined ? '' : `: ${error.message}`}`);
    process.exit(status ?? 1);
  }
}

function buildWhatIsMissing() {
  for (const script of ['install', 'build', 'build-live']) {
    run(process.execPath, [join(root, `scripts/${script}.mjs`)], root);
  }
}

function requirePrometheus() {
  const { status, error } = spawnSync('prometheus', ['--version'], { stdio: 'ignore' });
  if (error !== undefined || status !== 0) {
    console.error(
      'prometheus is not on the PATH. Debian and Ubuntu: apt-get install prometheus. macOS: brew install prometheus. Others: https://prometheus.io/download/'
    );
    process.exit(2);
  }
}

async function main() {
  const { port = '3010', symbols = 'BTCUSDT,ETHUSDT', duration = '30', scrape = '5s', help } = readFlags();
  if (help) {
    console.log(HELP);
    return;
  }
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    usage(`--port: expected 0 to 65535, got ${port}`);
  }
  if (!/^[1-9]\d*(ms|s|m)$/.test(scrape)) {
    usage(`--scrape: expected a time such as 5s, got ${scrape}`);
  }
  requirePrometheus();
  buildWhatIsMissing();
  const folder = mkdtempSync(join(tmpdir(), 'shadow-preview-'));
  const stopped = new Promise((resolve) => {
    process.on('SIGINT', resolve);
    process.on('SIGTERM', resolve);
  });
  try {
    // Of packages that were just installed, it may be.
    const { startStack } = await import('./stack.mjs');
    const stack = await startStack({ folder, symbols, durationS: duration, scrape });
    try {
      const options = { scrape, index: 'dashboard', prometheus: `http://${stack.prometheus}` };
      const page = await serve({ port: Number(port), ...options });
      console.log(`dashboard:  ${page.url}`);
      console.log(`prometheus: http://${stack.prometheus}`);
      console.log(`metrics:    http://${stack.collector}/metrics`);
      console.error('Ctrl-C ends it. The first windows take half a minute, the clock a minute.');
      const ended = await Promise.race([stopped.then(() => undefined), stack.ended]);
      await page.close();
      if (ended !== undefined) {
        console.error(`${ended.name} ended: ${ended.output}`);
        process.exitCode = 3;
      }
    } finally {
      await stack.close();
    }
  } catch (error) {
    console.error(error.message);
    process.exitCode = 3;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
