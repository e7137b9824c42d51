// Runs the built module.js, unchanged, on other versions of Grafana's packages: npm run compat [-- 11.6 …].
// Each folder of hosts/ is one version. Status 1 where a page complains, throws, asks elsewhere, or draws nothing.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPages } from './build.mjs';
import { launchChromium } from './chromium.mjs';
import { frames, timeRange } from './sample.mjs';
import { serve } from './serve.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const HOSTS = join(here, 'hosts');
const PANEL = join(here, '../dist/module.js');

/** npm ci, unless these are the packages of this lock file already. */
function install(host) {
  const lock = readFileSync(join(host, 'package-lock.json'), 'utf8');
  const stamp = join(host, 'node_modules/.installed-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) {
    return;
  }
  const { status } = spawnSync('npm', ['ci', '--loglevel=error'], { cwd: host, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    throw new Error(`npm ci in ${host} ended with ${status}`);
  }
  writeFileSync(stamp, lock);
}

/** Everything a page says that it should not. */
function listen(page, url, problems) {
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) {
      problems.push(`${message.type()}: ${message.text()}`);
    }
  });
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) {
      problems.push(`asked elsewhere: ${request.url()}`);
    }
  });
}

const mount = (page, parameters) => page.evaluate((given) => window.shadowHost.mount(given), parameters);

/** Whether any canvas of the page has a pixel that is not empty. */
const drawn = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('canvas')].some((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value !== 0);
    })
  );

async function tryTheme(browser, url, theme) {
  const problems = [];
  const page = await browser.newPage({ viewport: { width: 1_200, height: 700 } });
  listen(page, url, problems);
  await page.goto(`${url}/bench.html`);
  await page.waitForFunction('window.shadowHost !== undefined');
  await mount(page, { theme, title: 'Virtual fills', frames: [], timeRange });
  await mount(page, { theme, title: 'Virtual fills', frames, timeRange, width: 1_150, height: 600 });
  if (!(await drawn(page))) {
    problems.push('nothing is drawn: no canvas with a pixel in it');
  }
  await page.mouse.move(600, 250);
  await page.evaluate((to) => window.shadowHost.update({ timeRange: to, width: 900 }), timeRange);
  await page.evaluate(() => window.shadowHost.hover(1_800_000_300_000));
  await page.evaluate(() => window.shadowHost.unmount());
  await page.close();
  return problems.map((problem) => `${theme}: ${problem}`);
}

async function tryHost(browser, name) {
  const host = join(HOSTS, name);
  install(host);
  const pages = join(host, 'dist');
  await buildPages({ pages: ['bench'], host, out: pages });
  const server = await serve({ pages, csp: true });
  try {
    return [...(await tryTheme(browser, server.url, 'dark')), ...(await tryTheme(browser, server.url, 'light'))];
  } finally {
    await server.close();
  }
}

if (!existsSync(PANEL)) {
  console.error('dist/module.js is missing: npm run build');
  process.exit(2);
}
const known = readdirSync(HOSTS);
const wanted = process.argv.slice(2);
const strange = wanted.filter((name) => !known.includes(name));
if (strange.length > 0) {
  console.error(`no such host: ${strange.join(', ')}; there are ${known.join(', ')}`);
  process.exit(2);
}
const browser = await launchChromium();
try {
  for (const name of wanted.length > 0 ? wanted : known) {
    const problems = await tryHost(browser, name);
    console.log(`${name}: ${problems.length === 0 ? 'fine' : `${problems.length} problems`}`);
    for (const problem of problems) {
      console.log(`  ${problem}`);
      process.exitCode = 1;
    }
  }
} finally {
  await browser.close();
}
