import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import type { Flags } from './collector.ts';
import { argumentsOf } from './collector.ts';
import type { Scope } from './scope.ts';
import { waitFor } from './scope.ts';

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

/** `shadow simulate` as a process that serves. */
export class SimulatorProcess {
  readonly #child: ChildProcess;
  #stdout = '';
  stderr = '';

  private constructor(args: readonly string[]) {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(SHADOW|NODE|JEST)_/.test(name));
    this.#child = spawn(process.execPath, [MAIN, 'simulate', ...args], { env: Object.fromEntries(inherited) });
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
  }

  /** Starts on a free port unless one is given, and waits for its addresses. */
  static async start(scope: Scope, flags: Flags = {}): Promise<SimulatorProcess> {
    const started = new SimulatorProcess(argumentsOf({ port: 0, ...flags }));
    scope.add(async () => started.end('SIGKILL'));
    await waitFor(`the addresses of shadow simulate ${started.stderr}`, () => /REST:.*\n/.test(started.#stdout));
    return started;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get wsUrl(): string {
    return /^WebSocket: +(ws:\S+)$/m.exec(this.#stdout)![1]!;
  }

  get restUrl(): string {
    return /^REST: +(http:\S+)$/m.exec(this.#stdout)![1]!;
  }

  get port(): number {
    return Number(new URL(this.restUrl).port);
  }

  /** Sends the signal, and how the process ended and how long it took. */
  async end(signal: NodeJS.Signals): Promise<{ code: number | null; ms: number }> {
    const startMs = performance.now();
    if (this.running) {
      const closed = once(this.#child, 'close');
      this.#child.kill(signal);
      await closed;
    }
    return { code: this.#child.exitCode, ms: performance.now() - startMs };
  }
}

/** What a client receives: answers (with `op`) and data (with `topic`). */
export interface Received {
  readonly op?: string;
  readonly success?: boolean;
  readonly ret_msg?: string;
  readonly req_id?: string;
  readonly topic?: string;
  readonly type?: string;
  readonly data?: { readonly u?: number };
}

/** A WebSocket client that keeps what it receives. */
export class SimulatorClient {
  readonly socket: WebSocket;
  readonly received: Received[] = [];
  closeCode: number | undefined;

  private constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.on('message', (data) => this.received.push(JSON.parse((data as Buffer).toString()) as Received));
    this.socket.on('close', (code) => (this.closeCode = code));
    this.socket.on('error', () => undefined); // `close` follows.
  }

  static async open(scope: Scope, { wsUrl }: { readonly wsUrl: string }): Promise<SimulatorClient> {
    const client = new SimulatorClient(wsUrl);
    scope.add(() => client.socket.terminate());
    await once(client.socket, 'open');
    return client;
  }

  send(message: object | string | Buffer): void {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  answers(): Received[] {
    return this.received.filter(({ topic }) => topic === undefined);
  }

  of(topic: string): Received[] {
    return this.received.filter((message) => message.topic === topic);
  }

  /** Sends a request and waits for the next answer. */
  async ask(message: object | string | Buffer): Promise<Received> {
    const before = this.answers().length;
    this.send(message);
    await waitFor(`an answer to ${JSON.stringify(message).slice(0, 200)}`, () => this.answers().length > before);
    return this.answers()[before]!;
  }
}
