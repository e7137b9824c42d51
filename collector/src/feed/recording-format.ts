import type { ReceiveStamps } from '../events.ts';
import { PROBE_RESULTS } from '../events.ts';
import type { Build } from '../resources.ts';
import type { Us } from '../units.ts';
import type { Subscription } from './exchange.ts';
import type { RawRecord } from './records.ts';

/**
 * Our own recording: lines, compressed (written as `.br`; `.gz` and plain ones are read too), a header and then what happened, in order.
 * It is one file, or a folder of segments (session-folder.ts), each of which is such a file.
 *
 *   {"t":"header","format":"shadow-recording","version":2,"exchange":"bybit","subscriptions":[["BTCUSDT","orderbook.50"],…],"notes":[],
 *    "build":{"version":"1.2.3","commit":"…"},"session":"20260101T000000Z-1f2e3d","segment":1,"started":{"w":…,"m":…}}
 *   {"t":"http","url":"https://…","data":"<body>"}
 *   {"t":"connect","c":"1","w":1786310819526357,"m":8123456,"url":"wss://…"}
 *   {"t":"recv","c":"1","w":1786310819526357,"m":8123456,"f":<frame>}         w wall µs, m monotonic µs
 *   {"t":"probe","w":…,"m":…,"r":"ok","o":8123400,"a":8123456,"s":1786310819500123}    o, a monotonic µs when asked and answered, s the server's time, µs
 *   {"t":"disconnect","c":"1","w":…,"m":…,"reason":"…"}    {"t":"overflow",…}    {"t":"end","w":…,"m":…}    {"t":"rotate","w":…,"m":…,"next":2}
 *
 * A frame that begins and ends with a brace, is UTF-8 and of one line stands in its line as it came (`f`, always last): nothing is escaped, nothing
 * parsed, and the frame is the bytes between `"f":` and the last brace. It is not looked into, so a line is JSON where its frame is. Any other
 * frame is a string (`d`), or base64 (`b`) where it is no UTF-8. Version 1 had `d` and `b` only, and neither build, session, segment nor start.
 */
export const RECORDING_FORMAT = 'shadow-recording';
export const RECORDING_VERSION = 2;

export interface RecordingHeader {
  readonly exchange: string;
  readonly subscriptions: readonly Subscription[];
  /** Where the frames came from, if not from the exchange itself; the artifacts of a replay repeat it. */
  readonly notes: readonly string[];
  /** Made in virtual time: the same records are to give the same bytes, so nothing may depend on when they were written. */
  readonly virtual?: true;
  readonly build?: Build;
  /** The same in every segment of a session, and in no other's. */
  readonly session?: string;
  /** From 1 on. */
  readonly segment?: number;
  readonly started?: ReceiveStamps;
}

export interface HttpBody {
  readonly url: string;
  readonly body: string;
}

/** One line of a recording, ours or of the cryptofeed sample format (see replay.ts). */
export interface RecordingLine {
  readonly t?: unknown;
  readonly format?: unknown;
  readonly version?: unknown;
  readonly exchange?: unknown;
  readonly subscriptions?: unknown;
  readonly notes?: unknown;
  readonly session?: unknown;
  readonly segment?: unknown;
  readonly url?: unknown;
  readonly data?: unknown;
  readonly c?: unknown;
  readonly w?: unknown;
  readonly m?: unknown;
  readonly d?: unknown;
  readonly b?: unknown;
  /** A frame as it came: no JSON value is a Buffer. */
  readonly f?: unknown;
  readonly reason?: unknown;
  readonly r?: unknown;
  readonly o?: unknown;
  readonly a?: unknown;
  readonly s?: unknown;
  readonly conn?: unknown;
  readonly ts?: unknown;
  readonly addr?: unknown;
}

export function headerLine({
  exchange,
  subscriptions,
  notes,
  build,
  session,
  segment,
  started,
}: RecordingHeader): string {
  return JSON.stringify({
    t: 'header',
    format: RECORDING_FORMAT,
    version: RECORDING_VERSION,
    exchange,
    subscriptions: subscriptions.map(({ symbol, channel }) => [symbol, channel]),
    notes,
    build,
    session,
    segment,
    started: started === undefined ? undefined : { w: started.receiveTimeUs, m: started.monoUs },
  });
}

