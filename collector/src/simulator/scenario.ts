import type { Ms, Us } from '../units.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';

/** What the world is like at a moment. */
export interface Conditions {
  /** Times the calm market's. */
  readonly volatility: number;
  readonly activity: number;
  readonly shocks: number;
  /** Share of a price shock that stays; the rest is given back within seconds. */
  readonly permanence: number;
  /** Share of shocks that go down. Undefined: those that balance what went before are likelier. */
  readonly downShare: number | undefined;
  readonly trendBpsPerS: number;
  /** Times a second that the price jumps away and is back sooner than an order can follow. */
  readonly flickersPerS: number;
  /** One way to the client: lognormal by median and 95th percentile. */
  readonly delayMs: { readonly median: Ms; readonly p95: Ms };
  /** Every `STALL_PERIOD_MS` the line delivers nothing for so long, and then all at once. */
  readonly stallMs: Ms;
  /** The exchange's clock less the true one. */
  readonly clockOffsetMs: Ms;
  /** Rate of change of that, from the beginning of the scenario. */
  readonly clockSkewPpm: number;
  /** No data is published; the connection answers. At the end the streams begin anew, as after a restart. */
  readonly feedStopped: boolean;
  /** Connections made before the scenario say nothing more, not even a pong. */
  readonly halfOpen: boolean;
  /** Every connection is cut so often; 0 never. */
  readonly disconnectEveryMs: Ms;
  /** Share of depth updates that are lost, of frames that come twice, of frames that are damaged. */
  readonly dropShare: number;
  readonly duplicateShare: number;
  readonly badShare: number;
  /** Every fourth frame may come so much later than its time, behind others. */
  readonly disorderMs: Ms;
  /** Every other second the published book is crossed. */
  readonly crossed: boolean;
}

export const CALM: Conditions = {
  volatility: 1,
  activity: 1,
  shocks: 1,
  permanence: 0,
  downShare: undefined,
  trendBpsPerS: 0,
  flickersPerS: 0,
  delayMs: { median: 16, p95: 18 },
  stallMs: 0,
  clockOffsetMs: 0,
  clockSkewPpm: 0,
  feedStopped: false,
  halfOpen: false,
  disconnectEveryMs: 0,
  dropShare: 0,
  duplicateShare: 0,
  badShare: 0,
  disorderMs: 0,
  crossed: false,
};

interface Scenario {
  readonly help: string;
  readonly change: Partial<Conditions>;
  /** When it begins unless it is said: what it does needs a time before it. */
  readonly startUs: Us;
}

const scenario = (help: string, change: Partial<Conditions>, startUs: Us = 0): Scenario => ({ help, change, startUs });
/** Time for a run to have a before. */
const LATER_US: Us = 30 * US_PER_S;

