import type { Us } from '../units.ts';
import { Line } from './line.ts';
import type { Delivery } from './line.ts';
import type { Frame } from './simulated-symbol.ts';
import type { SimulatedExchange } from './simulated-exchange.ts';

/** Topics of one connection at most: as many as a collector of 500 symbols wants, and no more memory than that. */
const MAX_TOPICS = 4_000;

/** One WebSocket connection, seen from the exchange: what it asked for, and what is on its way to it. Pure. */
export class ClientSession {
  readonly topics = new Set<string>();
  readonly line: Line;
  readonly #exchange: SimulatedExchange;
  readonly #id: string;
  readonly #openedUs: Us;

  constructor(exchange: SimulatedExchange, seed: number, id: number, openedUs: Us) {
    this.#exchange = exchange;
    this.#id = `simulated-${id}`;
    this.#openedUs = openedUs;
    this.line = new Line(seed, String(id));
  }

  /** Takes a client's frame and answers it as Bybit does; what it does not understand is answered too. */
  receive(text: string, nowUs: Us): void {
    const { op, args, req_id: requestId } = parseRequest(text);
    const id = requestId === undefined ? {} : { req_id: requestId };
    const answer = (success: boolean, message: string, rest: object = id): void =>
      this.#answer(nowUs, { success, ret_msg: message, conn_id: this.#id, ...rest, op });
    switch (op) {
      case 'ping':
        return answer(true, 'pong');
      case 'subscribe':
        return this.#subscribe(args, answer);
      case 'unsubscribe':
        for (const topic of args) this.#release(topic);
        return answer(true, '');
      default:
        return answer(false, 'expected {"op":"subscribe"|"unsubscribe"|"ping","args":[…]}');
    }
  }

  /** A frame that was published; it is sent when it is of a topic asked for. */
  publish(frame: Frame): void {
    if (this.topics.has(frame.topic)) this.line.send(frame, this.#exchange.moment.conditions);
  }

  /** What arrives by `nowUs`; nothing any more on a connection that is half open. */
  arrived(nowUs: Us): readonly Delivery[] {
    const deliveries = this.line.arrived(nowUs);
    return this.#halfOpen ? [] : deliveries;
  }

  get #halfOpen(): boolean {
    const { conditions, sinceUs } = this.#exchange.moment;
    return conditions.halfOpen && this.#exchange.elapsedUs(this.#openedUs) < (sinceUs.halfOpen ?? 0);
  }

  /** One unknown topic refuses the whole request, and the answer does not say which request it was. */
  #subscribe(args: readonly string[], answer: (success: boolean, message: string, rest?: object) => void): void {
    const unknown = args.filter((topic) => !this.#exchange.has(topic));
    if (unknown.length > 0) return answer(false, `Invalid symbol :[${unknown.join(',')}]`, {});
    if (new Set([...this.topics, ...args]).size > MAX_TOPICS) return answer(false, `more than ${MAX_TOPICS} topics`);
    answer(true, '');
    for (const topic of args) {
      if (!this.topics.has(topic)) this.#exchange.subscribe(topic);
      this.topics.add(topic);
      const snapshot = this.#exchange.snapshot(topic);
      // The first book of a subscription is not touched by the scenario's faults: they befall what follows.
      if (snapshot !== undefined) this.line.answer(snapshot.publishUs, snapshot.text, this.#exchange.moment.conditions);
    }
  }

  /** The connection is gone. */
  close(): void {
    for (const topic of [...this.topics]) this.#release(topic);
  }

  #release(topic: string): void {
    if (this.topics.delete(topic)) this.#exchange.release(topic);
  }

  #answer(nowUs: Us, message: object): void {
    this.line.answer(nowUs, JSON.stringify(message), this.#exchange.moment.conditions);
  }
}

interface ClientRequest {
  readonly op: string;
  readonly args: readonly string[];
  readonly req_id: string | undefined;
}

function parseRequest(text: string): ClientRequest {
  const { op, args, req_id: requestId } = parseObject(text);
  return {
    op: typeof op === 'string' ? op : '',
    args: [
      ...new Set(Array.isArray(args) ? (args as readonly unknown[]).filter((each) => typeof each === 'string') : []),
    ],
    req_id: typeof requestId === 'string' ? requestId : undefined,
  };
}

/** What is no JSON object is answered like any other operation that does not exist. */
function parseObject(text: string): Readonly<Partial<Record<'op' | 'args' | 'req_id', unknown>>> {
  try {
    return (JSON.parse(text) as object | null) ?? {};
  } catch {
    return {};
  }
}
