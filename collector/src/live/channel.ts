import type { LiveHistory, LiveKpis, LiveUpdate } from '../../../schema/types.gen.js';
import type { Cursor, History } from './history.ts';

const eventOf = (name: string, data: LiveHistory | LiveUpdate): string =>
  `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/** What is told of one symbol, as text of the stream: written once, however many listen. */
export class Channel {
  readonly #symbol: string;
  readonly #history: History;
  readonly #kpis: () => LiveKpis;
  #told: Cursor;
  #toldKpis = '';

  constructor(symbol: string, history: History, kpis: () => LiveKpis) {
    this.#symbol = symbol;
    this.#history = history;
    this.#kpis = kpis;
    this.#told = history.cursor;
  }

  /** All there is. Those who listen already have to be given the update first: the next one goes on from here. */
  history(): string {
    const { samples, fills } = this.#history.all();
    const kpis = this.#kpis();
    this.#told = this.#history.cursor;
    this.#toldKpis = JSON.stringify(kpis);
    const given_up_fills = this.#history.givenUpFills;
    return eventOf('history', { symbol: this.#symbol, samples, fills: [...fills], kpis, given_up_fills });
  }

  /** What is new since the last call; undefined where nothing is. All there is, where what was told does not hold any more. */
  update(): string | undefined {
    const news = this.#history.since(this.#told);
    if (news === undefined) return this.history();
    const kpis = this.#kpis();
    const kpisText = JSON.stringify(kpis);
    const changed = kpisText !== this.#toldKpis;
    const { samples, fills } = news;
    if (samples.times_ms.length === 0 && fills.length === 0 && !changed) return undefined;
    this.#told = this.#history.cursor;
    this.#toldKpis = kpisText;
    const given_up_fills = this.#history.givenUpFills;
    const update = { symbol: this.#symbol, samples, fills: [...fills], given_up_fills };
    return eventOf('update', changed ? { ...update, kpis } : update);
  }
}
