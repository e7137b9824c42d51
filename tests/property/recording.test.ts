import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ShadowError } from '../../collector/src/errors.ts';
import { overflowBefore } from '../../collector/src/feed/recording-format.ts';
import { RecordingWriter } from '../../collector/src/feed/recording-writer.ts';
import type { RawRecord } from '../../collector/src/feed/records.ts';
import { segmentsIn } from '../../collector/src/feed/session-folder.ts';
import type { Read } from '../support/recording.ts';
import { readRecording, segmentRecorder, stampsAt, SUBSCRIPTIONS } from '../support/recording.ts';
import { runShadow } from '../support/run.ts';
import { INSTRUMENTS, SYNTHETIC_SUBSCRIPTIONS, syntheticRecording } from '../support/synthetic.ts';

/** Real ones, and all that may break a line or its encoding: any bytes, any text with halves of surrogate pairs, line breaks, braces. */
const frame = fc.oneof(
  fc.json().map((text) => Buffer.from(text)),
  fc.dictionary(fc.string(), fc.jsonValue()).map((value) => Buffer.from(JSON.stringify(value))),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from([0x7b, ...bytes, 0x7d])),
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(`{"a":"${text}"}`, 'utf16le')),
  fc
    .string({ unit: fc.constantFrom('\n', '\r', '\u2028', '{', '}', '"', ',"f":', '\\', 'ü', '\ud83d') })
    .map((text) => Buffer.from(text)),
  fc.constantFrom('', '{}', '{}}', '{"f":{', '{"t":"end","w":1,"m":1}').map((text) => Buffer.from(text)),
);

/** Anything the adapter may say of itself. */
const text = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', '\u2028', '\ud800', 'ü') });
const connectionId = fc.oneof(fc.constantFrom('1', '2'), text);
const stampUs = fc.integer({ min: 0, max: 2 ** 51 });
const probe = fc
  .record({ result: fc.constantFrom('ok', 'timeout'), sentMonoUs: stampUs, delayUs: fc.nat(), serverTimeUs: stampUs })
  .map(({ result, sentMonoUs, delayUs, serverTimeUs }) =>
    result === 'ok'
      ? { type: 'probe', result, sentMonoUs, answeredMonoUs: sentMonoUs + delayUs, serverTimeUs }
      : { type: 'probe', result, sentMonoUs, answeredMonoUs: undefined, serverTimeUs: undefined },
  );
const what = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('receive'), connectionId, frame }) },
  fc.record({ type: fc.constant('connect'), connectionId, url: text }),
  fc.record({ type: fc.constant('disconnect'), connectionId, reason: text }),
  fc.record({ type: fc.constant('overflow'), connectionId }),
  probe,
);
const stampAfter = (us: number) => ({ receiveTimeUs: 1_767_225_600_000_000 + us, monoUs: 50 + us });
/** In order, some with one stamp, a second apart at most. */
const records = fc
  .array(fc.tuple(what, fc.constantFrom(0, 0, 1, 123_457, 999_999, 1_000_000)), { maxLength: 40 })
  .map((all) => {
    let us = 0;
    return all.map(([own, apartUs]) => ({ ...own, ...stampAfter((us += apartUs)) }) as RawRecord);
  });

/** Where the last file is cut, as a share of it. */
const cut = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'shadow-property-'));
  await use(folder).finally(() => rmSync(folder, { recursive: true }));
}

function cutOff(path: string, share: number): void {
  truncateSync(path, Math.floor(readFileSync(path).length * share));
}

/** A prefix of what was written, all of it or told that it is not. */
function expectPrefix(read: Read, written: readonly RawRecord[]): void {
  expect(read.records).toEqual(written.slice(0, read.records.length));
  // A last segment that was cut within its first line is told as well as that there is no end.
  const most = read.warnings.some((warning) => warning.includes('is left out')) ? 2 : 1;
  expect(read.warnings.length).toBeLessThanOrEqual(most);
  if (read.records.length < written.length) expect(read.warnings.length).toBeGreaterThanOrEqual(1);
}

const END = { type: 'end', ...stampsAt(1_000) } as const;

async function writeSession(folder: string, written: readonly RawRecord[], segmentS: number): Promise<void> {
  const recorder = segmentRecorder(folder, { segmentUs: segmentS * 1e6 });
  for (const record of written) recorder.write([record]);
  await recorder.close(END);
  expect(recorder.droppedRecords).toBe(0);
}

