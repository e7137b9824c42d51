import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Scope } from './scope.ts';
import { waitFor } from './scope.ts';

export interface ServerOptions {
  readonly program: string;
  /** Written into the folder before the start. */
  readonly files: Readonly<Record<string, string>>;
  /** From the folder and host:port. */
  readonly args: (folder: string, address: string) => readonly string[];
}

const READY_DEADLINE_MS = 30_000;

/** A port that was free a moment ago: these servers do not tell which one they took. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Prometheus or Alertmanager as a process, on a port and a folder of its own that it keeps over a restart. */
export class ServerProcess {
  readonly folder: string;
  readonly address: string;
  readonly #options: ServerOptions;
  #child: ChildProcess | undefined;
  #stderr = '';

  private constructor(folder: string, address: string, options: ServerOptions) {
    this.folder = folder;
    this.address = address;
    this.#options = options;
  }

  static async start(scope: Scope, options: ServerOptions): Promise<ServerProcess> {
    const server = new ServerProcess(scope.folder(), `127.0.0.1:${await freePort()}`, options);
    scope.add(() => server.stop('SIGKILL'));
    for (const [name, text] of Object.entries(options.files)) writeFileSync(join(server.folder, name), text);
    await server.launch();
    return server;
  }

  get url(): string {
    return `http://${this.address}`;
  }

  /** On the same port and folder, after `stop`. */
  async restart(signal?: NodeJS.Signals): Promise<void> {
    await this.stop(signal);
    await this.launch();
  }

  /** Starts it where it was, and waits until it is ready. */
  async launch(): Promise<void> {
    const { program, args } = this.#options;
    const child = spawn(program, args(this.folder, this.address), { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    let failure: Error | undefined;
    child.once('error', (error) => (failure = error));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr = (this.#stderr + text).slice(-4_000)));
    await waitFor(
      `${program} to be ready`,
      async () => {
        if (failure !== undefined || child.exitCode !== null) {
          throw new Error(`${program} did not start: ${failure?.message ?? this.#stderr}`);
        }
        const answer = await fetch(`${this.url}/-/ready`).catch(() => undefined);
        return answer?.status === 200;
      },
      READY_DEADLINE_MS,
    );
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}
