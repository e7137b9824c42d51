import { readFileSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { report } from '../../collector/src/commands/report.ts';
import { uniformDraw } from '../../collector/src/fills/random.ts';
import { ArtifactFolder } from '../support/artifact-folder.ts';
import { launchBrowser, screenshot } from '../support/browser.ts';

let browser: Browser;
let folder: ArtifactFolder;

beforeAll(async () => {
  browser = await launchBrowser();
  folder = ArtifactFolder.of(48, (n) => ({
    driftMs: 20 + 4 * uniformDraw(5, n, 0),
    latencyUs: n % 9 === 0 ? 32_768 : 20_480,
    fills: n % 5 === 0 ? 0 : 2,
  }));
  await report(['--src', folder.path, '--last-n', '48'], {
    env: {},
    readText: (path) => readFileSync(path, 'utf8'),
    clock: { wallUs: () => 0, monoUs: () => 0 },
    print: () => undefined,
    say: () => undefined,
    signal: new AbortController().signal,
  });
});
afterAll(async () => {
  await browser.close();
  folder.close();
});

interface Opened {
  readonly page: Page;
  readonly requests: readonly string[];
  readonly complaints: readonly string[];
}

async function open(colorScheme: 'light' | 'dark', width: number): Promise<Opened> {
  const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(pathToFileURL(folder.file('reports/analysis/POST_SHADOW_REPORT.html')).href);
  return { page, requests, complaints };
}

/** Relative luminance by WCAG 2.1, of a computed color. */
function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = (color.match(/[\d.]+/g) ?? []).map((channel) => {
    const value = Number(channel) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const contrast = (a: string, b: string): number => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
};

describe.each(['light', 'dark'] as const)('the report in a browser, %s', (scheme) => {
  test('opens by itself: no request but for the page, no complaint', async () => {
    const { page, requests, complaints } = await open(scheme, 1_200);
    expect(requests).toEqual([page.url()]);
    expect(complaints).toEqual([]);
    expect(statSync(await screenshot(page, `report-${scheme}`)).size).toBeGreaterThan(10_000);
    await page.close();
  });

  test('can be read: text and marks stand out from what is behind them', async () => {
    const { page } = await open(scheme, 1_200);
    const style = (selector: string, property: string): Promise<string> =>
      page.evaluate(`getComputedStyle(document.querySelector('${selector}'))['${property}']`);
    const [paper, card] = [await style('body', 'background-color'), await style('figure', 'background-color')];
    expect(contrast(await style('body', 'color'), paper)).toBeGreaterThan(7);
    for (const soft of [await style('figcaption', 'color'), await style('.tick', 'fill')]) {
      expect(contrast(soft, card)).toBeGreaterThan(4.5);
    }
    for (const mark of ['.mark.tone-a', '.mark.tone-b', '.line.tone-c', '.mark.tone-d']) {
      expect(contrast(await style(mark, 'color'), card)).toBeGreaterThan(3);
    }
    await page.close();
  });

  test('says in its plots and tables what the snapshot says', async () => {
    const { page } = await open(scheme, 1_200);
    expect(await page.locator('figure').count()).toBe(6);
    const fills = page.getByRole('img', { name: 'Fills on price: BTCUSDT' });
    expect(await fills.locator('g title').count()).toBe(78);
    expect(await fills.locator('g title').first().textContent()).toBe(
      '2026-01-02T03:04:36.000Z buy 0.02 at 49990, maker, dwell',
    );
    const bars = page.getByRole('img', { name: 'Markouts by horizon' }).locator('.bar');
    expect(await bars.count()).toBe(5);
    await page.close();
  });

  test.each([360, 768, 1_200])('fits a window %d pixels wide', async (width) => {
    const { page } = await open(scheme, width);
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    await page.close();
  });
});
