import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RecordingWriter } from '../../collector/src/feed/recording-writer.ts';
import type { RawRecord } from '../../collector/src/feed/records.ts';
import type { SegmentOptions } from '../../collector/src/feed/segment-recorder.ts';
import type { IndexEntry } from '../../collector/src/feed/session-folder.ts';
import {
  findSession,
  indexPath,
  makeSessionFolder,
  readIndex,
  segmentName,
  segmentsIn,
} from '../../collector/src/feed/session-folder.ts';
import { frameAt, readRecording, segmentRecorder, stampsAt, SUBSCRIPTIONS } from '../support/recording.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shadow-recording-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const segmentAt = (number: number): string => at(segmentName(number));

const HEADER = { exchange: 'bybit', subscriptions: SUBSCRIPTIONS, notes: [] };
const frames = (from: number, to: number): RawRecord[] =>
  Array.from({ length: to - from }, (_, index) => frameAt(from + index));
const end = (index: number): RawRecord => ({ type: 'end', ...stampsAt(index) });
const overflow = (index: number): RawRecord => ({ type: 'overflow', connectionId: '1', ...stampsAt(index) });
const linesOf = (path: string): unknown[] =>
  brotliDecompressSync(readFileSync(path))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
const fail = (error: Error): void => {
  throw error;
};

/** A session of that many seconds, one frame each, in segments of ten. */
async function recordSession(seconds: number, options: Partial<SegmentOptions> = {}): Promise<void> {
  const recorder = segmentRecorder(folder, options);
  for (const record of frames(0, seconds)) recorder.write([record]);
  await recorder.close(stampsAt(seconds));
  expect(recorder.droppedRecords).toBe(0);
}

describe('a file', () => {
  test('keeps a frame of braces as it came, so that its line is JSON with the frame in it', async () => {
    const writer = new RecordingWriter(at('a.jsonl.br'), HEADER, fail);
    writer.write([frameAt(1, '{"topic":"x","data":[1, 2]}')]);
    await writer.close(stampsAt(2));
    expect(linesOf(at('a.jsonl.br')).slice(1)).toEqual([
      { t: 'recv', c: '1', w: stampsAt(1).receiveTimeUs, m: stampsAt(1).monoUs, f: { topic: 'x', data: [1, 2] } },
      { t: 'end', w: stampsAt(2).receiveTimeUs, m: stampsAt(2).monoUs },
    ]);
  });

  test.each([
    { name: 'with fields of its line in it', frame: '{"a":1},"w":5,"f":{"b":2}' },
    { name: 'that is no JSON but has braces', frame: '{,"f":{nonsense}}' },
    { name: 'with a line feed', frame: '{"a":\n1}' },
    { name: 'with other line breaks', frame: '{"a":"\r\u2028\u2029\u0085"}' },
    { name: 'that is empty', frame: '' },
    { name: 'of one brace', frame: '{' },
    { name: 'larger than a chunk', frame: `{"a":"${'ü'.repeat(135_000)}"}` },
    { name: 'that is no UTF-8', frame: Buffer.from([0x7b, 0xff, 0x0a, 0x7d]) },
    { name: 'with half a surrogate pair in its bytes', frame: Buffer.from([0x7b, 0xed, 0xa0, 0x80, 0x7d]) },
  ])('gives back a frame $name byte for byte', async ({ frame }) => {
    const writer = new RecordingWriter(at('a.jsonl.br'), HEADER, fail);
    const records = [frameAt(1), frameAt(2, frame), frameAt(3)];
    writer.write(records);
    await writer.close(stampsAt(4));
    expect(await readRecording(at('a.jsonl.br'))).toEqual({ records: [...records, end(4)], warnings: [], urls: [] });
  });

  test('of version 1 is still read', async () => {
    const { receiveTimeUs: w, monoUs: m } = stampsAt(1);
    const lines = [
      { t: 'header', format: 'shadow-recording', version: 1, exchange: 'bybit', subscriptions: [], notes: [] },
      { t: 'http', url: 'http://instruments', data: '{}' },
      { t: 'recv', c: '1', w, m, d: '{"a":"ü"}' },
      { t: 'recv', c: '1', w, m, b: Buffer.from([0xff]).toString('base64') },
      { t: 'end', w, m },
    ];
    writeFileSync(at('old.jsonl.br'), brotliCompressSync(lines.map((line) => `${JSON.stringify(line)}\n`).join('')));
    expect(await readRecording(at('old.jsonl.br'))).toEqual({
      records: [frameAt(1, '{"a":"ü"}'), frameAt(1, Buffer.from([0xff])), end(1)],
      warnings: [],
      urls: ['http://instruments'],
    });
  });

  test('that ends with a flush but without an end says so, once, and when its last record was', async () => {
    const writer = new RecordingWriter(at('whole.jsonl.br'), HEADER, fail);
    writer.write(frames(0, 3));
    await writer.close(stampsAt(3));
    const lines = brotliDecompressSync(readFileSync(at('whole.jsonl.br'))).toString();
    writeFileSync(at('cut.jsonl.br'), brotliCompressSync(lines.slice(0, lines.lastIndexOf('{"t":"end"'))));
    const { records, warnings } = await readRecording(at('cut.jsonl.br'));
    expect(records).toEqual(frames(0, 3));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/cut\.jsonl\.br has no end: its recorder was killed.*last second.*2026-01-01T00:00:02/);
  });

  test('that was cut within its last frame does not give out a part of it', async () => {
    const line = '{"t":"recv","c":"1","w":1,"m":1,"f":{"a":{"b":1}}}\n';
    const header = JSON.stringify({ t: 'header', format: 'shadow-recording', version: 2, exchange: 'bybit' });
    for (let length = 1; length < line.length; length++) {
      writeFileSync(at('cut.jsonl'), `${header}\n${line}${line.slice(0, length)}`);
      const { records, warnings } = await readRecording(at('cut.jsonl'));
      expect(records.map((record) => record.type === 'receive' && record.frame.toString())).toEqual(['{"a":{"b":1}}']);
      expect(warnings).toHaveLength(1);
    }
  });

  test('counts what it drops while too much is pending, and puts an overflow before what comes next', async () => {
    const writer = new RecordingWriter(at('a.jsonl.br'), HEADER, fail, { maxPendingBytes: 2_000 });
    writer.write([frameAt(0, `{"pad":"${'x'.repeat(3_000)}"}`)]);
    writer.write(frames(1, 4));
    expect(writer.droppedRecords).toBe(3);
    let second = 4;
    // The timer hands over what there is, and the compressor and the disk take it.
    for (const deadline = performance.now() + 10_000; writer.droppedRecords === second - 1; second++) {
      expect(performance.now()).toBeLessThan(deadline);
      await new Promise((resolve) => setTimeout(resolve, 15));
      writer.write([frameAt(second)]);
    }
    await writer.close(stampsAt(second));
    const { records, warnings } = await readRecording(at('a.jsonl.br'));
    expect(warnings).toEqual([]);
    expect(records.slice(1)).toEqual([overflow(second - 1), frameAt(second - 1), end(second)]);
  });
});

