import type { MarketEvent, ProbeEvent, ReceiveStamps } from '../events.ts';
import type { FrameDecoder, Subscription } from './exchange.ts';

/**
 * What happens at the socket, before anything is understood. A live feed makes these records, a recording keeps them, and everything
 * behind them is one code.
 */
export type RawRecord = ReceiveStamps &
  (
    | { readonly type: 'connect'; readonly connectionId: string; readonly url: string }
    | { readonly type: 'receive'; readonly connectionId: string; readonly frame: Buffer }
    | { readonly type: 'disconnect'; readonly connectionId: string; readonly reason: string }
    /** Frames were dropped because the consumer fell behind its limit. */
    | { readonly type: 'overflow'; readonly connectionId: string }
    /** A question for the exchange's time was answered, or given up. */
    | ({ readonly type: 'probe' } & Pick<ProbeEvent, 'result' | 'sentMonoUs' | 'answeredMonoUs' | 'serverTimeUs'>)
    /** Nothing arrived; time passed. */
    | { readonly type: 'tick' }
    /** The run was stopped here. */
    | { readonly type: 'end' }
  );

/** Records to events: the adapter's work, and nothing else. */
export function decodeRecords(
  records: readonly RawRecord[],
  decoder: FrameDecoder,
  subscriptions: readonly Subscription[],
): MarketEvent[] {
  const events: MarketEvent[] = [];
  for (const record of records) {
    if (record.type === 'receive') decoder.decode(record.frame, record, events);
    else decodeOther(record, subscriptions, events);
  }
  return events;
}

function decodeOther(record: RawRecord, subscriptions: readonly Subscription[], out: MarketEvent[]): void {
  const { receiveTimeUs, monoUs } = record;
  const stamps = { receiveTimeUs, monoUs };
  if (record.type === 'connect') out.push({ kind: 'connect', ...stamps, connectionId: record.connectionId });
  else if (record.type === 'disconnect') {
    out.push({ kind: 'disconnect', ...stamps, connectionId: record.connectionId, reason: record.reason });
  } else if (record.type === 'overflow') {
    for (const { symbol, channel } of subscriptions)
      out.push({ kind: 'gap', ...stamps, symbol, channel, reason: 'overflow' });
  } else if (record.type === 'probe') {
    const { result, sentMonoUs, answeredMonoUs, serverTimeUs } = record;
    out.push({ kind: 'probe', ...stamps, result, sentMonoUs, answeredMonoUs, serverTimeUs });
  } else out.push({ kind: 'heartbeat', ...stamps });
}
