import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { screenshot } from '../support/browser.ts';
import type { FillJson, FrameJson } from './support/panel-data.ts';
import { fillFrames, market, series, START_MS, STEP_MS } from './support/panel-data.ts';
import type { PanelPage } from './support/panel-page.ts';
import { PanelSite } from './support/panel-page.ts';

/** Colors of the classic palette in the dark theme: plugin/src/palette.ts. */
const BUY = '#4CCB7F';
const SELL = '#FF6B7A';

let site: PanelSite;
let panel: PanelPage;

beforeAll(async () => {
  site = await PanelSite.open();
  panel = await site.page();
});
afterAll(() => site.close());
// The mouse of the test before must not point at anything.
beforeEach(() => panel.page.mouse.move(0, 0));
afterEach(() => panel.expectNoComplaint());

const small = market(300, 120);
const END_MS = small.timeRange.to;

/** A quiet market with the fills of a test in it. */
function around(fills: readonly FillJson[]): { frames: FrameJson[]; timeRange: { from: number; to: number } } {
  const { frames, timeRange } = market(300, 0);
  return { frames: [...frames, ...fillFrames(fills)], timeRange };
}
const fill = (ms: number, rest: Partial<FillJson> = {}): FillJson => ({
  ...{ ms, price: 63_960.5, size: 0.004, side: 'buy', liquidity: 'maker' },
  ...rest,
});
const MIDDLE_MS = START_MS + 150 * STEP_MS + 123;

describe('the panel', () => {
  test.each(['dark', 'light'] as const)('draws market, fills, clock and header on %s', async (theme) => {
    await panel.mount({ ...small, theme });
    await screenshot(panel.page, `panel-${theme}`);
    const header = await panel.text('shadow-fills-header');
    expect(header.replaceAll('\n', ' ')).toMatch(
      /Fills 120\s*\d+\s*\d+\s*\d+ Maker share 81\.0 %\s*! Net edge \+3\.21 bps\s*✓ Markout 1s −0\.42 bps Clock drift \+\d+\.\d ms\s*✓/,
    );
    expect(await panel.page.locator('.uplot canvas').count()).toBe(2);
    const names = ['Best bid', 'Best ask', 'Our bid', 'Our ask', 'Maker buy', 'Maker sell', 'Taker', 'Clock drift'];
    for (const name of [...names, 'Clock offset ± uncertainty', 'Latency']) {
      expect(await panel.legend(name).getAttribute('aria-pressed')).toBe('true');
    }
  });

  test('both plots stand on one time axis: left edge and width are the same', async () => {
    await panel.mount(small);
    const [book, clock] = [await panel.plot(0), await panel.plot(1)];
    expect([clock.x, clock.width]).toEqual([book.x, book.width]);
    expect(clock.y).toBeGreaterThan(book.y + book.height - 1);
  });

  test('the legend has the colors of the marks', async () => {
    await panel.mount(small);
    const color = await panel.legend('Maker buy').locator('polygon').getAttribute('fill');
    expect(color).toBe(BUY);
    expect(await panel.pixelsOf(0, BUY)).toBeGreaterThan(100);
  });
});

