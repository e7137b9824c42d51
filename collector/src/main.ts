#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { archive } from './commands/archive.ts';
import { audit } from './commands/audit.ts';
import { clock } from './commands/clock.ts';
import { compare } from './commands/compare.ts';
import type { CommandDeps } from './commands/deps.ts';
import { record } from './commands/record.ts';
import { report } from './commands/report.ts';
import { describeFailure, run } from './commands/run.ts';
import { simulate } from './commands/simulate.ts';
import { EXIT, messageOf, ShadowError } from './errors.ts';
import { builtInProfiles, readBuild } from './resources.ts';
import { systemClock } from './system-clock.ts';

const HELP = `shadow <command> [flags]

  shadow run       rest virtual quotes in a live, simulated or recorded order book, and report what they would have earned
  shadow record    keep a live feed on disk, to be replayed by shadow run
  shadow report    the last windows put together: a snapshot, and a page to read
  shadow audit     GO or HOLD: whether the windows can be trusted, and are good enough
  shadow compare   two runs side by side: what differs, and whether they agree
  shadow archive   keep the newest windows of a folder and move the others out of it
  shadow clock     how far this machine's clock is off the exchange's, with a band that holds the truth
  shadow simulate  a simulated exchange to run against, or a recording of it
  shadow run --help    every flag of a command
  shadow --version

Sends no order and needs no key.
`;

/** A graceful stop is done long before this. */
const GRACE_MS = 1_900;
/** A second signal ends the process at once, unless it is the first one's echo: a terminal and npm may both deliver one Ctrl-C. */
const ECHO_MS = 300;

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ShadowError('SHADOW_ERR_INPUT', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let stoppedAt: number | undefined;
  const stop = (): void => {
    if (stoppedAt !== undefined) {
      if (performance.now() - stoppedAt > ECHO_MS) process.exit(EXIT.io);
      return;
    }
    stoppedAt = performance.now();
    controller.abort();
    setTimeout(() => {
      process.stderr.write('the run did not stop in time\n');
      process.exit(EXIT.io);
    }, GRACE_MS).unref();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

const outside = (): CommandDeps => ({
  env: process.env,
  readText,
  clock: systemClock(),
  print: (line) => process.stdout.write(`${line}\n`),
  say: (line) => process.stderr.write(`${line}\n`),
  signal: stopSignal(),
});

async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  switch (command) {
    case 'run':
      return run(rest, {
        ...outside(),
        builtInProfiles: builtInProfiles(),
        build: readBuild(),
        random: Math.random,
      });
    case 'archive':
      return archive(rest, outside());
    case 'audit':
      return audit(rest, outside());
    case 'clock':
      return clock(rest, outside());
    case 'compare':
      return compare(rest, outside());
    case 'record':
      return record(rest, { ...outside(), build: readBuild(), random: Math.random });
    case 'report':
      return report(rest, outside());
    case 'simulate':
      return simulate(rest, outside());
    case '--version':
      process.stdout.write(`${readBuild().version} (${readBuild().commit})\n`);
      return EXIT.fine;
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(HELP);
      return command === undefined ? EXIT.usage : EXIT.fine;
    default:
      throw new ShadowError('SHADOW_ERR_USAGE', `no such command "${command}"\n\n${HELP}`);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { message, exitCode } = describeFailure(error);
  process.stderr.write(`${message}\n`);
  process.exitCode = exitCode;
}
