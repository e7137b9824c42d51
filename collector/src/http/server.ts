import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { messageOf } from '../errors.ts';
import { listen, stopListening } from '../listen.ts';
import type { Route } from './answer.ts';
import { send } from './answer.ts';
import { isLoopbackHost } from './loopback.ts';

export interface HttpServer {
  /** http://host:port, with the port that was taken. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves GET and HEAD by the first route that knows the path, nothing else. Throws SHADOW_ERR_PORT when the port cannot be had. */
export async function startHttpServer(host: string, port: number, routes: readonly Route[]): Promise<HttpServer> {
  let loopback = false;
  const server = createServer((request, response) => {
    answer(request, response, routes, loopback).catch((error: unknown) => {
      // Whoever asked may have gone while the answer was written.
      if (response.headersSent) response.destroy();
      else send(response, 500, `${messageOf(error)}\n`);
    });
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 5_000;
  server.maxConnections = 64;
  const url = await listen(server, host, port, 'metrics_port');
  loopback = isLoopbackHost(new URL(url).host);
  return { url, close: () => stopListening(server) };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: readonly Route[],
  loopback: boolean,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(response, 405, 'only GET and HEAD\n', { Allow: 'GET, HEAD' });
    return;
  }
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const asked = { request, response, path, query: new URLSearchParams(query), loopback };
  for (const route of routes) if (await route(asked)) return;
  send(response, 404, 'here are / (the live view), /metrics, /healthz and /readyz\n');
}
