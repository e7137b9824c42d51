import { setTimeout } from 'node:timers/promises';
import { CLOCK_FLAGS } from '../clock-flags.ts';
import { OffsetEstimator } from '../clock/offset-estimator.ts';
import { ShadowError, EXIT } from '../errors.ts';
import type { ProbeResult } from '../events.ts';
import { PROBE_RESULTS } from '../events.ts';
import { EXCHANGES } from '../feed/exchanges.ts';
import { ServerTimeProbe } from '../feed/probe.ts';
import type { RawRecord } from '../feed/records.ts';
import { FlagReader } from '../flags.ts';
import { commandHelp } from '../help.ts';
import { nearestRank } from '../kpi/quantile.ts';
import type { Clock } from '../system-clock.ts';
import type { Ms, Us } from '../units.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';
import type { CommandDeps } from './deps.ts';

interface ClockConfig {
  readonly exchange: string;
  readonly rest_url: string | undefined;
  readonly duration: number;
  readonly limit_ms: Ms;
  readonly format: 'text' | 'json';
}

const SYNOPSIS = `shadow clock [flags]

Measures the clock of this machine against the exchange's, and nothing else: it asks for the exchange's time once a second and tells the
offset, the band that certainly holds it, its rate of change, the round trip, and what to make of it. No symbol, no feed, no key.

  shadow clock --exchange bybit --duration 60
  shadow simulate --port 9110 --scenario clock-drift    and then    shadow clock --rest_url http://127.0.0.1:9110
`;

/** A question a second; the exchange allows hundreds. */
const PERIOD_US: Us = US_PER_S;
const PROGRESS_S = 10;

/** What was measured. Offset is local − exchange, + is local ahead. */
export interface ClockResult {
  readonly exchange: string;
  readonly seconds: number;
  readonly probes: Readonly<Record<ProbeResult, number>>;
  readonly offset_ms: Ms;
  /** The truth lies within offset ± this. */
  readonly uncertainty_ms: Ms;
  /** Null in less than a minute: a slope would be noise. */
  readonly skew_ppm: number | null;
  readonly skew_error_ppm: number | null;
  readonly rtt_ms: { readonly min: Ms; readonly p50: Ms; readonly p95: Ms };
  readonly exchange_steps: number;
  readonly verdict: 'fine' | 'off' | 'unclear';
}

/** `shadow clock`: answers with the exit code: 1 when the clock is certainly off. Throws ShadowError, also when no answer came. */
export async function clock(argv: readonly string[], deps: CommandDeps): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    deps.print(commandHelp('clock', SYNOPSIS, CLOCK_FLAGS));
    return EXIT.fine;
  }
  const reader = new FlagReader('clock', CLOCK_FLAGS, { ...deps, argv });
  const values = reader.values();
  reader.finish();
  const config = values as unknown as ClockConfig;
  const result = await measure(config, deps);
  deps.print(config.format === 'json' ? JSON.stringify(result) : describe(result, config.limit_ms));
  return result.verdict === 'off' ? EXIT.findings : EXIT.fine;
}

async function measure(config: ClockConfig, deps: CommandDeps): Promise<ClockResult> {
  const exchange = EXCHANGES.get(config.exchange)!;
  const restUrl = config.rest_url ?? exchange.restUrl;
  const { clock, signal } = deps;
  const probe = new ServerTimeProbe({
    exchange,
    restUrl,
    clock,
    random: () => 0,
    schedule: steadily(),
    onRecord: (record) => session.onRecord(record),
  });
  const session = new Session(clock, exchange.serverTime.granularityUs);
  probe.start();
  try {
    // From the first question that was answered, so that connecting takes nothing from the time.
    const startUs = clock.monoUs();
    const endUs = (): Us => (session.firstUs ?? startUs) + config.duration * US_PER_S;
    for (let second = 1; clock.monoUs() < endUs() && !signal.aborted; second++) {
      await setTimeout(US_PER_S / US_PER_MS, undefined, { signal }).catch(() => undefined); // Stopped: told below.
      session.solve();
      if (second % PROGRESS_S === 0 && second < config.duration) deps.say(`${second} s: ${session.progress()}`);
    }
  } finally {
    probe.stop();
  }
  return session.result(config, restUrl, probe.lastFailure);
}

/** Questions at even distances. */
function steadily(): { dueUs: Us; sent: (nowUs: Us) => void; hurry: () => void } {
  const schedule = {
    dueUs: -Infinity,
    sent: (nowUs: Us) => {
      schedule.dueUs = nowUs + PERIOD_US;
    },
    hurry: () => undefined,
  };
  return schedule;
}

/** One measurement on a local timeline of its own. */
class Session {
  readonly #clock: Clock;
  readonly #estimator: OffsetEstimator;
  readonly #localMinusMonoUs: Us;
  readonly #startUs: Us;
  readonly #probes = Object.fromEntries(PROBE_RESULTS.map((result) => [result, 0])) as Record<ProbeResult, number>;
  readonly #rttMs: Ms[] = [];
  #steps = 0;
  /** Monotonic clock when the first question that was answered was asked. */
  firstUs: Us | undefined;

