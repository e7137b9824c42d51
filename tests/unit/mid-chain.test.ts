import { describe, expect, test } from '@jest/globals';
import { MidChain } from '../../collector/src/fills/mid-chain.ts';

const MS = 1_000;

describe('the mid of a markout', () => {
  /** A chain whose last valid book, of mid 100, was at 0. */
  const chainAt = (): MidChain => {
    const chain = new MidChain();
    chain.onBook(0, 200, true);
    return chain;
  };

  test('is that of the last valid book', () => {
    const chain = chainAt();
    expect(chain.midHalfAt(3_600_000 * MS, chain.link)).toBe(200);
  });

  test('is not known before the first', () => {
    const chain = new MidChain();
    expect(chain.midHalfAt(0, chain.link)).toBeUndefined();
  });

  test.each([
    { name: 'a crossed or unsynchronised book', lose: (chain: MidChain) => chain.onBook(MS, undefined, false) },
    { name: 'a gap', lose: (chain: MidChain) => chain.break() },
  ])('is not known when $name lies between, also after a good book', ({ lose }) => {
    const chain = chainAt();
    const { link } = chain;
    lose(chain);
    chain.onBook(2 * MS, 202, true);
    expect(chain.midHalfAt(3 * MS, link)).toBeUndefined();
    expect(chain.midHalfAt(3 * MS, chain.link)).toBe(202);
  });

  test('stays for a moment when a side empties, and is not known any more while it stays empty', () => {
    const chain = chainAt();
    chain.onBook(10 * MS, undefined, true);
    chain.onBook(200 * MS, undefined, true);
    expect(chain.midHalfAt(260 * MS, chain.link)).toBe(200);
    expect(chain.midHalfAt(261 * MS, chain.link)).toBeUndefined();
  });

  test('is known again when the side is back: the chain of updates held', () => {
    const chain = chainAt();
    const { link } = chain;
    chain.onBook(10 * MS, undefined, true);
    chain.onBook(9_000 * MS, 180, true);
    expect(chain.midHalfAt(9_000 * MS, link)).toBe(180);
  });
});
