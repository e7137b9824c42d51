import type { Instrument } from '../events.ts';
import type { VirtualFill } from '../fills/shadow-quote.ts';
import type { Logger } from '../log.ts';
import type { Clock } from '../system-clock.ts';
import type { Ms } from '../units.ts';
import { FillQueue } from './fill-queue.ts';
import type { Sample } from './fill-series.ts';
import { FillSeries, inOrder, SAMPLES_PER_FILL } from './fill-series.ts';
import { DeliveryLog } from './remote-write-log.ts';
import type { Verdict } from './remote-write-request.ts';
import { RemoteWriteReceiver } from './remote-write-request.ts';

/** Fills that wait for the receiver, at most, beside the request under way; of more the oldest are given up and counted: `overflow`. */
export const MAX_WAITING_FILLS = 20_000;
/** Samples of a request, at most. */
export const MAX_SAMPLES_PER_REQUEST = 500;
const SEND_EVERY_MS = 1_000;
/** Back-off between attempts: the bounds of the first one's wait, doubling up to the longest. */
export const RETRY_WAIT_MS = { first: [250, 500], longest: 10_000, longestAsked: 60_000 } as const;
/** How long the end of a run waits for the receiver: one that ends by itself; one that is stopped, from the signal on; and always. */
export const FLUSH_MS = { ended: 5_000, stopped: 800, least: 300 } as const;

export const REMOTE_WRITE_RESULTS = ['stored', 'refused', 'overflow', 'abandoned'] as const;
type Result = (typeof REMOTE_WRITE_RESULTS)[number];

export interface RemoteWriteCounts {
  /** With those pending, all samples of the fills pushed. */
  readonly samples: Readonly<Record<Result, number>>;
  readonly retries: number;
  readonly pendingSamples: number;
}

export interface RemoteWriteOptions {
  readonly url: string;
  readonly version: string;
  readonly clock: Clock;
  /** Uniform in [0, 1): spreads retries. */
  readonly random: () => number;
  readonly log: Logger;
  /** Aborted when the run is stopped, and in a hurry. */
  readonly signal: AbortSignal;
  readonly maxWaitingFills?: number;
  readonly timeoutMs?: Ms;
  /** Calls back after so long; what it returns calls that off. */
  readonly timer?: (callback: () => void, ms: Ms) => () => void;
}

/** Fills to Prometheus, each at its own time: queued in memory, in batches, one request after the other, tried again while that may help. */
export class RemoteWrite {
  readonly #receiver: RemoteWriteReceiver;
  readonly #queue: FillQueue;
  readonly #series = new FillSeries();
  readonly #random: () => number;
  readonly #timer: NonNullable<RemoteWriteOptions['timer']>;
  readonly #log: DeliveryLog;
  readonly #signal: AbortSignal;
  #stoppedMs: Ms | undefined;
  readonly #counts = { stored: 0, refused: 0, overflow: 0, abandoned: 0 };
  /** Batches out of the queue and not yet dealt with, the next one last: what is left of one that is halved goes on here. */
  readonly #work: Sample[][] = [];
  #retries = 0;
  #attempt = 0;
  #request: AbortController | undefined;
  #wake: (() => void) | undefined;
  /** No more fills come; `#over`: and there is no more time either. */
  #ending = false;
  #over = false;
  #closing: Promise<void> | undefined;
  #deadline: NodeJS.Timeout | undefined;
  readonly #delivery: Promise<void>;

