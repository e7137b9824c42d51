import { ShadowError } from '../errors.ts';
import type { Us } from '../units.ts';
import { US_PER_MS } from '../units.ts';
import type { Exchange, Subscription } from './exchange.ts';
import type { HttpBody, RecordingLine } from './recording-format.ts';
import { RECORDING_FORMAT, RECORDING_VERSION, recordOf } from './recording-format.ts';
import type { FileEnd } from './recording-reader.ts';
import { readLines } from './recording-reader.ts';
import type { RawRecord } from './records.ts';

/** How a recording, or a segment of one, ended. */
export interface RecordsEnd {
  /** Its last line: what the recorder writes when it stops, or when the next segment begins; undefined where there is neither. */
  readonly by: 'end' | 'rotate' | undefined;
  /** A sentence for the user, without the file; undefined where all is well. */
  readonly trouble: string | undefined;
}

/** One file of our own format, opened: what stands before the first record, and the records. */
export interface RecordingFile {
  readonly header: RecordingLine;
  readonly subscriptions: readonly Subscription[];
  readonly bodies: readonly HttpBody[];
  readonly notes: readonly string[];
  /** Can be iterated once. */
  readonly records: AsyncGenerator<readonly RawRecord[], RecordsEnd>;
  /** For a file whose records nobody wants. */
  readonly close: () => Promise<void>;
}

export type Lines = AsyncGenerator<readonly RecordingLine[], FileEnd>;

/** A file that holds no line yet. */
export class EmptyRecording extends ShadowError {
  constructor(path: string) {
    super('SHADOW_ERR_INPUT', `the recording ${path} is empty`);
  }
}

/** The first lines of a file. Throws ShadowError where it is empty, or does not begin with a header. */
export async function openLines(path: string): Promise<{ first: readonly RecordingLine[]; lines: Lines }> {
  const lines = readLines(path);
  const first = await lines.next();
  if (first.done === true) throw new EmptyRecording(path);
  const { t } = first.value[0]!;
  if (t === 'header') return { first: first.value, lines };
  await closeLines(lines);
  throw new ShadowError(
    'SHADOW_ERR_INPUT',
    `expected a header in the first line of ${path}, got t = ${JSON.stringify(t)}`,
  );
}

/** A file that begins with our own header. Throws ShadowError where it is of a later version, or of another exchange. */
export async function openFile(
  path: string,
  { first, lines }: { first: readonly RecordingLine[]; lines: Lines },
  exchange: Exchange,
): Promise<RecordingFile> {
  const header = first[0]!;
  const problem = problemOf(path, header, exchange);
  if (problem !== undefined) {
    await closeLines(lines);
    throw problem;
  }
  const bodies: HttpBody[] = [];
  let batch = first.slice(1);
  let end: FileEnd | undefined;
  for (;;) {
    const at = batch.findIndex(({ t }) => t !== 'http');
    const own = at < 0 ? batch : batch.slice(0, at);
    bodies.push(...own.map(({ url, data }) => ({ url: String(url), body: String(data) })));
    batch = batch.slice(own.length);
    if (batch.length > 0) break;
    const next = await lines.next();
    if (next.done === true) {
      end = next.value;
      break;
    }
    batch = [...next.value];
  }
  return { ...known(header), bodies, records: recordsOf(batch, lines, end), close: () => closeLines(lines) };
}

async function closeLines(lines: Lines): Promise<void> {
  await lines.return({ kind: 'whole' });
}

function problemOf(
  path: string,
  { format, version, exchange: recorded }: RecordingLine,
  exchange: Exchange,
): ShadowError | undefined {
  if (format !== RECORDING_FORMAT || typeof version !== 'number' || version < 1 || version > RECORDING_VERSION) {
    const came = `${JSON.stringify(format)} version ${JSON.stringify(version)}`;
    const expected = `expected recording version 1 to ${RECORDING_VERSION} in ${path}`;
    return new ShadowError('SHADOW_ERR_INPUT', `${expected}, got ${came}`);
  }
  if (recorded === exchange.id) return undefined;
  const hint = `--exchange ${String(recorded)}`;
  return new ShadowError('SHADOW_ERR_USAGE', `${path} was recorded with ${hint}, not --exchange ${exchange.id}`);
}

function known(header: RecordingLine): Pick<RecordingFile, 'header' | 'subscriptions' | 'notes'> {
  const pairs = Array.isArray(header.subscriptions) ? (header.subscriptions as readonly unknown[]) : [];
  const subscriptions = pairs.flatMap((pair: unknown): Subscription[] => {
    const [symbol, channel] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
    return typeof symbol === 'string' && typeof channel === 'string' ? [{ symbol, channel }] : [];
  });
  // Older recordings have none.
  const notes = Array.isArray(header.notes) ? header.notes.map(String) : [];
  return { header, subscriptions, notes };
}

async function* recordsOf(
  first: readonly RecordingLine[],
  lines: Lines,
  end: FileEnd | undefined,
): AsyncGenerator<readonly RawRecord[], RecordsEnd> {
  let by: RecordsEnd['by'];
  let lastUs: number | undefined;
  try {
    for (let batch = first; ;) {
      const records: RawRecord[] = [];
      for (const line of batch) {
        const record = recordOf(line);
        by = line.t === 'end' || line.t === 'rotate' ? line.t : undefined;
        if (record !== undefined) records.push(record);
      }
      lastUs = records.at(-1)?.receiveTimeUs ?? lastUs;
      if (records.length > 0) yield records;
      if (end !== undefined) return endOf(by, lastUs, end);
      const next = await lines.next();
      if (next.done === true) return endOf(by, lastUs, next.value);
      batch = next.value;
    }
  } finally {
    await closeLines(lines);
  }
}

function endOf(by: RecordsEnd['by'], lastUs: number | undefined, end: FileEnd): RecordsEnd {
  if (end.kind === 'damaged') {
    return { by: undefined, trouble: `is damaged behind line ${end.line} (${end.reason}); read up to it` };
  }
  if (end.kind === 'whole' && by !== undefined) return { by, trouble: undefined };
  return { by: undefined, trouble: `has no end: ${KILLED} (${lastOf(lastUs)})` };
}

/** What it means that a recording has no end. */
export const KILLED =
  'its recorder was killed, or its disk failed; at most the last second before that is missing, or what was dropped meanwhile';

function lastOf(us: Us | undefined): string {
  if (us === undefined) return 'it holds no record';
  const last = new Date(us / US_PER_MS);
  return `its last record is of ${Number.isNaN(last.getTime()) ? us : last.toISOString()}`;
}
