import type { Browser, Locator, Page, Request } from 'playwright-core';

/** Wide, and high enough that no panel has to be scrolled to. */
const VIEWPORT = { width: 1_600, height: 4_200 };

/** A query of a panel, as it was sent. */
export interface Sent {
  readonly expression: string;
  readonly startS: number;
  readonly endS: number;
  readonly stepS: number;
}

function sentBy(request: Request): Sent {
  const form = new URLSearchParams(request.postData() ?? '');
  const number = (name: string): number => Number(form.get(name));
  return { expression: form.get('query') ?? '', startS: number('start'), endS: number('end'), stepS: number('step') };
}

/** The dashboard of the preview in a browser, with everything it asked and everything it complained of. */
export class DashboardPage {
  readonly page: Page;
  readonly complaints: string[] = [];
  readonly elsewhere: string[] = [];
  #ranges: Sent[] = [];

  private constructor(page: Page, url: string) {
    this.page = page;
    page.on('console', (message) => {
      if (message.type() !== 'info') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('request', (request) => {
      const address = request.url();
      if (!address.startsWith(url) && !address.startsWith('data:')) this.elsewhere.push(address);
      if (address.endsWith('/query_range')) this.#ranges.push(sentBy(request));
    });
  }

  static async open(
    browser: Browser,
    url: string,
    parameters: Readonly<Record<string, string>>,
    prepare: (page: Page) => Promise<void> = () => Promise.resolve(),
  ): Promise<DashboardPage> {
    const page = await browser.newPage({ viewport: VIEWPORT });
    await prepare(page);
    const dashboard = new DashboardPage(page, url);
    await page.goto(`${url}/?${new URLSearchParams(parameters).toString()}`);
    return dashboard;
  }

  /** Range queries since this was last asked. */
  takeRanges(): readonly Sent[] {
    const taken = this.#ranges;
    this.#ranges = [];
    return taken;
  }

  panel(title: string): Locator {
    return this.page.locator(`[data-testid="data-testid Panel header ${title}"]`);
  }

  /** What a panel shows below its title; undefined before it is there. */
  async content(title: string, index = 0): Promise<string | undefined> {
    const content = this.panel(title).nth(index).getByTestId('data-testid panel content');
    return (await content.count()) === 0 ? undefined : content.innerText();
  }

  async chooseSymbol(symbol: string): Promise<void> {
    await this.page
      .getByTestId(/^data-testid Dashboard template variables Variable Value DropDown/)
      .first()
      .click();
    // By the keyboard: the list is drawn anew while the panels load.
    await this.page.keyboard.type(symbol);
    await this.page.getByRole('option', { name: symbol, exact: true }).waitFor();
    await this.page.keyboard.press('Enter');
  }

  /** Where the plot of a panel lies, its axes not counted. */
  async plot(title: string): Promise<{ x: number; y: number; width: number; height: number }> {
    const box = await this.panel(title).first().locator('.u-over').first().boundingBox();
    if (box === null) throw new Error(`${title} has no plot`);
    return box;
  }

  async moveTo(title: string, fraction: number): Promise<void> {
    const { x, y, width, height } = await this.plot(title);
    await this.page.mouse.move(x + fraction * width, y + height / 2);
  }

  /** How much of a thin column of the plot's canvas is painted, from 0 to 1. */
  painted(title: string, fraction: number): Promise<number> {
    return this.page.evaluate<number>(`(() => {
      const plot = document.querySelector('[data-testid="data-testid Panel header ${title}"] .u-over');
      const canvas = plot?.parentElement.querySelector('canvas');
      if (!canvas) return 0;
      const [over, under] = [plot.getBoundingClientRect(), canvas.getBoundingClientRect()];
      const scale = canvas.width / under.width;
      const x = (over.left - under.left + ${fraction} * over.width) * scale;
      const height = Math.floor(over.height * scale);
      const { data } = canvas.getContext('2d').getImageData(x, (over.top - under.top) * scale, 1, height);
      return data.filter((value, index) => index % 4 === 3 && value > 0).length / height;
    })()`);
  }

  /** Of each plot that has a cursor: the panel, and how far across the plot it stands. */
  async cursors(): Promise<Readonly<Record<string, number>>> {
    const entries = await this.page.evaluate<[string, number][]>(`
      [...document.querySelectorAll('.u-over')].flatMap((plot) => {
        const left = /^translate\\(([\\d.-]+)px/.exec(plot.querySelector('.u-cursor-x')?.style.transform ?? '')?.[1];
        const panel = plot.closest('[data-testid^="data-testid Panel header "]');
        if (left === undefined || Number(left) < 0 || panel === null) return [];
        return [[panel.dataset.testid.replace('data-testid Panel header ', ''), Number(left) / plot.clientWidth]];
      })`);
    return Object.fromEntries(entries);
  }
}
