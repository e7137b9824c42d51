import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';

/** Debian's Chromium; npm test installs it. */
const CHROMIUM = '/usr/bin/chromium';
/** No graphics card, and nothing that asks for anything by itself. */
const BARE = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Pictures of pages, for people to look at; no part of the repository. */
const SCREENSHOTS = new URL('../../coverage/screenshots/', import.meta.url);

/** Headless. Root has no sandbox; everything opened here is our own. */
export const launchBrowser = (args: readonly string[] = []): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [...BARE, ...args, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
  });

/** Keeps the whole page as a picture, and answers with its path. */
export async function screenshot(page: Page, name: string): Promise<string> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const path = fileURLToPath(new URL(`${name}.png`, SCREENSHOTS));
  await page.screenshot({ path, fullPage: true });
  return path;
}
