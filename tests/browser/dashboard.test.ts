import { statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page, Route } from 'playwright-core';
import { Scope, waitFor } from '../e2e/support/scope.ts';
import { launchBrowser, screenshot } from '../support/browser.ts';
import type { Panel } from '../support/grafana-dashboard.ts';
import { panelsOf, readDashboard } from '../support/grafana-dashboard.ts';
import type { Sent } from './support/dashboard-page.ts';
import { DashboardPage } from './support/dashboard-page.ts';
import { Preview } from './support/preview.ts';

const [SYMBOL, OTHER] = ['BTCUSDT', 'ETHUSDT'];
const PANELS = panelsOf(readDashboard());
const FILLS = `Virtual fills of ${SYMBOL}`;
const DEADLINE_MS = 60_000;
/** Some titles are there twice, in rows of their own: by title, the how manieth it is. */
const NAMED = PANELS.map((panel, index) => ({
  title: panel.title.replace('$symbol', SYMBOL),
  nth: PANELS.slice(0, index).filter(({ title }) => title === panel.title).length,
  panel,
}));

const scope = new Scope();
let browser: Browser;
let preview: Preview;

const open = (
  parameters: Readonly<Record<string, string>> = {},
  prepare?: (page: Page) => Promise<void>,
): Promise<DashboardPage> =>
  DashboardPage.open(browser, preview.address('dashboard'), { all: '', from: 'now-2m', ...parameters }, prepare);

/** Whether Prometheus has any sample for a panel in the last two minutes. */
async function hasData({ targets = [] }: Panel): Promise<boolean> {
  const now = Date.now() / 1_000;
  for (const { expr, instant } of targets) {
    const query = expr
      .replaceAll('$symbol', SYMBOL)
      .replaceAll('$__range', '120s')
      .replaceAll('$__rate_interval', '4s')
      .replaceAll('$__interval', '1s');
    const time = instant ? { time: String(now) } : { start: String(now - 120), end: String(now), step: '1' };
    const body = new URLSearchParams({ query, ...time });
    const url = `${preview.address('prometheus')}/api/v1/${instant ? 'query' : 'query_range'}`;
    const answer = (await (await fetch(url, { method: 'POST', body })).json()) as { data: { result: unknown[] } };
    if (answer.data.result.length > 0) return true;
  }
  return false;
}

/** Fills of the last two minutes. */
async function storedFills(): Promise<number> {
  const query = `sum(count_over_time(shadow_fill_price{symbol="${SYMBOL}"}[2m]))`;
  const url = `${preview.address('prometheus')}/api/v1/query?${new URLSearchParams({ query }).toString()}`;
  const { data } = (await (await fetch(url)).json()) as { data: { result: { value: [number, string] }[] } };
  return Number(data.result[0]?.value[1] ?? 0);
}

beforeAll(async () => {
  browser = await launchBrowser();
  scope.add(() => browser.close());
  preview = await Preview.start(scope, ['--scrape', '1s', '--symbols', `${SYMBOL},${OTHER}`]);
  // A first fill of each, and a first window: until then much is rightly not known.
  for (const symbol of [SYMBOL, OTHER]) {
    const query = new URLSearchParams({ query: `shadow_fill_price{symbol="${symbol}"}[10m]` }).toString();
    const filled = async (): Promise<boolean> => {
      const response = await fetch(`${preview.address('prometheus')}/api/v1/query?${query}`);
      return ((await response.json()) as { data: { result: unknown[] } }).data.result.length > 0;
    };
    await waitFor(`a fill of ${symbol}`, filled, 120_000);
  }
}, 330_000);
afterAll(() => scope.close());

