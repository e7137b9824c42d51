import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** A request of GET or HEAD, and where its answer goes. */
export interface Exchanged {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Without the query, as it was sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The server is bound to a loopback address: nobody from elsewhere can mean it. */
  readonly loopback: boolean;
}

/** Answers a request that is its own: false, at once and with nothing written, where it is not. */
export type Route = (asked: Exchanged) => Promise<boolean>;

const ALWAYS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };

/** The head of an answer of status 200 or another; what is given beats what every answer has. */
export function writeHead(
  response: ServerResponse,
  status: number,
  type: string,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, { 'Content-Type': type, ...ALWAYS, ...headers });
}

export function send(response: ServerResponse, status: number, body: string, headers: OutgoingHttpHeaders = {}): void {
  writeHead(response, status, 'text/plain; charset=utf-8', headers);
  response.end(body);
}
