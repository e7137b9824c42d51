import type { ReceiveStamps } from '../events.ts';
import type { Exchange, Subscription } from '../feed/exchange.ts';
import type { RawRecord } from '../feed/records.ts';
import type { Us } from '../units.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';
import { ClientSession } from './client-session.ts';
import { ProbeSchedule } from '../clock/probe-schedule.ts';
import { Line } from './line.ts';
import { Random } from './random.ts';
import type { SimulatedExchange } from './simulated-exchange.ts';

export interface VirtualClientOptions {
  readonly exchange: SimulatedExchange;
  readonly adapter: Exchange;
  readonly subscriptions: readonly Subscription[];
  readonly seed: number;
  /** True time at which the client ends. */
  readonly untilUs: Us;
  readonly url: string;
}

/** How soon a client that lost something asks for a new snapshot, and how soon one that lost its connection has a new one. */
const RESYNC_US: Us = 60 * US_PER_MS;
const RESYNC_AFTER_STEP_US: Us = 2 * US_PER_S;
const RECONNECT_US: Us = 500 * US_PER_MS;
/** A line that says nothing for so long is given up: 2.5 pings, as a collector does. */
const DEAD_US: Us = 37_500 * US_PER_MS;
/** Stamps that go back by more than this leave a collector with updates out of order. */
const BACKWARD_US: Us = 20 * US_PER_MS;
/** Its monotonic clock at the start. */
const MONO_START_US: Us = US_PER_S;

/**
 * A client in virtual time: what a collector beside the exchange would have received, stamped by a clock that is right. It asks for snapshots
 * of what it lost, and comes back after a loss of the connection. The same options give the same records, as fast as they can be made.
 */
export class VirtualClient {
  readonly #options: VirtualClientOptions;
  readonly #startUs: Us;
  readonly #resyncs = new Map<string, Us>();
  #session: ClientSession | undefined;
  #connections = 0;
  #requests = 0;
  #connectUs: Us;
  #nextCutUs: Us = 0;
  #heardUs: Us;
  #clockErrorUs: Us = 0;
  readonly #probes: ProbeSchedule;
  readonly #restLine: Line;
  /** The probe under way, until its answer arrives. */
  #answer: { readonly arrivalUs: Us; readonly sentMonoUs: Us; readonly serverTimeUs: Us } | undefined;

  constructor(options: VirtualClientOptions) {
    this.#options = options;
    this.#startUs = options.exchange.nowUs;
    this.#connectUs = this.#startUs;
    this.#heardUs = this.#startUs;
    const random = new Random(options.seed, 'probes');
    this.#probes = new ProbeSchedule(() => random.uniform());
    this.#restLine = new Line(options.seed, 'rest');
  }

