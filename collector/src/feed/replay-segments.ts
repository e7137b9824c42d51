import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { messageOf, ShadowError } from '../errors.ts';
import type { Us } from '../units.ts';
import type { Exchange } from './exchange.ts';
import { overflowBefore } from './recording-format.ts';
import type { RecordingFile } from './recording-file.ts';
import { EmptyRecording, KILLED, openFile, openLines } from './recording-file.ts';
import type { RawRecord } from './records.ts';
import type { Replay } from './replay.ts';
import type { Segment } from './session-folder.ts';
import { readIndex, segmentsIn } from './session-folder.ts';

/** Compressed, a header and what follows it have shown a line long before this. */
const FIRST_LINE_BYTES = 64 * 1024;

/**
 * Opens a folder of segments as one recording. What is missing between two records, be it a segment, the end of one or what the disk did not
 * take, is told, and an `overflow` stands there. Segments that the index knows to end before `fromUs` are not opened, but for the first
 * one's header. Throws ShadowError where no segment can be read, or it is of another exchange.
 */
export async function openSession(
  folder: string,
  exchange: Exchange,
  onWarning: (message: string) => void,
  fromUs: Us,
): Promise<Replay> {
  const session = new Session(folder, exchange, onWarning, fromUs);
  const { subscriptions, bodies, notes } = await session.head();
  return { subscriptions, instrumentBodies: bodies, notes, records: session.records() };
}

class Session {
  readonly #folder: string;
  readonly #exchange: Exchange;
  readonly #onWarning: (message: string) => void;
  readonly #segments: readonly Segment[];
  readonly #unwanted: (segment: Segment) => boolean;
  #id: unknown;
  #hole = false;

  constructor(folder: string, exchange: Exchange, onWarning: (message: string) => void, fromUs: Us) {
    this.#folder = folder;
    this.#exchange = exchange;
    this.#onWarning = onWarning;
    this.#segments = segmentsIn(folder);
    const index = fromUs === -Infinity ? undefined : readIndex(folder);
    this.#unwanted = ({ number }) => (index?.get(number)?.last_us ?? Infinity) < fromUs;
  }

  /** What stands before the records of the first segment that can be read. */
  async head(): Promise<RecordingFile> {
    let failure: unknown;
    for (const { path } of this.#segments) {
      try {
        const file = await this.#openFile(path);
        await file.close();
        this.#id = file.header.session;
        return file;
      } catch (error) {
        if (!(error instanceof ShadowError) || error.code === 'SHADOW_ERR_USAGE') throw error;
        failure ??= error;
      }
    }
    throw failure;
  }

  async *records(): AsyncGenerator<readonly RawRecord[]> {
    const first = this.#segments[0]!.number;
    if (first > 1) this.#onWarning(`${this.#folder} begins with segment ${first}; what was before is not there`);
    let expected = first;
    const last = this.#segments.at(-1)!.number;
    /** Neither an end was read, nor that there is none has been told. */
    let open = true;
    for (const segment of this.#segments) {
      const { number, path } = segment;
      if (number !== expected) this.#missing(expected, number - 1);
      expected = number + 1;
      if (this.#unwanted(segment)) {
        open = number !== last;
        continue;
      }
      const file = await this.#open(segment);
      if (file === undefined) {
        // What it would have ended with is not known.
        open = true;
        continue;
      }
      const end = yield* this.#withHole(file.records);
      open = end.by !== 'end' && end.trouble === undefined;
      if (end.trouble !== undefined) this.#tell(`${path} ${end.trouble}`);
    }
    if (open) this.#onWarning(`${this.#folder} has no end: ${KILLED}`);
  }

  /** Undefined, and told, where it is none of this session's that can be read. */
  async #open({ number, path }: Segment): Promise<RecordingFile | undefined> {
    try {
      const file = await this.#openFile(path);
      if (file.header.session === this.#id && file.header.segment === number) return file;
      await file.close();
      const came = `segment ${String(file.header.segment)} of session ${String(file.header.session)}`;
      this.#tell(`${path} is left out: expected segment ${number} of session ${String(this.#id)}, got ${came}`);
    } catch (error) {
      if (!(error instanceof ShadowError)) throw error;
      // The last one may not have got as far as a line: that there is no end is told then.
      const begun = error instanceof EmptyRecording && statSync(path).size < FIRST_LINE_BYTES;
      if (number !== this.#segments.at(-1)!.number || !begun)
        this.#tell(`${basename(path)} is left out, as if it were missing: ${messageOf(error)}`);
    }
    return undefined;
  }

  async #openFile(path: string): Promise<RecordingFile> {
    return openFile(path, await openLines(path), this.#exchange);
  }

  /** The records of a segment, behind an `overflow` if something is missing before them. */
  async *#withHole(records: RecordingFile['records']): RecordingFile['records'] {
    try {
      for (let next = await records.next(); ; next = await records.next()) {
        if (next.done === true) return next.value;
        const first = next.value[0]!;
        const before = this.#hole && first.type !== 'overflow' ? [overflowBefore(first)] : [];
        this.#hole = false;
        yield before.length === 0 ? next.value : [...before, ...next.value];
      }
    } finally {
      await records.return({ by: undefined, trouble: undefined });
    }
  }

  #missing(from: number, to: number): void {
    this.#tell(`${this.#folder} lacks ${from === to ? `segment ${from}` : `segments ${from} to ${to}`}`);
  }

  #tell(message: string): void {
    this.#hole = true;
    this.#onWarning(message);
  }
}
