import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { listen, stopListening } from '../listen.ts';
import type { Clock } from '../system-clock.ts';
import type { Us } from '../units.ts';
import { US_PER_MS } from '../units.ts';
import { ClientSession } from './client-session.ts';
import { Line } from './line.ts';
import { instrumentsBody } from './instruments.ts';
import { serverTimeBody } from './server-time.ts';
import type { SimulatedExchange } from './simulated-exchange.ts';
import { STEP_US } from './simulated-exchange.ts';

/** Where the public WebSocket is. */
export const SIMULATED_PATH = '/v5/public/linear';
const MAX_CLIENTS = 64;
/** A client's request; the largest is a subscription of some thousand topics. */
const MAX_REQUEST_BYTES = 256 * 1024;
/** A client that does not read for so long that this piles up is cut off. */
const MAX_UNSENT_BYTES = 32 * 1024 * 1024;
/** Waking up costs more than the work: what is due within this is delivered together. */
const TOGETHER_US: Us = 500;

export interface ServerOptions {
  readonly exchange: SimulatedExchange;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly seed: number;
  readonly clock: Clock;
}

interface Client {
  readonly socket: WebSocket;
  readonly stream: Duplex;
  readonly session: ClientSession;
}

/** The simulated exchange on a socket: Bybit v5's public WebSocket and REST on one port. */
export class SimulatorServer {
  readonly #options: ServerOptions;
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  /** Delays of REST requests and answers. */
  readonly #restLine: Line;
  /** True time less the monotonic clock: true time does not step when the machine's wall clock does. */
  readonly #offsetUs: Us;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #connections = 0;
  #nextCutUs: Us = 0;
  #restUrl = '';

  private constructor(options: ServerOptions) {
    this.#options = options;
    this.#restLine = new Line(options.seed, 'rest');
    this.#offsetUs = options.clock.wallUs() - options.clock.monoUs();
    this.#server = createServer((request, response) => this.#rest(request, response));
    this.#server.requestTimeout = 10_000;
    this.#server.headersTimeout = 5_000;
    // Longer than a client's probes are apart: as on an exchange, they find their connection as they left it.
    this.#server.keepAliveTimeout = 75_000;
    this.#server.maxConnections = 4 * MAX_CLIENTS;
  }

  /** Opens the port and lets the market go. Throws SHADOW_ERR_PORT. */
  static async start(options: ServerOptions): Promise<SimulatorServer> {
    const server = new SimulatorServer(options);
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_REQUEST_BYTES });
    server.#server.on('upgrade', (request, stream, head) => {
      if (request.url !== SIMULATED_PATH || server.#clients.size >= MAX_CLIENTS) stream.destroy();
      else sockets.handleUpgrade(request, stream, head, (socket) => server.#connected(socket, stream));
    });
    server.#restUrl = await listen(server.#server, options.host, options.port, 'port');
    server.#tick();
    return server;
  }

  get restUrl(): string {
    return this.#restUrl;
  }

  get websocketUrl(): string {
    return `${this.#restUrl.replace('http', 'ws')}${SIMULATED_PATH}`;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#closed = true;
    for (const { socket } of this.#clients) socket.terminate();
    await stopListening(this.#server);
  }

  get #nowUs(): Us {
    return this.#options.clock.monoUs() + this.#offsetUs;
  }

  #tick(): void {
    const { exchange } = this.#options;
    const nowUs = this.#nowUs;
    for (const frame of exchange.advance(nowUs)) for (const { session } of this.#clients) session.publish(frame);
    const { disconnectEveryMs } = exchange.moment.conditions;
    if (disconnectEveryMs > 0 && nowUs >= this.#nextCutUs) {
      this.#nextCutUs = nowUs + disconnectEveryMs * US_PER_MS;
      for (const { socket } of this.#clients) socket.terminate();
    }
    let nextUs = exchange.nowUs + STEP_US;
    for (const client of this.#clients) {
      this.#deliver(client, nowUs + TOGETHER_US);
      nextUs = Math.min(nextUs, client.session.line.dueUs);
    }
    if (!this.#closed) this.#timer = setTimeout(() => this.#tick(), Math.max(1, (nextUs - this.#nowUs) / US_PER_MS));
  }

  #deliver({ socket, stream, session }: Client, untilUs: Us): void {
    if (session.line.dueUs > untilUs) return;
    stream.cork();
    for (const { data } of session.arrived(untilUs)) {
      if (data.length === 0) continue;
      socket.send(data, { binary: typeof data !== 'string' });
    }
    stream.uncork();
    if (socket.bufferedAmount > MAX_UNSENT_BYTES) socket.terminate();
  }

  #connected(socket: WebSocket, stream: Duplex): void {
    const { exchange, seed } = this.#options;
    const session = new ClientSession(exchange, seed, ++this.#connections, this.#nowUs);
    const client = { socket, stream, session };
    this.#clients.add(client);
    socket.on('message', (data) => session.receive((data as Buffer).toString(), this.#nowUs));
    socket.on('close', () => {
      this.#clients.delete(client);
      session.close();
    });
    socket.on('error', () => undefined); // A client that breaks the protocol, or is cut off: `close` follows.
  }

  /** The request takes its way, is answered by the exchange's clock, and the answer takes its way. */
  #rest(request: IncomingMessage, response: ServerResponse): void {
    const { conditions } = this.#options.exchange.moment;
    const there = this.#restLine.delayUs(conditions) / US_PER_MS;
    const back = this.#restLine.delayUs(conditions) / US_PER_MS;
    setTimeout(() => {
      const { status, body } = this.#answer(request);
      setTimeout(() => {
        response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' });
        response.end(JSON.stringify(body));
      }, back);
    }, there);
  }

  #answer({ method, url = '/' }: IncomingMessage): { status: number; body: object } {
    const base = 'http://localhost';
    if (!URL.canParse(url, base)) return { status: 400, body: { retCode: 400, retMsg: 'no such path' } };
    const { pathname, searchParams } = new URL(url, base);
    const clockUs = this.#options.exchange.clockUs(this.#nowUs);
    const time = Math.floor(clockUs / US_PER_MS);
    if (method !== 'GET') return { status: 405, body: { retCode: 405, retMsg: 'only GET' } };
    if (pathname === '/v5/market/time') {
      return { status: 200, body: serverTimeBody(clockUs) };
    }
    if (pathname !== '/v5/market/instruments-info') return { status: 404, body: { retCode: 404, retMsg: 'not here' } };
    const symbol = searchParams.get('symbol');
    const listed = [...this.#options.exchange.symbols.values()].map(({ market }) => market);
    const known = searchParams.get('category') === 'linear' ? listed : [];
    const markets = symbol === null ? known : known.filter((market) => market.symbol === symbol);
    return { status: 200, body: instrumentsBody(markets, time) };
  }
}
