import { setImmediate as turn } from 'node:timers/promises';
import type { Metric as ClientMetric } from 'prom-client';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { BucketHistogram } from '../clock/histogram.ts';
import { US_PER_S } from '../units.ts';
import type { Metric, MetricName } from './catalog.ts';
import { CATALOG } from './catalog.ts';

type Labels = Readonly<Record<string, string>>;
/** Puts one value of a metric; `undefined` leaves the series out. A histogram takes its buckets, gauges and counters a number. */
export type Put = (name: MetricName, labels: Labels, value: number | BucketHistogram | undefined) => void;
/** Puts all there is. Where it yields, the event loop may have a turn. */
export type Collect = (put: Put) => Iterable<void>;

/** Below the sample_limit of provisioning/prometheus/prometheus.yml, so that what is left out is still told. A scrape beyond it is a mistake in the configuration, or of this program; what is over is left out and counted. */
export const MAX_SAMPLES = 190_000;
/** Samples written before messages get their turn: well under a millisecond of work. */
export const SAMPLES_PER_TURN = 250;
/** Gauges that prom-client names like counters; its event-loop and memory series stay. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/**
 * The catalog in prom-client. Nothing is kept here: every scrape starts empty and asks the run for its counters and gauges, so
 * that the hot path never touches a metric, and a series whose source has gone is gone. One NaN would silence an alert for its
 * whole range, so every value passes one finite check. A scrape works in turns, so that a message waits for one of them at most: a symbol's series
 * are of one moment, those of two symbols may be a few messages apart.
 */
export class MetricsRegistry {
  readonly #registry = new Registry();
  /** Of this process, by prom-client itself. */
  readonly #process = new Registry();
  readonly #families = new Map<MetricName, Family>();
  readonly #collect: Collect;
  #rejected = 0;
  #samples = 0;
  #rendering: Promise<readonly string[]> | undefined;

  constructor(collect: Collect) {
    this.#collect = collect;
    for (const [name, metric] of Object.entries(CATALOG) as [MetricName, Metric][]) {
      const family = new Family(name, metric);
      this.#families.set(name, family);
      this.#registry.registerMetric(family as unknown as ClientMetric);
    }
    collectDefaultMetrics({ register: this.#process });
    for (const name of MISNAMED) this.#process.removeSingleMetric(name);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The text of a scrape, in parts that are written one by one. Whoever asks while one is being rendered gets that one. */
  async render(): Promise<readonly string[]> {
    this.#rendering ??= this.#render().finally(() => (this.#rendering = undefined));
    return this.#rendering;
  }

  async #render(): Promise<readonly string[]> {
    this.#samples = 0;
    for (const family of this.#families.values()) family.samples.length = 0;
    const put: Put = (name, labels, value) => this.#put(name, labels, value);
    const collected = new Turns();
    for (const steps = this.#collect(put)[Symbol.iterator](); steps.next().done !== true;) {
      if (collected.due(this.#samples)) await turn();
    }
    this.#families.get('shadow_metrics_rejected_total')!.put({}, this.#rejected);
    return this.#written();
  }

  async #written(): Promise<string[]> {
    const parts = [];
    const written = new Turns();
    let samples = 0;
    for (const family of this.#families.values()) {
      for (family.from = 0; family.from === 0 || family.from < family.samples.length; family.from += SAMPLES_PER_TURN) {
        const text = `${await this.#registry.getSingleMetricAsString(family.name)}\n`;
        // Help and type stand above the first part alone.
        parts.push(family.from === 0 ? text : text.slice(text.indexOf('\n', text.indexOf('\n') + 1) + 1));
        samples += Math.min(family.samples.length - family.from, SAMPLES_PER_TURN);
        if (written.due(samples)) await turn();
      }
    }
    parts.push('\n', await this.#process.metrics());
    return parts;
  }

  #put(name: MetricName, labels: Labels, value: number | BucketHistogram | undefined): void {
    if (value === undefined) return;
    const family = this.#families.get(name)!;
    if (this.#samples >= MAX_SAMPLES || !family.takes(value)) {
      this.#rejected++;
      return;
    }
    const before = family.samples.length;
    if (typeof value === 'number') family.put(labels, value);
    else family.putHistogram(labels, value);
    this.#samples += family.samples.length - before;
  }
}

/** When so many samples have been worked on since the last turn. */
class Turns {
  #last = 0;

  due(samples: number): boolean {
    if (samples - this.#last < SAMPLES_PER_TURN) return false;
    this.#last = samples;
    return true;
  }
}

interface Sample {
  readonly metricName: string;
  readonly labels: Labels;
  readonly value: number;
}

/** The samples of one metric at one scrape, as prom-client's registry writes them. */
class Family {
  readonly samples: Sample[] = [];
  /** What is asked for begins here, and is the part of a turn. */
  from = 0;
  readonly name: MetricName;
  readonly #metric: Metric;

  constructor(name: MetricName, metric: Metric) {
    this.name = name;
    this.#metric = metric;
  }

  takes(value: number | BucketHistogram): boolean {
    if (typeof value !== 'number') return Number.isFinite(value.sumUs) && Number.isFinite(value.count);
    return Number.isFinite(value) && (this.#metric.type === 'gauge' || value >= 0);
  }

  put(labels: Labels, value: number): void {
    this.#expect(labels, this.#metric.type !== 'histogram');
    this.samples.push({ metricName: this.name, labels, value });
  }

  /** Buckets come cumulative and in seconds. */
  putHistogram(labels: Labels, { scale, counts, sumUs, count }: BucketHistogram): void {
    this.#expect(labels, this.#metric.type === 'histogram');
    const name = this.name;
    let below = 0;
    for (const [index, boundUs] of scale.boundsUs.entries()) {
      below += counts[index]!;
      const le = String(boundUs / US_PER_S);
      this.samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: below });
    }
    this.samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count });
    this.samples.push({ metricName: `${name}_sum`, labels, value: sumUs / US_PER_S });
    this.samples.push({ metricName: `${name}_count`, labels, value: count });
  }

  /** What prom-client's registry asks a metric for. */
  get(): Promise<unknown> {
    const { type, help } = this.#metric;
    const values = this.samples.slice(this.from, this.from + SAMPLES_PER_TURN);
    return Promise.resolve({ name: this.name, help, type, values });
  }

  /** Labels that the catalog does not have would be series that nobody expects, without a bound. */
  #expect(labels: Labels, kind: boolean): void {
    const names = Object.keys(labels);
    if (
      kind &&
      names.length === this.#metric.labels.length &&
      names.every((name) => this.#metric.labels.includes(name))
    )
      return;
    throw new TypeError(
      `${this.name} is a ${this.#metric.type} of ${this.#metric.labels.join(', ')}, not of ${names.join(', ')}`,
    );
  }
}