  constructor({ url, version, clock, random, log, signal, maxWaitingFills, timeoutMs, timer }: RemoteWriteOptions) {
    this.#receiver = new RemoteWriteReceiver(url, version, timeoutMs);
    this.#queue = new FillQueue(maxWaitingFills ?? MAX_WAITING_FILLS);
    this.#random = random;
    this.#timer = timer ?? systemTimer;
    this.#log = new DeliveryLog(log, this.#receiver.shown, clock);
    this.#signal = signal;
    if (signal.aborted) this.#onStop();
    signal.addEventListener('abort', this.#onStop, { once: true });
    this.#delivery = this.#run();
  }

  get counts(): RemoteWriteCounts {
    const { stored, refused, overflow, abandoned } = this.#counts;
    const dropped = this.#queue.dropped * SAMPLES_PER_FILL;
    const samples = { stored, refused, overflow: overflow + dropped, abandoned };
    const inWork = this.#work.reduce((sum, batch) => sum + batch.length, 0);
    return { samples, retries: this.#retries, pendingSamples: this.#queue.size * SAMPLES_PER_FILL + inWork };
  }

  /** On the hot path: the fill waits here, and nothing else is done. */
  push(instrument: Instrument, fill: VirtualFill): void {
    this.#queue.push({ instrument, fill });
  }

  /** Sends what is left for as long as there is time, and counts the rest as abandoned. Never rejects. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#ending = true;
    const leftMs =
      this.#stoppedMs === undefined ? FLUSH_MS.ended : FLUSH_MS.stopped - performance.now() + this.#stoppedMs;
    this.#endWithin(Math.max(leftMs, FLUSH_MS.least));
    this.#wake?.();
    await this.#delivery;
    this.#signal.removeEventListener('abort', this.#onStop);
    clearTimeout(this.#deadline);
    this.#abandon();
  }

  readonly #onStop = (): void => {
    this.#stoppedMs = performance.now();
    if (this.#ending) this.#endWithin(FLUSH_MS.stopped);
  };

  #endWithin(ms: Ms): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => {
      this.#over = true;
      this.#request?.abort();
      this.#wake?.();
    }, ms);
  }

  #abandon(): void {
    const { pendingSamples } = this.counts;
    this.#counts.abandoned = pendingSamples;
    this.#work.length = 0;
    this.#queue.take(this.#queue.size);
    if (pendingSamples > 0) this.#log.abandoned(pendingSamples);
  }

  async #run(): Promise<void> {
    let last: boolean;
    do {
      // What comes before the end is announced is sent in the round after it.
      last = this.#ending;
      await this.#sendAll();
      if (!this.#ending) await this.#pause(SEND_EVERY_MS);
    } while (!last && !this.#over);
  }

  async #sendAll(): Promise<void> {
    for (let batch = this.#next(); batch !== undefined; batch = this.#next()) {
      this.#request = new AbortController();
      const verdict = await this.#receiver.send(batch, this.#request.signal);
      this.#request = undefined;
      if (verdict.kind !== 'retry') this.#settle(batch, verdict);
      else if (!this.#over) await this.#retryLater(verdict);
      if (this.#over) return;
    }
  }

  /** The batch to send now, which stays in work until it is settled; undefined when there is none. */
  #next(): Sample[] | undefined {
    while (this.#work.length === 0) {
      const fills = this.#queue.take(MAX_SAMPLES_PER_REQUEST / SAMPLES_PER_FILL);
      if (fills.length === 0) return undefined;
      const samples = fills.flatMap((fill) => this.#series.samplesOf(fill) ?? []);
      this.#counts.overflow += fills.length * SAMPLES_PER_FILL - samples.length;
      if (samples.length > 0) this.#work.push(inOrder(samples));
    }
    return this.#work.at(-1);
  }

  /** The receiver has taken a batch, or rolled it back for one bad sample: that is searched for by halves. */
  #settle(batch: Sample[], verdict: Exclude<Verdict, { kind: 'retry' }>): void {
    this.#work.pop();
    this.#attempt = 0;
    this.#log.answered(this.counts.samples.overflow);
    if (verdict.kind === 'stored') {
      this.#counts.stored += batch.length;
    } else if (verdict.whole || batch.length === 1) {
      this.#counts.refused += batch.length;
      this.#log.refused(verdict.reason, this.#counts.refused);
    } else {
      const half = Math.ceil(batch.length / 2);
      this.#work.push(batch.slice(half), batch.slice(0, half));
    }
  }

  async #retryLater({ reason, retryAfterMs }: Extract<Verdict, { kind: 'retry' }>): Promise<void> {
    const waitMs = retryWaitMs(this.#attempt++, this.#random(), retryAfterMs);
    this.#retries++;
    this.#log.failed(reason, this.counts.pendingSamples);
    await this.#pause(waitMs);
  }

  #pause(ms: Ms): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#timer(resolve, ms);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** Exponential back-off with jitter between half a step and a whole one; what the receiver asks for, if that is longer, within reason. */
export function retryWaitMs(attempt: number, random: number, retryAfterMs: Ms | undefined): Ms {
  const { first, longest, longestAsked } = RETRY_WAIT_MS;
  const stepMs = Math.min(longest, first[1] * 2 ** Math.min(attempt, 30));
  return Math.max((stepMs * (1 + random)) / 2, Math.min(retryAfterMs ?? 0, longestAsked));
}

function systemTimer(callback: () => void, ms: Ms): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
