import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import { listen, stopListening } from '../../../collector/src/listen.ts';
import type { Scope } from './scope.ts';

/** One alert of a notification of Alertmanager's webhook, version 4. */
export interface NotifiedAlert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Notification extends NotifiedAlert {
  /** Name of the receiver, which is the path it was sent to. */
  readonly receiver: string;
}

/** Whom Alertmanager tells: keeps every alert of every notification in the order they came. */
export class Webhook {
  readonly notifications: Notification[] = [];
  url = '';

  static async start(scope: Scope): Promise<Webhook> {
    const webhook = new Webhook();
    const server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        const { alerts } = JSON.parse(body) as { alerts: NotifiedAlert[] };
        const receiver = decodeURIComponent(request.url!.slice(1));
        webhook.notifications.push(...alerts.map((alert) => ({ ...alert, receiver })));
        response.end();
      });
    });
    webhook.url = await listen(server, '127.0.0.1', 0, 'webhook');
    scope.add(() => stopListening(server));
    return webhook;
  }

  /** What was told of a symbol. */
  of(symbol: string): Notification[] {
    return this.notifications.filter(({ labels }) => labels['symbol'] === symbol);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