  /** Batches of one step of the market each; the last ends with an `end` record. */
  *records(): Generator<RawRecord[]> {
    const { exchange, untilUs } = this.#options;
    while (exchange.nowUs < untilUs) {
      const records: RawRecord[] = [];
      if (this.#session === undefined && exchange.nowUs >= this.#connectUs) this.#connect(records);
      const frames = exchange.step();
      for (const frame of frames) this.#session?.publish(frame);
      this.#receive(records);
      this.#probe(records);
      this.#keep(records);
      yield records;
    }
    yield [{ type: 'end', ...this.#stamps(untilUs) }];
  }

  /** Its clocks as they are now. */
  get stamps(): ReceiveStamps {
    return this.#stamps(this.#options.exchange.nowUs);
  }

  #connect(records: RawRecord[]): void {
    const { exchange, adapter, subscriptions, seed, url } = this.#options;
    const { nowUs } = exchange;
    this.#session = new ClientSession(exchange, seed, ++this.#connections, nowUs);
    this.#heardUs = nowUs;
    records.push({ type: 'connect', connectionId: String(this.#connections), url, ...this.#stamps(nowUs) });
    for (const symbol of new Set(subscriptions.map((each) => each.symbol))) {
      const own = subscriptions.filter((each) => each.symbol === symbol);
      this.#session.receive(adapter.subscribe(this.#nextRequestId(), own), nowUs);
    }
  }

  #receive(records: RawRecord[]): void {
    const { nowUs } = this.#options.exchange;
    const connectionId = String(this.#connections);
    for (const { dueUs, data, lostTopic } of this.#session?.arrived(nowUs) ?? []) {
      if (lostTopic !== undefined) this.#resyncs.set(lostTopic, dueUs + RESYNC_US);
      if (data.length === 0) continue;
      this.#heardUs = dueUs;
      const frame = typeof data === 'string' ? Buffer.from(data) : data;
      records.push({ type: 'receive', connectionId, frame, ...this.#stamps(dueUs) });
    }
  }

  /** Asks for the exchange's time as a collector does; the answer stands among what arrives in the same step. */
  #probe(records: RawRecord[]): void {
    const { exchange } = this.#options;
    const { nowUs } = exchange;
    if (this.#answer !== undefined && this.#answer.arrivalUs <= nowUs) {
      const { arrivalUs, sentMonoUs, serverTimeUs } = this.#answer;
      const stamps = this.#stamps(arrivalUs);
      const later = records.findIndex(({ monoUs }) => monoUs > stamps.monoUs);
      const place = later === -1 ? records.length : later;
      records.splice(place, 0, {
        type: 'probe',
        result: 'ok',
        sentMonoUs,
        answeredMonoUs: stamps.monoUs,
        serverTimeUs,
        ...stamps,
      });
      this.#answer = undefined;
    }
    if (this.#session === undefined || this.#answer !== undefined || this.#stamps(nowUs).monoUs < this.#probes.dueUs)
      return;
    const { conditions } = exchange.moment;
    const thereUs = nowUs + this.#restLine.delayUs(conditions);
    const arrivalUs = thereUs + this.#restLine.delayUs(conditions);
    const sentMonoUs = this.#stamps(nowUs).monoUs;
    this.#probes.sent(sentMonoUs);
    this.#answer = { arrivalUs, sentMonoUs, serverTimeUs: Math.floor(exchange.clockUs(thereUs)) };
  }

  #keep(records: RawRecord[]): void {
    const { exchange, adapter } = this.#options;
    const { nowUs, moment } = exchange;
    const { disconnectEveryMs } = moment.conditions;
    const cut = disconnectEveryMs > 0 && nowUs >= this.#nextCutUs;
    if (cut) this.#nextCutUs = nowUs + disconnectEveryMs * US_PER_MS;
    const errorUs = exchange.clockUs(nowUs) - nowUs;
    if (errorUs < this.#clockErrorUs - BACKWARD_US) {
      for (const topic of this.#session?.topics ?? []) this.#resyncs.set(topic, nowUs + RESYNC_AFTER_STEP_US);
    }
    this.#clockErrorUs = errorUs;
    if (this.#session === undefined) return;
    const session = this.#session;
    if (cut || nowUs - this.#heardUs > DEAD_US) {
      this.#disconnect(cut ? 'cut by the exchange' : 'silent', records);
      return;
    }
    for (const [topic, dueUs] of this.#resyncs) {
      if (dueUs > nowUs) continue;
      this.#resyncs.delete(topic);
      const subscriptions = adapter.subscriptionsOf(JSON.stringify({ op: 'subscribe', args: [topic] }));
      session.receive(adapter.unsubscribe(this.#nextRequestId(), subscriptions), nowUs);
      session.receive(adapter.subscribe(this.#nextRequestId(), subscriptions), nowUs);
    }
  }

  #disconnect(reason: string, records: RawRecord[]): void {
    const { nowUs } = this.#options.exchange;
    this.#session?.close();
    this.#session = undefined;
    this.#resyncs.clear();
    this.#connectUs = nowUs + RECONNECT_US;
    records.push({ type: 'disconnect', connectionId: String(this.#connections), reason, ...this.#stamps(nowUs) });
  }

  #stamps(trueUs: Us): ReceiveStamps {
    const receiveTimeUs = Math.round(trueUs);
    return { receiveTimeUs, monoUs: receiveTimeUs - this.#startUs + MONO_START_US };
  }

  #nextRequestId(): string {
    return String(++this.#requests);
  }
}
