import type { LiveHistory, LiveKpis, LiveUpdate } from '../../../schema/types.gen.js';
import type { Cursor, History } from './history.ts';

const eventOf = (name: string, data: LiveHistory | LiveUpdate): Buffer =>
  Buffer.from(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);

/** What is told of one symbol, as bytes of the stream: written once, however many listen. */
export class Channel {
  readonly #symbol: string;
  readonly #history: History;
  readonly #kpis: () => LiveKpis;
  #told: Cursor;
  #toldKpis = '';
  /** The history as it was told last, until there is something new. */
  #toldHistory: Buffer | undefined;

  constructor(symbol: string, history: History, kpis: () => LiveKpis) {
    this.#symbol = symbol;
    this.#history = history;
    this.#kpis = kpis;
    this.#told = history.cursor;
  }

  /** All there is. Those who listen already have to be given the update first: the next one goes on from here. */
  history(): Buffer {
    const kpis = this.#kpis();
    const { cursor, givenUpFills } = this.#history;
    const { samples, fills, rewinds } = this.#told;
    const stands = cursor.samples === samples && cursor.fills === fills && cursor.rewinds === rewinds;
    if (this.#toldHistory !== undefined && stands && JSON.stringify(kpis) === this.#toldKpis) return this.#toldHistory;
    this.#tell(kpis);
    const all = this.#history.all();
    const told = { symbol: this.#symbol, samples: all.samples, fills: [...all.fills], kpis };
    return (this.#toldHistory = eventOf('history', { ...told, given_up_fills: givenUpFills }));
  }

  /** What is new since the last call; undefined where nothing is. All there is, where what was told does not hold any more. */
  update(): Buffer | undefined {
    const news = this.#history.since(this.#told);
    if (news === undefined) return this.history();
    const kpis = this.#kpis();
    const changed = JSON.stringify(kpis) !== this.#toldKpis;
    const { samples, fills } = news;
    if (samples.times_ms.length === 0 && fills.length === 0 && !changed) return undefined;
    this.#tell(kpis);
    const given_up_fills = this.#history.givenUpFills;
    const update = { symbol: this.#symbol, samples, fills: [...fills], given_up_fills };
    return eventOf('update', changed ? { ...update, kpis } : update);
  }

  #tell(kpis: LiveKpis): void {
    this.#told = this.#history.cursor;
    this.#toldKpis = JSON.stringify(kpis);
    this.#toldHistory = undefined;
  }
}
