/** What the collector tells, as it tells it. The browser comes back by itself when the line breaks; it is then told everything anew. */
import type { LiveHistory, LiveSymbols, LiveUpdate } from '@shadow-mode/schema';
import type { LiveData } from './data';
import { dataOf, withUpdate } from './data';

export type Connection = 'connecting' | 'open' | 'lost' | 'ended';

export interface LiveState {
  readonly connection: Connection;
  readonly data: LiveData | undefined;
}

/** A stream that was refused, or whose run has ended, is asked for again after this; the browser does so by itself only where a line broke. */
const RETRY_MS = 2_000;
/** The collector says something every five seconds, if only that it lives. */
const SILENCE_MS = 12_000;

/** The state of one symbol's stream, outside of React. */
export class LiveStream {
  #state: LiveState = { connection: 'connecting', data: undefined };
  readonly #listeners = new Set<() => void>();
  readonly #symbol: string;
  readonly #run: LiveSymbols;
  #source: EventSource | undefined;
  #timer: number | undefined;

  constructor(symbol: string, run: LiveSymbols) {
    this.#symbol = symbol;
    this.#run = run;
  }

  open(): void {
    this.close();
    const source = new EventSource(`live/stream?symbol=${encodeURIComponent(this.#symbol)}`);
    this.#source = source;
    const on = (name: string, take: (text: string) => void): void =>
      source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        this.#after(SILENCE_MS, () => this.#lose('lost'));
        take(data);
      });
    on('alive', () => undefined);
    on('history', (text) => this.#set({ connection: 'open', data: dataOf(JSON.parse(text) as LiveHistory) }));
    on('update', (text) => this.#update(JSON.parse(text) as LiveUpdate));
    on('end', () => this.#lose('ended'));
    source.onerror = () => this.#lose('lost');
    this.#after(SILENCE_MS, () => this.#lose('lost'));
  }

  close(): void {
    window.clearTimeout(this.#timer);
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
      this.#set({ connection: 'open', data: withUpdate(data, update, this.#run.history_ms) });
    }
  }

  #lose(connection: 'lost' | 'ended'): void {
    this.close();
    this.#set({ ...this.#state, connection });
    this.#after(RETRY_MS, () => void this.#comeBack());
  }

  /** Another run may have taken the address: then this page is of the one before. */
  async #comeBack(): Promise<void> {
    const run = await aboutRun().catch(() => undefined);
    if (run === undefined) {
      this.#after(RETRY_MS, () => void this.#comeBack());
    } else if (JSON.stringify(run) === JSON.stringify(this.#run)) {
      this.open();
    } else {
      window.location.reload();
    }
  }

  #after(ms: number, act: () => void): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(act, ms);
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