// prettier-ignore
export const SCENARIOS = {
  'calm': scenario('nothing unusual', {}),
  'volatile': scenario('five times the volatility, twice the orders, three times the shocks', { volatility: 5, activity: 2, shocks: 3 }),
  'trend': scenario('the price rises by half a basis point a second', { trendBpsPerS: 0.5 }),
  'edge-low': scenario('shocks stay: every fill is adverse (ShadowEdgeLow)', { permanence: 1, shocks: 2 }),
  'maker-low': scenario('the price flickers: quotes arrive where it was and would take (ShadowMakerLow)', { flickersPerS: 0.4 }),
  'latency-high': scenario('the line stalls for 800 ms every 7.5 s (ShadowLatencyHigh)', { stallMs: 800 }),
  'risk-high': scenario('most shocks go down: the inventory fills up (ShadowRiskHigh)', { downShare: 0.9 }),
  'clock-drift': scenario('the exchange\'s clock is 620 ms ahead and gains 50 ppm (ShadowClockDriftHigh)', { clockOffsetMs: 620, clockSkewPpm: 50 }),
  'clock-step': scenario('the exchange\'s clock steps by 250 ms, and back at the end; from 30 s on unless said otherwise', { clockOffsetMs: 250 }, LATER_US),
  'feed-stop': scenario('the exchange publishes nothing, but answers (ShadowMetricsMissing)', { feedStopped: true }),
  'gap': scenario('depth updates are lost', { dropShare: 0.004 }),
  'reconnect': scenario('connections are cut every 4 s', { disconnectEveryMs: 4_000 }),
  'out-of-order': scenario('frames come up to 120 ms behind later ones', { disorderMs: 120 }),
  'duplicate': scenario('a tenth of the frames comes twice', { duplicateShare: 0.1 }),
  'crossed': scenario('the published book is crossed every other second', { crossed: true }),
  'silent-socket': scenario('connections stay open and say nothing more; from 30 s on unless said otherwise', { halfOpen: true }, LATER_US),
  'bad-frames': scenario('one frame in a hundred is damaged', { badShare: 0.01 }),
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;
export const SCENARIO_NAMES = Object.keys(SCENARIOS) as ScenarioName[];

/** A scenario from `fromUs` until `toUs` after the start of the exchange. */
export interface ScheduledScenario {
  readonly name: ScenarioName;
  readonly fromUs: Us;
  /** Infinity: to the end. */
  readonly toUs: Us;
}

/** The entry of the flag that it came from, in seconds. */
export function describe({ name, fromUs, toUs }: ScheduledScenario): string {
  const seconds = (us: Us): string => `${us / US_PER_S}s`;
  if (toUs !== Infinity) return `${name}:${seconds(fromUs)}+${seconds(toUs - fromUs)}`;
  return fromUs === SCENARIOS[name].startUs ? name : `${name}:${seconds(fromUs)}`;
}

const ENTRY = /^([a-z-]+)(?::(\d+(?:\.\d+)?(?:ms|s|m|h)?)(?:\+(\d+(?:\.\d+)?(?:ms|s|m|h)?))?)?$/;
const UNITS: Readonly<Record<string, Us>> = {
  ms: US_PER_MS,
  s: US_PER_S,
  m: 60 * US_PER_S,
  h: 3_600 * US_PER_S,
};

/** Reads `latency-high:60s+120s,gap:5m`: from 60 s on for 120 s; from 5 min on. Throws an Error that says what was expected. */
export function parseScenarios(text: string): readonly ScheduledScenario[] {
  return text.split(',').map((entry) => {
    const [, name = '', start, length] = ENTRY.exec(entry.trim()) ?? [];
    if (!Object.hasOwn(SCENARIOS, name)) {
      throw new Error(`NAME[:START[+LENGTH]],… such as latency-high:60s+120s,gap:5m of ${SCENARIO_NAMES.join(', ')}`);
    }
    const fromUs = start === undefined ? SCENARIOS[name as ScenarioName].startUs : durationUs(start);
    const toUs = length === undefined ? Infinity : fromUs + durationUs(length);
    return { name: name as ScenarioName, fromUs, toUs };
  });
}

/** "250ms", "60s", "2m", "1h"; a number alone is seconds. */
function durationUs(text: string): Us {
  const [, value, unit = 's'] = /^([\d.]+)(\D*)$/.exec(text)!;
  return Math.round(Number(value) * UNITS[unit === '' ? 's' : unit]!);
}

/** What holds at a moment: a later scenario of the list overrides an earlier one where both change the same thing. */
export interface Moment {
  readonly conditions: Conditions;
  /** When the scenario behind a condition began; none for one that no scenario changes. */
  readonly sinceUs: Readonly<Partial<Record<keyof Conditions, Us>>>;
  /** Nothing changes before this. */
  readonly untilUs: Us;
}

/** The scenarios of a run as a function of the time since its start. */
export class Schedule {
  readonly #scenarios: readonly ScheduledScenario[];

  constructor(scenarios: readonly ScheduledScenario[]) {
    this.#scenarios = scenarios;
  }

  at(elapsedUs: Us): Moment {
    let conditions = CALM;
    const sinceUs: Partial<Record<keyof Conditions, Us>> = {};
    let untilUs = Infinity;
    for (const { name, fromUs, toUs } of this.#scenarios) {
      for (const edge of [fromUs, toUs]) if (edge > elapsedUs) untilUs = Math.min(untilUs, edge);
      if (elapsedUs < fromUs || elapsedUs >= toUs) continue;
      const change: Partial<Conditions> = SCENARIOS[name].change;
      conditions = { ...conditions, ...change };
      for (const key of Object.keys(change) as (keyof Conditions)[]) sinceUs[key] = fromUs;
    }
    return { conditions, sinceUs, untilUs };
  }
}