describe('hover', () => {
  test('on a fill tells its exact time, price, size and kind', async () => {
    await panel.mount(around([fill(MIDDLE_MS, { side: 'sell', price: 64_040.7, size: 0.0371 })]));
    const text = await panel.hoverUntil(MIDDLE_MS, 'Maker sell');
    expect(text).toContain('2027-01-15 08:12:30.123');
    expect(text).toContain('0.0371 @ 64040.7');
  });

  test('tells two fills of one millisecond apart, with exact values', async () => {
    const twins = [
      fill(MIDDLE_MS, { size: 0.0011 }),
      fill(MIDDLE_MS, { size: 0.0022, nth: '2' }),
      fill(MIDDLE_MS, { size: 0.0033, price: 64_050.1, side: 'sell' }),
    ];
    await panel.mount(around(twins));
    const both = await panel.hoverUntil(MIDDLE_MS, '2 fills here');
    expect(both).toContain('0.0011 @ 63960.5');
    expect(both).toContain('0.0022 @ 63960.5');
    expect(both).toContain('nth 2');
    expect(both).not.toContain('64050.1');
    expect(await panel.hoverUntil(MIDDLE_MS, '0.0033 @ 64050.1')).not.toContain('fills here');
  });

  test('counts fills whose markers cover each other, and lists the first', async () => {
    await panel.mount(around(Array.from({ length: 30 }, (_, index) => fill(MIDDLE_MS + index))));
    const text = await panel.hoverUntil(MIDDLE_MS, '30 fills here');
    expect(text.match(/Maker buy/g)).toHaveLength(8);
    expect(text).toContain('and 22 more');
  });

  test('off the fills tells the market at that time, and what is not known', async () => {
    const { frames, timeRange } = around([]);
    await panel.mount({ frames: frames.slice(0, 1), timeRange });
    expect(await panel.hoverUntil(MIDDLE_MS, 'Best bid')).toMatch(/08:12:\d\d\.\d{3}\n+Best bid\n+6\d{4}/);
  });

  test('over the clock pane tells drift, offset with its uncertainty, and latency', async () => {
    await panel.mount(small);
    const { x, y, width, height } = await panel.plot(1);
    await panel.page.mouse.move(x + width / 2, y + height / 2);
    const tooltip = panel.page.getByTestId('shadow-fills-tooltip').first();
    await tooltip.waitFor();
    expect(await tooltip.innerText()).toMatch(
      /Clock drift\s+[\d.]+ ms\s+Clock offset ± uncertainty\s+[\d.]+ ± [\d.]+ ms\s+Latency\s+[\d.]+ ms/,
    );
  });

  test('tells annotations at their time', async () => {
    const annotation = {
      refId: 'alerts',
      fields: [
        { name: 'time', type: 'time', values: [MIDDLE_MS] },
        { name: 'title', type: 'string', values: ['ShadowEdgeLow'] },
        { name: 'text', type: 'string', values: ['net edge below 2.5 bps'] },
      ],
    } as const;
    await panel.mount({ ...around([]), annotations: [annotation] });
    expect(await panel.hoverUntil(MIDDLE_MS, 'ShadowEdgeLow')).toContain('ShadowEdgeLow: net edge below 2.5 bps');
  });

  test('moves the crosshair of both plots, and tells other panels the time', async () => {
    await panel.mount(small);
    const { x, y, width } = await panel.plot(0);
    await panel.page.mouse.move(x + width / 2, y + 20);
    await panel.page.waitForFunction('shadowHost.recorded.hovers.length > 0');
    const [hover] = await panel.hovers();
    expect(Math.abs(hover! - (START_MS + (END_MS - START_MS) / 2))).toBeLessThan(2 * STEP_MS);
    const lefts = await panel.page.evaluate<number[]>(
      '[...document.querySelectorAll(".u-cursor-x")].map((line) => line.getBoundingClientRect().left)',
    );
    expect(lefts).toHaveLength(2);
    expect(Math.abs(lefts[0]! - lefts[1]!)).toBeLessThan(1.5);
    expect(Math.abs(lefts[0]! - (x + width / 2))).toBeLessThan(2);
  });

  test('over another panel moves the crosshair here, and hits no fill', async () => {
    await panel.mount(small);
    await panel.hoverElsewhere(MIDDLE_MS);
    const wanted = await panel.leftOf(MIDDLE_MS);
    await panel.page.waitForFunction(
      `Math.abs(document.querySelector('.u-cursor-x').getBoundingClientRect().left - ${wanted}) < 3`,
    );
    expect(await panel.page.getByTestId('shadow-fills-fill').count()).toBe(0);
  });

  test('on a fill with a data link: a click pins it with its link', async () => {
    const links = [{ title: 'Runbook', url: 'https://example.invalid/fill' }];
    const one = fill(MIDDLE_MS);
    await panel.mount({ ...around([one]), fieldConfig: { defaults: { links }, overrides: [] } });
    await panel.hoverUntil(MIDDLE_MS, 'Maker buy');
    await panel.page.mouse.down();
    await panel.page.mouse.up();
    const link = panel.page.getByRole('link', { name: 'Runbook' });
    await link.waitFor();
    expect(await link.getAttribute('href')).toBe('https://example.invalid/fill');
  });
});

