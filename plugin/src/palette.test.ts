import { createTheme } from '@grafana/data';
import { PALETTES } from './options';
import type { Part } from './palette';
import { fixedColorsOf, paletteOf } from './palette';
import { MAKER_BUY, pictureOf, series } from './testing/frames';

const PARTS: readonly Part[] = [
  'bid',
  'ask',
  'quoteBuy',
  'quoteSell',
  'makerBuy',
  'makerSell',
  'taker',
  'drift',
  'offset',
  'latency',
];

/** Relative luminance, WCAG 2.2. */
function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const share = parseInt(color.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

const contrast = (a: string, b: string): number => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
};

describe.each(PALETTES.flatMap((name) => (['dark', 'light'] as const).map((mode) => [name, mode] as const)))(
  'the palette %s on %s',
  (name, mode) => {
    const theme = createTheme({ colors: { mode } });
    const palette = paletteOf(name, theme);

    test.each(PARTS)('%s stands out from the background as graphics must (WCAG 1.4.11: 3 to 1)', (part) => {
      expect(contrast(palette[part], theme.colors.background.primary)).toBeGreaterThanOrEqual(3);
    });

    test('text in the color of alerts can be read (4.5 to 1)', () => {
      expect(contrast(palette.alert, theme.colors.background.primary)).toBeGreaterThanOrEqual(4.5);
    });

    test('buys, sells and taker fills are of three colors, and so are the lines of the clock', () => {
      expect(new Set([palette.makerBuy, palette.makerSell, palette.taker]).size).toBe(3);
      expect(new Set([palette.drift, palette.offset, palette.latency]).size).toBe(3);
    });
  }
);

test('a color that the user fixed for a field is that of its part', () => {
  const config = { color: { mode: 'fixed', fixedColor: '#123456' } };
  const picture = pictureOf(
    series('shadow_best_bid', [0], [1], { config }),
    series('shadow_fill_price', [0], [1], { labels: MAKER_BUY, config }),
    series('shadow_best_ask', [0], [2])
  );
  const palette = paletteOf('classic', createTheme(), fixedColorsOf(picture));
  expect([palette.bid, palette.makerBuy]).toEqual(['#123456', '#123456']);
  expect(palette.ask).not.toBe('#123456');
});