  constructor(clock: Clock, probeUs: Us) {
    this.#clock = clock;
    this.#startUs = clock.monoUs();
    this.#localMinusMonoUs = clock.wallUs() - this.#startUs;
    this.#estimator = new OffsetEstimator({ feedUs: probeUs, probeUs }, (change) => {
      if (change === 'exchange-step') this.#steps++;
    });
  }

  onRecord({ result, sentMonoUs, answeredMonoUs, serverTimeUs }: RawRecord & { readonly type: 'probe' }): void {
    this.#probes[result]++;
    if (answeredMonoUs === undefined || serverTimeUs === undefined) return;
    this.firstUs ??= sentMonoUs;
    this.#rttMs.push((answeredMonoUs - sentMonoUs) / US_PER_MS);
    const [sentUs, receivedUs] = [sentMonoUs + this.#localMinusMonoUs, answeredMonoUs + this.#localMinusMonoUs];
    this.#estimator.onProbe({ sentUs, serverUs: serverTimeUs, receivedUs });
  }

  solve(): void {
    this.#estimator.solve(this.#nowUs);
  }

  progress(): string {
    const band = this.#estimator.bandAt(this.#nowUs);
    if (band === undefined) return `no answer yet (${this.#failures()})`;
    const { offsetUs, uncertaintyUs } = band;
    return `${this.#probes.ok} answers, offset ${signed(offsetUs / US_PER_MS)} ± ${shown(uncertaintyUs / US_PER_MS)} ms`;
  }

  /** Throws SHADOW_ERR_CONNECTION when the exchange did not answer with its time. */
  result({ exchange, limit_ms }: ClockConfig, restUrl: string, lastFailure = 'none came'): ClockResult {
    const seconds = (this.#clock.monoUs() - this.#startUs) / US_PER_S;
    this.solve();
    const band = this.#estimator.bandAt(this.#nowUs);
    if (band === undefined) {
      const hint = 'Expected its server time: is the address right, and reachable from here?';
      throw new ShadowError(
        'SHADOW_ERR_CONNECTION',
        `no usable answer from ${restUrl}: ${this.#failures()}; last: ${lastFailure}. ${hint}`,
      );
    }
    const sorted = [...this.#rttMs].sort((a, b) => a - b);
    const round = (value: number): number => Math.round(value * 1e3) / 1e3 + 0;
    const [offsetMs, uncertaintyMs] = [band.offsetUs / US_PER_MS, band.uncertaintyUs / US_PER_MS];
    const ready = this.#estimator.ready;
    return {
      exchange,
      seconds: Math.round(seconds),
      probes: this.#probes,
      offset_ms: round(offsetMs),
      uncertainty_ms: round(uncertaintyMs),
      skew_ppm: ready ? round(band.skewPpm) : null,
      skew_error_ppm: ready ? round(band.skewErrorPpm) : null,
      rtt_ms: {
        min: round(sorted[0]!),
        p50: round(nearestRank(sorted, 0.5)!),
        p95: round(nearestRank(sorted, 0.95)!),
      },
      exchange_steps: this.#steps,
      verdict: verdictOf(Math.abs(offsetMs), uncertaintyMs, limit_ms),
    };
  }

  get #nowUs(): Us {
    return this.#clock.monoUs() + this.#localMinusMonoUs;
  }

  #failures(): string {
    const seen = Object.entries(this.#probes).filter(([, count]) => count > 0);
    return seen.length === 0 ? 'no question has ended' : seen.map(([result, count]) => `${count} ${result}`).join(', ');
  }
}

/** Off only where no true offset within the band is small enough, fine only where all are. */
function verdictOf(offsetMs: Ms, uncertaintyMs: Ms, limitMs: Ms): ClockResult['verdict'] {
  if (offsetMs - uncertaintyMs > limitMs) return 'off';
  return offsetMs + uncertaintyMs <= limitMs ? 'fine' : 'unclear';
}

function describe(result: ClockResult, limitMs: Ms): string {
  const { exchange, seconds, probes, rtt_ms: rtt } = result;
  const failed = Object.entries(probes).filter(([name, count]) => !['ok', 'discarded'].includes(name) && count > 0);
  const skew =
    result.skew_ppm === null
      ? 'n/a (takes 60 s and 8 answers)'
      : `${signed(result.skew_ppm)} ppm, within ± ${shown(result.skew_error_ppm!)}`;
  const lines = [
    [
      'offset',
      `${signed(result.offset_ms)} ± ${shown(result.uncertainty_ms)} ms   (local − ${exchange}, + is ahead; the truth is in the band)`,
    ],
    ['skew', skew],
    ['round trip', `least ${shown(rtt.min)}, median ${shown(rtt.p50)}, p95 ${shown(rtt.p95)} ms`],
    ['answers', `${probes.ok} in ${seconds} s${failed.map(([name, count]) => `, ${count} ${name}`).join('')}`],
    ...(result.exchange_steps > 0 ? [['steps', `${result.exchange_steps} of the exchange's clock meanwhile`]] : []),
  ];
  return [...lines.map(([name, text]) => `${name!.padEnd(11)}${text!}`), '', sentence(result, limitMs)].join('\n');
}

function sentence({ offset_ms: offsetMs, uncertainty_ms: uncertaintyMs, verdict }: ClockResult, limitMs: Ms): string {
  const size = human(Math.abs(offsetMs));
  switch (verdict) {
    case 'off':
      return `Your clock is ${size} ${offsetMs > 0 ? 'ahead' : 'behind'}. Fix NTP before you trust latency that has not been corrected.`;
    case 'fine':
      return `Your clock agrees with the exchange's to within ${human(Math.abs(offsetMs) + uncertaintyMs)}.`;
    case 'unclear':
      return `It cannot be told whether your clock is within ${human(limitMs)}: the path is too long. Measure nearer to the exchange, or longer.`;
  }
}

const shown = (value: number): string => value.toFixed(Math.abs(value) < 10 ? 2 : 1);
const signed = (value: number): string => `${value > 0 ? '+' : value < 0 ? '−' : ''}${shown(Math.abs(value))}`;
const human = (ms: Ms): string => (ms >= 1_000 ? `${(ms / 1_000).toFixed(2)} s` : `${shown(ms)} ms`);
