import type { ScenarioName } from '../../../collector/src/simulator/scenario.ts';
import { Alertmanager } from '../support/alertmanager.ts';
import type { Flags } from '../support/collector.ts';
import { Collector } from '../support/collector.ts';
import { Prometheus } from '../support/prometheus.ts';
import type { Scope } from '../support/scope.ts';
import { waitFor } from '../support/scope.ts';
import type { NotifiedAlert } from '../support/webhook.ts';
import { Webhook } from '../support/webhook.ts';
import { alertmanagerConfig, prometheusConfig, SECONDS_A_MINUTE, shortenedRules } from './shortened.ts';

/** A collector on a market of its own, in which a scenario begins after a calm minute and ends again. */
export interface Story {
  readonly alert: string;
  readonly scenario: ScenarioName;
  readonly symbol: string;
  /** Of the provisioned Alertmanager. */
  readonly receiver: string;
  readonly lengthS: number;
  readonly flags?: Flags;
}

const STARTS_S = 60;

export const STORIES: readonly Story[] = [
  { alert: 'ShadowEdgeLow', scenario: 'edge-low', symbol: 'ETHUSDT', receiver: 'slack', lengthS: 120 },
  { alert: 'ShadowMakerLow', scenario: 'maker-low', symbol: 'SOLUSDT', receiver: 'slack', lengthS: 100 },
  // Two stalls in each window; quotes far out, whose edge the lateness does not touch.
  {
    alert: 'ShadowLatencyHigh',
    scenario: 'latency-high',
    symbol: 'BTCUSDT',
    receiver: 'slack',
    lengthS: 160,
    flags: { duration: 15, spread_bps: 14 },
  },
  // A tight limit fills up sooner.
  {
    alert: 'ShadowRiskHigh',
    scenario: 'risk-high',
    symbol: 'XRPUSDT',
    receiver: 'slack',
    lengthS: 170,
    flags: { inventory_limit: 12_000 },
  },
  { alert: 'ShadowClockDriftHigh', scenario: 'clock-drift', symbol: 'DOGEUSDT', receiver: 'slack', lengthS: 90 },
  { alert: 'ShadowMetricsMissing', scenario: 'feed-stop', symbol: 'SIM1USDT', receiver: 'on-call', lengthS: 190 },
];

/** Of the market every story is told in. */
const SEED = 2;
const CALM: Flags = { spread_bps: 8, inventory_limit: 25_000, duration: 12, seed: SEED, log_level: 'error' };
/** Longer than the markouts are unknown after a step of the exchange's clock: a minute. */
const MISSING_FOR = '100s';
const DEADLINE_MS = 400_000;

export interface Told {
  /** Every alert on the symbol that was told to fire, until the one that is expected was resolved. */
  readonly fired: readonly string[];
  readonly receivers: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** One Prometheus and one Alertmanager for the collectors of all stories: alerts are by symbol. */
export class AlertWorld {
  readonly #webhook: Webhook;

  private constructor(webhook: Webhook) {
    this.#webhook = webhook;
  }

  static async start(scope: Scope): Promise<AlertWorld> {
    const collectors = await Promise.all(
      STORIES.map(({ scenario, symbol, lengthS, flags }) => {
        const when = `${scenario}:${STARTS_S}s+${lengthS}s`;
        return Collector.startMock(scope, { ...CALM, symbols: symbol, scenario: when, ...flags });
      }),
    );
    const { webhook } = await watch(scope, collectors, MISSING_FOR);
    return new AlertWorld(webhook);
  }

  async tell({ alert, symbol }: Story): Promise<Told> {
    const isEnd = ({ status, labels }: NotifiedAlert): boolean =>
      status === 'resolved' && labels['alertname'] === alert;
    await this.#until(`${alert} of ${symbol} to be resolved`, symbol, isEnd);
    // The companions may have something to say as well.
    const all = this.#webhook.of(symbol).filter(({ labels }) => labels['component'] === 'shadow');
    const firing = all.slice(0, all.findIndex(isEnd)).filter(({ status }) => status === 'firing');
    const { annotations } = firing.find(({ labels }) => labels['alertname'] === alert)!;
    return {
      fired: [...new Set(firing.map(({ labels }) => labels['alertname']!))],
      receivers: [...new Set(firing.map(({ receiver }) => receiver))],
      annotations,
    };
  }

  async #until(what: string, symbol: string, condition: (told: NotifiedAlert) => boolean): Promise<void> {
    const told = (): string =>
      this.#webhook
        .of(symbol)
        .map(({ status, labels }) => `${status} ${labels['alertname']}`)
        .join(', ');
    await waitFor(what, () => this.#webhook.of(symbol).some(condition), DEADLINE_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}; told: ${told()}`, { cause: error });
    });
  }
}

/** What watches collectors: the provisioned rules and configurations, in seconds instead of minutes. */
async function watch(
  scope: Scope,
  collectors: readonly Collector[],
  missingFor?: string,
): Promise<{ webhook: Webhook; prometheus: Prometheus }> {
  const webhook = await Webhook.start(scope);
  const alertmanager = await Alertmanager.start(scope, alertmanagerConfig(webhook.url));
  const rules = {
    'shadow_rules.yml': shortenedRules('alerts/shadow_rules.yml', missingFor),
    'companion_rules.yml': shortenedRules('alerts/companion_rules.yml'),
  };
  const prometheus = await Prometheus.start(scope, {
    config: prometheusConfig(collectors, alertmanager, Object.keys(rules)),
    files: rules,
    args: ['--rules.alert.resend-delay=2s'],
  });
  return { webhook, prometheus };
}

const KILLED = 'BTCUSDT';

/** Kills a collector whose latency alert fires, and waits until every window of the rules is over. */
export async function shortAfterDeath(scope: Scope): Promise<{ before: string[]; after: string[] }> {
  const flags = { spread_bps: 2, duration: 15, symbols: KILLED, scenario: 'latency-high', kpi_horizon_s: 0.1 };
  const collector = await Collector.startMock(scope, { ...CALM, ...flags });
  const { webhook, prometheus } = await watch(scope, [collector]);
  const ours = (): string[] =>
    webhook.notifications
      .filter(({ labels }) => labels['component'] === 'shadow' && labels['alertname'] !== 'ShadowEdgeLow')
      .map(({ status, labels }) => `${status} ${labels['alertname']}`);
  const gone = async (expression: string): Promise<boolean> => (await prometheus.query(expression)).length === 0;
  await waitFor('the alert on latency', () => ours().includes('firing ShadowLatencyHigh'), DEADLINE_MS);
  const before = [...new Set(ours())];
  await collector.kill();
  await waitFor('missing metrics to be told', () => ours().includes('firing ShadowMetricsMissing'), DEADLINE_MS);
  await waitFor('the latency to be over', () => gone('ALERTS{alertname="ShadowLatencyHigh"}'), DEADLINE_MS);
  const configured = `last_over_time(shadow_symbol_configured[${30 * SECONDS_A_MINUTE}s])`;
  await waitFor('the configuration to be out of its window', () => gone(configured), DEADLINE_MS);
  const from = await prometheus.ruleEvaluations();
  await waitFor('further evaluations', async () => (await prometheus.ruleEvaluations()) >= from + 100, DEADLINE_MS);
  return { before, after: [...new Set(ours())].filter((told) => !before.includes(told)) };
}
