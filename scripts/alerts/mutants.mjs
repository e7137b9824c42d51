// What may be wrong with a file of alert rules.
import { stringify } from 'yaml';

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
    ...each(expression, / unless on \(\) count\(.*?\)|\s+or \(shadow:symbol_expected .*\)$/gs, () => ''),
    ...each(expression, / unless on \(symbol\) \(.*? == 0\)/g, () => ''),
    ...each(expression, / unless on \(symbol\) shadow_[a-z_]+/g, () => ''),
    ...each(expression, /time\(\) - |(?<!time\(\)) - shadow_[a-z_]+| \* on .*?_info/g, () => ''),
    ...each(expression, /\bincrease(?=\()/g, () => ['rate', 'delta']).filter(({ what }) => what.endsWith('rate')),
    ...each(expression, /refused\||\|overflow/g, () => ''),
    ...each(expression, /\s+or \(shadow_remote_write.*\) > 0(?=\s*\))/gs, () => ''),
    ...each(expression, /(?<=unless on \()symbol(?=\))/g, () => ''),
    ...each(expression, /\s+or sum by .*$/gs, () => ''),
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

/** Every mutant of the rules of a file: what is changed, the rule it is of, and the text of the whole file. */
export function mutantsOf(file, document) {
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
