// Debian's Chromium, with a profile of its own and nothing that would go to the network by itself.
import { chromium } from 'playwright-core';

const ARGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Root has no sandbox; every page opened here is our own. */
export const launchChromium = () =>
  chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: process.getuid?.() === 0 ? [...ARGS, '--no-sandbox'] : ARGS,
  });