describe('zoom', () => {
  test('by dragging asks for the time that was dragged over', async () => {
    await panel.mount(small);
    const { x, y, width } = await panel.plot(0);
    await panel.page.mouse.move(x + width * 0.25, y + 50);
    await panel.page.mouse.down();
    await panel.page.mouse.move(x + width * 0.5, y + 60, { steps: 5 });
    await panel.page.mouse.up();
    const [range] = await panel.timeRanges();
    const ms = (share: number) => START_MS + share * (END_MS - START_MS);
    const pixelMs = (END_MS - START_MS) / width;
    expect(Math.abs(range!.from - ms(0.25))).toBeLessThan(2 * pixelMs);
    expect(Math.abs(range!.to - ms(0.5))).toBeLessThan(2 * pixelMs);
    expect(Number.isInteger(range!.from) && Number.isInteger(range!.to)).toBe(true);
  });

  test('a double click asks for twice the time', async () => {
    await panel.mount(small);
    const { x, y, width } = await panel.plot(0);
    await panel.page.mouse.dblclick(x + width / 2, y + 50);
    const [range] = await panel.timeRanges();
    expect(range!.to - range!.from).toBeCloseTo(2 * (END_MS - START_MS), -1);
  });
});

describe('the legend', () => {
  test('hides and shows fills of a kind, which are then neither drawn nor hit', async () => {
    await panel.mount(around([fill(MIDDLE_MS)]));
    await panel.legend('Our bid').click();
    expect(await panel.pixelsOf(0, BUY)).toBeGreaterThan(20);
    await panel.legend('Maker buy').click();
    expect(await panel.legend('Maker buy').getAttribute('aria-pressed')).toBe('false');
    await expect(panel.hoverUntil(MIDDLE_MS, 'Maker buy')).rejects.toThrow('no tooltip');
    expect(await panel.pixelsOf(0, BUY)).toBe(0);
    await panel.legend('Maker buy').click();
    await panel.hoverUntil(MIDDLE_MS, 'Maker buy');
  });

  test('with a key shows one part alone, and all again', async () => {
    await panel.mount(small);
    await panel.legend('Maker sell').click({ modifiers: ['Control'] });
    const pressed = () => panel.page.locator('button[aria-pressed=true]').allInnerTexts();
    expect(await pressed()).toEqual(['Maker sell']);
    await panel.legend('Maker sell').click({ modifiers: ['Control'] });
    expect(await pressed()).toHaveLength(10);
  });
});

describe('options', () => {
  test('leave out what is not wanted', async () => {
    const show = { header: false, quotes: false, fills: false, clock: false };
    await panel.mount({ ...small, options: { show, legend: { showLegend: true, placement: 'right' } } });
    expect(await panel.page.locator('.uplot canvas').count()).toBe(1);
    expect(await panel.page.getByTestId('shadow-fills-header').count()).toBe(0);
    expect(await panel.page.locator('button[aria-pressed]').allInnerTexts()).toEqual(['Best bid', 'Best ask']);
    expect(await panel.pixelsOf(0, SELL)).toBe(0);
  });

  test('that no version ever had are migrated to sound ones', async () => {
    await panel.mount({
      ...small,
      pluginVersion: '0.0.1',
      options: { palette: 'rainbow', markers: null, clockShare: -4 },
    });
    expect(await panel.pixelsOf(0, BUY)).toBeGreaterThan(100);
  });

  test('set the limits that the header judges by', async () => {
    await panel.mount({ ...small, options: { thresholds: { makerShare: 0.5, edgeBps: 5 } } });
    const verdicts = await panel.page.evaluate<string[]>(
      '[...document.querySelectorAll("[data-verdict]")].map((one) => one.dataset.verdict)',
    );
    expect(verdicts).toEqual(['plain', 'good', 'bad', 'plain', 'good']);
  });

  test('draw with a palette for the color blind', async () => {
    await panel.mount({ ...small, options: { palette: 'colorblind' } });
    expect(await panel.pixelsOf(0, '#E69F00')).toBeGreaterThan(100);
    expect(await panel.pixelsOf(0, SELL)).toBe(0);
    await screenshot(panel.page, 'panel-colorblind');
  });

  test('of a field say what it shows, its name and its color', async () => {
    const { timeRange } = small;
    const times = [START_MS, MIDDLE_MS, END_MS];
    const own = series('my_price', times, [1, 2, 3]);
    const overrides = [
      {
        matcher: { id: 'byName', options: 'my_price' },
        properties: [
          { id: 'custom.role', value: 'bid' },
          { id: 'displayName', value: 'Bid elsewhere' },
          { id: 'color', value: { mode: 'fixed', fixedColor: '#123ABC' } },
        ],
      },
    ];
    await panel.mount({ frames: [own], timeRange, fieldConfig: { defaults: {}, overrides } });
    expect(await panel.legend('Bid elsewhere').locator('line').getAttribute('stroke')).toBe('#123ABC');
    expect(await panel.pixelsOf(0, '#123ABC')).toBeGreaterThan(50);
  });

  test.each([
    [300, 120],
    [180, 60],
    [700, 180],
    [1_240, 900],
  ])('of the panel’s size: at %d by %d nothing overflows', async (width, height) => {
    await panel.mount({ ...small, width, height });
    const over = await panel.page.evaluate<number[]>(`(() => {
      const panel = document.querySelector('[data-testid=shadow-fills-panel]');
      return [panel.scrollWidth - panel.clientWidth, panel.scrollHeight - panel.clientHeight];
    })()`);
    expect(over.every((pixels) => pixels <= 1)).toBe(true);
    expect(await panel.page.locator('.uplot canvas').count()).toBeGreaterThan(0);
  });
});

