import type { Logger } from '../log.ts';
import type { Clock } from '../system-clock.ts';
import type { Us } from '../units.ts';
import { US_PER_S } from '../units.ts';

/** Samples refused again within this time of the last are the same state, and no news. */
const REFUSALS_OVER_AFTER_US = 60 * US_PER_S;

/** One line each time the receiver begins to fail, works again, or begins to refuse samples. */
export class DeliveryLog {
  readonly #log: Logger;
  readonly #url: string;
  readonly #clock: Clock;
  #failingSinceUs: Us | undefined;
  #refusedUs = -Infinity;

  /** `url` without credentials. */
  constructor(log: Logger, url: string, clock: Clock) {
    this.#log = log;
    this.#url = url;
    this.#clock = clock;
  }

  failed(reason: string, pendingSamples: number): void {
    if (this.#failingSinceUs !== undefined) return;
    this.#failingSinceUs = this.#clock.monoUs();
    const fields = { url: this.#url, reason, pendingSamples };
    this.#log.warn(fields, 'remote write of fills fails; they wait and are tried again');
  }

  /** The receiver has answered, whatever it thinks of the samples. `overflowSamples`: given up since the start of the run. */
  answered(overflowSamples: number): void {
    if (this.#failingSinceUs === undefined) return;
    const failedForS = (this.#clock.monoUs() - this.#failingSinceUs) / US_PER_S;
    this.#failingSinceUs = undefined;
    this.#log.info({ url: this.#url, failedForS, overflowSamples }, 'remote write of fills works again');
  }

  refused(reason: string, refusedSamples: number): void {
    const nowUs = this.#clock.monoUs();
    const news = nowUs - this.#refusedUs > REFUSALS_OVER_AFTER_US;
    this.#refusedUs = nowUs;
    if (!news) return;
    const fields = { url: this.#url, reason, refusedSamples };
    this.#log.warn(fields, 'samples of fills refused by the receiver; they are counted and not tried again');
  }

  abandoned(abandonedSamples: number): void {
    const fields = { url: this.#url, abandonedSamples };
    this.#log.error(
      fields,
      'samples of fills given up at the end of the run: they are in the artifacts, and not in Prometheus',
    );
  }
}
