import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { WindowFills } from '../../schema/types.gen.js';
import { validated, windowFillsValidator } from '../../collector/src/artifacts/validate.ts';
import { Collector } from '../e2e/support/collector.ts';
import { Scope, waitFor } from '../e2e/support/scope.ts';
import { launchBrowser, screenshot } from '../support/browser.ts';
import { ROOT } from '../support/root.ts';

let browser: Browser;
let scope: Scope;
beforeAll(async () => {
  const page = fileURLToPath(new URL('plugin/preview/dist/index.html', ROOT));
  if (!existsSync(page)) throw new Error(`${page} is missing: npm run build:live`);
  browser = await launchBrowser();
});
afterAll(() => browser.close());
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope.close());

/** As `npm start` has it, in short windows; fills come every few seconds. */
const LIVELY = { symbols: 'BTCUSDT,ETHUSDT', spread_bps: 8, inventory_limit: 25_000, duration: 10 };
/** At the best price: fills come at once. */
const AT_BEST = { ...LIVELY, spread_bps: 0, min_requote_interval_ms: 50, fill_model: 'touch', duration: 4, drain: 1 };

interface Opened {
  readonly page: Page;
  readonly complaints: string[];
}

async function open(collector: Collector, path = '/'): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width: 1_440, height: 860 }, colorScheme: 'dark' });
  scope.add(() => page.close());
  const complaints: string[] = [];
  const origin = `http://${collector.address}/`;
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) complaints.push(request.url());
  });
  await page.goto(`${origin.slice(0, -1)}${path}`);
  await page.getByTestId('shadow-fills-plots').waitFor();
  return { page, complaints };
}

interface TapeRow {
  readonly timeUs: number;
  readonly cells: readonly string[];
}

/** The table beside the plot, oldest first. */
const tapeOf = (page: Page): Promise<TapeRow[]> =>
  page.evaluate<TapeRow[]>(`[...document.querySelectorAll('[data-testid=live-tape] tbody tr')].reverse().map((row) => (
    { timeUs: Number(row.dataset.timeUs), cells: [...row.cells].slice(1).map((cell) => cell.textContent) }))`);

/** The fills of a symbol in every FILLS_<n>.json, as the table has them. */
function fillsIn(folder: string, symbol: string): TapeRow[] {
  const rows: TapeRow[] = [];
  for (let number = 1; existsSync(join(folder, `FILLS_${number}.json`)); number++) {
    const name = `FILLS_${number}.json`;
    const value: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    const document: WindowFills = validated(windowFillsValidator, value, name);
    for (const { symbol: of, time_us: timeUs, side, liquidity, quantity, price } of document.fills) {
      const mark = liquidity === 'taker' ? '◆' : side === 'buy' ? '▲' : '▼';
      if (of === symbol)
        rows.push({ timeUs, cells: [`${mark} ${liquidity} ${side}`, String(quantity), String(price)] });
    }
  }
  return rows;
}