describe('data that cannot be drawn say what is missing', () => {
  const time = (values: readonly unknown[]) => ({ name: 'Time', type: 'time', values }) as const;
  const number = (values: readonly unknown[]) => ({ name: 'shadow_best_bid', type: 'number', values }) as const;
  const cases: [string, FrameJson[], string][] = [
    ['no series', [], 'No series came.'],
    ['no time field', [{ refId: 'A', fields: [number([1, 2])] }], 'has no field of type time'],
    [
      'strings',
      [{ refId: 'A', fields: [time([1, 2]), { name: 'shadow_best_bid', type: 'string', values: ['a', 'b'] }] }],
      'is text ("a"), a number is expected',
    ],
    ['NaN alone', [{ refId: 'A', fields: [time([1, 2]), number([null, null])] }], 'none of which is a number'],
    [
      'mixed symbols',
      [...small.frames, series('shadow_best_bid', [START_MS], [1], { symbol: 'ETHUSDT' })],
      'Series of 2 symbols came',
    ],
    ['strange series', [series('up', [START_MS], [1])], 'None of the series is one that this panel knows: up'],
  ];
  test.each(cases)('%s', async (_name, frames, sentence) => {
    await panel.mount({ frames, timeRange: small.timeRange });
    expect(await panel.text('panel-data-error')).toContain(sentence);
  });

  const partial: [string, FrameJson[], string][] = [
    ['one point', [series('shadow_best_bid', [MIDDLE_MS], [64_000])], 'Only one sample of Best bid'],
    [
      'unsorted times',
      [series('shadow_best_bid', [END_MS, START_MS], [64_001, 64_000])],
      'were not in order and have been sorted',
    ],
    [
      'resampled fills',
      [
        ...market(300, 0).frames,
        series(
          'shadow_fill_price',
          [START_MS, START_MS + STEP_MS, START_MS + 2 * STEP_MS],
          [1, 1, 1],
          { side: 'buy', liquidity: 'maker' },
          { interval: 5_000 },
        ),
      ],
      'Fills are not drawn: they come from a range query',
    ],
  ];
  test.each(partial)('%s: what there is is drawn, with a notice', async (_name, frames, sentence) => {
    await panel.mount({ frames, timeRange: small.timeRange });
    expect(await panel.text('shadow-fills-notices')).toContain(sentence);
    expect(await panel.page.locator('.uplot canvas').count()).toBeGreaterThan(0);
  });

  test('a hole in the data is a hole in the line, and no value on hover', async () => {
    const times = [START_MS, START_MS + STEP_MS, END_MS - STEP_MS, END_MS];
    await panel.mount({
      frames: [series('shadow_best_bid', times, [1, 1, 1, 1], {}, { interval: STEP_MS })],
      timeRange: small.timeRange,
    });
    expect(await panel.hoverUntil(MIDDLE_MS, 'Best bid')).toMatch(/Best bid\s+not known/);
    expect(await panel.pixelsOf(0, '#5794F2')).toBeLessThan(60);
  });

  test('nothing known is no 0 in the header', async () => {
    await panel.mount({ frames: small.frames.slice(0, 2), timeRange: small.timeRange });
    expect((await panel.text('shadow-fills-header')).match(/no data/g)).toHaveLength(5);
  });
});

