// Pictures of the panel for the catalog, of frames like Prometheus' data source gives: npm run plugin:screenshots. The same pictures each time, of one Chromium.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchChromium } from './chromium.mjs';
import { marketFrames, timeRange } from './market.mjs';
import { serve } from './serve.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const IMAGES = join(here, '../src/img');
const SIZE = { width: 1_240, height: 620 };
const MOST_BYTES = 150_000;
const PANEL = { title: 'Virtual fills of BTCUSDT', frames: marketFrames(), timeRange, ...SIZE };

async function picture(browser, url, theme) {
  const page = await browser.newPage({ viewport: SIZE });
  await page.goto(`${url}/bench.html`);
  await page.waitForFunction('window.shadowHost !== undefined');
  // The panel fills the picture.
  await page.addStyleTag({ content: 'body, #root { margin: 0 !important; padding: 0 !important; }' });
  await page.evaluate((given) => window.shadowHost.mount(given), { ...PANEL, theme });
  const png = await page.screenshot({ type: 'png' });
  await page.close();
  return png;
}

const server = await serve({});
const browser = await launchChromium();
try {
  mkdirSync(IMAGES, { recursive: true });
  for (const theme of ['dark', 'light']) {
    const png = await picture(browser, server.url, theme);
    if (png.length > MOST_BYTES) {
      throw new Error(`the ${theme} picture: expected at most ${MOST_BYTES} bytes, got ${png.length}`);
    }
    writeFileSync(join(IMAGES, `screenshot-${theme}.png`), png);
    console.log(`screenshot-${theme}.png: ${png.length} bytes`);
  }
} finally {
  await browser.close();
  await server.close();
}
