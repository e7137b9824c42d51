import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { ProbeSchedule } from '../clock/probe-schedule.ts';
import { COARSEST_STAMP_US } from '../clock/offset-estimator.ts';
import { ShadowError } from '../errors.ts';
import type { ProbeResult } from '../events.ts';
import type { Clock } from '../system-clock.ts';
import type { Us } from '../units.ts';
import { US_PER_MS } from '../units.ts';
import type { Exchange } from './exchange.ts';
import type { RawRecord } from './records.ts';

const TIMEOUT_MS = 2_000;
/** An answer is some hundred bytes. */
const MAX_BODY_CHARACTERS = 64 * 1024;
/** The due time of a probe may be moved forward; it is looked at so often. */
const LONGEST_WAIT_MS = 500;

export interface ProbeOptions {
  readonly exchange: Exchange;
  readonly restUrl: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly onRecord: (record: RawRecord & { readonly type: 'probe' }) => void;
  /** When to ask; the discipline of a run unless given. */
  readonly schedule?: Pick<ProbeSchedule, 'dueUs' | 'sent' | 'hurry'>;
}

interface Answer {
  readonly result: ProbeResult;
  readonly answeredMonoUs: Us | undefined;
  readonly serverTimeUs: Us | undefined;
}

/**
 * Asks the exchange for its time over one kept connection, one question at a time (Cristian 1989). T1 is taken when the socket is handed to the request, just before the bytes
 * go out; T4 when the answer's headers are there. The first answer of a new connection is discarded, since its T1 lies before the handshake, and asked for again at once.
 * Nothing here ends a run: what fails is a record like any other.
 */
export class ServerTimeProbe {
  readonly #options: ProbeOptions;
  readonly #url: URL;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #schedule: Pick<ProbeSchedule, 'dueUs' | 'sent' | 'hurry'>;
  /** What came of the last question that failed, in words. */
  lastFailure: string | undefined;
  /** Sockets that have carried a question before. */
  readonly #known = new WeakSet<Socket>();
  #timer: NodeJS.Timeout | undefined;
  #request: ClientRequest | undefined;
  #started = false;
  #stopped = false;

  /** Throws SHADOW_ERR_USAGE for an exchange whose stamp is too coarse to measure anything. */
  constructor(options: ProbeOptions) {
    const { granularityUs, path } = options.exchange.serverTime;
    if (granularityUs > COARSEST_STAMP_US) {
      const expected = `expected a server time of at most ${COARSEST_STAMP_US / US_PER_MS} ms`;
      const came = `${options.exchange.id} stamps to ${granularityUs / US_PER_MS} ms`;
      throw new ShadowError('SHADOW_ERR_USAGE', `${expected}, ${came}: no clock can be measured against that`);
    }
    this.#options = options;
    this.#url = new URL(`${options.restUrl.replace(/\/$/, '')}${path}`);
    const agentOptions = { keepAlive: true, maxSockets: 1 };
    this.#agent = this.#url.protocol === 'https:' ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
    this.#schedule = options.schedule ?? new ProbeSchedule(options.random);
  }

  /** Asks from now on; once is enough. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#wait();
  }

  /** Something does not fit: the next question is wanted soon. */
  hurry(): void {
    this.#schedule.hurry();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#request?.destroy();
    this.#agent.destroy();
  }

  #wait(): void {
    if (this.#stopped) return;
    const waitMs = (this.#schedule.dueUs - this.#options.clock.monoUs()) / US_PER_MS;
    if (waitMs <= 0) void this.#probe();
    else this.#timer = setTimeout(() => this.#wait(), Math.min(waitMs, LONGEST_WAIT_MS));
  }

  async #probe(): Promise<void> {
    this.#schedule.sent(this.#options.clock.monoUs());
    if ((await this.#ask()) === 'discarded' && !this.#stopped) await this.#ask();
    this.#wait();
  }

  async #ask(): Promise<ProbeResult> {
    const { clock, onRecord } = this.#options;
    const sent = { monoUs: clock.monoUs(), reused: false };
    const answer = await this.#send((socket) => {
      // Not `reusedSocket`, which is false for a request that waited for its socket to become free.
      sent.reused = this.#known.has(socket);
      this.#known.add(socket);
      sent.monoUs = clock.monoUs();
    });
    const result = answer.result === 'ok' && !sent.reused ? 'discarded' : answer.result;
    const told = result === 'ok' ? answer : NO_ANSWER;
    const stamps = { receiveTimeUs: clock.wallUs(), monoUs: clock.monoUs() };
    if (!this.#stopped) onRecord({ type: 'probe', ...told, result, sentMonoUs: sent.monoUs, ...stamps });
    return result;
  }

  /** Resolves in every case; what comes after the first resolution changes nothing. */
  #send(onSocket: (socket: Socket) => void): Promise<Answer> {
    return new Promise((resolve) => {
      const send = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = send(this.#url, { agent: this.#agent, headers: { accept: 'application/json' } });
      this.#request = request;
      const end = (answer: Answer, failure?: string): void => {
        clearTimeout(timer);
        if (failure !== undefined) this.lastFailure = failure;
        resolve(answer);
      };
      const timer = setTimeout(() => {
        end({ ...NO_ANSWER, result: 'timeout' }, `no answer within ${TIMEOUT_MS} ms`);
        request.destroy();
      }, TIMEOUT_MS);
      request.on('socket', onSocket);
      request.on('error', (error) => end({ ...NO_ANSWER, result: 'error' }, error.message));
      request.on('response', (response) => {
        const answeredMonoUs = this.#options.clock.monoUs();
        readBody(response, (body) => end(...this.#understood(response.statusCode, body, answeredMonoUs)));
      });
      request.end();
    });
  }

  /** What an answer says, and what was wrong with it. */
  #understood(status: number | undefined, body: string | undefined, answeredMonoUs: Us): [Answer, string?] {
    const whole = body !== undefined && status === 200;
    const serverTimeUs = whole ? this.#options.exchange.serverTime.parse(body) : undefined;
    if (serverTimeUs !== undefined) return [{ result: 'ok', answeredMonoUs, serverTimeUs }];
    const came = `status ${status}, ${JSON.stringify((body ?? '').slice(0, 80))}`;
    return [{ ...NO_ANSWER, result: whole ? 'malformed' : 'error' }, came];
  }
}

const NO_ANSWER = { answeredMonoUs: undefined, serverTimeUs: undefined } as const;

/** Calls back with the whole body; undefined where it breaks off or is too long to be an answer. */
function readBody(response: IncomingMessage, done: (body: string | undefined) => void): void {
  let body = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    body += chunk;
    if (body.length > MAX_BODY_CHARACTERS) response.destroy(new Error('too long for a server time'));
  });
  response.on('error', () => done(undefined));
  response.on('end', () => done(body));
}