describe('the provisioned dashboard without Grafana', () => {
  let dashboard: DashboardPage;

  beforeAll(async () => {
    dashboard = await open({ theme: 'dark' });
    const all = async (): Promise<boolean> =>
      (await dashboard.page.getByTestId('data-testid panel content').count()) === PANELS.length;
    await waitFor('all panels', all, DEADLINE_MS);
  }, DEADLINE_MS);

  test.each(NAMED)(
    '$title has data, or says that there is none where there is none',
    async ({ title, nth, panel }) => {
      const { noValue = '' } = panel.fieldConfig?.defaults ?? {};
      let last: unknown;
      const agrees = async (): Promise<boolean> => {
        const [known, content] = [await hasData(panel), await dashboard.content(title, nth)];
        last = { known, content };
        return content !== undefined && known === !content.startsWith(noValue);
      };
      await waitFor(title, agrees, DEADLINE_MS).catch(() => {
        throw new Error(`${title}: ${JSON.stringify(last)}`);
      });
    },
    2 * DEADLINE_MS,
  );

  test(
    'the fills panel counts the fills that Prometheus has',
    async () => {
      let last: unknown;
      const agrees = async (): Promise<boolean> => {
        const [stored, content = ''] = [await storedFills(), await dashboard.content(FILLS)];
        const counted = /^Fills\s+(\d+)/.exec(content)?.[1];
        last = { stored, content };
        return stored > 0 && Number(counted) === stored;
      };
      await waitFor('the same number of fills', agrees, DEADLINE_MS).catch(() => {
        throw new Error(JSON.stringify(last));
      });
    },
    2 * DEADLINE_MS,
  );

  test('no panel shows an error, nothing complains, and nothing is asked elsewhere', async () => {
    expect(await dashboard.page.getByTestId(/Panel status error/).count()).toBe(0);
    expect(await dashboard.page.getByRole('alert').count()).toBe(0);
    expect({ complaints: dashboard.complaints, elsewhere: dashboard.elsewhere }).toEqual({
      complaints: [],
      elsewhere: [],
    });
  });

  test(
    'looks as it does',
    async () => {
      expect(statSync(await screenshot(dashboard.page, 'dashboard-dark')).size).toBeGreaterThan(50_000);
      const light = await open({ theme: 'light' });
      await waitFor('the fills', async () => (await light.panel(FILLS).locator('canvas').count()) > 0, DEADLINE_MS);
      await waitFor(
        'no loading bar',
        async () => (await light.page.getByLabel('Panel loading bar').count()) === 0,
        DEADLINE_MS,
      );
      expect(statSync(await screenshot(light.page, 'dashboard-light')).size).toBeGreaterThan(50_000);
      expect(light.complaints).toEqual([]);
      await light.page.close();
    },
    2 * DEADLINE_MS,
  );

  test(
    'the crosshair of one panel stands at the same time in the others',
    async () => {
      const at = 0.6;
      const together = async (): Promise<boolean> => {
        await dashboard.moveTo('Virtual inventory', at);
        const cursors = await dashboard.cursors();
        const others = Object.keys(cursors).filter((title) => title !== 'Virtual inventory');
        // A plot takes the time of its next sample; steps are of a second here.
        return others.length >= 3 && FILLS in cursors && others.every((title) => Math.abs(cursors[title]! - at) < 0.05);
      };
      await waitFor('a cursor in several panels', together, DEADLINE_MS);
    },
    DEADLINE_MS,
  );

  afterAll(() => dashboard.page.close());
});

describe('what is chosen on the dashboard', () => {
  test(
    'another symbol is another question of every panel',
    async () => {
      const page = await open({ refresh: '' });
      await waitFor(
        'the first answers',
        async () => (await page.panel(FILLS).locator('canvas').count()) > 0,
        DEADLINE_MS,
      );
      page.takeRanges();
      await page.chooseSymbol(OTHER);
      await waitFor(
        'the title',
        async () => (await page.panel(`Virtual fills of ${OTHER}`).count()) === 1,
        DEADLINE_MS,
      );
      expect(new URL(page.page.url()).searchParams.get('var-symbol')).toBe(OTHER);
      const asked = page.takeRanges().map(({ expression }) => expression);
      expect(asked.filter((expression) => expression.includes(OTHER)).length).toBeGreaterThan(10);
      expect(asked.filter((expression) => expression.includes(SYMBOL))).toEqual([]);
      await waitFor(
        'its price',
        async () => (await page.panel(`Virtual fills of ${OTHER}`).locator('canvas').count()) > 0,
        DEADLINE_MS,
      );
      expect(page.complaints).toEqual([]);
      await page.page.close();
    },
    2 * DEADLINE_MS,
  );

  test(
    'a range dragged in one panel is the range of all',
    async () => {
      const page = await open({ refresh: '' });
      await waitFor(
        'a plot',
        async () => (await page.panel('Virtual inventory').locator('.u-over').count()) > 0,
        DEADLINE_MS,
      );
      await page.moveTo('Virtual inventory', 0.5);
      await page.page.mouse.down();
      await page.moveTo('Virtual inventory', 0.75);
      await page.moveTo('Virtual inventory', 0.9);
      page.takeRanges();
      await page.page.mouse.up();
      const parameters = (): URLSearchParams => new URL(page.page.url()).searchParams;
      await waitFor('the range in the address', () => /^\d{4}-/.test(parameters().get('from') ?? ''), DEADLINE_MS);
      const [from, to] = ['from', 'to'].map((name) => Date.parse(parameters().get(name)!) / 1_000);
      expect(to! - from!).toBeGreaterThan(0.3 * 120);
      expect(to! - from!).toBeLessThan(0.5 * 120);
      const expected = PANELS.flatMap(({ targets = [] }) => targets.filter(({ instant }) => !instant)).length;
      const ranges: Sent[] = [];
      const all = (): boolean => ranges.push(...page.takeRanges()) >= expected;
      await waitFor('the questions of all panels', all, DEADLINE_MS);
      for (const { stepS, ...range } of ranges) {
        const [startS, endS] = [from, to].map((time) => Math.floor(time! / stepS) * stepS);
        expect(range).toEqual({ expression: range.expression, startS, endS });
      }
      await page.page.close();
    },
    2 * DEADLINE_MS,
  );
});