export const httpLine = ({ url, body }: HttpBody): string => JSON.stringify({ t: 'http', url, data: body });

/** Ends a segment that another one follows. */
export const rotateLine = ({ receiveTimeUs: w, monoUs: m }: ReceiveStamps, next: number): string =>
  JSON.stringify({ t: 'rotate', w, m, next });

/** The line of a record; of a frame that does not stand in its line as it came (line-buffer.ts). */
export const recordLine = (record: RawRecord): string => JSON.stringify(lineOf(record));

function lineOf(record: RawRecord): object {
  const { receiveTimeUs: w, monoUs: m } = record;
  switch (record.type) {
    case 'receive': {
      const text = record.frame.toString('utf8');
      const exact = Buffer.from(text, 'utf8').equals(record.frame);
      return exact
        ? { t: 'recv', c: record.connectionId, w, m, d: text }
        : { t: 'recv', c: record.connectionId, w, m, b: record.frame.toString('base64') };
    }
    case 'connect':
      return { t: 'connect', c: record.connectionId, w, m, url: record.url };
    case 'disconnect':
      return { t: 'disconnect', c: record.connectionId, w, m, reason: record.reason };
    case 'overflow':
      return { t: 'overflow', c: record.connectionId, w, m };
    case 'probe':
      return {
        t: 'probe',
        w,
        m,
        r: record.result,
        o: record.sentMonoUs,
        a: record.answeredMonoUs,
        s: record.serverTimeUs,
      };
    case 'tick':
    case 'end':
      return { t: record.type, w, m };
  }
}

/** A record that says that something is missing before the given one: whoever keeps a book must not trust it any more. */
export function overflowBefore(record: RawRecord): RawRecord {
  const { receiveTimeUs, monoUs } = record;
  const connectionId = 'connectionId' in record ? record.connectionId : '0';
  return { type: 'overflow', connectionId, receiveTimeUs, monoUs };
}

/** A record of our own format, or undefined for a line that is none. */
export function recordOf(line: RecordingLine): RawRecord | undefined {
  const { w, m } = line;
  if (typeof w !== 'number' || typeof m !== 'number') return undefined;
  const stamps: { receiveTimeUs: Us; monoUs: Us } = { receiveTimeUs: w, monoUs: m };
  const connectionId = String(line.c);
  switch (line.t) {
    case 'recv':
      return { type: 'receive', connectionId, frame: frameOf(line), ...stamps };
    case 'connect':
      return { type: 'connect', connectionId, url: String(line.url), ...stamps };
    case 'disconnect':
      return { type: 'disconnect', connectionId, reason: String(line.reason), ...stamps };
    case 'overflow':
      return { type: 'overflow', connectionId, ...stamps };
    case 'probe':
      return probeOf(line, stamps);
    case 'end':
      return { type: 'end', ...stamps };
    default:
      return undefined;
  }
}

function frameOf({ f, d, b }: RecordingLine): Buffer {
  if (Buffer.isBuffer(f)) return f;
  return typeof d === 'string' ? Buffer.from(d) : Buffer.from(String(b), 'base64');
}

/** Undefined where the line does not hold what a probe of its result has. */
function probeOf({ r, o, a, s }: RecordingLine, stamps: ReceiveStamps): RawRecord | undefined {
  const result = PROBE_RESULTS.find((each) => each === r);
  const isStamp = (value: unknown): value is Us => Number.isSafeInteger(value);
  if (result === undefined || !isStamp(o)) return undefined;
  if (result !== 'ok') {
    return { type: 'probe', result, sentMonoUs: o, answeredMonoUs: undefined, serverTimeUs: undefined, ...stamps };
  }
  if (!isStamp(a) || !isStamp(s) || a < o) return undefined;
  return { type: 'probe', result, sentMonoUs: o, answeredMonoUs: a, serverTimeUs: s, ...stamps };
}