describe('a session', () => {
  test('is cut into segments by time, each with a header, the bodies and a trailer', async () => {
    await recordSession(25);
    expect(readdirSync(folder)).toEqual(['INDEX.jsonl', ...[1, 2, 3].map(segmentName)]);
    const lines = [1, 2, 3].map((number) => linesOf(segmentAt(number)));
    const { receiveTimeUs: w, monoUs: m } = stampsAt(10);
    expect(lines[1]!.slice(0, 2)).toEqual([
      {
        ...{ t: 'header', format: 'shadow-recording', version: 2, exchange: 'bybit', notes: [] },
        ...{ subscriptions: [['A', 'orderbook.50']], session: 'one', segment: 2, started: { w, m } },
      },
      { t: 'http', url: 'http://instruments', data: '{}' },
    ]);
    expect(lines.map((own) => own.at(-1))).toMatchObject([
      { t: 'rotate', w, m, next: 2 },
      { t: 'rotate', next: 3 },
      { t: 'end' },
    ]);
    const index = readFileSync(at('INDEX.jsonl'), 'utf8').trimEnd().split('\n');
    expect(index.map((line) => JSON.parse(line) as IndexEntry)[1]).toEqual({
      segment: 2,
      file: 'segment-000002.jsonl.br',
      first_us: w,
      last_us: stampsAt(19).receiveTimeUs,
      first_mono_us: m,
      last_mono_us: stampsAt(19).monoUs,
      records: 10,
      frames: 10,
      bytes: readFileSync(segmentAt(2)).length,
      dropped: 0,
    });
    const all = { records: [...frames(0, 25), end(25)], warnings: [], urls: ['http://instruments'] };
    expect(await readRecording(folder)).toEqual(all);
  });

  test('is cut by size too, and between two records only', async () => {
    const recorder = segmentRecorder(folder, { segmentUs: Infinity, segmentBytes: 1 });
    const written: RawRecord[] = [];
    for (const deadline = performance.now() + 10_000; segmentsIn(folder).length < 3;) {
      expect(performance.now()).toBeLessThan(deadline);
      written.push(frameAt(written.length));
      recorder.write([written.at(-1)!]);
      await new Promise((resolve) => setTimeout(resolve, 5)); // The compressor works meanwhile.
    }
    await recorder.close(stampsAt(written.length));
    expect(await readRecording(folder)).toMatchObject({ records: [...written, end(written.length)], warnings: [] });
  });

  test('whose last segment is none says so, beside that it has no end', async () => {
    await recordSession(25);
    const last = segmentsIn(folder).at(-1)!;
    writeFileSync(last.path, Buffer.alloc(100_000, 0xff));
    const { warnings } = await readRecording(folder);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('is left out, as if it were missing');
    expect(warnings[1]).toContain('has no end');
  });

  test('with an index that is none is read all the same', async () => {
    await recordSession(25);
    rmSync(indexPath(folder));
    mkdirSync(indexPath(folder));
    expect(readIndex(folder).size).toBe(0);
    expect((await readRecording(folder)).warnings).toEqual([]);
  });

  test('is read in the order of numbers, not of names', () => {
    for (const number of [999_999, 1_000_000, 10_000_000, 2]) writeFileSync(segmentAt(number), '');
    writeFileSync(at('segment-x.jsonl.br'), '');
    expect(segmentsIn(folder).map(({ number }) => number)).toEqual([2, 999_999, 1_000_000, 10_000_000]);
  });

  test('without one of its segments is told, and an overflow stands there', async () => {
    await recordSession(35);
    rmSync(segmentAt(2));
    const { records, warnings } = await readRecording(folder);
    expect(warnings).toEqual([`${folder} lacks segment 2`]);
    expect(records).toEqual([...frames(0, 10), overflow(20), ...frames(20, 35), end(35)]);
  });

  test('with a damaged segment is read around it, and an overflow stands there', async () => {
    await recordSession(25);
    const bytes = readFileSync(segmentAt(2));
    writeFileSync(segmentAt(2), Buffer.concat([bytes.subarray(0, 40), Buffer.alloc(bytes.length - 40, 0xff)]));
    const { records, warnings } = await readRecording(folder);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(segmentName(2));
    const second = records.slice(10).findIndex(({ type }) => type === 'overflow') + 10;
    expect(records.slice(0, second)).toEqual(frames(0, second));
    expect(records.slice(second)).toEqual([overflow(20), ...frames(20, 25), end(25)]);
  });

  test('whose last segment holds nothing yet has no end, and says so once', async () => {
    await recordSession(25);
    for (const content of [Buffer.alloc(0), readFileSync(segmentAt(3)).subarray(0, 5)]) {
      writeFileSync(segmentAt(3), content);
      const { records, warnings } = await readRecording(folder);
      expect(records).toEqual(frames(0, 20));
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain(`${folder} has no end: its recorder was killed`);
    }
    rmSync(segmentAt(3));
    expect((await readRecording(folder)).warnings).toHaveLength(1);
  });

  test.each([
    { name: 'another session', options: { header: { ...HEADER, session: 'two' } }, number: 2 },
    { name: 'another place', options: {}, number: 3 },
  ])('leaves out a segment of $name, tells it, and puts an overflow there', async ({ options, number }) => {
    await recordSession(35);
    const other = join(folder, 'other');
    mkdirSync(other);
    const recorder = segmentRecorder(other, options);
    for (const record of frames(0, 15)) recorder.write([record]);
    await recorder.close(stampsAt(15));
    renameSync(join(other, segmentName(2)), segmentAt(number));
    const { records, warnings } = await readRecording(folder);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/segment-00000[23]\.jsonl\.br is left out: expected segment/);
    const before = (number - 1) * 10;
    expect(records).toEqual([...frames(0, before), overflow(before + 10), ...frames(before + 10, 35), end(35)]);
  });

  test('replays a part of it, and does not open what the index knows to be before', async () => {
    await recordSession(45);
    const range = { fromUs: stampsAt(25).receiveTimeUs, toUs: stampsAt(33).receiveTimeUs };
    const part = { records: frames(25, 33), warnings: [], urls: ['http://instruments'] };
    expect(await readRecording(folder, range)).toEqual(part);
    const bytes = readFileSync(segmentAt(2));
    writeFileSync(segmentAt(2), Buffer.alloc(bytes.length, 0xff));
    expect(await readRecording(folder, range)).toEqual(part);
    // Without an index, with a torn one, and with one that is of other files: the segments are read.
    const index = readFileSync(at('INDEX.jsonl'), 'utf8');
    writeFileSync(segmentAt(2), bytes);
    for (const content of [undefined, '', index.slice(0, index.indexOf('"file"')), `x${index}`, '{}\n[]\n3\n']) {
      rmSync(at('INDEX.jsonl'), { force: true });
      if (content !== undefined) writeFileSync(at('INDEX.jsonl'), content);
      expect(await readRecording(folder, range)).toEqual(part);
    }
  });

  test('goes on in the old segment while the next cannot be made, and loses nothing', async () => {
    const failures: string[] = [];
    const own = join(folder, 'session');
    mkdirSync(own);
    const recorder = segmentRecorder(own, {
      retryUs: 3_000_000,
      onFailure: (error) => failures.push(error.message),
    });
    for (const record of frames(0, 10)) recorder.write([record]);
    renameSync(own, at('away'));
    for (const record of frames(10, 15)) recorder.write([record]);
    renameSync(at('away'), own);
    for (const record of frames(15, 20)) recorder.write([record]);
    await recorder.close(stampsAt(20));
    expect(failures).toEqual([expect.stringContaining('ENOENT')]);
    expect(recorder.totals).toMatchObject({ segments: 2, records: 20, frames: 20, dropped: 0 });
    expect(await readRecording(own)).toMatchObject({ records: [...frames(0, 20), end(20)], warnings: [] });
  });
});

