import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { IterSummary, ShadowRunSummary } from '../../schema/types.gen.js';
import { contradictionsOf } from '../../collector/src/artifacts/contradictions.ts';
import { run } from '../../collector/src/commands/run.ts';
import { builtInProfiles } from '../../collector/src/resources.ts';
import { systemClock } from '../../collector/src/system-clock.ts';

/** The recordings lie beside the project. Without them tests are skipped with that reason, but not where CI=true. */
export const SHARED_DATA = fileURLToPath(new URL('../../../shared/data', import.meta.url));
export const BYBIT_RECORDING = join(SHARED_DATA, 'bybit/mainnet_linear_spot_20260809.jsonl');
export const HAS_DATA = existsSync(SHARED_DATA) || process.env['CI'] === 'true';
export const NEEDS_DATA = HAS_DATA ? '' : ' (skipped: ../shared/data is not there)';

export interface Finished {
  readonly exitCode: number;
  readonly lines: readonly string[];
  /** File name → content. */
  readonly files: ReadonlyMap<string, string>;
  readonly iterations: readonly IterSummary[];
  readonly summary: ShadowRunSummary;
}

/** `shadow run` in this process, into a folder of its own that is gone afterwards unless one is given. */
export async function runShadow(argv: readonly string[], folder?: string): Promise<Finished> {
  const output = folder ?? mkdtempSync(join(tmpdir(), 'shadow-run-'));
  const lines: string[] = [];
  try {
    const exitCode = await run([...argv, '--output', output, '--metrics_port', '0', '--log_level', 'silent'], {
      env: {},
      readText: (path) => readFileSync(path, 'utf8'),
      builtInProfiles: builtInProfiles(),
      build: { version: '0.0.0', commit: 'unknown' },
      clock: systemClock(),
      random: () => 0.5,
      print: (line) => lines.push(line),
      signal: new AbortController().signal,
    });
    const names = readdirSync(output).sort();
    const files = new Map(names.map((name) => [name, readFileSync(join(output, name), 'utf8')]));
    const iterations = names
      .filter((name) => name.startsWith('ITER_SUMMARY_'))
      .map((name) => JSON.parse(files.get(name)!) as IterSummary)
      .sort((a, b) => a.iteration - b.iteration);
    // Whatever a test runs: an audit must not find fault with the artifacts themselves.
    for (const iteration of iterations) {
      const found = contradictionsOf(iteration);
      if (found.length > 0) throw new Error(`window ${iteration.iteration}: ${JSON.stringify(found)}`);
    }
    return {
      exitCode,
      lines,
      files,
      iterations,
      summary: JSON.parse(files.get('SHADOW_RUN_SUMMARY.json') ?? 'null') as ShadowRunSummary,
    };
  } finally {
    if (folder === undefined) rmSync(output, { recursive: true, force: true });
  }
}
