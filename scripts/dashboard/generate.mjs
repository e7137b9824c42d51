// scripts/dashboard/ → provisioning/grafana/dashboards/shadow-mode.json. With --check: fails when the checked-in file is not what is made here.
import { readFileSync, writeFileSync } from 'node:fs';
import { shadowModeDashboard } from './dashboard.mjs';

const target = new URL('../../provisioning/grafana/dashboards/shadow-mode.json', import.meta.url);
const text = `${JSON.stringify(shadowModeDashboard(), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (readFileSync(target, 'utf8') !== text) {
  console.error(
    'provisioning/grafana/dashboards/shadow-mode.json is not what scripts/dashboard says: npm run dashboard',
  );
  process.exitCode = 1;
}
