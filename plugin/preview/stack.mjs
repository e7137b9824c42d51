// A collector on the simulated exchange and a Prometheus that scrapes it and takes its fills, as processes on free ports.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout } from 'node:timers/promises';
import yaml from 'yaml';

const root = fileURLToPath(new URL('../..', import.meta.url));
const READY_DEADLINE_MS = 60_000;
const POLL_MS = 50;
const KEPT_OUTPUT = 4_000;

/** As npm start has it: quotes that the simulated market's shocks reach every few seconds. */
const LIVELY = ['--spread_bps', '8', '--inventory_limit', '25000', '--iterations', '0', '--log_level', 'warn'];

/** A port that was free a moment ago. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A process with the end of what it says, and a way to end it. */
function start(name, program, args) {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const started = { name, child, output: '', failure: undefined };
  const keep = (text) => {
    started.output = (started.output + text).slice(-KEPT_OUTPUT);
  };
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  child.on('error', (error) => {
    started.failure = error;
  });
  return started;
}

const running = ({ child, failure }) => failure === undefined && child.exitCode === null && child.signalCode === null;

async function until(started, what, condition) {
  const end = performance.now() + READY_DEADLINE_MS;
  for (;;) {
    if (!running(started)) {
      throw new Error(`${started.name} ended: ${started.failure?.message ?? started.output}`);
    }
    const answer = await condition();
    if (answer) {
      return answer;
    }
    if (performance.now() > end) {
      throw new Error(`${started.name}: waited ${READY_DEADLINE_MS} ms for ${what}: ${started.output}`);
    }
    await setTimeout(POLL_MS);
  }
}

/** The configuration of the stack, with the addresses and the scrape interval of here, and no Alertmanager. */
function configOf(scrape, collector, prometheus) {
  const text = readFileSync(join(root, 'provisioning/prometheus/prometheus.yml'), 'utf8');
  const config = yaml.parse(text);
  const targets = { shadow: collector, prometheus };
  config.global.scrape_interval = scrape;
  config.global.scrape_timeout = scrape;
  config.rule_files = [join(root, 'alerts/*_rules.yml')];
  delete config.alerting;
  config.scrape_configs = config.scrape_configs
    .filter(({ job_name: job }) => job in targets)
    .map((job) => ({ ...job, static_configs: [{ targets: [targets[job.job_name]] }] }));
  return JSON.stringify(config);
}

async function startCollector(folder, symbols, durationS, prometheus, processes) {
  const args = [join(root, 'dist/main.js'), 'run', '--mock', '--symbols', symbols, ...LIVELY];
  const own = ['--duration', String(durationS), '--metrics_port', '0', '--output', join(folder, 'artifacts')];
  const collector = start('the collector', process.execPath, [
    ...args,
    ...own,
    '--remote_write_url',
    `http://${prometheus}/api/v1/write`,
  ]);
  processes.push(collector);
  const address = () => /^metrics: http:\/\/(\S+)\/metrics$/m.exec(collector.output)?.[1];
  return until(collector, 'its address', address);
}

async function startPrometheus(folder, config, address, processes) {
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, config);
  const prometheus = start('prometheus', 'prometheus', [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'prometheus')}`,
    `--web.listen-address=${address}`,
    '--web.enable-remote-write-receiver',
    '--log.level=warn',
  ]);
  processes.push(prometheus);
  const ready = () =>
    fetch(`http://${address}/-/ready`).then(
      ({ status }) => status === 200,
      () => false
    );
  await until(prometheus, 'it to be ready', ready);
}

/** The second signal of a Ctrl-C is the echo of the first one; a process that does not end by itself is ended. */
async function stop({ child }) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const late = new AbortController();
  void setTimeout(10_000, undefined, { signal: late.signal }).then(
    () => child.kill('SIGKILL'),
    () => undefined
  );
  await ended;
  late.abort();
}

/** Answers with the addresses (host:port), a promise of the first process that ends by itself, and a way to end all. */
export async function startStack({ folder, symbols, durationS, scrape }) {
  const processes = [];
  const close = async () => {
    await Promise.all(processes.map(stop));
  };
  try {
    const prometheus = `127.0.0.1:${await freePort()}`;
    const collector = await startCollector(folder, symbols, durationS, prometheus, processes);
    await startPrometheus(folder, configOf(scrape, collector, prometheus), prometheus, processes);
    const ended = Promise.race(processes.map((started) => once(started.child, 'exit').then(() => started)));
    return { collector, prometheus, ended, close };
  } catch (error) {
    await close();
    throw error;
  }
}