/** An alert that fires from three to six tenths of whatever time is asked for. */
async function answerFiring(route: Route): Promise<void> {
  const form = new URLSearchParams(route.request().postData() ?? '');
  if (!form.get('query')!.startsWith('ALERTS{')) return route.continue();
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name)));
  const values = Array.from({ length: Math.floor((end! - start!) / step!) + 1 }, (_, index) => start! + index * step!)
    .filter((time) => time >= start! + 0.3 * (end! - start!) && time <= start! + 0.6 * (end! - start!))
    .map((time) => [time, '1']);
  const metric = { alertname: 'ShadowEdgeLow', symbol: SYMBOL, severity: 'warning' };
  return route.fulfill({ json: { status: 'success', data: { resultType: 'matrix', result: [{ metric, values }] } } });
}

describe('an alert that fires', () => {
  test.each([FILLS, 'Virtual inventory'])(
    'is marked in: %s',
    async (title) => {
      const page = await open({ refresh: '', from: 'now-4m' }, async (empty) => {
        await empty.route('**/query_range', answerFiring);
      });
      const marked = async (): Promise<boolean> =>
        (await page.painted(title, 0.47)) > 0.9 && (await page.painted(title, 0.12)) < 0.5;
      await waitFor('a region over the whole height, and none beside it', marked, DEADLINE_MS);
      await page.page.close();
    },
    2 * DEADLINE_MS,
  );
});

describe('a Prometheus that does not answer as it should', () => {
  const INVENTORY = 'Virtual inventory';
  const asksInventory = (request: { postData(): string | null }): boolean =>
    request.postData()?.includes('shadow_inventory_base') === true;

  test(
    'what it says of a query is told on the panel, and there alone',
    async () => {
      const page = await open({ refresh: '', from: 'now-3m' }, async (empty) => {
        await empty.route('**/query_range', (route) =>
          asksInventory(route.request())
            ? route.fulfill({
                status: 400,
                json: { status: 'error', errorType: 'bad_data', error: 'parse error: unexpected character' },
              })
            : route.continue(),
        );
      });
      const badge = page.page.getByTestId('data-testid Panel status error');
      await waitFor('the badge', async () => (await badge.count()) === 1, DEADLINE_MS);
      await page.panel(INVENTORY).getByTestId('data-testid Panel status error').hover();
      const told = page.page.getByText('bad_data: parse error: unexpected character');
      await waitFor('the words of Prometheus', async () => (await told.count()) > 0, DEADLINE_MS);
      await page.page.close();
    },
    2 * DEADLINE_MS,
  );

  test(
    'a query is given up when another symbol is chosen',
    async () => {
      const given: string[] = [];
      const page = await open({ refresh: '', from: 'now-3m' }, async (empty) => {
        // Never answered, where it is of the first symbol.
        await empty.route('**/query_range', async (route) => {
          const request = route.request();
          if (!asksInventory(request) || !request.postData()!.includes(SYMBOL)) await route.continue();
        });
        empty.on('requestfailed', (request) => given.push(request.postData() ?? ''));
      });
      await waitFor(
        'the query',
        () => page.takeRanges().some(({ expression }) => /inventory/.test(expression)),
        DEADLINE_MS,
      );
      await page.chooseSymbol(OTHER);
      await waitFor('the query to be given up', () => given.some((body) => body.includes(SYMBOL)), DEADLINE_MS);
      await waitFor('the other', async () => (await page.panel(INVENTORY).locator('canvas').count()) > 0, DEADLINE_MS);
      await page.page.close();
    },
    2 * DEADLINE_MS,
  );
});

describe('npm run preview', () => {
  test('tells its flags', async () => {
    const { code, stdout } = await Preview.launch(scope, ['--help']).exited();
    expect(stdout).toContain('--port N');
    expect(code).toBe(0);
  });

  test.each(['--port many', '--scrape often', '--surprise'])('does not take %s', async (given) => {
    const flags = given.split(' ');
    const { code, stderr } = await Preview.launch(scope, flags).exited();
    expect(stderr).toContain(flags[0]);
    expect(code).toBe(2);
  });

  test('says what to install where there is no Prometheus', async () => {
    const { code, stderr } = await Preview.launch(scope, [], { PATH: scope.folder() }).exited();
    expect(stderr).toContain('apt-get install prometheus');
    expect(code).toBe(2);
  });

  test('ends all that it started when it is interrupted', async () => {
    const addresses = (['dashboard', 'prometheus', 'metrics'] as const).map((name) => preview.address(name));
    for (const address of addresses) expect((await fetch(address)).status).toBeLessThan(500);
    expect((await preview.end('SIGINT')).code).toBe(0);
    for (const address of addresses) await expect(fetch(address)).rejects.toThrow();
  }, 30_000);
});
