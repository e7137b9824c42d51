import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Fill } from '../../schema/types.gen.js';
import type { Cursor } from '../../collector/src/live/history.ts';
import { History } from '../../collector/src/live/history.ts';
import { publishedAt, sampleAt, T } from '../support/live.ts';

const LIMITS = { keptMs: 1_000, samples: 5, fills: 4 };

/** A history on plain arrays, with every rule written as it is said. */
class NaiveHistory {
  samples: { timeMs: number; bid: number }[] = [];
  fills: Fill[] = [];
  givenUp = 0;

  addSample(timeMs: number, bid: number): void {
    this.samples = [...this.samples.filter((sample) => sample.timeMs < timeMs), { timeMs, bid }]
      .slice(-LIMITS.samples)
      .filter((sample) => sample.timeMs >= timeMs - LIMITS.keptMs);
    const young = this.fills.findIndex(({ time_us }) => time_us >= (timeMs - LIMITS.keptMs) * 1_000);
    this.fills = young === -1 ? [] : this.fills.slice(young);
  }

  addFill(fill: Fill): void {
    this.fills = [...this.fills, fill];
    this.givenUp += Math.max(0, this.fills.length - LIMITS.fills);
    this.fills = this.fills.slice(-LIMITS.fills);
  }
}

const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('sample'), ms: fc.integer({ min: -300, max: 900 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('fill'), ms: fc.integer({ min: -500, max: 100 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tell'), ms: fc.constant(0) }) },
);

const told = (history: History): { times: number[]; bids: (number | null)[]; fills: Fill[] } => {
  const { samples, fills } = history.all();
  return { times: samples.times_ms, bids: samples.bid, fills: [...fills] };
};

test('a history is what a naive one is, and telling on from a cursor leaves nothing out and tells nothing twice', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const history = new History(LIMITS);
      const naive = new NaiveHistory();
      let cursor: Cursor = history.cursor;
      // What somebody knows who is told now and then, less what the history itself gave up.
      let known = told(history);
      let nowMs = T;
      actions.forEach(({ kind, ms }, index) => {
        if (kind === 'sample') {
          nowMs += ms;
          history.addSample(sampleAt(nowMs, { bid: index }));
          naive.addSample(nowMs, index);
        } else if (kind === 'fill') {
          history.addFill(publishedAt(nowMs + ms, index));
          naive.addFill(publishedAt(nowMs + ms, index));
        } else {
          const news = history.since(cursor);
          known =
            news === undefined
              ? told(history)
              : {
                  times: [...known.times, ...news.samples.times_ms],
                  bids: [...known.bids, ...news.samples.bid],
                  fills: [...known.fills, ...news.fills],
                };
          cursor = history.cursor;
          const all = told(history);
          expect(known.times.slice(known.times.length - all.times.length)).toEqual(all.times);
          expect(known.bids.slice(known.bids.length - all.bids.length)).toEqual(all.bids);
          expect(known.fills.slice(known.fills.length - all.fills.length)).toEqual(all.fills);
        }
        expect(told(history)).toEqual({
          times: naive.samples.map(({ timeMs }) => timeMs),
          bids: naive.samples.map(({ bid }) => bid),
          fills: naive.fills,
        });
        expect(history.givenUpFills).toBe(naive.givenUp);
      });
    }),
    { numRuns: 500 },
  );
});
