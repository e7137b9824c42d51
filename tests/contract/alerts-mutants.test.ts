import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { Scope } from '../e2e/support/scope.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/mutate-alerts.mjs', import.meta.url));
const scope = new Scope();
afterAll(() => scope.close());

const RULES = `groups:
  - name: a
    rules:
      - alert: High
        expr: value > 5
        for: 2m
`;
/** Whether the alert fires at its time for a value, by a test that names it: the script gives a rule the tests that do. */
const testOf = (value: string, fires: boolean): object => {
  const expr = 'count(ALERTS{alertname="High", alertstate="firing"})';
  const firing = fires ? [{ labels: '{}', value: 1 }] : [];
  return {
    interval: '1m',
    input_series: [{ series: 'value', values: `${value}x10` }],
    promql_expr_test: [
      { eval_time: '1m', expr, exp_samples: [] },
      { eval_time: '2m', expr, exp_samples: firing },
    ],
  };
};
const BEYOND = testOf('5.5', true);
const EXACT = testOf('5', false);

/** What the script finds in a folder with one rule and these tests. */
function mutate(...tests: object[]): { status: number | null; stdout: string } {
  const folder = scope.folder();
  writeFileSync(join(folder, 'shadow_rules.yml'), RULES);
  writeFileSync(join(folder, 'companion_rules.yml'), 'groups: []\n');
  const document = { rule_files: ['shadow_rules.yml'], evaluation_interval: '1m', tests };
  writeFileSync(join(folder, 'rules.test.yml'), stringify(document));
  return spawnSync(process.execPath, [SCRIPT, '--alerts', folder], { encoding: 'utf8', timeout: 50_000 });
}

test('tests that tell every mutant leave none', () => {
  const { status, stdout } = mutate(BEYOND, EXACT);
  expect(stdout).toMatch(/^(\d+) mutants, \1 killed, 0 survived$/m);
  expect(status).toBe(0);
});

test('without the test on the threshold the mutants beside it survive, and are named', () => {
  const { status, stdout } = mutate(BEYOND);
  const survivors = stdout.split('\n').filter((line) => line.startsWith('survived: '));
  expect(survivors).toEqual(['survived: shadow_rules.yml, High: 5 → 4', 'survived: shadow_rules.yml, High: > → >=']);
  expect(status).toBe(1);
});

test('tests that fail without a mutant are no measure', () => {
  expect(mutate(BEYOND, testOf('5', true))).toMatchObject({ status: 2, stdout: '' });
});
