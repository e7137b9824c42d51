import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deserialize } from 'prometheus-remote-write';
import { uncompress } from 'snappyjs';
import type { Scope } from './scope.ts';

/** A sample as it came over the wire. */
export interface Received {
  readonly labels: Readonly<Record<string, string>>;
  readonly timeMs: number;
  readonly value: number;
}

export interface WriteRequest {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  /** Label names of each series, in their order on the wire. */
  readonly labelNames: readonly (readonly string[])[];
  readonly samples: readonly Received[];
  readonly atMs: number;
}

/** `hang`: no answer at all. `reset`: the connection breaks. `lost`: what came is kept, and the connection breaks before the answer. */
export type Answer =
  | 'hang'
  | 'reset'
  | 'lost'
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> };

interface Decoded {
  readonly timeseries: readonly {
    readonly labels: readonly { readonly name: string; readonly value: string }[];
    readonly samples: readonly { readonly value: number; readonly timestamp: number | { toNumber(): number } }[];
  }[];
}

/** A remote-write receiver on loopback that answers as a test tells it to, and keeps what it says it has stored. */
export class WriteReceiver {
  readonly requests: WriteRequest[] = [];
  readonly stored: Received[] = [];
  /** Answers that are given first, one a request. */
  readonly answers: Answer[] = [];
  /** Then this decides. */
  judge: (request: WriteRequest) => Answer = () => ({ status: 204 });
  /** Where set, what is stored is passed on there first. */
  forwardTo: string | undefined;
  inFlight = 0;
  mostInFlight = 0;
  #server: Server | undefined;
  #port = 0;

  static async start(scope: Scope): Promise<WriteReceiver> {
    const receiver = new WriteReceiver();
    await receiver.listen();
    scope.add(() => receiver.stop());
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/api/v1/write`;
  }

  /** Opens the port: a free one at first, the same one after a `stop`. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => void this.#receive(request, response));
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    response.on('close', () => this.inFlight--);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const series = await decoded(body);
    const labelNames = series.map(({ names }) => names);
    const samples = series.flatMap(({ samples }) => samples);
    const written = { headers: request.headers, path: request.url ?? '', labelNames, samples, atMs: performance.now() };
    this.requests.push(written);
    const answer = this.answers.shift() ?? this.judge(written);
    if (answer === 'hang') return;
    if (answer === 'reset') return void request.socket.destroy();
    if (answer === 'lost' || (answer.status >= 200 && answer.status < 300)) await this.#store(written, body);
    if (answer === 'lost') return void request.socket.destroy();
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  async #store({ samples, headers }: WriteRequest, body: Buffer): Promise<void> {
    this.stored.push(...samples);
    if (this.forwardTo === undefined) return;
    const passed = { 'Content-Encoding': 'snappy', 'Content-Type': String(headers['content-type']) };
    const { status } = await fetch(this.forwardTo, { method: 'POST', headers: passed, body });
    if (status !== 204) throw new Error(`expected status 204 from ${this.forwardTo}, got ${status}`);
  }
}

async function decoded(body: Buffer): Promise<{ readonly names: string[]; readonly samples: Received[] }[]> {
  const message = (await deserialize(uncompress(body) as never)) as unknown as Decoded;
  return message.timeseries.map(({ labels, samples }) => ({
    names: labels.map(({ name }) => name),
    samples: samples.map(({ value, timestamp }) => ({
      labels: Object.fromEntries(labels.map(({ name, value }) => [name, value])),
      timeMs: typeof timestamp === 'number' ? timestamp : timestamp.toNumber(),
      value,
    })),
  }));
}
