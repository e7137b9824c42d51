/** Prometheus' HTTP API, as far as a dashboard reads it. */

/** Seconds since 1970, and the value as Prometheus writes it: NaN and the infinities are text there. */
export type Sample = readonly [number, string];

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: Sample;
  readonly values?: readonly Sample[];
}

export interface QueryResult {
  readonly resultType: 'matrix' | 'vector' | 'scalar' | 'string';
  readonly result: readonly Series[] | Sample;
  readonly warnings: readonly string[];
}

interface Answer {
  readonly status: 'success' | 'error';
  readonly data?: unknown;
  readonly errorType?: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
}

export class PrometheusClient {
  readonly #base: string;

  /** `base` is the address before `/api/v1`. */
  constructor(base: string) {
    this.#base = base.endsWith('/') ? base : `${base}/`;
  }

  query(expression: string, timeMs: number, signal: AbortSignal): Promise<QueryResult> {
    return this.#result('query', { query: expression, time: String(timeMs / 1_000) }, signal);
  }

  queryRange(
    expression: string,
    range: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
    signal: AbortSignal
  ): Promise<QueryResult> {
    const [start, end, step] = [range.startMs, range.endMs, range.stepMs].map((ms) => String(ms / 1_000));
    return this.#result('query_range', { query: expression, start: start!, end: end!, step: step! }, signal);
  }

  async labelValues(label: string, parameters: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const query = new URLSearchParams(parameters).toString();
    const answer = await this.#ask(`label/${label}/values?${query}`, { method: 'GET' });
    return answer.data as readonly string[];
  }

  async #result(path: string, parameters: Record<string, string>, signal: AbortSignal): Promise<QueryResult> {
    const answer = await this.#ask(path, { method: 'POST', body: new URLSearchParams(parameters), signal });
    return { ...(answer.data as QueryResult), warnings: answer.warnings ?? [] };
  }

  /** Throws what Prometheus says of a question it does not take. */
  async #ask(path: string, request: RequestInit): Promise<Answer> {
    const response = await fetch(`${this.#base}api/v1/${path}`, request);
    const text = await response.text();
    let answer: Answer;
    try {
      answer = JSON.parse(text) as Answer;
    } catch (error) {
      throw new Error(`expected JSON of Prometheus, got status ${response.status}: ${text.slice(0, 200)}`, {
        cause: error,
      });
    }
    if (answer.status !== 'success') {
      throw new Error(`${answer.errorType}: ${answer.error}`);
    }
    return answer;
  }
}
