import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { BucketHistogram } from '../clock/histogram.ts';
import { US_PER_S } from '../units.ts';
import type { Metric, MetricName } from './catalog.ts';
import { CATALOG } from './catalog.ts';

type Labels = Readonly<Record<string, string>>;
/** Puts one value of a metric; `undefined` leaves the series out. A histogram takes its buckets, gauges and counters a number. */
export type Put = (name: MetricName, labels: Labels, value: number | BucketHistogram | undefined) => void;

/**
 * The catalog in prom-client. Nothing is kept here: every scrape starts empty and asks the run for its counters and gauges, so
 * that the hot path never touches a metric, and a series whose source has gone is gone. One NaN would silence an alert for its
 * whole range, so every value passes one finite check.
 */
export class MetricsRegistry {
  readonly #registry = new Registry();
  readonly #metrics = new Map<MetricName, Counter | Gauge | RunHistogram>();
  readonly #collect: (put: Put) => void;
  #rejected = 0;

  constructor(collect: (put: Put) => void) {
    this.#collect = collect;
    for (const [name, { type, help, labels }] of Object.entries(CATALOG) as [MetricName, Metric][]) {
      const options = { name, help, labelNames: [...labels], registers: [this.#registry] };
      if (type === 'counter') this.#metrics.set(name, new Counter(options));
      else this.#metrics.set(name, type === 'gauge' ? new Gauge(options) : new RunHistogram(options));
    }
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async render(): Promise<string> {
    for (const metric of this.#metrics.values()) {
      metric.reset();
      // prom-client resets a gauge or counter without labels to 0, which would certify what nobody has put.
      if (!(metric instanceof RunHistogram)) metric.remove({});
    }
    this.#collect((name, labels, value) => this.#put(name, labels, value));
    this.#put('shadow_metrics_rejected_total', {}, this.#rejected);
    return this.#registry.metrics();
  }

  #put(name: MetricName, labels: Labels, value: number | BucketHistogram | undefined): void {
    if (value === undefined) return;
    const metric = this.#metrics.get(name)!;
    if (typeof value !== 'number' || metric instanceof RunHistogram) {
      if (typeof value === 'number' || !(metric instanceof RunHistogram))
        throw new TypeError(`${name} is put as what it is not`);
      metric.put(labels, value);
    } else if (!Number.isFinite(value) || (metric instanceof Counter && value < 0)) this.#rejected++;
    else if (metric instanceof Counter) metric.inc(labels, value);
    else metric.set(labels, value);
  }
}

interface Sample {
  readonly metricName: string;
  readonly labels: Record<string, string | number>;
  readonly value: number;
}

/** A histogram that is counted elsewhere: it renders the buckets it is given, cumulative and in seconds. */
class RunHistogram extends Histogram {
  /** Not a `#field`: the constructor of prom-client resets before there are any. */
  private samples: Sample[] = [];
  readonly #options: { readonly name: string; readonly help: string };

  constructor(options: { name: string; help: string; labelNames: string[]; registers: Registry[] }) {
    super(options);
    this.#options = options;
  }

  put(labels: Labels, { scale, counts, sumUs, count }: BucketHistogram): void {
    const { name } = this.#options;
    let below = 0;
    for (const [index, boundUs] of scale.boundsUs.entries()) {
      below += counts[index]!;
      this.samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le: boundUs / US_PER_S }, value: below });
    }
    this.samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count });
    this.samples.push({ metricName: `${name}_sum`, labels, value: sumUs / US_PER_S });
    this.samples.push({ metricName: `${name}_count`, labels, value: count });
  }

  override reset(): void {
    this.samples = [];
  }

  /** What prom-client's registry asks a metric for. */
  override get(): ReturnType<Histogram['get']> {
    const { name, help } = this.#options;
    const object = { name, help, type: 'histogram', values: this.samples, aggregator: 'sum' };
    return Promise.resolve(object) as unknown as ReturnType<Histogram['get']>;
  }

  getForPromString(): ReturnType<Histogram['get']> {
    return this.get();
  }
}
