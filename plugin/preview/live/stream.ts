/** What the collector tells, as it tells it. The browser comes back by itself when the line breaks; it is then told everything anew. */
import type { LiveHistory, LiveSymbols, LiveUpdate } from '@shadow-mode/schema';
import type { LiveData } from './data';
import { dataOf, withUpdate } from './data';

export type Connection = 'connecting' | 'open' | 'lost' | 'ended';

export interface LiveState {
  readonly connection: Connection;
  readonly data: LiveData | undefined;
}

/** A stream that was refused is asked for again after this: the browser does that by itself only where a line broke. */
const RETRY_MS = 2_000;

/** The state of one symbol's stream, outside of React. */
export class LiveStream {
  #state: LiveState = { connection: 'connecting', data: undefined };
  readonly #listeners = new Set<() => void>();
  readonly #address: string;
  readonly #keptMs: number;
  #source: EventSource | undefined;
  #retry: number | undefined;

  constructor(symbol: string, keptMs: number) {
    this.#address = `live/stream?symbol=${encodeURIComponent(symbol)}`;
    this.#keptMs = keptMs;
  }

  open(): void {
    const source = new EventSource(this.#address);
    this.#source = source;
    const on = (name: string, take: (text: string) => void): void =>
      source.addEventListener(name, ({ data }: MessageEvent<string>) => take(data));
    on('history', (text) => this.#set({ connection: 'open', data: dataOf(JSON.parse(text) as LiveHistory) }));
    on('update', (text) => this.#update(JSON.parse(text) as LiveUpdate));
    on('end', () => {
      this.close();
      this.#set({ ...this.#state, connection: 'ended' });
    });
    source.onerror = () => {
      this.#set({ ...this.#state, connection: 'lost' });
      if (source.readyState === EventSource.CLOSED) {
        this.#retry = window.setTimeout(() => this.open(), RETRY_MS);
      }
    };
  }

  close(): void {
    window.clearTimeout(this.#retry);
    this.#source?.close();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  snapshot = (): LiveState => this.#state;

  #update(update: LiveUpdate): void {
    const { data } = this.#state;
    if (data !== undefined) {
      this.#set({ connection: 'open', data: withUpdate(data, update, this.#keptMs) });
    }
  }

  #set(state: LiveState): void {
    this.#state = state;
    this.#listeners.forEach((listener) => listener());
  }
}

export async function aboutRun(): Promise<LiveSymbols> {
  const response = await fetch('live/symbols');
  if (!response.ok) {
    throw new Error(`live/symbols: status ${response.status}: ${await response.text()}`);
  }
  return (await response.json()) as LiveSymbols;
}
