import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { BookChannelName } from './market.ts';
import { BOOK_CHANNELS, Market } from './market.ts';
import { serverTimeBody } from '../../../collector/src/simulator/server-time.ts';
import type { Scope } from './scope.ts';

const PATH = '/v5/public/linear';

/** A frame of a client, as it came. */
export interface ClientFrame {
  readonly atMs: number;
  readonly connection: number;
  readonly text: string;
  readonly op: string;
  readonly args: readonly string[];
}

interface Client {
  readonly id: number;
  readonly socket: WebSocket;
  /** The stream under the socket, for bursts of frames in one write. */
  readonly stream: Duplex;
  readonly topics: Set<string>;
}

export interface TestExchangeOptions {
  readonly symbols?: readonly string[];
  /** Symbols that the REST side lists and the WebSocket refuses. */
  readonly rejected?: readonly string[];
}

/** A Bybit v5 exchange on loopback, one port for REST and WebSocket, that does what a test tells it to. */
export class TestExchange {
  readonly markets: ReadonlyMap<string, Market>;
  /** Every frame of every client, in order. */
  readonly frames: ClientFrame[] = [];
  /** Path and query of every REST request. */
  readonly requests: string[] = [];
  /** REST bodies that are answered first, one a request. */
  readonly restAnswers: string[] = [];
  /** Topics of which nothing is sent, snapshots included; their update ids go on. */
  readonly muted = new Set<string>();
  /** Nothing is answered any more: no acknowledgement, no pong, no data. */
  deaf = false;
  connections = 0;
  readonly #rejected: readonly string[];
  readonly #clients = new Set<Client>();
  #server: Server | undefined;
  #port = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor({ symbols = ['BTCUSDT', 'ETHUSDT'], rejected = [] }: TestExchangeOptions) {
    this.markets = new Map([...symbols, ...rejected].map((symbol) => [symbol, new Market(symbol)]));
    this.#rejected = rejected;
  }

  static async start(scope: Scope, options: TestExchangeOptions = {}): Promise<TestExchange> {
    const exchange = new TestExchange(options);
    await exchange.listen();
    scope.add(() => exchange.stop());
    return exchange;
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.#port}${PATH}`;
  }

  get restUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Opens the port: a free one at first, the same one after a `stop`. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => this.#rest(request, response));
    const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    server.on('upgrade', (request, stream, head) => {
      if (request.url !== PATH) stream.destroy();
      else webSockets.handleUpgrade(request, stream, head, (socket) => this.#connected(socket, stream));
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Cuts every connection and closes the port. */
  async stop(): Promise<void> {
    this.pause();
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    this.dropConnections();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  dropConnections(): void {
    for (const { socket } of this.#clients) socket.terminate();
    this.#clients.clear();
  }

  market(symbol: string): Market {
    const market = this.markets.get(symbol);
    if (market === undefined) throw new Error(`the test exchange does not list ${symbol}`);
    return market;
  }

  /** Changes a market and sends what its book channels say of it: a delta of the deep one, a snapshot of the best price. */
  update(symbol: string, change: (market: Market) => void): void {
    const market = this.market(symbol);
    const before = market.ladder();
    change(market);
    this.send(`orderbook.50.${symbol}`, market.deltaFrom(before));
    this.send(`orderbook.1.${symbol}`, market.snapshot('orderbook.1'));
  }

  /** A change of the size at the best prices. */
  touch(symbol: string): void {
    this.update(symbol, (market) => (market.bestLots += market.bestLots % 2 === 0 ? 1 : -1));
  }

  /** The market moves by that many ticks. */
  move(symbol: string, ticks: number): void {
    this.update(symbol, (market) => (market.bidTicks += ticks));
  }

  trade(symbol: string, side: 'Buy' | 'Sell', ticks: number, lots: number): void {
    this.send(`publicTrade.${symbol}`, this.market(symbol).trade(side, ticks, lots));
  }

  snapshot(channel: BookChannelName, symbol: string): void {
    this.send(`${channel}.${symbol}`, this.market(symbol).snapshot(channel));
  }

  /** An update is lost on the way: its id is used and nothing is sent. */
  skip(channel: BookChannelName, symbol: string): void {
    const market = this.market(symbol);
    market.setSequence(channel, market.sequence(channel) + 1);
  }

  /** Sends a frame, text or binary, to those who subscribed to the topic. */
  send(topic: string, frame: string | Buffer): void {
    if (this.deaf || this.muted.has(topic)) return;
    for (const client of this.#clients) if (client.topics.has(topic)) client.socket.send(frame);
  }

  /** Sends a text frame of any bytes, valid UTF-8 or not, to everyone. */
  sendText(bytes: string | Buffer): void {
    for (const { socket } of this.#clients) socket.send(bytes, { binary: false });
  }

  sendBinary(bytes: Buffer): void {
    for (const { socket } of this.#clients) socket.send(bytes, { binary: true });
  }

  /** Writes many text frames of ASCII at once; resolves when the line takes more. */
  async burst(texts: readonly string[]): Promise<void> {
    const bytes = textFrames(texts);
    for (const { stream } of this.#clients) if (!stream.write(bytes)) await once(stream, 'drain');
  }

  /** From now on, does this every so often. Ends with `pause`. */
  every(ms: number, action: () => void): void {
    this.pause();
    this.#timer = setInterval(action, ms);
  }

  /** Every symbol's book changes every so often. */
  stream(ms = 40): void {
    this.every(ms, () => {
      for (const symbol of this.markets.keys()) this.touch(symbol);
    });
  }

  pause(): void {
    clearInterval(this.#timer);
  }

  /** Topics that clients asked for with this operation, in order. */
  asked(op: 'subscribe' | 'unsubscribe'): readonly string[] {
    return this.frames.filter((frame) => frame.op === op).flatMap(({ args }) => args);
  }

  #rest(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.restUrl);
    this.requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    const scripted = this.restAnswers.shift();
    if (scripted !== undefined) {
      response.end(scripted);
    } else if (url.pathname === '/v5/market/time') {
      response.end(JSON.stringify(serverTimeBody(Date.now() * 1_000)));
    } else if (url.pathname !== '/v5/market/instruments-info' || url.searchParams.get('category') !== 'linear') {
      response.writeHead(404).end('{"retCode":404}');
    } else {
      response.end(this.#instruments(url.searchParams.get('symbol') ?? ''));
    }
  }

  #instruments(symbol: string): string {
    const market = this.markets.get(symbol);
    const rest = { retExtInfo: {}, time: Date.now() };
    if (market === undefined) {
      return JSON.stringify({ retCode: 10001, retMsg: 'params error: symbol invalid', result: {}, ...rest });
    }
    const result = { category: 'linear', list: [market.instrument()], nextPageCursor: '' };
    return JSON.stringify({ retCode: 0, retMsg: 'OK', result, ...rest });
  }

  #connected(socket: WebSocket, stream: Duplex): void {
    const client: Client = { id: ++this.connections, socket, stream, topics: new Set() };
    this.#clients.add(client);
    socket.on('message', (data) => this.#received(client, (data as Buffer).toString()));
    socket.on('close', () => this.#clients.delete(client));
    socket.on('error', () => undefined); // A client that breaks the protocol or is cut off: its end is told by `close`.
  }

  #received(client: Client, text: string): void {
    const message = JSON.parse(text) as { op: string; args?: string[]; req_id?: string };
    const args = message.args ?? [];
    this.frames.push({ atMs: performance.now(), connection: client.id, text, op: message.op, args });
    if (this.deaf) return;
    const connId = `test-${client.id}`;
    const refused = args.filter((topic) => this.#rejected.includes(topic.slice(topic.lastIndexOf('.') + 1)));
    if (refused.length > 0 && message.op === 'subscribe') {
      const retMsg = `Invalid symbol :[${refused.join(',')}]`;
      client.socket.send(JSON.stringify({ success: false, ret_msg: retMsg, conn_id: connId, op: 'subscribe' }));
      return;
    }
    const reqId = message.req_id === undefined ? {} : { req_id: message.req_id };
    const retMsg = message.op === 'ping' ? 'pong' : '';
    client.socket.send(JSON.stringify({ success: true, ret_msg: retMsg, conn_id: connId, ...reqId, op: message.op }));
    if (message.op === 'unsubscribe') for (const topic of args) client.topics.delete(topic);
    if (message.op === 'subscribe') for (const topic of args) this.#subscribed(client, topic);
  }

  #subscribed(client: Client, topic: string): void {
    client.topics.add(topic);
    const dot = topic.lastIndexOf('.');
    const channel = BOOK_CHANNELS.find((name) => name === topic.slice(0, dot));
    if (channel === undefined || this.muted.has(topic)) return;
    const market = this.market(topic.slice(dot + 1));
    // The book as of the last update: its id is not a new one.
    client.socket.send(market.snapshot(channel, { u: market.sequence(channel) }));
  }
}

/** Final, unmasked text frames one after the other (RFC 6455 §5.2). */
function textFrames(texts: readonly string[]): Buffer {
  const headerBytes = (length: number): number => (length > 125 ? 4 : 2);
  const bytes = Buffer.allocUnsafe(texts.reduce((sum, { length }) => sum + headerBytes(length) + length, 0));
  let at = 0;
  for (const text of texts) {
    const { length } = text;
    bytes[at] = 0x81;
    bytes[at + 1] = length > 125 ? 126 : length;
    if (length > 125) bytes.writeUInt16BE(length, at + 2);
    at += headerBytes(length);
    at += bytes.write(text, at, 'latin1');
  }
  return bytes;
}
