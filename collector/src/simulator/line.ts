import { lognormalSigma } from '../fills/latency-model.ts';
import type { Us } from '../units.ts';
import { US_PER_MS } from '../units.ts';
import { Random } from './random.ts';
import type { Conditions } from './scenario.ts';
import type { Frame } from './simulated-symbol.ts';

/** Bytes on their way to one client. */
export interface Delivery {
  /** True time of arrival. */
  readonly dueUs: Us;
  readonly data: string | Buffer;
  /** The topic whose update is lost with this frame, or was lost; undefined where nothing is. */
  readonly lostTopic: string | undefined;
}

const STALL_PERIOD_US = 7_500 * US_PER_MS;

/**
 * The line from the exchange to one client: it delays, it keeps the order (it is one TCP connection) unless the scenario says otherwise, and
 * it does to frames what the scenario says. Pure: the seed and the frames decide.
 */
export class Line {
  readonly #random: Random;
  /** On their way, by time of arrival. */
  readonly #pending: Delivery[] = [];
  #lastDueUs: Us = -Infinity;

  constructor(seed: number, name: string) {
    this.#random = new Random(seed, `line ${name}`);
  }

  /** When the next delivery arrives; Infinity when none is on its way. */
  get dueUs(): Us {
    return this.#pending[0]?.dueUs ?? Infinity;
  }

  /** An answer to the client: it is delayed like everything, and nothing else happens to it. */
  answer(nowUs: Us, data: string, conditions: Conditions): void {
    this.#enqueue(nowUs, data, conditions, false);
  }

  /** A frame of a topic the client is subscribed to. */
  send({ publishUs, topic, text }: Frame, conditions: Conditions): void {
    const random = this.#random;
    if (conditions.dropShare > 0 && isDelta(text) && random.chance(conditions.dropShare)) {
      this.#lose(publishUs, topic, conditions);
      return;
    }
    if (random.chance(conditions.badShare)) {
      this.#enqueue(publishUs, damaged(text, random), conditions, false, topic);
      return;
    }
    const late = conditions.disorderMs > 0 && random.chance(0.25);
    this.#enqueue(publishUs, text, conditions, late);
    if (random.chance(conditions.duplicateShare)) this.#enqueue(publishUs, text, conditions, false);
  }

  /** Everything that has arrived by `nowUs`, in order. */
  arrived(nowUs: Us): Delivery[] {
    let count = 0;
    while (count < this.#pending.length && this.#pending[count]!.dueUs <= nowUs) count++;
    return count === 0 ? [] : this.#pending.splice(0, count);
  }

  /** One way, drawn anew: for answers beside the line, such as REST. */
  delayUs(conditions: Conditions): Us {
    const { median, p95 } = conditions.delayMs;
    return this.#random.lognormal(median, lognormalSigma(median, p95)) * US_PER_MS;
  }

  #lose(publishUs: Us, topic: string, conditions: Conditions): void {
    this.#insert({ dueUs: this.#dueOf(publishUs, conditions), data: '', lostTopic: topic });
  }

  #enqueue(atUs: Us, data: string | Buffer, conditions: Conditions, late: boolean, lostTopic?: string): void {
    const dueUs = this.#dueOf(atUs, conditions);
    if (late) {
      this.#insert({ dueUs: dueUs + this.#random.uniform() * conditions.disorderMs * US_PER_MS, data, lostTopic });
      return;
    }
    this.#insert({ dueUs, data, lostTopic });
  }

  #dueOf(atUs: Us, conditions: Conditions): Us {
    let dueUs = atUs + this.delayUs(conditions);
    const intoPeriodUs = atUs % STALL_PERIOD_US;
    const stallUs = conditions.stallMs * US_PER_MS;
    if (intoPeriodUs < stallUs) dueUs = Math.max(dueUs, atUs - intoPeriodUs + stallUs);
    return (this.#lastDueUs = Math.max(dueUs, this.#lastDueUs));
  }

  #insert(delivery: Delivery): void {
    const pending = this.#pending;
    let at = pending.length;
    while (at > 0 && pending[at - 1]!.dueUs > delivery.dueUs) at--;
    pending.splice(at, 0, delivery);
  }
}

const isDelta = (text: string): boolean => text.includes('"type":"delta"');

/** The ways in which frames have been seen to be broken, and some more. */
const DAMAGES: readonly ((text: string, random: Random) => string | Buffer)[] = [
  truncated,
  (text) => text.replace(/(\[|"p":)"[\d.]+"/, '$1"NaN"'),
  (text) => text.replace(/"(\d+)\.(\d+)"/, '"$1.$2123456"'),
  (text) => text.replace(/"(b|data)":\[/, '"$1":["x",'),
  (text) => text.replace(/"(cts|T)":\d+/, '"$1":"soon"'),
  (text) => text.replace(/"u":\d+/, '"u":-1').replace(/"S":"\w+"/, '"S":"Both"'),
  (_text, random) => Buffer.from(Array.from({ length: 64 }, () => random.below(256))),
  (text) => text.replace('"topic"', '"tropic"'),
];

/** A frame that has nothing of what a damage would change loses its end. */
function damaged(text: string, random: Random): string | Buffer {
  const result = DAMAGES[random.below(DAMAGES.length)]!(text, random);
  return result === text ? truncated(text, random) : result;
}

function truncated(text: string, random: Random): string {
  return text.slice(0, 1 + random.below(text.length - 1));
}
