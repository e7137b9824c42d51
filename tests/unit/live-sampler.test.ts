import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { MarketEvent } from '../../collector/src/events.ts';
import type { Sample } from '../../collector/src/live/sample-ring.ts';
import { Sampler } from '../../collector/src/live/sampler.ts';
import { STALE_AFTER_US } from '../../collector/src/metrics/trust.ts';
import { Pipeline } from '../../collector/src/pipeline.ts';
import {
  BookFeed,
  connectAt,
  disconnectAt,
  heartbeatAt,
  MS,
  pipelineParameters,
  probeAt,
  S,
  T0,
} from '../support/market.ts';

const [BID, ASK] = [1_000, 1_002];

/** Pushes batches through a sampler; every sample it took. */
function sampled(batches: readonly (readonly MarketEvent[])[]): { samples: Sample[]; pipeline: Pipeline } {
  const samples: Sample[] = [];
  const none = (): void => undefined;
  const outputs = { onFill: none, onWindow: none, onSymbolWindow: none, onResync: none };
  const pipeline = new Pipeline(pipelineParameters(), outputs);
  const sampler = new Sampler((_, sample) => samples.push(sample));
  for (const batch of batches) sampler.push(pipeline, batch);
  return { samples, pipeline };
}

/** A second of a book that moves every 100 ms, behind a connection. */
function market(seconds: number): MarketEvent[] {
  const feed = new BookFeed();
  const events: MarketEvent[] = [connectAt(T0)];
  for (let ms = 10; ms < seconds * 1_000; ms += 100) {
    events.push(feed.snapshot(T0 + ms * MS, [BID - (ms % 3), 10], [ASK, 10]));
  }
  return events;
}

describe('the samples of a run', () => {
  test('come once in 250 ms, behind the first message that reaches a new quarter of a second', () => {
    const { samples } = sampled([market(2)]);
    const times = samples.map(({ times_ms }) => times_ms - T0 / 1_000);
    expect(times).toHaveLength(8);
    times.forEach((time, quarter) => expect(Math.floor(time / 250)).toBe(quarter));
  });

  test('are the same however the events are cut into batches', () => {
    const events = [...market(3), heartbeatAt(T0 + 3_000 * MS), disconnectAt(T0 + 3_400 * MS)];
    const whole = sampled([events]).samples;
    expect(whole.length).toBeGreaterThan(12);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: events.length })), (cuts) => {
        const bounds = [0, ...cuts.sort((a, b) => a - b), events.length];
        const batches = bounds.slice(1).map((end, index) => events.slice(bounds[index], end));
        expect(sampled(batches).samples).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  test('there is none before the first event that counts', () => {
    expect(sampled([[heartbeatAt(T0), probeAt(T0 + MS, 10 * MS)]]).samples).toEqual([]);
  });

  test('what is not known is left out: the book before its snapshot and behind a disconnect, the offset before it is measured', () => {
    const { samples } = sampled([[...market(2), disconnectAt(T0 + 2_500 * MS)]]);
    expect(samples[0]).toMatchObject({ bid: undefined, ask: undefined, drift_ms: undefined, latency_ms: undefined });
    expect(samples[4]).toMatchObject({ bid: expect.any(Number), ask: 100.2, offset_ms: undefined });
    expect(samples.at(-1)).toMatchObject({
      bid: undefined,
      ask: undefined,
      quote_buy: undefined,
      quote_sell: undefined,
    });
    expect(samples.at(-1)!.drift_ms).toEqual(expect.any(Number));
  });

  test('a feed that says nothing for a minute has no drift and no latency any more, and no book', () => {
    const events = market(30);
    const until = (silenceUs: number): Sample =>
      sampled([[...events, heartbeatAt(T0 + 29_910 * MS + 5 * MS + silenceUs)]]).samples.at(-1)!;
    const heard = until(STALE_AFTER_US);
    expect([heard.drift_ms, heard.latency_ms, heard.bid]).toEqual([expect.any(Number), undefined, expect.any(Number)]);
    const silent = until(STALE_AFTER_US + S);
    expect([silent.drift_ms, silent.latency_ms, silent.bid]).toEqual([undefined, undefined, undefined]);
  });

  test('offset and uncertainty are those of the clock, once it is synced', () => {
    const probes = Array.from({ length: 10 }, (_, index) => probeAt(T0 + (1 + 7 * index) * S + MS, 20 * MS));
    // The last event is one that a sample is due at.
    const events = [...market(75), heartbeatAt(T0 + 75_010 * MS), ...probes].sort((a, b) => a.monoUs - b.monoUs);
    const { samples, pipeline } = sampled([events]);
    const { synced, offsetUs, uncertaintyUs } = pipeline.clock.reading(pipeline.monoUs);
    expect(synced).toBe(true);
    const { offset_ms: offset, uncertainty_ms: uncertainty, latency_ms: latency } = samples.at(-1)!;
    const p95 = pipeline.symbols.get('BTCUSDT')!.stats.latency.histogramUs.quantile(0.95);
    expect([offset, uncertainty, latency]).toEqual([offsetUs, uncertaintyUs, p95].map((us) => Math.round(us!) / 1_000));
  });
});
