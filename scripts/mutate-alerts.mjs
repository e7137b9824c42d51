// Are the tests of the alert rules worth anything? Each rule is changed in every way that matters, and some test must fail each time. `npm run mutate:alerts`
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';

const ALERTS = fileURLToPath(new URL('../alerts/', import.meta.url));
const RULE_FILES = ['shadow_rules.yml', 'companion_rules.yml'];
const PROMTOOL_MS = 60_000;
const argument = process.argv.indexOf('--alerts');
/** Another folder of rules and tests, to try this script itself. */
const folder = argument === -1 ? ALERTS : process.argv[argument + 1];

/** Every occurrence changed by itself. */
function each(text, pattern, change) {
  return [...text.matchAll(pattern)].flatMap((match) =>
    [change(...match)].flat().map((changed) => ({
      what: `${match[0].trim()} → ${changed.trim() === '' ? 'nothing' : changed.trim()}`,
      text: text.slice(0, match.index) + changed + text.slice(match.index + match[0].length),
    })),
  );
}

const moved = (minutes, by) => Number(minutes) + by;

/** Thresholds beside the one that is meant: the next whole numbers, or two percent off. */
function near(value) {
  if (value.includes('.')) return [Number(value) * 1.02, Number(value) * 0.98].map(String);
  return value === '0' ? ['2', '-1'] : [Number(value) + 1, Number(value) - 1].map(String);
}

/** What may be wrong with an expression. */
function expressionMutants(expression) {
  const arms = expression.split(/\n?or (?=label_replace|absent)/);
  const without = (index) => arms.filter((_, other) => other !== index).join('\nor ');
  return [
    ...each(expression, /(?<=[<>] )\d+(\.\d+)?$/g, near),
    ...each(expression, / ([<>]) /g, (_, operator) => [` ${operator}= `, operator === '<' ? ' > ' : ' < ']),
    ...each(expression, / == (?=\d)/g, () => [' != ', ' > ']),
    ...each(expression, /\[(\d+)m\]/g, (_, minutes) => [-2, 2].map((by) => `[${moved(minutes, by)}m]`)),
    ...each(expression, /\babs(?=\()/g, () => ''),
    ...each(expression, / by \([a-z, ]+\)/g, () => ''),
    ...each(expression, /\bavg_over_time/g, () => ['min_over_time', 'max_over_time', 'last_over_time']),
    ...each(expression, /\b(avg|max|sum)(?= by)/g, (name) => (name === 'avg' ? ['max', 'min', 'sum'] : [])),
    ...each(expression, /\b(max|sum)(?= by \(symbol\)|\(shadow:)/g, () => 'min'),
    ...each(expression, /\blast_over_time/g, () => ['min_over_time', 'max_over_time']),
    ...each(expression, /\bon \((\w+), (\w+), (\w+)\)/g, (_, ...labels) =>
      labels.map((dropped) => `on (${labels.filter((label) => label !== dropped).join(', ')})`),
    ),
    ...each(expression, / unless on \(\) \(sum\(.*?\) == 0\)/g, () => ''),
    ...each(expression, / unless on \(\) count\(.*?\)| or \(shadow:[^)]*\)\)/g, () => ''),
    ...each(expression, / unless on \(symbol\) \(.*? == 0\)/g, () => ''),
    ...each(expression, / unless on \(symbol\) shadow_[a-z_]+/g, () => ''),
    ...each(expression, / - shadow_[a-z_]+| \* on .*?_info/g, () => ''),
    ...each(expression, /\bincrease(?=\()/g, () => ['rate', 'delta']).filter(({ what }) => what.endsWith('rate')),
    ...each(expression, /(refused)\||\|(abandoned)/g, () => ''),
    ...each(expression, /"(?=shadow_[a-z_]+", "", "")/g, () => '"other_'),
    ...(arms.length > 1 ? arms.map((arm, index) => ({ what: `without ${arm.trim()}`, text: without(index) })) : []),
  ];
}

function ruleMutants(rule) {
  const named = rule.alert ?? rule.record;
  const mutants = expressionMutants(rule.expr).map(({ what, text }) => ({ what, rule: { ...rule, expr: text } }));
  const minutes = /^(\d+)m$/.exec(rule.for ?? '')?.[1];
  for (const by of minutes === undefined ? [] : [-1, 1]) {
    if (moved(minutes, by) < 0) continue;
    mutants.push({
      what: `for: ${minutes}m → ${moved(minutes, by)}m`,
      rule: { ...rule, for: `${moved(minutes, by)}m` },
    });
  }
  for (const label of Object.keys(rule.labels ?? {})) {
    mutants.push({ what: `${label}: other`, rule: { ...rule, labels: { ...rule.labels, [label]: 'other' } } });
  }
  return mutants.map((mutant) => ({ ...mutant, named, what: `${named}: ${mutant.what}` }));
}

function mutantsOf(file) {
  const document = parse(readFileSync(join(folder, file), 'utf8'));
  return document.groups.flatMap((group, groupIndex) =>
    group.rules.flatMap((rule, ruleIndex) =>
      ruleMutants(rule).map(({ named, what, rule: changed }) => {
        const copy = JSON.parse(JSON.stringify(document));
        copy.groups[groupIndex].rules[ruleIndex] = changed;
        return { file, named, what, text: stringify(copy, { lineWidth: 0 }) };
      }),
    ),
  );
}

const testFiles = readdirSync(folder).filter((name) => name.endsWith('.test.yml'));

const tests = testFiles.map((name) => ({ name, document: parse(readFileSync(join(folder, name), 'utf8')) }));
/** The tests of a file that speak of a rule; of a recorded series all may. */
const speaksOf = (test, named) => named.includes(':') || JSON.stringify(test).includes(named);

/** Whether tests pass in a copy of the folder: all, or those that speak of a changed rule. */
async function testsPass(mutant) {
  const copy = mkdtempSync(join(tmpdir(), 'shadow-alerts-'));
  try {
    cpSync(folder, copy, { recursive: true });
    const chosen = tests.filter(({ document }) => mutant === undefined || document.rule_files.includes(mutant.file));
    if (mutant !== undefined) {
      writeFileSync(join(copy, mutant.file), mutant.text);
      for (const { name, document } of chosen) {
        const own = document.tests.filter((test) => speaksOf(test, mutant.named));
        writeFileSync(join(copy, name), stringify({ ...document, tests: own }, { aliasDuplicateObjects: false }));
      }
    }
    return await promtool(
      copy,
      chosen.map(({ name }) => name),
    );
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const promtool = (cwd, names) =>
  new Promise((resolve, reject) => {
    execFile('promtool', ['test', 'rules', ...names], { cwd, timeout: PROMTOOL_MS }, (error) => {
      if (error !== null && (error.killed || typeof error.code !== 'number')) reject(error);
      else resolve(error === null);
    });
  });

if (testFiles.length === 0 || !(await testsPass())) {
  console.error(`the tests in ${folder} do not pass without a change: promtool test rules *.test.yml`);
  process.exit(2);
}

const mutants = RULE_FILES.flatMap(mutantsOf);
const waiting = [...mutants];
const survivors = [];
let done = 0;

async function work() {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    if (await testsPass(mutant)) survivors.push(mutant);
    done++;
    if (done % 25 === 0) console.error(`${done} of ${mutants.length} mutants`);
  }
}

await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));
for (const { file, what } of survivors) console.log(`survived: ${file}, ${what}`);
console.log(`${mutants.length} mutants, ${mutants.length - survivors.length} killed, ${survivors.length} survived`);
process.exitCode = survivors.length === 0 ? 0 : 1;
