import { pino } from 'pino';
import type { Instrument } from '../../collector/src/events.ts';
import { gridOf } from '../../collector/src/feed/decimal.ts';
import type { VirtualFill } from '../../collector/src/fills/shadow-quote.ts';
import type { RemoteWriteCounts, RemoteWriteOptions } from '../../collector/src/metrics/remote-write.ts';
import { RemoteWrite } from '../../collector/src/metrics/remote-write.ts';
import { systemClock } from '../../collector/src/system-clock.ts';
import type { Ms } from '../../collector/src/units.ts';

export const market = (symbol: string): Instrument => ({
  symbol,
  tick: gridOf('0.10')!,
  lot: gridOf('0.001')!,
  minSizeLots: 1,
  minNotionalQuote: 5,
});
export const BTC = market('BTCUSDT');

export const fillAt = (timeMs: Ms, fill: Partial<VirtualFill> = {}): VirtualFill => ({
  orderId: 1,
  model: 'touch-dwell',
  side: 1,
  liquidity: 'maker',
  cause: 'dwell',
  timeUs: timeMs * 1_000,
  priceTicks: 650_001,
  lots: 15,
  lateCancel: false,
  queueSeed: undefined,
  queueAheadAtPlacementLots: undefined,
  tradeId: undefined,
  ...fill,
});

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly reason?: string;
  readonly abandonedSamples?: number;
}

export interface Writer {
  readonly write: RemoteWrite;
  /** How long it wanted to wait, each time; it waits 5 ms at most. */
  readonly waits: Ms[];
  readonly lines: LogLine[];
  /** The log as it was written. */
  readonly text: () => string;
  /** As a run that is stopped. */
  readonly stop: () => Promise<void>;
}

const LONGEST_WAIT_MS = 5;

/** A writer in a hurry, whose waits and log are kept. */
export function writerTo(url: string, options: Partial<RemoteWriteOptions> = {}): Writer {
  const waits: Ms[] = [];
  const written: string[] = [];
  const lines: LogLine[] = [];
  const log = pino(
    { base: null },
    {
      write: (line: string) => {
        written.push(line);
        lines.push(JSON.parse(line) as LogLine);
      },
    },
  );
  const timer = (callback: () => void, ms: Ms): (() => void) => {
    waits.push(ms);
    const timeout = setTimeout(callback, Math.min(ms, LONGEST_WAIT_MS));
    return () => clearTimeout(timeout);
  };
  const stopping = new AbortController();
  const { signal } = stopping;
  const write = new RemoteWrite({
    url,
    version: '1.2.3',
    clock: systemClock(),
    random: () => 0.5,
    log,
    signal,
    timer,
    ...options,
  });
  const stop = (): Promise<void> => {
    stopping.abort();
    return write.close();
  };
  return { write, waits, lines, text: () => written.join(''), stop };
}

export const sumOf = ({ samples }: RemoteWriteCounts): number =>
  samples.stored + samples.refused + samples.overflow + samples.abandoned;
