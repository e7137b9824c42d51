import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Conditions, ScenarioName, ScheduledScenario } from '../../collector/src/simulator/scenario.ts';
import {
  CALM,
  describe as describeScenario,
  parseScenarios,
  Schedule,
  SCENARIO_NAMES,
  SCENARIOS,
} from '../../collector/src/simulator/scenario.ts';

const MS = 1_000;
const S = 1_000 * MS;

const entry = (name: ScenarioName, fromUs = 0, toUs = Infinity): ScheduledScenario => ({ name, fromUs, toUs });

describe('--scenario', () => {
  test.each([
    { text: 'calm', expected: [entry('calm')] },
    { text: 'gap:5', expected: [entry('gap', 5 * S)] },
    { text: 'gap:250ms', expected: [entry('gap', 250 * MS)] },
    { text: 'gap:60s', expected: [entry('gap', 60 * S)] },
    { text: 'gap:2m', expected: [entry('gap', 120 * S)] },
    { text: 'gap:1h', expected: [entry('gap', 3_600 * S)] },
    { text: 'gap:1.5m', expected: [entry('gap', 90 * S)] },
    { text: 'gap:0.5h', expected: [entry('gap', 1_800 * S)] },
    { text: 'gap:0.0004ms', expected: [entry('gap', 0)] },
    { text: 'gap:0', expected: [entry('gap')] },
    { text: 'gap:1.25+0.75', expected: [entry('gap', 1.25 * S, 2 * S)] },
    { text: 'latency-high:60s+120s', expected: [entry('latency-high', 60 * S, 180 * S)] },
    { text: 'latency-high:1m+500ms', expected: [entry('latency-high', 60 * S, 60 * S + 500 * MS)] },
    { text: 'gap:10s+0s', expected: [entry('gap', 10 * S, 10 * S)] },
    {
      text: 'latency-high:60s+120s,gap:5m',
      expected: [entry('latency-high', 60 * S, 180 * S), entry('gap', 300 * S)],
    },
    { text: ' volatile , trend:1s ', expected: [entry('volatile'), entry('trend', S)] },
    { text: 'gap:1s+1s,gap:5s+1s', expected: [entry('gap', S, 2 * S), entry('gap', 5 * S, 6 * S)] },
  ])('reads $text', ({ text, expected }) => {
    expect(parseScenarios(text)).toEqual(expected);
  });

  test.each([
    { name: 'nothing', text: '' },
    { name: 'blanks', text: '   ' },
    { name: 'an empty entry', text: 'gap,,calm' },
    { name: 'a comma at the end', text: 'gap,' },
    { name: 'an unknown name', text: 'earthquake' },
    { name: 'one unknown name of two', text: 'gap:5s,earthquake' },
    { name: 'a name in capitals', text: 'Gap' },
    { name: 'a name of every object', text: 'constructor' },
    { name: 'another name of every object', text: 'toString:5s' },
    { name: 'a prototype', text: '__proto__' },
    { name: 'a colon without a time', text: 'gap:' },
    { name: 'a plus without a length', text: 'gap:5s+' },
    { name: 'a length without a start', text: 'gap:+5s' },
    { name: 'a length without a colon', text: 'gap+5s' },
    { name: 'a negative time', text: 'gap:-5s' },
    { name: 'a negative length', text: 'gap:5s+-1s' },
    { name: 'an unknown unit', text: 'gap:5d' },
    { name: 'a unit in words', text: 'gap:5 seconds' },
    { name: 'a unit alone', text: 'gap:s' },
    { name: 'a number with two points', text: 'gap:1.2.3s' },
    { name: 'a number without digits before its point', text: 'gap:.5s' },
    { name: 'a number without digits behind its point', text: 'gap:5.s' },
    { name: 'an exponent', text: 'gap:1e3' },
    { name: 'infinity', text: 'gap:Infinity' },
    { name: 'three parts', text: 'gap:5s+5s+5s' },
    { name: 'a blank inside', text: 'gap: 5s' },
    { name: 'a semicolon', text: 'gap;calm' },
    { name: 'a newline behind a good entry', text: 'gap:5s\nx' },
  ])('refuses $name, and says what it expects', ({ text }) => {
    expect(() => parseScenarios(text)).toThrow(/^NAME\[:START\[\+LENGTH\]\],….*latency-high:60s\+120s/);
    for (const known of SCENARIO_NAMES) expect(() => parseScenarios(text)).toThrow(known);
  });

  const wholeUs = fc.oneof(fc.nat(5), fc.nat(10_000_000), fc.integer({ min: 0, max: 1_000_000 * S }));
  const scheduled: fc.Arbitrary<ScheduledScenario> = fc
    .record({ name: fc.constantFrom(...SCENARIO_NAMES), fromUs: wholeUs, lengthUs: fc.option(wholeUs) })
    .map(({ name, fromUs, lengthUs }) => entry(name, fromUs, lengthUs === null ? Infinity : fromUs + lengthUs));

  test('is read again from its description as what it was', () => {
    fc.assert(
      fc.property(fc.array(scheduled, { minLength: 1, maxLength: 5 }), (list) => {
        expect(parseScenarios(list.map(describeScenario).join(','))).toEqual(list);
      }),
      { numRuns: 2_000 },
    );
  });

  test('never throws anything but what it expects, whatever the text', () => {
    const piece = fc.constantFrom('gap', 'calm', ':', '+', ',', '5', '0.5', 's', 'ms', 'm', 'h', ' ', '-', '.', 'x');
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join('')),
        (text) => {
          let list: readonly ScheduledScenario[];
          try {
            list = parseScenarios(text);
          } catch (error) {
            expect((error as Error).message).toContain('NAME[:START[+LENGTH]]');
            return;
          }
          expect(list).toHaveLength(text.split(',').length);
          for (const { fromUs, toUs } of list) {
            expect(Number.isSafeInteger(fromUs)).toBe(true);
            expect(toUs).toBeGreaterThanOrEqual(fromUs);
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

describe('a schedule', () => {
  const conditionsAt = (text: string, seconds: number): Conditions =>
    new Schedule(parseScenarios(text)).at(seconds * S).conditions;

  test.each([
    { at: 0, stallMs: 0 },
    { at: 59.999999, stallMs: 0 },
    { at: 60, stallMs: 800 },
    { at: 179.999999, stallMs: 800 },
    { at: 180, stallMs: 0 },
    { at: 1e6, stallMs: 0 },
  ])('of latency-high:60s+120s stalls the line by $stallMs ms after $at s', ({ at, stallMs }) => {
    expect(conditionsAt('latency-high:60s+120s', at)).toEqual({ ...CALM, stallMs });
  });

  test('of nothing unusual is calm for ever', () => {
    expect(new Schedule(parseScenarios('calm')).at(0)).toEqual({ conditions: CALM, sinceUs: {}, untilUs: Infinity });
    expect(new Schedule([]).at(7 * S)).toEqual({ conditions: CALM, sinceUs: {}, untilUs: Infinity });
  });

  test('a later entry overrides an earlier one only where both change the same, and only while it lasts', () => {
    const text = 'clock-drift:10s,clock-step:20s+10s,gap:25s+1s';
    const { clockOffsetMs: drifted, clockSkewPpm: skewed } = SCENARIOS['clock-drift'].change;
    const { clockOffsetMs: stepped } = SCENARIOS['clock-step'].change;
    const { dropShare } = SCENARIOS.gap.change;
    expect(drifted).not.toBe(stepped);
    const at = (seconds: number): Conditions => conditionsAt(text, seconds);
    expect(at(15)).toEqual({ ...CALM, clockOffsetMs: drifted, clockSkewPpm: skewed });
    expect(at(20)).toEqual({ ...CALM, clockOffsetMs: stepped, clockSkewPpm: skewed });
    expect(at(25)).toEqual({ ...CALM, clockOffsetMs: stepped, clockSkewPpm: skewed, dropShare });
    expect(at(30)).toEqual({ ...CALM, clockOffsetMs: drifted, clockSkewPpm: skewed });
    // The order of the list decides, not that of the beginnings.
    expect(conditionsAt('clock-step:20s,clock-drift:10s', 30)).toEqual(at(30));
  });

  test('says since when a condition holds, by the entry that it comes from', () => {
    const { sinceUs } = new Schedule(parseScenarios('clock-drift:10s,clock-step:20s')).at(25 * S);
    expect(sinceUs).toEqual({ clockOffsetMs: 20 * S, clockSkewPpm: 10 * S });
    expect(new Schedule(parseScenarios('clock-drift:10s')).at(9 * S).sinceUs).toEqual({});
  });

  test('every scenario changes something real, calm nothing', () => {
    for (const name of SCENARIO_NAMES) {
      const change: Partial<Conditions> = SCENARIOS[name].change;
      const changed = (Object.keys(change) as (keyof Conditions)[]).filter((key) => change[key] !== CALM[key]);
      expect([name, changed.length > 0]).toEqual([name, name !== 'calm']);
      expect(SCENARIOS[name].help).not.toBe('');
    }
  });

  const edge = fc.integer({ min: 0, max: 20 });
  const list: fc.Arbitrary<ScheduledScenario[]> = fc.array(
    fc
      .record({ name: fc.constantFrom(...SCENARIO_NAMES), fromUs: edge, length: fc.option(edge) })
      .map(({ name, fromUs, length }) => entry(name, fromUs, length === null ? Infinity : fromUs + length)),
    { maxLength: 6 },
  );

  test('equals the entries of its moment laid over each other, and nothing changes before it says so', () => {
    fc.assert(
      fc.property(list, (scenarios) => {
        const schedule = new Schedule(scenarios);
        for (let timeUs = 0; timeUs < 45; timeUs++) {
          const { conditions, untilUs } = schedule.at(timeUs);
          const active = scenarios.filter(({ fromUs, toUs }) => fromUs <= timeUs && timeUs < toUs);
          const changes = active.map(({ name }): Partial<Conditions> => SCENARIOS[name].change);
          expect(conditions).toEqual(Object.assign({}, CALM, ...changes));
          expect(untilUs).toBeGreaterThan(timeUs);
          if (timeUs + 1 < untilUs) expect(schedule.at(timeUs + 1)).toEqual(schedule.at(timeUs));
        }
      }),
      { numRuns: 100 },
    );
  });
});
