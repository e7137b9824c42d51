import { unescape } from 'node:querystring';
import { pushTimeseries } from 'prometheus-remote-write';
import { codeOf, messageOf } from '../errors.ts';
import type { Ms } from '../units.ts';
import type { Sample } from './fill-series.ts';
import { timeseriesOf } from './fill-series.ts';

/** An answer that takes longer is none. */
export const REQUEST_TIMEOUT_MS = 10_000;
/** Of what a receiver says, at most this is read. */
const MAX_ANSWER_BYTES = 4_096;
const MAX_REASON_CHARACTERS = 200;

/** What became of a request. `whole`: no single sample is to blame, so all of them are refused alike. */
export type Verdict =
  | { readonly kind: 'stored' }
  | { readonly kind: 'retry'; readonly reason: string; readonly retryAfterMs: Ms | undefined }
  | { readonly kind: 'refused'; readonly reason: string; readonly whole: boolean };

/** Statuses that may be about one of the samples, or about how many they are; all others from 400 to 499 are about the address or the right to write. */
const ABOUT_SAMPLES = new Set([400, 413]);
/** What may pass: too slow, too fast, and every 5xx. */
const PASSING = new Set([408, 429]);
/** Prometheus answers some refusals of a sample with status 500 (2.42: a sample too old for the out-of-order window). */
const SAMPLE_FAULT = /out of order sample|out of bounds|too old sample|duplicate sample/i;

/** A receiver of Prometheus's remote write, protocol 0.1.0. What the address holds of credentials becomes a header, and is never shown. */
export class RemoteWriteReceiver {
  /** Without credentials and query. */
  readonly shown: string;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: Ms;

  constructor(address: string, version: string, timeoutMs: Ms = REQUEST_TIMEOUT_MS) {
    const url = new URL(address);
    const { username, password } = url;
    url.username = url.password = url.hash = '';
    this.#url = url.href;
    this.shown = `${url.origin}${url.pathname}`;
    this.#timeoutMs = timeoutMs;
    this.#headers = {
      'Content-Encoding': 'snappy',
      'X-Prometheus-Remote-Write-Version': '0.1.0',
      'User-Agent': `shadow-mode/${version}`,
      ...(username + password !== '' && { Authorization: basic(unescape(username), unescape(password)) }),
    };
  }

  /** Samples ascend by time. Never rejects. What was aborted on the way, or was not answered, may have been stored all the same. */
  async send(samples: readonly Sample[], signal: AbortSignal): Promise<Verdict> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const request = { redirect: 'manual', signal: AbortSignal.any([timeout, signal]) } as const;
    let retryAfter: string | null = null;
    try {
      const { status, errorMessage } = await pushTimeseries(timeseriesOf(samples), {
        url: this.#url,
        headers: this.#headers,
        fetch: async (url, init) => {
          const response = await fetch(url, { ...init, body: init!.body as ArrayBuffer, ...request });
          retryAfter = response.headers.get('retry-after');
          return { status: response.status, statusText: response.statusText, text: () => beginningOf(response) };
        },
      });
      return verdictOf(status, errorMessage ?? '', retryAfter);
    } catch (error) {
      const reason = timeout.aborted ? `no answer within ${this.#timeoutMs} ms` : failureOf(error);
      return { kind: 'retry', reason, retryAfterMs: undefined };
    }
  }
}

const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** What `fetch` throws says only that it failed; why is in its cause. */
function failureOf(error: unknown): string {
  const cause = (error as { readonly cause?: unknown } | undefined)?.cause ?? error;
  return codeOf(cause) ?? messageOf(cause);
}

async function beginningOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk as Uint8Array);
    bytes += (chunk as Uint8Array).length;
    if (bytes >= MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString('utf8');
}

export function verdictOf(status: number, answer: string, retryAfter: string | null): Verdict {
  if (status >= 200 && status < 300) return { kind: 'stored' };
  const reason = `status ${status} ${answer.trim().slice(0, MAX_REASON_CHARACTERS)}`.trimEnd();
  const clientFault = status >= 400 && status < 500 && !PASSING.has(status);
  if (clientFault || (status >= 500 && SAMPLE_FAULT.test(answer))) {
    return { kind: 'refused', reason, whole: status < 500 && !ABOUT_SAMPLES.has(status) };
  }
  return { kind: 'retry', reason, retryAfterMs: millisecondsOf(retryAfter) };
}

/** Of a Retry-After header, seconds or a date; undefined where it is neither. */
function millisecondsOf(retryAfter: string | null): Ms | undefined {
  if (retryAfter === null) return undefined;
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
