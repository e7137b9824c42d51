// Are the tests of the alert rules worth anything? Each rule is changed in every way that matters, and some test must fail each time. `npm run mutate:alerts`
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { mutantsOf } from './alerts/mutants.mjs';

const RULE_FILES = ['shadow_rules.yml', 'companion_rules.yml'];
const PROMTOOL_MS = 120_000;
const argument = process.argv.indexOf('--alerts');
/** Another folder of rules and tests, to try this script itself. */
const folder = argument === -1 ? fileURLToPath(new URL('../alerts/', import.meta.url)) : process.argv[argument + 1];

const read = (name) => readFileSync(join(folder, name), 'utf8');
const testFiles = readdirSync(folder).filter((name) => name.endsWith('.test.yml'));

/** The tests one by one, those that failed last first: the next mutant is likely to fail the same. */
const tests = testFiles.flatMap((name) => {
  const { tests: all, ...document } = parse(read(name));
  return all.map((test) => ({
    ruleFiles: document.rule_files,
    words: JSON.stringify(test),
    text: stringify({ ...document, tests: [test] }, { aliasDuplicateObjects: false }),
  }));
});
/** The tests that can notice a mutant: those that speak of its alert; of a recorded series all may. */
const testsOf = ({ file, named }) =>
  tests.filter(({ ruleFiles, words }) => ruleFiles.includes(file) && (named.includes(':') || words.includes(named)));

/** Whether promtool finds no fault. */
const promtool = (args, cwd) =>
  new Promise((resolve, reject) => {
    execFile('promtool', args, { cwd, timeout: PROMTOOL_MS }, (error) => {
      if (error !== null && (error.killed || typeof error.code !== 'number')) reject(error);
      else resolve(error === null);
    });
  });

const temporary = mkdtempSync(join(tmpdir(), 'shadow-alerts-'));

/** A folder with the rules, one file of them changed. */
function folderOf(mutant, index) {
  const path = join(temporary, String(index));
  mkdirSync(path);
  for (const name of RULE_FILES) writeFileSync(join(path, name), name === mutant.file ? mutant.text : read(name));
  return path;
}

async function isKilled({ mutant, path }) {
  for (const test of testsOf(mutant)) {
    writeFileSync(join(path, 'one.test.yml'), test.text);
    if (await promtool(['test', 'rules', 'one.test.yml'], path)) continue;
    tests.splice(tests.indexOf(test), 1);
    tests.unshift(test);
    return true;
  }
  return false;
}

async function survivorsOf(mutants) {
  const waiting = [...mutants];
  const survivors = [];
  let done = 0;
  const work = async () => {
    for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) {
      if (!(await isKilled(each))) survivors.push(each.mutant);
      if (++done % 25 === 0) console.error(`${done} of ${mutants.length} mutants`);
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));
  return survivors;
}

/** Mutants that promtool does not even read: every test would fail with them, whatever it is worth. */
async function unreadable(mutants) {
  const faults = [];
  for (const { mutant, path } of mutants) {
    if (!(await promtool(['check', 'rules', '--lint=none', mutant.file], path))) faults.push(mutant);
  }
  return faults;
}

async function main() {
  if (tests.length === 0 || !(await promtool(['test', 'rules', ...testFiles], folder))) {
    console.error(`the tests in ${folder} do not pass without a change: promtool test rules *.test.yml`);
    return 2;
  }
  const mutants = RULE_FILES.flatMap((file) => mutantsOf(file, parse(read(file)))).map((mutant, index) => ({
    mutant,
    path: folderOf(mutant, index),
  }));
  const allFiles = mutants.map(({ mutant, path }) => join(path, mutant.file));
  if (!(await promtool(['check', 'rules', '--lint=none', ...allFiles], temporary))) {
    for (const { what } of await unreadable(mutants)) console.error(`is no rule: ${what}`);
    return 2;
  }
  const survivors = await survivorsOf(mutants);
  for (const { file, what } of survivors) console.log(`survived: ${file}, ${what}`);
  console.log(`${mutants.length} mutants, ${mutants.length - survivors.length} killed, ${survivors.length} survived`);
  return survivors.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
