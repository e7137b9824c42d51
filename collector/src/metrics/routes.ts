import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Route } from '../http/answer.ts';
import { send, writeHead } from '../http/answer.ts';
import type { MetricsRegistry } from './registry.ts';

/** Answers of `/healthz` (the process lives) and `/readyz` (every book is synchronised). */
export interface Health {
  ready(): { readonly ready: boolean; readonly waitingFor: readonly string[] };
}

/** `/metrics`, `/healthz` and `/readyz`. */
export const metricsRoute =
  (registry: MetricsRegistry, health: Health): Route =>
  async ({ path, response }) => {
    switch (path) {
      case '/metrics': {
        const parts = await registry.render();
        writeHead(response, 200, registry.contentType);
        await pipeline(Readable.from(parts), response);
        return true;
      }
      case '/healthz':
        send(response, 200, 'ok\n');
        return true;
      case '/readyz': {
        const { ready, waitingFor } = health.ready();
        send(response, ready ? 200 : 503, ready ? 'ready\n' : `waiting for the book of ${waitingFor.join(', ')}\n`);
        return true;
      }
      default:
        return false;
    }
  };
