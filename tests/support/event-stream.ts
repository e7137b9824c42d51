import type { ClientRequest } from 'node:http';
import { get } from 'node:http';
import type { Fill, LiveHistory, LiveSamples, LiveUpdate } from '../../schema/types.gen.js';
import { COLUMNS } from '../../collector/src/live/sample-ring.ts';
import type { Scope } from '../e2e/support/scope.ts';
import { waitFor } from '../e2e/support/scope.ts';
import { expectLive } from './live-schema.ts';

export type StreamEvent =
  | { readonly name: 'history'; readonly data: LiveHistory }
  | { readonly name: 'update'; readonly data: LiveUpdate }
  | { readonly name: 'end'; readonly data: string };

/** A reader of `/live/stream`, as EventSource is one but that it does not come back. What does not follow the schema makes it fail. */
export class EventStream {
  readonly events: StreamEvent[] = [];
  status = 0;
  /** What came with another status than 200. */
  refusal = '';
  alive = 0;
  closed = false;
  fault: unknown;
  readonly #request: ClientRequest;
  #rest = '';

  constructor(scope: Scope, url: string) {
    this.#request = get(url, { agent: false }, (response) => {
      this.status = response.statusCode ?? 0;
      response.setEncoding('utf8');
      response.on('data', (text: string) => (this.status === 200 ? this.#take(text) : (this.refusal += text)));
      response.on('error', () => undefined); // Told by `closed`.
      response.on('close', () => (this.closed = true));
    });
    this.#request.on('error', () => (this.closed = true));
    scope.add(() => this.close());
  }

  /** A reader that has had its first event, or its refusal. */
  static async open(scope: Scope, url: string): Promise<EventStream> {
    const stream = new EventStream(scope, url);
    await stream.until('the first event', () => stream.events.length > 0 || (stream.closed && stream.status !== 0));
    return stream;
  }

  close(): void {
    this.#request.destroy();
  }

  async until(what: string, condition: () => boolean, deadlineMs?: number): Promise<void> {
    await waitFor(
      what,
      () => {
        if (this.fault !== undefined) throw new Error('an event is at fault', { cause: this.fault });
        return condition();
      },
      deadlineMs,
    );
  }

  get fills(): Fill[] {
    return this.#since((event) => event.data.fills);
  }

  /** All samples told, as rows; a second history takes the place of what was before. */
  get rows(): (number | null)[][] {
    return this.#since(({ data }) => rowsOf(data.samples));
  }

  #since<T>(of: (event: Exclude<StreamEvent, { name: 'end' }>) => readonly T[]): T[] {
    const start = this.events.findLastIndex(({ name }) => name === 'history');
    return this.events.slice(start).flatMap((event) => (event.name === 'end' ? [] : of(event)));
  }

  #take(text: string): void {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop()!;
    try {
      for (const block of blocks) this.#block(block);
    } catch (error) {
      this.fault = error;
    }
  }

  #block(block: string): void {
    const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
    if (name === 'end') this.events.push({ name, data: data! });
    else if (name === 'alive') this.alive++;
    else if (name === 'history' || name === 'update') {
      const value: unknown = JSON.parse(data!);
      this.events.push({ name, data: expectLive(name, value) } as StreamEvent);
    } else throw new Error(`no event of the stream: ${block.slice(0, 200)}`);
  }
}

export function rowsOf(samples: LiveSamples): (number | null)[][] {
  for (const column of COLUMNS) {
    if (samples[column].length !== samples.times_ms.length) throw new Error(`${column} is of another length`);
  }
  return samples.times_ms.map((_, index) => COLUMNS.map((column) => samples[column][index]!));
}