test('a file gives back any records byte for byte, and of a cut one a prefix that is told', async () => {
  await fc.assert(
    fc.asyncProperty(records, cut, async (written, share) =>
      inFolder(async (folder) => {
        const path = join(folder, 'a.jsonl.br');
        const writer = new RecordingWriter(
          path,
          { exchange: 'bybit', subscriptions: SUBSCRIPTIONS, notes: [] },
          (e) => {
            throw e;
          },
        );
        writer.write(written);
        await writer.close(END);
        const all = [...written, END];
        expect(await readRecording(path)).toEqual({ records: all, warnings: [], urls: [] });
        cutOff(path, share);
        const read = await readRecording(path).catch((error: unknown) => error);
        if (read instanceof Error) expect(read).toBeInstanceOf(ShadowError);
        else expectPrefix(read as Read, all);
      }),
    ),
    { numRuns: 150 },
  );
});

test('segments give the records of one file, wherever they were rotated', async () => {
  await fc.assert(
    fc.asyncProperty(records, fc.integer({ min: 1, max: 20 }), async (written, segmentS) =>
      inFolder(async (folder) => {
        await writeSession(folder, written, segmentS);
        const read = await readRecording(folder);
        expect(read).toEqual({ records: [...written, END], warnings: [], urls: ['http://instruments'] });
      }),
    ),
    { numRuns: 100 },
  );
});

test('of a session whose last segment is cut anywhere comes a prefix, and it is told', async () => {
  await fc.assert(
    fc.asyncProperty(records, fc.integer({ min: 1, max: 20 }), cut, async (written, segmentS, share) =>
      inFolder(async (folder) => {
        await writeSession(folder, written, segmentS);
        const segments = segmentsIn(folder);
        cutOff(segments.at(-1)!.path, share);
        const read = await readRecording(folder).catch((error: unknown) => error);
        if (read instanceof Error) {
          expect(read).toBeInstanceOf(ShadowError);
          expect(segments).toHaveLength(1); // Otherwise there is something to be read.
        } else expectPrefix(read as Read, [...written, END]);
      }),
    ),
    { numRuns: 150 },
  );
});

test('without any one of its segments a session is read around it, with an overflow there', async () => {
  await fc.assert(
    fc.asyncProperty(records, fc.integer({ min: 1, max: 10 }), fc.nat(), async (written, segmentS, pick) =>
      inFolder(async (folder) => {
        await writeSession(folder, written, segmentS);
        const segments = segmentsIn(folder);
        fc.pre(segments.length > 2);
        const at = 1 + (pick % (segments.length - 2));
        const counts = await Promise.all(segments.map(async ({ path }) => (await readRecording(path)).records.length));
        const before = counts.slice(0, at).reduce((sum, count) => sum + count, 0);
        rmSync(segments[at]!.path);
        const behind = [...written, END].slice(before + counts[at]!);
        // An overflow that stands there anyway does for the hole too.
        const hole = behind[0]!.type === 'overflow' ? [] : [overflowBefore(behind[0]!)];
        const { records: read, warnings } = await readRecording(folder);
        expect(warnings).toEqual([`${folder} lacks segment ${segments[at]!.number}`]);
        expect(read).toEqual([...written.slice(0, before), ...hole, ...behind]);
      }),
    ),
    { numRuns: 60 },
  );
});

test('a replay of segments gives the artifacts of a replay of one file, byte for byte, wherever they were rotated', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'synthetic.jsonl');
    writeFileSync(file, syntheticRecording(12, 7));
    const { records: written, urls } = await readRecording(file);
    const bodies = urls.map((url) => ({ url, body: INSTRUMENTS }));
    const flags = ['--symbols', 'BTCUSDT', '--iterations', '0', '--duration', '4', '--spread_bps', '0'];
    const one = await runShadow(['--replay', file, ...flags]);
    expect(one.summary.totals.fills).toBeGreaterThan(0);
    const header = { exchange: 'bybit', subscriptions: SYNTHETIC_SUBSCRIPTIONS, notes: [], session: 'one' };
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 50_000, max: 6_000_000 }), async (segmentUs) => {
        const session = join(folder, `${++runs}`);
        mkdirSync(session);
        const recorder = segmentRecorder(session, { header, bodies, started: written[0]!, segmentUs });
        for (const record of written) recorder.write([record]);
        await recorder.close(END);
        const replay = await runShadow(['--replay', session, ...flags]);
        expect([...replay.files]).toEqual([...one.files]);
      }),
      { numRuns: 8 },
    );
  });
});
