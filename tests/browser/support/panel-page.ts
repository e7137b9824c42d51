import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { Scope, waitFor } from '../../e2e/support/scope.ts';
import { launchBrowser } from '../../support/browser.ts';
import { ROOT } from '../../support/root.ts';
import type { FrameJson, PanelJson } from './panel-data.ts';

interface MountParameters extends PanelJson {
  readonly annotations?: readonly FrameJson[];
  readonly options?: object;
  readonly fieldConfig?: object;
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  readonly pluginVersion?: string;
}

/** What the page offers; plugin/preview/bench.tsx says more. */
interface ShadowHost {
  mount(parameters: object): Promise<void>;
  update(change: object): Promise<void>;
  setTheme(name: string): Promise<void>;
  hover(time?: number): void;
  readonly recorded: {
    readonly timeRanges: { readonly from: number; readonly to: number }[];
    readonly hovers: { readonly point: { readonly time: number } }[];
  };
}
declare const shadowHost: ShadowHost;

const FILES = ['plugin/dist/module.js', 'plugin/preview/dist/bench.html', 'plugin/preview/serve.mjs'];

/** Serves the built panel with the policy of the live view. */
export class PanelSite {
  readonly #scope: Scope;
  readonly #browser: Browser;
  readonly url: string;

  private constructor(scope: Scope, browser: Browser, url: string) {
    this.#scope = scope;
    this.#browser = browser;
    this.url = url;
  }

  static async open(): Promise<PanelSite> {
    for (const file of FILES) {
      if (!existsSync(new URL(file, ROOT))) throw new Error(`${file} is missing: npm run build:live`);
    }
    const scope = new Scope();
    const args = [fileURLToPath(new URL('plugin/preview/serve.mjs', ROOT)), '--port', '0', '--csp'];
    const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    scope.add(async () => {
      const ended = once(server, 'exit');
      server.kill();
      await ended;
    });
    let said = '';
    server.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await waitFor('the address of the page', () => /http:\S+/.test(said));
    const browser = await launchBrowser(['--js-flags=--expose-gc', '--enable-precise-memory-info']);
    scope.add(() => browser.close());
    return new PanelSite(scope, browser, /http:\S+/.exec(said)![0]);
  }

  async page(): Promise<PanelPage> {
    const page = await this.#browser.newPage({ viewport: { width: 1_300, height: 760 } });
    const panel = new PanelPage(page, new URL(this.url).origin);
    await page.goto(new URL('/bench.html', this.url).href);
    await page.waitForFunction('window.shadowHost !== undefined');
    return panel;
  }

  close(): Promise<void> {
    return this.#scope.close();
  }
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One panel in a page of its own, seen and used as a user would. */
export class PanelPage {
  readonly page: Page;
  /** What the console said, and what was asked for elsewhere. */
  readonly complaints: string[] = [];
  #json: MountParameters | undefined;

  constructor(page: Page, origin: string) {
    this.page = page;
    page.on('console', (message) => this.complaints.push(message.text()));
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) this.complaints.push(request.url());
    });
  }

  async mount(parameters: MountParameters): Promise<void> {
    this.#json = parameters;
    const all = { theme: 'dark', width: 1_240, height: 620, title: 'Virtual fills of BTCUSDT', ...parameters };
    await this.page.evaluate((given) => shadowHost.mount(given), all);
  }

  async update(change: object): Promise<void> {
    await this.page.evaluate((given) => shadowHost.update(given), change);
  }

  setTheme(name: 'light' | 'dark'): Promise<void> {
    return this.page.evaluate((given) => shadowHost.setTheme(given), name);
  }

  /** As if the cursor stood at that time over another panel. */
  hoverElsewhere(ms: number): Promise<void> {
    return this.page.evaluate((given) => shadowHost.hover(given), ms);
  }

  timeRanges(): Promise<readonly { readonly from: number; readonly to: number }[]> {
    return this.page.evaluate(() => shadowHost.recorded.timeRanges);
  }

  hovers(): Promise<readonly number[]> {
    return this.page.evaluate(() => shadowHost.recorded.hovers.map(({ point }) => point.time));
  }

  /** The plot area, 0 of the book, 1 of the clock. */
  async plot(index: number): Promise<Box> {
    const box = await this.page.locator('.u-over').nth(index).boundingBox();
    if (box === null) throw new Error(`expected plot ${index} to be seen`);
    return box;
  }

  /** Where a time is, pixels from the left of the page. */
  async leftOf(ms: number): Promise<number> {
    const { from, to } = this.#json!.timeRange;
    const { x, width } = await this.plot(0);
    return x + ((ms - from) / (to - from)) * width;
  }

  /** Moves the mouse down at a time until the tooltip tells what is wanted; answers with its text. */
  async hoverUntil(ms: number, wanted: string | RegExp): Promise<string> {
    const left = await this.leftOf(ms);
    const { y, height } = await this.plot(0);
    const tooltip = this.page.getByTestId('shadow-fills-tooltip');
    for (let top = y + 2; top < y + height; top += 4) {
      await this.page.mouse.move(left, top);
      await this.page.evaluate('new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)))');
      const text = (await tooltip.count()) > 0 ? await tooltip.first().innerText() : '';
      if (text.match(wanted) !== null) return text;
    }
    throw new Error(`no tooltip at ${ms} tells ${String(wanted)}`);
  }

  text(testId: string): Promise<string> {
    return this.page.getByTestId(testId).innerText();
  }

  legend(name: string) {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** How many pixels of a plot have a color, or are very close to it. */
  pixelsOf(index: number, color: string): Promise<number> {
    // Read from a copy: a canvas that is read often is kept elsewhere, and drawn more slowly.
    return this.page.evaluate<number>(`(() => {
      const canvas = document.querySelectorAll('.uplot canvas')[${index}];
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      const wanted = [1, 3, 5].map((at) => parseInt('${color}'.slice(at, at + 2), 16));
      let count = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (wanted.every((value, channel) => Math.abs(data[at + channel] - value) < 6) && data[at + 3] > 250) count++;
      }
      return count;
    })()`);
  }

  devTools(): Promise<CDPSession> {
    return this.page.context().newCDPSession(this.page);
  }

  /** Fails where anything was said on the console or asked for elsewhere since the last time. */
  expectNoComplaint(): void {
    expect(this.complaints.splice(0)).toEqual([]);
  }
}
