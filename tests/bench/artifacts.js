// Time and memory of `shadow audit` and `shadow report` over many windows. Ratios to the reading and JSON.parse of the same files, in the same run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const EXAMPLES = new URL('../../schema/examples/', import.meta.url);
const BARS = { audit: 3_000, report: 5_000 };
const ROUNDS = 3;
const START_MS = Date.UTC(2026, 0, 2, 3, 4, 6);

const example = (name) => JSON.parse(readFileSync(new URL(name, EXAMPLES), 'utf8'));

/** A folder of one run, each window the example at its own time. */
function folderOf(windows) {
  const folder = mkdtempSync(join(tmpdir(), 'shadow-bench-'));
  const window = { ...example('ITER_SUMMARY_1.json'), duration_seconds: 60, provisional: false, cut_short: false };
  const fills = example('FILLS_1.json');
  const write = (name, value) => writeFileSync(join(folder, name), `${JSON.stringify(value, undefined, 2)}\n`);
  for (let iteration = 1; iteration <= windows; iteration++) {
    const timestamp = new Date(START_MS + iteration * 60_000).toISOString();
    write(`ITER_SUMMARY_${iteration}.json`, { ...window, iteration, timestamp });
    if (iteration > windows - 100) write(`FILLS_${iteration}.json`, { ...fills, iteration });
  }
  write('SHADOW_RUN_SUMMARY.json', {
    ...example('SHADOW_RUN_SUMMARY.json'),
    ...{
      started_at: new Date(START_MS).toISOString(),
      completed_at: null,
      duration_per_iteration: 60,
      last_iteration: windows,
    },
  });
  return folder;
}

/** Milliseconds and largest resident MiB of a command. */
function timed(args) {
  const start = performance.now();
  const { stdout, stderr, status } = spawnSync('/usr/bin/env', ['node', MAIN, ...args], { encoding: 'utf8' });
  if (status === null || status > 1) throw new Error(`shadow ${args.join(' ')} ended with ${status}: ${stderr}`);
  return { ms: performance.now() - start, stdout };
}

function parsed(folder) {
  const start = performance.now();
  for (const name of readdirSync(folder))
    if (name.startsWith('ITER_')) JSON.parse(readFileSync(join(folder, name), 'utf8'));
  return performance.now() - start;
}

/** Peak memory, from the kernel: the command reads its own status as it ends. */
function peakMiB(args) {
  const code = `process.argv.splice(1,1,${JSON.stringify(MAIN)});process.on('exit',()=>process.stderr.write('PEAK '+process.resourceUsage().maxRSS));await import(${JSON.stringify(MAIN)})`;
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code, '--', '-', ...args], {
    encoding: 'utf8',
  });
  return Number(/PEAK (\d+)/.exec(stderr)[1]) / 1024;
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const commands = (folder, windows) => ({
  audit: ['audit', '--base', folder, '--source', 'replay', '--max_age_h', '0', '--allow_raw_latency'],
  report: ['report', '--src', folder, '--last_n', String(windows)],
});

let failed = false;
const sizes = [1_000, 10_000];
const memory = {};
for (const windows of sizes) {
  const folder = folderOf(windows);
  try {
    const times = { parse: [], audit: [], report: [] };
    for (let round = 0; round < ROUNDS; round++) {
      times.parse.push(parsed(folder));
      for (const [name, args] of Object.entries(commands(folder, windows))) {
        const { ms, stdout } = timed(args);
        times[name].push(ms);
        if (name === 'audit' && !stdout.includes(`${windows} judged of ${windows}`))
          throw new Error(`not all windows were judged:\n${stdout}`);
      }
    }
    const parse = median(times.parse);
    console.log(`${windows} windows (read and JSON.parse ${Math.round(parse)} ms)`);
    for (const [name, args] of Object.entries(commands(folder, windows))) {
      const ms = median(times[name]);
      (memory[name] ??= []).push(peakMiB(args));
      const late = windows === 10_000 && ms > BARS[name];
      failed ||= late;
      const bar = windows === 10_000 ? `, bar ${BARS[name]} ms${late ? ' MISSED' : ''}` : '';
      console.log(
        `  ${name.padEnd(7)} ${Math.round(ms)} ms, ${(ms / parse).toFixed(1)} times that, ${Math.round(memory[name].at(-1))} MiB at most${bar}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
for (const [name, [few, many]] of Object.entries(memory)) {
  console.log(`${name}: ten times the windows take ${(many / few).toFixed(2)} times the memory`);
}
process.exitCode = failed ? 1 : 0;
