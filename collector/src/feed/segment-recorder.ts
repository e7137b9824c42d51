import { unlinkSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ReceiveStamps } from '../events.ts';
import type { Us } from '../units.ts';
import { US_PER_S } from '../units.ts';
import type { HttpBody, RecordingHeader } from './recording-format.ts';
import type { Recorder } from './recording-writer.ts';
import { MAX_PENDING_BYTES, RecordingWriter } from './recording-writer.ts';
import type { RawRecord } from './records.ts';
import type { IndexEntry } from './session-folder.ts';
import { indexPath, segmentName } from './session-folder.ts';

export interface SegmentOptions {
  /** Empty, and of this recording alone. */
  readonly folder: string;
  readonly header: RecordingHeader & { readonly session: string };
  readonly bodies: readonly HttpBody[];
  readonly started: ReceiveStamps;
  /** A segment is followed by the next when it has been open this long, or has so many bytes on its way to the disk. */
  readonly segmentUs: Us;
  readonly segmentBytes: number;
  readonly onFailure: (error: Error, path: string) => void;
  /** Records are kept again, behind a hole or a failure: whoever keeps a book of them needs a snapshot. */
  readonly onRecovery: (path: string, droppedRecords: number) => void;
  readonly retryUs?: Us;
  readonly maxPendingBytes?: number;
}

/** Wait between two attempts to begin a segment on a disk that failed. */
const RETRY_US: Us = 10 * US_PER_S;

interface OpenSegment {
  readonly number: number;
  readonly path: string;
  readonly startedMonoUs: Us;
  readonly writer: RecordingWriter;
}

/** What segments took so far, also where the disk then failed, in which case it is among the dropped records too; `bytes` are compressed. */
export interface RecordedTotals {
  readonly segments: number;
  readonly records: number;
  readonly frames: number;
  readonly frameBytes: number;
  readonly bytes: number;
  readonly dropped: number;
}

const NOTHING: RecordedTotals = { segments: 0, records: 0, frames: 0, frameBytes: 0, bytes: 0, dropped: 0 };

/**
 * Records into one segment after the other. The old one is finished while the next already takes records, and what waits for the disk is
 * bounded for all of them together. After a failure of the disk it drops and counts until a new segment can be begun, at every `retryUs`.
 * Time is that of the records, so it takes a feed that lets time pass.
 */
export class SegmentRecorder implements Recorder {
  readonly #options: SegmentOptions;
  readonly #retryUs: Us;
  readonly #finishing = new Set<RecordingWriter>();
  #current: OpenSegment | undefined;
  #last = 0;
  /** Of segments that are closed, and records dropped while there was none. */
  #settled = NOTHING;
  /** While the disk fails: the last segment before a good one. */
  #failedAfter: number | undefined;
  /** Of the current segment. */
  #holesTold = 0;
  #retryAtUs: Us = -Infinity;
  #nowUs: Us;
  #work: Promise<unknown> = Promise.resolve();

  /** Throws SHADOW_ERR_OUTPUT where the first segment cannot be made. */
  constructor(options: SegmentOptions) {
    this.#options = options;
    this.#retryUs = options.retryUs ?? RETRY_US;
    this.#nowUs = options.started.monoUs;
    this.#current = this.#open(options.started, false);
  }

  get droppedRecords(): number {
    return this.totals.dropped;
  }