describe('what a slow disk does not take', () => {
  test('is counted for all segments together, and told when records are kept again', async () => {
    const recoveries: number[] = [];
    const recorder = segmentRecorder(folder, {
      maxPendingBytes: 2_000,
      onRecovery: (_path, dropped) => recoveries.push(dropped),
    });
    recorder.write([frameAt(0, `{"pad":"${'x'.repeat(3_000)}"}`)]);
    // The old segment is on its way to the disk: the new one may not take anything yet.
    recorder.write(frames(10, 15));
    expect(recorder.droppedRecords).toBe(5);
    let second = 15;
    for (const deadline = performance.now() + 10_000; recoveries.length === 0; second++) {
      expect(performance.now()).toBeLessThan(deadline);
      await new Promise((resolve) => setTimeout(resolve, 15));
      recorder.write([frameAt(second)]);
    }
    await recorder.close(stampsAt(second));
    expect(recoveries).toEqual([second - 11]);
    expect(recorder.droppedRecords).toBe(second - 11);
    const { records, warnings } = await readRecording(folder);
    expect(warnings).toEqual([]);
    expect(records.slice(1)).toEqual([overflow(second - 1), frameAt(second - 1), end(second)]);
  });
});

describe('the folder of a session', () => {
  const START = stampsAt(0).receiveTimeUs;

  test('has the exchange and the start in its name, and is always a new one', () => {
    const made = [1, 2, 3].map(() => makeSessionFolder(at('deep/er'), 'bybit', START));
    const name = 'bybit-20260101T000000Z';
    expect(made).toEqual([name, `${name}-2`, `${name}-3`].map((each) => at(`deep/er/${each}`)));
    expect(made.every(existsSync)).toBe(true);
  });

  test('is found in the folder above while it is the only one there', async () => {
    const sessions = [1, 2].map(() => makeSessionFolder(folder, 'bybit', START));
    expect(() => findSession(folder)).toThrow('no recording there');
    for (const session of sessions) {
      const recorder = segmentRecorder(session);
      await recorder.close(stampsAt(1));
      if (session === sessions[0]) expect(findSession(folder)).toBe(session);
    }
    expect(() => findSession(folder)).toThrow(sessions.join('\n'));
    await expect(readRecording(folder)).rejects.toMatchObject({ code: 'SHADOW_ERR_INPUT', exitCode: 3 });
    expect(findSession(sessions[1]!)).toBe(sessions[1]);
  });

  test('that cannot be made is an error of output', () => {
    writeFileSync(at('taken'), '');
    expect(() => makeSessionFolder(at('taken'), 'bybit', START)).toThrow('cannot make a folder for the recording');
  });
});
