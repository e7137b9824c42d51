import type { Ms } from '../units.ts';

const ALPHA = 0.05;

/**
 * The seed's drift: EWMA (α = 0.05 a message) of receive − exchange time, ms. It is clock offset *plus* one-way delay; one-way
 * stamps cannot separate them. Signed and never clamped: a local clock that is behind gives a negative drift. The first
 * sample initialises it. Undefined before one.
 */
export class DriftEwma {
  #valueMs: Ms | undefined;

  get valueMs(): Ms | undefined {
    return this.#valueMs;
  }

  record(receiveMinusExchangeMs: Ms): void {
    this.#valueMs =
      this.#valueMs === undefined
        ? receiveMinusExchangeMs
        : (1 - ALPHA) * this.#valueMs + ALPHA * receiveMinusExchangeMs;
  }
}
