import { execFileSync } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { listen, stopListening } from '../../collector/src/listen.ts';
import { Alertmanager } from '../e2e/support/alertmanager.ts';
import { Scope, waitFor } from '../e2e/support/scope.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const CONFIG = readFileSync(at('provisioning/alertmanager/alertmanager.yml'), 'utf8');

type Labels = Readonly<Record<string, string>>;
const FIVE = ['ShadowEdgeLow', 'ShadowMakerLow', 'ShadowLatencyHigh', 'ShadowRiskHigh', 'ShadowClockDriftHigh'];
const warning = (alertname: string, symbol: string): Labels => ({
  alertname,
  symbol,
  severity: 'warning',
  component: 'shadow',
});
const missing = (metric: string, symbol?: string): Labels => ({
  alertname: 'ShadowMetricsMissing',
  severity: 'critical',
  component: 'shadow',
  metric,
  ...(symbol === undefined ? {} : { symbol }),
});
const ANNOTATIONS = {
  summary: 'the summary',
  description: 'the description',
  runbook_url: 'https://runbook.example/x',
};
const HOUR_MS = 3_600_000;

/** Tells Alertmanager of alerts as Prometheus does. */
async function post(alertmanager: Alertmanager, alerts: readonly Labels[], endsInMs = HOUR_MS): Promise<void> {
  const nowMs = Date.now();
  const [startsAt, endsAt] = [nowMs - 1_000, nowMs + endsInMs].map((ms) => new Date(ms).toISOString());
  const body = JSON.stringify(alerts.map((labels) => ({ labels, annotations: ANNOTATIONS, startsAt, endsAt })));
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${alertmanager.server.url}/api/v2/alerts`, { method: 'POST', headers, body });
  expect(answer.status).toBe(200);
}

interface Shown {
  readonly labels: Labels;
  readonly status: { readonly state: string; readonly inhibitedBy: readonly string[] };
}
const shown = async ({ server }: Alertmanager): Promise<readonly Shown[]> =>
  (await (await fetch(`${server.url}/api/v2/alerts`)).json()) as readonly Shown[];

/** "ShadowEdgeLow BTCUSDT" of all that are held back by another alert. */
const heldBack = async (alertmanager: Alertmanager): Promise<string[]> =>
  (await shown(alertmanager))
    .filter(({ status }) => status.state === 'suppressed' && status.inhibitedBy.length > 0)
    .map(({ labels }) => `${labels['alertname']} ${labels['symbol']}`)
    .sort();

const scope = new Scope();
afterAll(() => scope.close());

describe('what is missing holds back the alerts that have no data, and no other', () => {
  const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
  const ALL = SYMBOLS.flatMap((symbol) => FIVE.map((name) => `${name} ${symbol}`)).sort();
  const of = (symbol: string): string[] => ALL.filter((each) => each.endsWith(symbol));

  test.each<{ name: string; sources: readonly Labels[]; expected: readonly string[] }>([
    { name: 'nothing missing', sources: [], expected: [] },
    { name: 'drift of every symbol', sources: [missing('shadow_clock_drift_ms')], expected: ALL },
    {
      name: 'risk of every symbol',
      sources: [missing('shadow_risk_ratio')],
      expected: ['ShadowRiskHigh BTCUSDT', 'ShadowRiskHigh ETHUSDT'],
    },
    { name: 'drift of one', sources: [missing('shadow_clock_drift_ms', 'BTCUSDT')], expected: of('BTCUSDT') },
    { name: 'risk of one', sources: [missing('shadow_risk_ratio', 'ETHUSDT')], expected: ['ShadowRiskHigh ETHUSDT'] },
    {
      name: 'edge of every symbol',
      sources: [missing('shadow_edge_bps')],
      expected: ['ShadowEdgeLow BTCUSDT', 'ShadowEdgeLow ETHUSDT'],
    },
    {
      name: 'edge and maker share of one, as in a quiet market',
      sources: [missing('shadow_edge_bps', 'BTCUSDT'), missing('shadow_maker_taker_ratio', 'BTCUSDT')],
      expected: ['ShadowEdgeLow BTCUSDT', 'ShadowMakerLow BTCUSDT'],
    },
    {
      name: 'maker share of every symbol',
      sources: [missing('shadow_maker_taker_ratio')],
      expected: ['ShadowMakerLow BTCUSDT', 'ShadowMakerLow ETHUSDT'],
    },
    {
      name: 'latency of one',
      sources: [missing('shadow_latency_ms', 'ETHUSDT')],
      expected: ['ShadowLatencyHigh ETHUSDT'],
    },
    {
      name: 'latency of every symbol',
      sources: [missing('shadow_latency_ms')],
      expected: ['ShadowLatencyHigh BTCUSDT', 'ShadowLatencyHigh ETHUSDT'],
    },
  ])('$name', async ({ sources, expected }) => {
    const own = new Scope();
    try {
      const alertmanager = await Alertmanager.start(own, CONFIG);
      const others = [
        { ...warning('ShadowFeedStale', 'BTCUSDT'), component: 'shadow-companion' },
        { alertname: 'Watchdog', severity: 'none', component: 'shadow-companion' },
      ];
      await post(alertmanager, [...sources, ...others]);
      await post(
        alertmanager,
        SYMBOLS.flatMap((symbol) => FIVE.map((name) => warning(name, symbol))),
      );
      await waitFor(
        'all alerts to be shown and held back as they should',
        async () =>
          (await shown(alertmanager)).length === sources.length + others.length + ALL.length &&
          (await heldBack(alertmanager)).length === expected.length,
      );
      expect(await heldBack(alertmanager)).toEqual(expected);
    } finally {
      await own.close();
    }
  });
});

interface Sent {
  readonly path: string;
  readonly body: string;
}

/** Slack and PagerDuty. */
async function receivers(): Promise<{ url: string; sent: Sent[] }> {
  const sent: Sent[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      sent.push({ path: request.url!, body });
      response.statusCode = request.url === '/pagerduty' ? 202 : 200;
      response.end(request.url === '/pagerduty' ? '{"status":"success"}' : 'ok');
    });
  });
  const url = await listen(server, '127.0.0.1', 0, 'receivers');
  scope.add(() => stopListening(server));
  return { url, sent };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** The provisioned configuration, in a hurry, and with the secrets in a folder. */
const hurried = (secrets: string): string =>
  CONFIG.replaceAll('/run/secrets', secrets)
    .replace(/group_wait: \w+/, 'group_wait: 200ms')
    .replace(/group_interval: \w+/, 'group_interval: 500ms');

describe('what is sent', () => {
  let alertmanager: Alertmanager;
  let sent: Sent[];
  beforeAll(async () => {
    const there = await receivers();
    sent = there.sent;
    const secrets = scope.folder();
    writeFileSync(join(secrets, 'slack_api_url'), `${there.url}/slack`);
    writeFileSync(join(secrets, 'pagerduty_routing_key'), 'a-key-of-the-test\n');
    const pagerduty = `pagerduty_configs:\n      - url: ${there.url}/pagerduty\n        routing_key_file:`;
    const config = hurried(secrets).replace(/pagerduty_configs:\n\s*- routing_key_file:/, pagerduty);
    alertmanager = await Alertmanager.start(scope, config);
  });
  beforeEach(() => void sent.splice(0));

  const to = (path: string): string[] => sent.filter((each) => each.path === path).map(({ body }) => body);
  const told = (path: string, what: RegExp): Promise<void> =>
    waitFor(`${path} to be told ${String(what)}`, () => to(path).some((body) => what.test(body)));

  test('a warning is a message to Slack with summary, description and link, and so is its end', async () => {
    await post(alertmanager, [warning('ShadowRiskHigh', 'A')]);
    await told('/slack', /FIRING ShadowRiskHigh/);
    for (const text of Object.values(ANNOTATIONS)) expect(to('/slack')[0]).toContain(text);
    await post(alertmanager, [warning('ShadowRiskHigh', 'A')], -1);
    await told('/slack', /RESOLVED ShadowRiskHigh/);
    expect(to('/pagerduty')).toEqual([]);
  });

  test('what is critical is an incident of PagerDuty under the key of the file, and its end ends it', async () => {
    await post(alertmanager, [missing('shadow_edge_bps', 'B')]);
    await told('/pagerduty', /"event_action":"trigger"/);
    expect(JSON.parse(to('/pagerduty')[0]!)).toMatchObject({
      routing_key: 'a-key-of-the-test',
      payload: {
        severity: 'critical',
        summary: expect.stringContaining('ShadowMetricsMissing'),
        custom_details: {
          alerts: expect.stringContaining('the summary (firing): the description'),
          runbook: ANNOTATIONS.runbook_url,
        },
      },
    });
    await post(alertmanager, [missing('shadow_edge_bps', 'B')], -1);
    await told('/pagerduty', /"event_action":"resolve"/);
    expect(to('/slack')).toEqual([]);
  });

  test('an alert that ends while its metrics are missing is not told to be resolved', async () => {
    await post(alertmanager, [warning('ShadowLatencyHigh', 'C')]);
    await told('/slack', /FIRING ShadowLatencyHigh/);
    await post(alertmanager, [missing('shadow_clock_drift_ms', 'C')]);
    await told('/pagerduty', /"event_action":"trigger"/);
    await waitFor('it to be held back', async () => (await heldBack(alertmanager)).includes('ShadowLatencyHigh C'));
    await post(alertmanager, [warning('ShadowLatencyHigh', 'C')], -1);
    // One that begins and ends behind it has had the same time to be told.
    await post(alertmanager, [warning('ShadowEdgeLow', 'D')]);
    await told('/slack', /FIRING ShadowEdgeLow/);
    await post(alertmanager, [warning('ShadowEdgeLow', 'D')], -1);
    await told('/slack', /RESOLVED ShadowEdgeLow/);
    expect(to('/slack').filter((body) => body.includes('RESOLVED ShadowLatencyHigh'))).toEqual([]);
  });

  test('every line on how to silence works as it stands, and silences what it names', async () => {
    const lines = readdirSync(at('alerts/runbooks'))
      .map((name) => `alerts/runbooks/${name}`)
      .concat('alerts/README.md')
      .flatMap((path) => [...readFileSync(at(path), 'utf8').matchAll(/^amtool .*silence add .*$/gm)])
      .map(([line]) => line);
    expect(lines.length).toBeGreaterThanOrEqual(readdirSync(at('alerts/runbooks')).length);
    const { server } = alertmanager;
    const ids = lines.map((line) => {
      const command = line.replace('http://localhost:9093', server.url);
      return execFileSync('sh', ['-c', command], { encoding: 'utf8', timeout: 20_000 }).trim();
    });
    const silences = (await (await fetch(`${server.url}/api/v2/silences`)).json()) as { id: string }[];
    expect(silences.map(({ id }) => id).sort()).toEqual(ids.sort());
    await post(alertmanager, [warning('ShadowRiskHigh', 'E')]);
    await waitFor('it to be silenced', async () =>
      (await shown(alertmanager)).some(
        ({ labels, status }) => labels['symbol'] === 'E' && status.state === 'suppressed',
      ),
    );
  });
});

test('without secrets it starts, shows the alerts, counts what it could not send, and goes on', async () => {
  const alertmanager = await Alertmanager.start(scope, hurried(scope.folder()));
  await post(alertmanager, [warning('ShadowRiskHigh', 'A'), missing('shadow_edge_bps', 'A')]);
  const failures = async (): Promise<string[]> =>
    (await (await fetch(`${alertmanager.server.url}/metrics`)).text())
      .split('\n')
      .filter((line) => /^alertmanager_notifications_failed_total\{.*(slack|pagerduty).* [1-9]/.test(line));
  await waitFor('both to have failed', async () => (await failures()).length === 2);
  expect((await shown(alertmanager)).map(({ labels }) => labels['alertname']).sort()).toEqual([
    'ShadowMetricsMissing',
    'ShadowRiskHigh',
  ]);
});
