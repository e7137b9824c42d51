import type { Us } from '../units.ts';

/** A side that is empty for longer leaves no mid to measure a markout by. */
const ONE_SIDED_LIMIT_US: Us = 250_000;

/**
 * The mid as markouts know it (FILLS specification §9): that of the last valid book, unless a gap, a stale or a crossed book lies between, or a side has
 * been empty for longer than a moment when it is asked for. Mids that no such thing lies between are of one link of the chain.
 */
export class MidChain {
  /** Number of the running link. */
  link = 0;
  #midHalf: number | undefined;
  /** Since when a side has been empty; undefined while there is a mid. */
  #oneSidedSinceUs: Us | undefined;

  /** `midHalf`: twice the mid, undefined without one. `trusted`: synchronised and not crossed. */
  onBook(nowUs: Us, midHalf: number | undefined, trusted: boolean): void {
    if (!trusted) this.link++;
    if (midHalf === undefined) {
      this.#oneSidedSinceUs ??= nowUs;
      return;
    }
    this.#midHalf = midHalf;
    this.#oneSidedSinceUs = undefined;
  }

  /** The book can no longer be trusted. */
  break(): void {
    this.link++;
  }

  /** Twice the mid at `nowUs` for a markout that began in `link`; undefined where it is not known. */
  midHalfAt(nowUs: Us, link: number): number | undefined {
    const sinceUs = this.#oneSidedSinceUs;
    if (link !== this.link || (sinceUs !== undefined && nowUs - sinceUs > ONE_SIDED_LIMIT_US)) return undefined;
    return this.#midHalf;
  }
}
