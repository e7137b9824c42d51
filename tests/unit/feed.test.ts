import { mkdtempSync, rmSync, truncateSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import { backoffMs } from '../../collector/src/feed/connection.ts';
import { bybitLinear, bybitSpot } from '../../collector/src/feed/bybit.ts';
import { gridOf, MALFORMED, OFF_GRID, parseOnGrid } from '../../collector/src/feed/decimal.ts';
import type { RawRecord } from '../../collector/src/feed/records.ts';
import { RecordingWriter } from '../../collector/src/feed/recording-writer.ts';
import { openReplay } from '../../collector/src/feed/replay.ts';

describe('decimals on a grid', () => {
  test.each([
    { step: '0.10', text: '65114.20', expected: 651142 },
    { step: '0.10', text: '65114', expected: 651140 },
    { step: '0.10', text: '65114.25', expected: OFF_GRID },
    { step: '0.05', text: '1.15', expected: 23 },
    { step: '0.05', text: '1.16', expected: OFF_GRID },
    { step: '5', text: '15', expected: 3 },
    { step: '5', text: '15.5', expected: OFF_GRID },
    { step: '0.000001', text: '0.885797', expected: 885797 },
    { step: '0.001', text: '0', expected: 0 },
    { step: '0.001', text: '.5', expected: 500 },
    { step: '0.001', text: '5.', expected: 5000 },
    { step: '0.001', text: '', expected: MALFORMED },
    { step: '0.001', text: '.', expected: MALFORMED },
    { step: '0.001', text: '1.2.3', expected: MALFORMED },
    { step: '0.001', text: '-1', expected: MALFORMED },
    { step: '0.001', text: '1e5', expected: MALFORMED },
    { step: '0.001', text: '0x10', expected: MALFORMED },
    { step: '0.001', text: ' 1', expected: MALFORMED },
    { step: '0.001', text: 'NaN', expected: MALFORMED },
    { step: '0.001', text: 'Infinity', expected: MALFORMED },
    { step: '0.001', text: '9'.repeat(400), expected: MALFORMED },
    { step: '0.001', text: 5, expected: MALFORMED },
    { step: '0.001', text: null, expected: MALFORMED },
  ])('$text on $step is $expected', ({ step, text, expected }) => {
    expect(parseOnGrid(text, gridOf(step)!)).toBe(expected);
  });

  test.each(['0', '-1', 'x', '1e-3', '', '0.0', 5, undefined])('%p is no step', (step) => {
    expect(gridOf(step)).toBeUndefined();
  });
});

describe('reconnecting', () => {
  test('backs off exponentially with full jitter, up to a cap', () => {
    expect([0, 1, 2, 3].map((attempt) => backoffMs(attempt, 1))).toEqual([250, 500, 1000, 2000]);
    expect(backoffMs(60, 1)).toBe(30_000);
    expect(backoffMs(5, 0)).toBe(0);
    expect(backoffMs(5, 0.5)).toBe(4_000);
  });
});

describe('the Bybit adapter', () => {
  test('follows the address of its market', () => {
    expect(bybitLinear.ownsAddress('wss://stream.bybit.com/v5/public/linear')).toBe(true);
    expect(bybitLinear.ownsAddress('wss://stream.bybit.com/v5/public/spot')).toBe(false);
    expect(bybitSpot.ownsAddress('wss://stream.bybit.com/v5/public/spot')).toBe(true);
  });

  test('subscribes by topic and reads its own subscriptions back', () => {
    const wanted = [{ symbol: 'BTCUSDT', channel: 'orderbook.50' }];
    const frame = bybitLinear.subscribe('7', wanted);
    expect(JSON.parse(frame)).toEqual({ req_id: '7', op: 'subscribe', args: ['orderbook.50.BTCUSDT'] });
    expect(bybitLinear.subscriptionsOf(frame)).toEqual(wanted);
    expect(bybitLinear.subscriptionsOf(bybitLinear.ping)).toEqual([]);
  });

  test('reads tick and lot sizes of both markets, and leaves out what it cannot read', () => {
    const list = [
      {
        symbol: 'A',
        priceFilter: { tickSize: '0.10' },
        lotSizeFilter: { qtyStep: '0.001', minOrderQty: '0.002', minNotionalValue: '5' },
      },
      {
        symbol: 'B',
        priceFilter: { tickSize: '0.01' },
        lotSizeFilter: { basePrecision: '0.00001', minOrderQty: '0.00001', minOrderAmt: '1' },
      },
      { symbol: 'C', priceFilter: { tickSize: '0' }, lotSizeFilter: { qtyStep: '1' } },
      null,
    ];
    const instruments = bybitLinear.parseInstruments(JSON.stringify({ retCode: 0, result: { list } }));
    expect(instruments).toEqual([
      {
        symbol: 'A',
        tick: { decimals: 1, step: 1, size: 0.1 },
        lot: { decimals: 3, step: 1, size: 0.001 },
        minSizeLots: 2,
        minNotionalQuote: 5,
      },
      {
        symbol: 'B',
        tick: { decimals: 2, step: 1, size: 0.01 },
        lot: { decimals: 5, step: 1, size: 0.00001 },
        minSizeLots: 1,
        minNotionalQuote: 1,
      },
    ]);
  });

  test.each(['', '{}', '{"retCode":10001,"retMsg":"params error"}', '{"retCode":0,"result":{}}', '<html>'])(
    'refuses %p as an instrument list',
    (body) => expect(() => bybitLinear.parseInstruments(body)).toThrow(/instrument list|retCode 10001/),
  );
});

describe('recordings', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shadow-recording-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string): string => join(folder, name);
  const stamps = (index: number): { receiveTimeUs: number; monoUs: number } => ({
    receiveTimeUs: 1e15 + index,
    monoUs: 50 + index,
  });
  const RECORDS: RawRecord[] = [
    { type: 'connect', connectionId: '1', url: 'ws://x', ...stamps(0) },
    { type: 'receive', connectionId: '1', frame: Buffer.from('{"a":"ü"}'), ...stamps(1) },
    { type: 'receive', connectionId: '1', frame: Buffer.from([0xff, 0x00, 0xfe]), ...stamps(2) },
    { type: 'overflow', connectionId: '1', ...stamps(3) },
    { type: 'disconnect', connectionId: '1', reason: 'gone', ...stamps(4) },
    { type: 'end', ...stamps(5) },
  ];
  const SUBSCRIPTIONS = [{ symbol: 'A', channel: 'orderbook.50' }];

  const fail = (error: Error): void => {
    throw error;
  };

  async function read(path: string): Promise<{ records: RawRecord[]; truncated: string[]; urls: string[] }> {
    const truncated: string[] = [];
    const replay = await openReplay(path, bybitLinear, (message) => truncated.push(message));
    const records: RawRecord[] = [];
    for await (const batch of replay.records) records.push(...batch);
    expect(replay.subscriptions).toEqual(SUBSCRIPTIONS);
    return { records, truncated, urls: replay.instrumentBodies.map(({ url }) => url) };
  }

  async function write(path: string, records: readonly RawRecord[]): Promise<void> {
    const errors: Error[] = [];
    const writer = new RecordingWriter(
      path,
      { exchange: 'bybit', subscriptions: SUBSCRIPTIONS, notes: ['why'] },
      (error) => errors.push(error),
    );
    writer.http({ url: 'http://instruments', body: '{}' });
    writer.write([...records, { type: 'tick', ...stamps(9) }]);
    await writer.close(stamps(7));
    expect(errors).toEqual([]);
    expect(writer.droppedRecords).toBe(0);
  }

  test('give back the records, byte for byte, but for the ticks of the timer', async () => {
    await write(at('whole.jsonl.br'), RECORDS);
    expect(await read(at('whole.jsonl.br'))).toEqual({ records: RECORDS, truncated: [], urls: ['http://instruments'] });
  });

  test('are never overwritten', async () => {
    await write(at('taken.jsonl.br'), RECORDS);
    const again = (): unknown =>
      new RecordingWriter(at('taken.jsonl.br'), { exchange: 'bybit', subscriptions: [], notes: [] }, fail);
    expect(again).toThrow(/cannot make the recording .*EEXIST/);
    expect((await read(at('taken.jsonl.br'))).records).toEqual(RECORDS);
  });

  test('that were cut off are read up to there, and say so', async () => {
    const many = Array.from({ length: 5_000 }, (_, index) => ({ ...RECORDS[1]!, ...stamps(index) }));
    await write(at('cut.jsonl.br'), many);
    truncateSync(at('cut.jsonl.br'), Math.floor(readFileSync(at('cut.jsonl.br')).length * 0.7));
    const { records, truncated } = await read(at('cut.jsonl.br'));
    expect(records.length).toBeGreaterThan(100);
    expect(records).toEqual(many.slice(0, records.length));
    expect(truncated).toHaveLength(1);
    expect(truncated[0]).toContain('has no end: its recorder was killed');
  });

  test('may be plain or gzip, by their name', async () => {
    await write(at('a.jsonl.br'), RECORDS);
    const lines = [
      JSON.stringify({
        t: 'header',
        format: 'shadow-recording',
        version: 1,
        exchange: 'bybit',
        subscriptions: [['A', 'orderbook.50']],
      }),
      JSON.stringify({ t: 'end', w: 2, m: 1 }),
    ].join('\n');
    writeFileSync(at('plain.jsonl'), lines);
    writeFileSync(at('zip.jsonl.gz'), gzipSync(lines));
    for (const name of ['plain.jsonl', 'zip.jsonl.gz']) {
      expect((await read(at(name))).records).toEqual([{ type: 'end', receiveTimeUs: 2, monoUs: 1 }]);
    }
  });

  test.each([
    { name: 'an empty file', text: '', says: 'is empty' },
    { name: 'no JSON', text: 'hello\n', says: 'expected JSON lines' },
    { name: 'no header', text: '{"t":"recv"}\n', says: 'expected a header' },
    { name: 'another format', text: '{"t":"header","format":"x"}\n', says: 'expected format' },
    {
      name: 'a later version',
      text: '{"t":"header","format":"shadow-recording","version":3,"exchange":"bybit"}\n',
      says: 'expected recording version 1 to 2',
    },
    {
      name: 'another exchange',
      text: '{"t":"header","format":"shadow-recording","version":1,"exchange":"bybit-spot"}\n',
      says: '--exchange bybit-spot',
    },
    {
      name: 'no connection of the exchange',
      text: '{"t":"header","format":2}\n',
      says: 'no connection of --exchange bybit',
    },
  ])('$name is refused: $says', async ({ text, says }) => {
    writeFileSync(at('bad.jsonl.br'), brotliCompressSync(text));
    await expect(openReplay(at('bad.jsonl.br'), bybitLinear, () => undefined)).rejects.toThrow(says);
  });

  test('a file that is not there is refused', async () => {
    await expect(openReplay(at('none.jsonl'), bybitLinear, () => undefined)).rejects.toMatchObject({
      code: 'SHADOW_ERR_INPUT',
      exitCode: 3,
    });
  });
});
