/** What the collector tells, as it tells it. The browser comes back by itself when the line breaks; it is then told everything anew. */
import type { LiveHistory, LiveSymbols, LiveUpdate } from '@shadow-mode/schema';
import type { LiveData } from './data';
import { dataOf, withUpdate } from './data';

export type Connection = 'connecting' | 'open' | 'lost' | 'ended';

export interface LiveState {
  readonly connection: Connection;
  readonly data: LiveData | undefined;
}

/** The state of one symbol's stream, outside of React. */
export class LiveStream {
  #state: LiveState = { connection: 'connecting', data: undefined };
  readonly #listeners = new Set<() => void>();
  readonly #source: EventSource;

  constructor(symbol: string, keptMs: number) {
    this.#source = new EventSource(`live/stream?symbol=${encodeURIComponent(symbol)}`);
    this.#on('history', (text) => this.#set({ connection: 'open', data: dataOf(JSON.parse(text) as LiveHistory) }));
    this.#on('update', (text) => {
      const { data } = this.#state;
      if (data !== undefined) {
        this.#set({ connection: 'open', data: withUpdate(data, JSON.parse(text) as LiveUpdate, keptMs) });
      }
    });
    this.#on('end', () => {
      this.close();
      this.#set({ ...this.#state, connection: 'ended' });
    });
    this.#source.onerror = () => this.#set({ ...this.#state, connection: 'lost' });
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  snapshot = (): LiveState => this.#state;

  close(): void {
    this.#source.close();
  }

  #on(name: string, take: (text: string) => void): void {
    this.#source.addEventListener(name, ({ data }: MessageEvent<string>) => take(data));
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
