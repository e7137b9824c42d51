import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Metric, MetricName } from './catalog.ts';
import { CATALOG } from './catalog.ts';

/** Puts one value of a metric; `undefined` leaves the series out. */
export type Put = (name: MetricName, labels: Readonly<Record<string, string>>, value: number | undefined) => void;

/**
 * The catalog in prom-client. Nothing is kept here: every scrape starts empty and asks the run for its counters and gauges, so
 * that the hot path never touches a metric, and a series whose source has gone is gone. One NaN would silence an alert for its
 * whole range, so every value passes one finite check.
 */
export class MetricsRegistry {
  readonly #registry = new Registry();
  readonly #metrics = new Map<MetricName, Counter | Gauge>();
  readonly #collect: (put: Put) => void;
  #rejected = 0;

  constructor(collect: (put: Put) => void) {
    this.#collect = collect;
    for (const [name, { type, help, labels }] of Object.entries(CATALOG) as [MetricName, Metric][]) {
      const options = { name, help, labelNames: [...labels], registers: [this.#registry] };
      this.#metrics.set(name, type === 'counter' ? new Counter(options) : new Gauge(options));
    }
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async render(): Promise<string> {
    for (const metric of this.#metrics.values()) metric.reset();
    this.#collect((name, labels, value) => this.#put(name, labels, value));
    this.#put('shadow_metrics_rejected_total', {}, this.#rejected);
    return this.#registry.metrics();
  }

  #put(name: MetricName, labels: Readonly<Record<string, string>>, value: number | undefined): void {
    if (value === undefined) return;
    const metric = this.#metrics.get(name)!;
    if (!Number.isFinite(value) || (metric instanceof Counter && value < 0)) this.#rejected++;
    else if (metric instanceof Counter) metric.inc(labels, value);
    else metric.set(labels, value);
  }
}
