import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Alertmanager } from '../e2e/support/alertmanager.ts';
import { Prometheus } from '../e2e/support/prometheus.ts';
import { Scope, waitFor } from '../e2e/support/scope.ts';

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const SIX = /^Shadow(EdgeLow|MakerLow|LatencyHigh|RiskHigh|ClockDriftHigh|MetricsMissing)$/;
/** The lines of the README that ask Prometheus or Alertmanager. */
const LINES = [...read('alerts/README.md').matchAll(/^curl .*$/gm)].map(([line]) => line);

const scope = new Scope();
afterAll(() => scope.close());

let prometheus: Prometheus;
let alertmanager: Alertmanager;
/** What a line prints; throws when it fails or finds nothing. */
const printed = (line: string): string => {
  const command = line
    .replace('http://localhost:9090', prometheus.url)
    .replace('http://localhost:9093', alertmanager.server.url);
  return execFileSync('sh', ['-c', command], { encoding: 'utf8', timeout: 20_000 });
};

beforeAll(async () => {
  alertmanager = await Alertmanager.start(scope, read('provisioning/alertmanager/alertmanager.yml'));
  // There is no collector, so ShadowMetricsMissing fires as soon as it does not wait.
  const rules = read('alerts/shadow_rules.yml').replace(/for: 5m(?=\s+labels:\s+severity: critical)/, 'for: 0m');
  prometheus = await Prometheus.start(scope, {
    config: {
      global: { evaluation_interval: '1s' },
      rule_files: ['shadow_rules.yml', 'companion_rules.yml'],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager.address] }] }] },
    },
    files: { 'shadow_rules.yml': rules, 'companion_rules.yml': read('alerts/companion_rules.yml') },
    // Prometheus knows its Alertmanagers seconds after it evaluates first, and what it tells none of them it tells again this much later.
    args: ['--rules.alert.resend-delay=1s'],
  });
  await waitFor(
    'the alert to reach Alertmanager',
    async () =>
      (await (await fetch(`${alertmanager.server.url}/api/v2/alerts`)).text()).includes('ShadowMetricsMissing'),
    60_000,
  );
}, 90_000);

test('the README asks for the rules and the alerts', () => {
  for (const path of ['9090/api/v1/rules', '9090/api/v1/alerts', '9093/api/v2/alerts']) {
    expect(LINES.join('\n')).toContain(`http://localhost:${path}`);
  }
});

test.each(LINES)('%s works as printed', (line) => {
  const text = printed(line);
  if (line.includes('"name":"shadow.mode.rules"')) {
    expect(text.trim()).toBe('"name":"shadow.mode.rules"');
  } else if (line.includes('api/v1/rules')) {
    const names = [...text.matchAll(/"name":"(\w+)"/g)].map(([, name]) => name!);
    expect(names.filter((name) => SIX.test(name))).toHaveLength(6);
  } else {
    expect(text).toContain('ShadowMetricsMissing');
    expect(text).not.toContain('shadow-companion');
  }
});
