// Every check there is, one after the other; all run even when one fails. Ends with "N passed, N failed".
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'shadow-test-'));
const report = join(folder, 'jest.json');

let passed = 0;
let failed = 0;
let skipped = 0;

function step(name, command, args) {
  console.log(`\n== ${name}`);
  const start = Date.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  console.log(`== ${name}: ${status === 0 ? 'fine' : 'FAILED'} (${Math.round((Date.now() - start) / 1000)} s)`);
  return status === 0;
}

/** What is measured end to end, or seen in a browser, while the rest keeps the machine busy would be late: each has its turn alone. */
const ALONE = [
  'tests/e2e/alerts.test.ts',
  'tests/browser/dashboard.test.ts',
  'tests/browser/live.test.ts',
  'tests/browser/panel.test.ts',
  'tests/browser/panel-budgets.test.ts',
];

function jest(name, where, args) {
  const fine = step(name, 'npm', [...where, '--', '--json', `--outputFile=${report}`, ...args]);
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    passed += result.numPassedTests;
    // A suite that could not even be loaded has no failed test; it failed all the same.
    failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
    skipped += result.numPendingTests;
    if (!fine && result.numFailedTests + result.numRuntimeErrorTestSuites === 0) failed++;
  } catch (error) {
    console.error(`jest left no report: ${error.message}`);
    failed++;
  } finally {
    rmSync(report, { force: true });
  }
}

const count = (fine) => (fine ? passed++ : failed++);
const checks = (names, where = []) => {
  for (const name of names) count(step([...where, name].join(' '), 'npm', [...where, 'run', '-s', name]));
};
const PLUGIN = ['--prefix', 'plugin'];

try {
  checks(['types', 'lint', 'format', 'generated', 'build', 'build:live', 'check:plugin', 'mutate:alerts']);
  checks(['types', 'lint', 'format'], PLUGIN);
  checks(['compat']);
  jest('jest of the panel', [...PLUGIN, 'run', '-s', 'test'], []);
  jest('jest', ['run', '-s', 'jest'], ['--testPathIgnorePatterns', '/node_modules/', ...ALONE]);
  jest('jest, alone', ['run', '-s', 'jest'], ['--runInBand', ...ALONE]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed === 0 ? 0 : 1;
