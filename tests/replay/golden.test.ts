import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { runShadow } from '../support/run.ts';
import { syntheticRecording } from '../support/synthetic.ts';

const GOLDEN = new URL('../golden/', import.meta.url);
const UPDATE = process.env['SHADOW_UPDATE_GOLDEN'] === '1';

/** Whole runs on a fixed synthetic recording, byte for byte. `npm run golden` rewrites them, when a change is meant. */
describe('the artifacts of a fixed recording are the golden ones', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shadow-golden-'));
  const recording = join(folder, 'synthetic.jsonl');
  writeFileSync(recording, syntheticRecording(16, 7));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    { name: 'joined', flags: ['--spread_bps', '0'] },
    { name: 'queue', flags: ['--spread_bps', '0', '--fill_model', 'queue'] },
    { name: 'taking', flags: ['--spread_bps', '-1', '--post_only', 'false', '--fill_model', 'touch'] },
  ])('$name', async ({ name, flags }) => {
    const { exitCode, files, summary } = await runShadow([
      ...['--replay', recording, '--symbols', 'BTCUSDT', '--iterations', '0', '--duration', '8'],
      ...flags,
    ]);
    expect(exitCode).toBe(0);
    expect(summary.totals.model_fills.touch).toBeGreaterThan(0);
    mkdirSync(new URL(`${name}/`, GOLDEN), { recursive: true });
    for (const [file, text] of files) {
      const golden = new URL(`${name}/${file}`, GOLDEN);
      if (UPDATE) writeFileSync(golden, text);
      expect(text).toBe(readFileSync(golden, 'utf8'));
    }
    expect([...files.keys()]).toEqual([
      'FILLS_1.json',
      'FILLS_2.json',
      'FILLS_3.json',
      'ITER_SUMMARY_1.json',
      'ITER_SUMMARY_2.json',
      'ITER_SUMMARY_3.json',
      'SHADOW_RUN_SUMMARY.json',
    ]);
  });
});
