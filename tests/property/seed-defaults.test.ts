import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { pipelineParameters } from '../../collector/src/commands/compose.ts';
import type { Source } from '../../collector/src/commands/source.ts';
import { bybitLinear } from '../../collector/src/feed/bybit.ts';
import { resolveRunConfig } from '../../collector/src/config.ts';
import type { MarketEvent } from '../../collector/src/events.ts';
import { FILL_MODELS } from '../../collector/src/fills/shadow-quote.ts';
import type { PipelineParameters } from '../../collector/src/pipeline.ts';
import { builtInProfiles } from '../../collector/src/resources.ts';
import type { MarketRun } from '../support/market.ts';
import { BookFeed, DEEP, instrument, MS, received, runBatches, S, SYMBOL, T0, tradeEvent } from '../support/market.ts';

/** What `shadow run` makes of these flags, for one symbol and its depth channel. */
function parametersOf(argv: readonly string[]): PipelineParameters {
  const config = resolveRunConfig({
    argv: ['--symbols', SYMBOL, '--iterations', '0', ...argv],
    env: {},
    readText: () => '',
    builtInProfiles: builtInProfiles(),
  });
  const source: Pick<Source, 'symbols' | 'instruments' | 'channels'> = {
    symbols: [SYMBOL],
    instruments: new Map([[SYMBOL, instrument()]]),
    channels: () => [DEEP],
  };
  return pipelineParameters(config, source as Source, bybitLinear);
}

const run = (events: readonly MarketEvent[], argv: readonly string[]): MarketRun =>
  runBatches([events], parametersOf(argv));

const STEP = 10 * MS;
const START_TICKS = 650_000;

/** A second down and a second up, by 2 basis points every 10 ms; each step prints on the side it goes to. */
function trendingMarket(seconds: number): MarketEvent[] {
  const feed = new BookFeed();
  const events: MarketEvent[] = [];
  let bid = START_TICKS;
  const levels = (best: number, sign: number): number[] =>
    Array.from({ length: 5 }, (_, level) => [best + sign * level, 20 + level]).flat();
  for (let timeUs = T0; timeUs < T0 + seconds * S; timeUs += STEP) {
    const down = Math.floor((timeUs - T0) / S) % 2 === 0;
    bid += down ? -130 : 130;
    const side = down ? { takerSign: -1 as const, priceTicks: bid } : { takerSign: 1 as const, priceTicks: bid + 1 };
    events.push(feed.snapshot(timeUs, levels(bid, -1), levels(bid + 1, 1)));
    events.push(tradeEvent(timeUs + MS, { ...side, sizeLots: 30, sequence: timeUs - T0, tradeId: String(timeUs) }));
  }
  return received(events);
}

describe('the seed’s defaults on a market with a trend', () => {
  const market = trendingMarket(6);
  const cases = ['moderate', 'aggressive'].flatMap((profile) =>
    [false, true].flatMap((volume) => FILL_MODELS.map((model) => ({ profile, volume, model }))),
  );

  test.each(cases)(
    '$profile, volume asked for: $volume, driven by $model: fills both sides',
    ({ profile, volume, model }) => {
      const argv = [
        '--profile',
        profile,
        '--touch_dwell_ms',
        '25',
        '--min_lot',
        '0',
        '--require_volume',
        String(volume),
      ];
      const { fills, reports } = run(market, [...argv, '--fill_model', model]);
      const own = fills.filter((fill) => fill.model === model && fill.liquidity === 'maker');
      expect(own.filter(({ side }) => side === 1).length).toBeGreaterThan(0);
      expect(own.filter(({ side }) => side === -1).length).toBeGreaterThan(0);
      expect(
        reports.reduce(
          (sum, { total, provisional, cutShort }) => sum + (provisional && !cutShort ? 0 : total.fills),
          0,
        ),
      ).toBe(own.length);
    },
  );

  // An order that the driver has filled is followed for the others as long as the quoting rule would have kept it: the rule, which
  // may not requote so soon, keeps it through a dwell.
  test.each(['moderate', 'aggressive'])('%s: every model fills something, whichever drives', (profile) => {
    const silent = FILL_MODELS.flatMap((driver) => {
      const { fills } = run(market, ['--profile', profile, '--fill_model', driver]);
      const filled = new Set(fills.map(({ model }) => model));
      return FILL_MODELS.filter((model) => !filled.has(model)).map((model) => `${model} under ${driver}`);
    });
    expect(silent).toEqual([]);
  });
});