const sorted = (rows: readonly TapeRow[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

/** What the tooltip tells at the right end of the plot, where the present is. */
async function present(page: Page): Promise<string> {
  const box = await page.locator('.u-over').first().boundingBox();
  await page.mouse.move(box!.x + box!.width - 3, box!.y + 5);
  await page.mouse.move(box!.x + box!.width - 2, box!.y + 5);
  const tooltip = page.getByTestId('shadow-fills-tooltip').first();
  await tooltip.waitFor();
  return tooltip.innerText();
}

describe('the live view', () => {
  test('moves with the market, and shows each fill of the artifacts with its exact time, side, size and price', async () => {
    const collector = await Collector.startMock(scope, { ...AT_BEST, iterations: 3 });
    const { page, complaints } = await open(collector);
    const seen = new Set<string>();
    await waitFor('a best bid that moves', async () => {
      const bid = /Best bid\s+([\d.]+)/.exec(await present(page))?.[1];
      if (bid !== undefined) seen.add(bid);
      return seen.size >= 3;
    });
    await waitFor('fills', async () => (await tapeOf(page)).length >= 5);
    expect((await collector.end()).code).toBe(0);
    await page.locator('[data-connection=ended]').waitFor();
    const shown = await tapeOf(page);
    const written = fillsIn(collector.output, 'BTCUSDT');
    expect(written.length).toBeGreaterThanOrEqual(5);
    expect(sorted(shown)).toEqual(sorted(written));
    expect(complaints.filter((complaint) => !complaint.includes('ERR_'))).toEqual([]);
  }, 90_000);

  test('tells on hover what the artifact says of a fill', async () => {
    const collector = await Collector.startMock(scope, { ...AT_BEST, iterations: 1 });
    const { page } = await open(collector);
    await collector.end();
    await page.locator('[data-connection=ended]').waitFor();
    await page.getByTestId('shadow-fills-plots').focus();
    await page.keyboard.press('End');
    const announced = await page.getByTestId('shadow-fills-announcer').textContent();
    const last = (await tapeOf(page)).at(-1)!;
    const [, quantity, price] = last.cells;
    expect(announced).toContain(`${quantity} @ ${price} at `);
    const tooltip = await page.getByTestId('shadow-fills-tooltip').first().innerText();
    expect(tooltip).toContain(`${quantity} @ ${price}`);
    expect(tooltip).toMatch(/cause (touch|through|cross|taker|queue|dwell) · order \d+/);
    const us = String(last.timeUs % 1_000_000).padStart(6, '0');
    expect(tooltip).toContain(us.endsWith('000') ? us.slice(0, 3) : us);
  }, 60_000);

  test('has drift and latency below with the limits of their alerts, and can be shown to anyone', async () => {
    const collector = await Collector.startMock(scope, { ...LIVELY, iterations: 0 });
    const { page, complaints } = await open(collector);
    await waitFor('a few fills', async () => (await tapeOf(page)).length >= 4, 60_000);
    expect(await page.locator('.uplot canvas').count()).toBe(2);
    for (const name of ['Best bid', 'Our ask', 'Clock drift', 'Latency']) {
      await page.getByRole('button', { name, exact: true }).waitFor();
    }
    await screenshot(page, 'live-view');
    await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
    const violations = await page.evaluate<string[]>(`axe.run().then((result) =>
      result.violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`);
    expect(violations).toEqual([]);
    expect(complaints).toEqual([]);
  }, 120_000);

  test('shows another symbol when asked to, keeps it in its address, and never mixes them', async () => {
    const collector = await Collector.startMock(scope, { ...LIVELY, iterations: 0 });
    const { page, complaints } = await open(collector, '/?symbol=ETHUSDT');
    await page.getByText('Virtual fills of ETHUSDT').waitFor();
    await page.getByRole('radio', { name: 'BTCUSDT' }).click();
    await page.getByText('Virtual fills of BTCUSDT').waitFor();
    expect(new URL(page.url()).searchParams.get('symbol')).toBe('BTCUSDT');
    expect(await present(page)).toMatch(/Best bid\s+6\d{4}/);
    expect(complaints).toEqual([]);
  }, 60_000);

  test('stands still where it was zoomed, and follows again', async () => {
    const collector = await Collector.startMock(scope, { ...LIVELY, iterations: 0 });
    const { page } = await open(collector);
    const label = () =>
      page.evaluate<string>(
        'document.getElementById(document.querySelector("[data-testid=shadow-fills-plots]").getAttribute("aria-describedby")).textContent',
      );
    const box = (await page.locator('.u-over').first().boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.7, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, box.y + 40, { steps: 4 });
    await page.mouse.up();
    const follow = page.getByRole('button', { name: 'Follow' });
    await follow.waitFor();
    const range = /From .* to [^.]*\.\d+/.exec(await label())![0];
    const rows = (await tapeOf(page)).length;
    await waitFor('news', async () => (await tapeOf(page)).length > rows, 60_000);
    expect(await label()).toContain(range);
    await follow.click();
    await waitFor('the present', async () => !(await label()).includes(range));
  }, 90_000);

  test('says so when the collector is gone, and goes on when it is back', async () => {
    const first = await Collector.startMock(scope, { ...LIVELY, iterations: 0 });
    const { page } = await open(first);
    const port = Number(new URL(`http://${first.address}`).port);
    await first.kill();
    await page.locator('[data-connection=lost]').waitFor();
    await Collector.startMock(scope, { ...LIVELY, iterations: 0, metrics_port: port });
    await page.locator('[data-connection=open]').waitFor();
  }, 60_000);

  test('is no live view of a collector that has stopped answering, and is one again', async () => {
    const collector = await Collector.startMock(scope, { ...LIVELY, iterations: 0 });
    const { page } = await open(collector);
    process.kill(collector.pid, 'SIGSTOP');
    await page.locator('[data-connection=lost]').waitFor();
    process.kill(collector.pid, 'SIGCONT');
    await page.locator('[data-connection=open]').waitFor();
  }, 60_000);

  test('is of the run that is there: another one at the same address is told as what it is', async () => {
    const first = await Collector.startMock(scope, { ...LIVELY, iterations: 0 });
    const { page } = await open(first, '/?symbol=ETHUSDT');
    const port = Number(new URL(`http://${first.address}`).port);
    await first.kill();
    await Collector.startMock(scope, {
      ...LIVELY,
      symbols: 'BTCUSDT',
      fill_model: 'touch',
      iterations: 0,
      metrics_port: port,
    });
    await page.getByText('fills by touch ·').waitFor();
    await page.getByText('Virtual fills of BTCUSDT').waitFor();
    expect(await page.getByRole('radio', { name: 'ETHUSDT' }).count()).toBe(0);
  }, 60_000);

  test('lets go of its connection while nobody sees it', async () => {
    const collector = await Collector.startMock(scope, { ...LIVELY, iterations: 0 });
    const { page } = await open(collector);
    const hide = (hidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))`);
    const rows = (await tapeOf(page)).length;
    await hide(true);
    await hide(false);
    await waitFor('fills that came meanwhile, and later ones', async () => (await tapeOf(page)).length > rows, 60_000);
  }, 90_000);
});
