import type { Ms } from '../units.ts';

const ALPHA = 0.05;

/**
 * The seed's drift: EWMA (α = 0.05 a message) of receive − exchange time, ms. It is clock offset *plus* one-way delay; one-way
 * stamps cannot separate them. Signed and never clamped: a local clock that is behind gives a negative drift. The first
 * sample initialises it. Undefined before one.
 */
export class DriftEwma {
  #valueMs: Ms = 0;
  #started = false;

  get valueMs(): Ms | undefined {
    return this.#started ? this.#valueMs : undefined;
  }

  record(receiveMinusExchangeMs: Ms): void {
    this.#valueMs = this.#started
      ? (1 - ALPHA) * this.#valueMs + ALPHA * receiveMinusExchangeMs
      : receiveMinusExchangeMs;
    this.#started = true;
  }
}
