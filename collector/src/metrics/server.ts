import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../errors.ts';
import { listen, stopListening } from '../listen.ts';
import type { MetricsRegistry } from './registry.ts';

/** Answers of `/healthz` (the process lives) and `/readyz` (every book is synchronised). */
export interface Health {
  ready(): { readonly ready: boolean; readonly waitingFor: readonly string[] };
}

export interface MetricsServer {
  /** http://host:port, with the port that was taken. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves GET and HEAD of three paths, nothing else. Throws SHADOW_ERR_PORT when the port cannot be had. */
export async function startMetricsServer(
  host: string,
  port: number,
  registry: MetricsRegistry,
  health: Health,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    answer(request, response, registry, health).catch((error: unknown) => {
      // Whoever asked may have gone while the answer was written.
      if (response.headersSent) response.destroy();
      else send(response, 500, `${messageOf(error)}\n`);
    });
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 5_000;
  server.maxConnections = 64;
  const url = await listen(server, host, port, 'metrics_port');
  return { url, close: () => stopListening(server) };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  registry: MetricsRegistry,
  health: Health,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    send(response, 405, 'only GET and HEAD\n');
    return;
  }
  switch ((request.url ?? '').split('?')[0]) {
    case '/metrics': {
      const parts = await registry.render();
      writeHead(response, 200, registry.contentType);
      await pipeline(Readable.from(parts), response);
      return;
    }
    case '/healthz': {
      send(response, 200, 'ok\n');
      return;
    }
    case '/readyz': {
      const { ready, waitingFor } = health.ready();
      send(response, ready ? 200 : 503, ready ? 'ready\n' : `waiting for the book of ${waitingFor.join(', ')}\n`);
      return;
    }
    default: {
      send(response, 404, 'here are /metrics, /healthz and /readyz\n');
      return;
    }
  }
}

function send(response: ServerResponse, status: number, body: string): void {
  writeHead(response, status, 'text/plain; charset=utf-8');
  response.end(body);
}

function writeHead(response: ServerResponse, status: number, type: string): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
}
