import { createServer } from 'node:http';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ARCHIVE_FLAGS } from '../../collector/src/archive-flags.ts';
import { AUDIT_FLAGS } from '../../collector/src/audit-flags.ts';
import { CLOCK_FLAGS } from '../../collector/src/clock-flags.ts';
import { COMPARE_FLAGS } from '../../collector/src/compare-flags.ts';
import { REPORT_FLAGS } from '../../collector/src/report-flags.ts';
import { RECORD_FLAGS } from '../../collector/src/record-flags.ts';
import { SIMULATE_FLAGS } from '../../collector/src/simulate-flags.ts';
import { RUN_FLAGS } from '../../collector/src/run-flags.ts';
import { argumentsOf, Collector, liveFlags, runCli } from './support/collector.ts';
import { Scope } from './support/scope.ts';
import { TestExchange } from './support/test-exchange.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope.close());

test('a second process on one folder of artifacts ends with exit code 3 and names the first', async () => {
  const exchange = await TestExchange.start(scope);
  exchange.stream();
  const first = await Collector.start(scope, exchange, { duration: 1 });
  await first.until('a window', () => first.windows().length >= 1);

  const second = await runCli(scope, ['run', ...argumentsOf(liveFlags(exchange, first.output))]);
  expect(second.code).toBe(3);
  expect(second.stderr).toContain(`SHADOW_ERR_OUTPUT: process ${first.pid} already writes there`);
  expect(second.stderr).toContain('--output');
  expect(second.stderr).not.toMatch(/^\s+at /m);

  // The first is not disturbed, and still holds the folder.
  const written = first.windows().length;
  await first.until('another window', () => first.windows().length > written);
  expect(readdirSync(first.output)).toContain('.shadow.lock');
  expect((await first.stop()).code).toBe(0);
});

test('a metrics port in use ends the run with exit code 3, before anything is subscribed or written', async () => {
  const exchange = await TestExchange.start(scope);
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  scope.add(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const output = join(scope.folder(), 'shadow');
  const flags = { ...liveFlags(exchange, output), metrics_port: port };
  const { code, stdout, stderr } = await runCli(scope, ['run', ...argumentsOf(flags)]);
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toContain(`SHADOW_ERR_PORT: cannot listen on 127.0.0.1:${port}`);
  expect(stderr).toContain('--metrics_port');
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(exchange.requests).toEqual([]);
  expect(readdirSync(join(output, '..'))).toEqual([]);
});

test('an output that is no folder ends the run with exit code 3 and names it', async () => {
  const exchange = await TestExchange.start(scope);
  const output = '/dev/null/shadow';
  const { code, stderr } = await runCli(scope, ['run', ...argumentsOf(liveFlags(exchange, output))]);
  expect(code).toBe(3);
  expect(stderr).toContain(`SHADOW_ERR_OUTPUT: cannot write artifacts to ${output}`);
});

test.each([
  { command: 'run', flags: RUN_FLAGS },
  { command: 'record', flags: RECORD_FLAGS },
  { command: 'clock', flags: CLOCK_FLAGS },
  { command: 'simulate', flags: SIMULATE_FLAGS },
  { command: 'archive', flags: ARCHIVE_FLAGS },
  { command: 'audit', flags: AUDIT_FLAGS },
  { command: 'report', flags: REPORT_FLAGS },
  { command: 'compare', flags: COMPARE_FLAGS },
])('$command --help lists every flag on standard output and ends with exit code 0', async ({ command, flags }) => {
  const { code, stdout, stderr } = await runCli(scope, [command, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const name of Object.keys(flags)) expect(stdout).toContain(`--${name} `);
});

test('without a command the usage is shown, with exit code 2; --help and --version end with 0', async () => {
  const [none, help, version] = await Promise.all([[], ['--help'], ['--version']].map((args) => runCli(scope, args)));
  expect(none).toMatchObject({ code: 2, stdout: expect.stringContaining('shadow run') });
  expect(help).toMatchObject({ code: 0, stdout: none!.stdout, stderr: '' });
  expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+ \(\S+\)\n$/), stderr: '' });
});

test.each([
  { name: 'an unknown command', args: ['trade'], names: ['no such command "trade"'] },
  {
    name: 'an unknown flag, with a suggestion',
    args: ['run', '--symbol', 'X'],
    names: ['--symbol', 'did you mean --symbols?'],
  },
  { name: 'an argument that is no flag', args: ['run', 'BTCUSDT'], names: ['"BTCUSDT"'] },
  { name: 'a flag without its value', args: ['run', '--output'], names: ['--output needs a value'] },
  {
    name: 'several problems at once',
    args: ['run', '--nosuch', '1', '--duration', '0', '--iterations', 'x', '--depth', '7', '--profile', 'none'],
    names: ['--nosuch', '--duration', '--iterations', '--depth', '--profile'],
  },
  { name: 'a recording of a replay', args: ['run', '--replay', 'a', '--record', 'b'], names: ['--record', '--replay'] },
])('$name is a mistake of usage: exit code 2, all of it named, nothing on standard output', async ({ args, names }) => {
  const { code, stdout, stderr } = await runCli(scope, args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^SHADOW_ERR_USAGE: /);
  expect(stderr).not.toMatch(/^\s+at /m);
  for (const text of names) expect(stderr).toContain(text);
});

test('a wrong value in the environment is named like one of a flag', async () => {
  const { code, stderr } = await runCli(scope, ['run'], { SHADOW_DURATION: 'long' });
  expect(code).toBe(2);
  expect(stderr).toContain('--duration: expected');
  expect(stderr).toContain('"long"');
});

test('a recording that is not there ends the run with exit code 3 and names it', async () => {
  const path = join(scope.folder(), 'none.jsonl.br');
  const flags = { replay: path, output: scope.folder(), metrics_port: 0 };
  const { code, stderr } = await runCli(scope, ['run', ...argumentsOf(flags)]);
  expect(code).toBe(3);
  expect(stderr).toContain(`SHADOW_ERR_INPUT: cannot read the recording ${path}`);
});