describe('a frozen market', () => {
  const flags = fc.record({
    spread: fc.oneof(fc.constantFrom(0, 15, 30, -0.001), fc.double({ min: 1, max: 100, noNaN: true })),
    dwell: fc.constantFrom(0, 1, 25, 500),
    minLot: fc.constantFrom(0, 0.001, 0.5),
    volume: fc.boolean(),
    mode: fc.constantFrom('last', 'cumulative'),
    model: fc.constantFrom(...FILL_MODELS),
    exponent: fc.constantFrom('1', '2', 'Infinity'),
    age: fc.constantFrom('200', '30000'),
  });
  /** Gaps between updates that change nothing, and whether one repeats the last message or prints at the best price. */
  const quiet = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 300 }), fc.constantFrom('snapshot', 'delta', 'again', 'print')),
    {
      minLength: 5,
      maxLength: 40,
    },
  );

  test('never fills, under any model, distance, dwell or volume', () => {
    fc.assert(
      fc.property(flags, quiet, ({ spread, dwell, minLot, volume, mode, model, exponent, age }, list) => {
        const feed = new BookFeed();
        const bids = [START_TICKS, 20, START_TICKS - 1, 9];
        const asks = [START_TICKS + 1, 20, START_TICKS + 2, 9];
        let timeUs = T0;
        let last = feed.snapshot(timeUs, bids, asks);
        const events: MarketEvent[] = [last];
        for (const [afterMs, kind] of list) {
          timeUs += afterMs * MS;
          // Prints at the best price reach nothing that rests behind it.
          const side =
            afterMs % 2 === 0
              ? ({ takerSign: -1, priceTicks: START_TICKS } as const)
              : ({ takerSign: 1, priceTicks: START_TICKS + 1 } as const);
          if (kind === 'print' && spread >= 1) events.push(tradeEvent(timeUs, { ...side, sizeLots: 1_000 }));
          else if (kind === 'again') events.push(repeated(last, timeUs));
          else
            events.push((last = kind === 'delta' ? feed.delta(timeUs, bids, asks) : feed.snapshot(timeUs, bids, asks)));
        }
        const argv = Object.entries({
          spread_bps: String(spread),
          touch_dwell_ms: String(dwell),
          min_lot: String(minLot),
          require_volume: String(volume),
          volume_mode: mode,
          fill_model: model,
          queue_exponent: exponent,
          max_age_ms: age,
        }).map(([name, value]) => `--${name}=${value}`);
        const { fills, pipeline } = run(received(events), argv);
        expect(fills).toEqual([]);
        // It did quote: what never fills because it never quotes would pass too.
        expect(pipeline.symbols.get(SYMBOL)!.simulation.live).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('is quoted all the same', () => {
    const feed = new BookFeed();
    const events = [0, 100, 200].map((ms) => feed.snapshot(T0 + ms * MS, [START_TICKS, 20], [START_TICKS + 1, 20]));
    const { reports } = run(received(events), []);
    expect(reports.at(-1)!.total.orders.activated).toBe(2);
  });
});

/** A repetition of the last message at a later time. */
function repeated(event: ReturnType<BookFeed['snapshot']>, timeUs: number): MarketEvent {
  const delayUs = timeUs - event.exchangeTimeUs;
  return { ...event, receiveTimeUs: event.receiveTimeUs + delayUs, monoUs: event.monoUs + delayUs };
}
