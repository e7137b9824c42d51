import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Ms } from '../units.ts';
import type { Channel } from './channel.ts';

export interface StreamLimits {
  readonly streams: number;
  /** Whoever has more than this still to read, beside the history itself, is dropped. */
  readonly unsentBytes: number;
  readonly tickMs: Ms;
  /** An event so often tells a silent line from a dead one, to a page too: a browser shows it no comments. */
  readonly aliveMs: Ms;
}

export const STREAM_LIMITS: StreamLimits = { streams: 16, unsentBytes: 1_048_576, tickMs: 250, aliveMs: 5_000 };
/** How long the end of the run waits for its last event to be sent. */
const LAST_WORDS_MS = 250;

interface Listener {
  readonly response: ServerResponse;
  readonly channel: Channel;
  /** Bytes of the history while it is on its way. */
  historyBytes: number;
}

/** Server-Sent Events to those who look: all there is, then what is new, a tick at a time. */
export class Streams {
  readonly #limits: StreamLimits;
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #ended = false;

  constructor(limits: StreamLimits = STREAM_LIMITS) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#listeners.size;
  }

  /** Why there can be no other stream now; undefined where there can. */
  get refusal(): string | undefined {
    if (this.#ended) return 'the run has ended';
    const { streams } = this.#limits;
    return this.count < streams
      ? undefined
      : `${streams} streams are open, which is as many as there may be; close one`;
  }

  /** The head of the response has been written. */
  open(response: ServerResponse, channel: Channel): void {
    this.#publish(channel);
    const history = channel.history();
    const listener: Listener = { response, channel, historyBytes: history.length };
    this.#listeners.add(listener);
    response.on('close', () => this.#forget(listener));
    response.on('error', () => this.#forget(listener));
    response.write(history, () => (listener.historyBytes = 0));
    this.#timer ??= setInterval(() => this.#tick(), this.#limits.tickMs);
  }

  /** Tells everyone that the run has ended, and waits a moment for it to be sent. */
  async close(): Promise<void> {
    this.#ended = true;
    const responses = [...this.#listeners].map(({ response }) => response);
    for (const channel of this.#channels()) this.#publish(channel);
    const sent = responses.filter(({ destroyed }) => !destroyed).map((response) => once(response, 'close'));
    for (const response of responses) response.end('event: end\ndata: the run has ended\n\n');
    // Whoever reads too slowly, or is cut off, does not hold up the end.
    const late = new AbortController();
    await Promise.race([Promise.allSettled(sent), wait(LAST_WORDS_MS, undefined, { signal: late.signal })]);
    late.abort();
    for (const response of responses) response.destroy();
  }

  #channels(): Set<Channel> {
    return new Set([...this.#listeners].map(({ channel }) => channel));
  }

  #tick(): void {
    for (const channel of this.#channels()) this.#publish(channel);
    if (++this.#ticks % Math.ceil(this.#limits.aliveMs / this.#limits.tickMs) !== 0) return;
    const alive = Buffer.from('event: alive\ndata: {}\n\n');
    for (const listener of this.#listeners) this.#write(listener, alive);
  }

  #publish(channel: Channel): void {
    const listeners = [...this.#listeners].filter((listener) => listener.channel === channel);
    const bytes = listeners.length === 0 ? undefined : channel.update();
    if (bytes === undefined) return;
    for (const listener of listeners) this.#write(listener, bytes);
  }

  #write(listener: Listener, bytes: Buffer): void {
    const { response, historyBytes } = listener;
    if (response.writableLength > this.#limits.unsentBytes + historyBytes) response.destroy();
    if (response.destroyed) return;
    // All that is kept, told anew: whoever could take it before is given the time to.
    const isHistory = bytes.length > this.#limits.unsentBytes / 2;
    if (isHistory) listener.historyBytes = bytes.length;
    response.write(bytes, () => isHistory && (listener.historyBytes = 0));
  }

  #forget(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