  get totals(): RecordedTotals {
    const writers = [...this.#finishing, ...(this.#current === undefined ? [] : [this.#current.writer])];
    return writers.map(totalsOf).reduce(sum, this.#settled);
  }

  write(records: readonly RawRecord[]): void {
    const first = records[0];
    if (first === undefined) return;
    this.#nowUs = first.monoUs;
    this.#turn(first);
    if (this.#current === undefined) {
      const dropped = records.filter(({ type }) => type !== 'tick').length;
      this.#settled = { ...this.#settled, dropped: this.#settled.dropped + dropped };
      return;
    }
    this.#current.writer.write(records);
    this.#tellRecovery(this.#current);
  }

  /** A new segment on a disk that failed is one only when something of it is there. */
  #tellRecovery({ writer, path, number }: OpenSegment): void {
    const failing = this.#failedAfter !== undefined;
    if (failing ? number <= this.#failedAfter! || writer.bytesOnDisk === 0 : writer.holes === this.#holesTold) return;
    this.#failedAfter = undefined;
    this.#holesTold = writer.holes;
    this.#options.onRecovery(path, this.droppedRecords);
  }

  async close(end: ReceiveStamps): Promise<void> {
    if (this.#current !== undefined) {
      const segment = this.#current;
      this.#current = undefined;
      this.#finish(segment, (writer) => writer.close(end));
    }
    await this.#work;
  }

  /** Begins a segment where one is due, or is wanting. */
  #turn(first: RawRecord): void {
    const current = this.#current;
    if (current !== undefined && !this.#isOver(current, first.monoUs)) return;
    if (first.monoUs < this.#retryAtUs) return;
    try {
      const next = this.#open(first, current === undefined);
      this.#current = next;
      if (current !== undefined) this.#finish(current, (writer) => writer.rotate(stampsOf(first), next.number));
    } catch (error) {
      // The old segment, if there is one, goes on: nothing is lost yet.
      this.#failed(error as Error, join(this.#options.folder, segmentName(this.#last + 1)));
    }
  }

  #isOver({ writer, startedMonoUs }: OpenSegment, nowUs: Us): boolean {
    const { segmentUs, segmentBytes } = this.#options;
    return writer.records > 0 && (nowUs - startedMonoUs >= segmentUs || writer.bytes >= segmentBytes);
  }

  #open(stamps: ReceiveStamps, afterLoss: boolean): OpenSegment {
    const { folder, header, bodies, maxPendingBytes = MAX_PENDING_BYTES } = this.#options;
    const number = this.#last + 1;
    const path = join(folder, segmentName(number));
    const started = stampsOf(stamps);
    const alsoPending = (): number => [...this.#finishing].reduce((total, other) => total + other.pendingBytes, 0);
    const onError = (error: Error): void => this.#writerFailed(segment, error);
    const options = { afterLoss, maxPendingBytes, alsoPending };
    const writer: RecordingWriter = new RecordingWriter(
      path,
      { ...header, segment: number, started },
      onError,
      options,
    );
    const segment: OpenSegment = { number, path, startedMonoUs: stamps.monoUs, writer };
    this.#last = number;
    this.#holesTold = 0;
    for (const body of bodies) writer.http(body);
    return segment;
  }

  /** In the background; the index follows the order of the segments. */
  #finish(segment: OpenSegment, end: (writer: RecordingWriter) => Promise<void>): void {
    const { writer } = segment;
    this.#finishing.add(writer);
    const ended = end(writer);
    this.#work = this.#work.then(async () => {
      await ended;
      if (writer.failed) return;
      this.#finishing.delete(writer);
      this.#settled = sum(this.#settled, totalsOf(writer));
      if (writer.first !== undefined) await this.#index(segment);
    });
  }

  async #index({ number, path, writer }: OpenSegment): Promise<void> {
    const [first, last] = [writer.first!, writer.last!];
    const entry: IndexEntry = {
      segment: number,
      file: basename(path),
      first_us: first.receiveTimeUs,
      last_us: writer.latestUs,
      first_mono_us: first.monoUs,
      last_mono_us: last.monoUs,
      records: writer.records,
      frames: writer.frames,
      bytes: writer.bytes,
      dropped: writer.droppedRecords,
    };
    // A reader does without the index.
    await appendFile(indexPath(this.#options.folder), `${JSON.stringify(entry)}\n`).catch(() => undefined);
  }

  #writerFailed({ number, path, writer }: OpenSegment, error: Error): void {
    this.#finishing.delete(writer);
    if (this.#current?.writer === writer) this.#current = undefined;
    // A segment that holds nothing is none: attempts on a full disk leave no trail.
    const none = writer.bytesOnDisk === 0 && this.#last === number && removed(path);
    if (none) this.#last--;
    this.#settled = sum(this.#settled, { ...totalsOf(writer), segments: none ? 0 : 1 });
    this.#failed(error, path);
  }

  #failed(error: Error, path: string): void {
    this.#retryAtUs = this.#nowUs + this.#retryUs;
    const failing = this.#failedAfter !== undefined;
    this.#failedAfter = this.#last;
    if (failing) return;
    this.#options.onFailure(error, path);
  }
}

const stampsOf = ({ receiveTimeUs, monoUs }: ReceiveStamps): ReceiveStamps => ({ receiveTimeUs, monoUs });

function removed(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false; // It stays, and its number is not used again.
  }
}

const totalsOf = ({ records, frames, frameBytes, bytes, droppedRecords }: RecordingWriter): RecordedTotals => ({
  segments: 1,
  records,
  frames,
  frameBytes,
  bytes,
  dropped: droppedRecords,
});

const sum = (a: RecordedTotals, b: RecordedTotals): RecordedTotals => ({
  segments: a.segments + b.segments,
  records: a.records + b.records,
  frames: a.frames + b.frames,
  frameBytes: a.frameBytes + b.frameBytes,
  bytes: a.bytes + b.bytes,
  dropped: a.dropped + b.dropped,
});