describe('the keyboard', () => {
  const walked = [
    fill(MIDDLE_MS),
    fill(MIDDLE_MS + 60_000, { side: 'sell', price: 64_020.5 }),
    fill(MIDDLE_MS + 120_000, { liquidity: 'taker' }),
  ];

  test('walks over the fills, tells each, and leaves', async () => {
    await panel.mount(around(walked));
    await panel.page.getByTestId('shadow-fills-plots').focus();
    const said = () => panel.page.getByTestId('shadow-fills-announcer').textContent();
    const press = async (key: string) => {
      await panel.page.keyboard.press(key);
      return said();
    };
    expect(await press('ArrowRight')).toBe('Fill 1 of 3: Maker buy 0.004 @ 63960.5 at 08:12:30.123');
    expect(await panel.text('shadow-fills-tooltip')).toContain('0.004 @ 63960.5');
    expect(await press('ArrowRight')).toMatch(/^Fill 2 of 3: Maker sell 0\.004 @ 64020\.5/);
    expect(await press('End')).toMatch(/^Fill 3 of 3: Taker buy/);
    expect(await press('ArrowRight')).toMatch(/^Fill 3 of 3/);
    expect(await press('Home')).toMatch(/^Fill 1 of 3/);
    await screenshot(panel.page, 'panel-keyboard');
    expect(await press('Escape')).toBe('');
  });

  test('stays at its fill when data and time go on, its card beside it, and says nothing by itself', async () => {
    await panel.mount(around(walked.slice(1)));
    await panel.page.getByTestId('shadow-fills-plots').focus();
    await panel.page.keyboard.press('ArrowRight');
    const said = () => panel.page.getByTestId('shadow-fills-announcer').textContent();
    expect(await said()).toMatch(/^Fill 1 of 2: Maker sell/);
    const timeRange = { from: START_MS + 60_000, to: END_MS + 60_000 };
    await panel.update({ frames: around(walked).frames, timeRange });
    expect(await said()).toMatch(/^Fill 1 of 2: Maker sell/);
    expect(await panel.text('shadow-fills-tooltip')).toContain('64020.5');
    const ring = (await panel.page.getByTestId('shadow-fills-ring').boundingBox())!;
    const { x, width } = await panel.plot(0);
    const share = (walked[1]!.ms - timeRange.from) / (timeRange.to - timeRange.from);
    expect(Math.abs(ring.x + ring.width / 2 - (x + share * width))).toBeLessThan(1.5);
    await panel.page.keyboard.press('ArrowLeft');
    expect(await said()).toMatch(/^Fill 1 of 3: Maker buy/);
  });

  test('leaves keys of the browser alone', async () => {
    await panel.mount(around(walked));
    await panel.page.getByTestId('shadow-fills-plots').focus();
    await panel.page.keyboard.press('Control+-');
    await panel.page.keyboard.press('Alt+ArrowRight');
    expect(await panel.timeRanges()).toEqual([]);
    expect(await panel.page.getByTestId('shadow-fills-announcer').textContent()).toBe('');
  });

  test('zooms around its fill', async () => {
    await panel.mount(around(walked));
    await panel.page.getByTestId('shadow-fills-plots').focus();
    await panel.page.keyboard.press('ArrowRight');
    await panel.page.keyboard.press('+');
    const [range] = await panel.timeRanges();
    expect(range).toEqual({ from: Math.round((START_MS + MIDDLE_MS) / 2), to: Math.round((END_MS + MIDDLE_MS) / 2) });
  });
});

test.each(['dark', 'light'] as const)('axe finds nothing within the panel, %s', async (theme) => {
  await panel.mount({ ...small, theme });
  await panel.page.getByTestId('shadow-fills-plots').focus();
  await panel.page.keyboard.press('ArrowRight');
  await panel.page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  const violations = await panel.page.evaluate<string[]>(`axe.run('[data-testid=shadow-fills-panel]').then((result) =>
    result.violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`);
  expect(violations).toEqual([]);
});

describe('the theme', () => {
  test('changes the colors of what is drawn', async () => {
    await panel.mount(small);
    const before = await panel.pixelsOf(0, BUY);
    await panel.setTheme('light');
    expect(before).toBeGreaterThan(100);
    expect(await panel.pixelsOf(0, BUY)).toBe(0);
    expect(await panel.pixelsOf(0, '#14804A')).toBeGreaterThan(100);
  });
});

test.each([
  ['/%', 400],
  ['//', 400],
  ['/%2e%2e/%2e%2e/package.json', 404],
  ['/plugins/shadowmode-fills-panel/%2e%2e%2f%2e%2e%2fpackage.json', 404],
])('what is no page does not end its server: %s', async (path, status) => {
  expect((await fetch(`${site.url}${path}`)).status).toBe(status);
  expect((await fetch(`${site.url}/bench.html`)).status).toBe(200);
});
