// Colors, each from one place, so that legend, lines, markers and tooltip agree.
import type { Field, GrafanaTheme2 } from '@grafana/data';
import type { Kind } from './fills';
import { KINDS } from './fills';
import type { Picture } from './frames';
import type { PaletteName } from './options';
import type { LineRole } from './roles';

/** What has a color and a switch in the legend. */
export type Part = Exclude<LineRole, 'uncertainty'> | Kind;

export const isKind = (part: Part): part is Kind => (KINDS as readonly string[]).includes(part);

export type Palette = Readonly<Record<Part, string>> & { readonly alert: string };

interface Shades {
  readonly buy: string;
  readonly sell: string;
  readonly taker: string;
  readonly bid: string;
  readonly ask: string;
  readonly drift: string;
  readonly offset: string;
  readonly latency: string;
  readonly alert: string;
}

/**
 * Each for a dark and a light background. `colorblind` is of Okabe and Ito (2008), "Color Universal Design"; its yellow and black are left
 * out, which do not stand out from one of the backgrounds.
 */
const SHADES: Readonly<Record<PaletteName, { readonly dark: Shades; readonly light: Shades }>> = {
  classic: {
    dark: {
      ...{ buy: '#4CCB7F', sell: '#FF6B7A', taker: '#E879F9', bid: '#5794F2', ask: '#F2994A' },
      ...{ drift: '#A78BFA', offset: '#2DD4BF', latency: '#EAB839', alert: '#FF5286' },
    },
    light: {
      ...{ buy: '#14804A', sell: '#C4162A', taker: '#A21CAF', bid: '#1F60C4', ask: '#C25E00' },
      ...{ drift: '#6D43C9', offset: '#0B7A6F', latency: '#8F6B00', alert: '#C0134E' },
    },
  },
  colorblind: {
    dark: {
      ...{ buy: '#56B4E9', sell: '#E69F00', taker: '#CC79A7', bid: '#8FA3B8', ask: '#C9BFA5' },
      ...{ drift: '#56B4E9', offset: '#009E73', latency: '#E69F00', alert: '#F0783C' },
    },
    light: {
      ...{ buy: '#0072B2', sell: '#D55E00', taker: '#A34C80', bid: '#51657A', ask: '#7A6A45' },
      ...{ drift: '#0072B2', offset: '#00785A', latency: '#8F6200', alert: '#A84800' },
    },
  },
  contrast: {
    dark: {
      ...{ buy: '#5CFF9D', sell: '#FF8FA0', taker: '#FFD24A', bid: '#FFFFFF', ask: '#C4C8D4' },
      ...{ drift: '#7FC4FF', offset: '#FFF066', latency: '#FFB36B', alert: '#FF6FA5' },
    },
    light: {
      ...{ buy: '#00592E', sell: '#9B0018', taker: '#5A1A82', bid: '#000000', ask: '#4A4E58' },
      ...{ drift: '#003C91', offset: '#5C4500', latency: '#7A3A00', alert: '#8A0036' },
    },
  },
};

export function paletteOf(name: PaletteName, theme: GrafanaTheme2, fixed: FixedColors = {}): Palette {
  const shades = SHADES[name][theme.isDark ? 'dark' : 'light'];
  return {
    bid: shades.bid,
    ask: shades.ask,
    quoteBuy: shades.buy,
    quoteSell: shades.sell,
    makerBuy: shades.buy,
    makerSell: shades.sell,
    taker: shades.taker,
    unknown: theme.colors.text.secondary,
    drift: shades.drift,
    offset: shades.offset,
    latency: shades.latency,
    alert: shades.alert,
    ...Object.fromEntries(
      Object.entries(fixed).map(([part, color]) => [part, theme.visualization.getColorByName(color)])
    ),
  };
}

export type FixedColors = { readonly [part in Part]?: string };

/** Colors of the user's own: those of fields that have one fixed. */
export function fixedColorsOf({ lines, fills }: Picture): FixedColors {
  const fixed: { [part in Part]?: string } = {};
  const choose = (part: Part, { config: { color } }: Field): void => {
    if (color?.mode === 'fixed' && color.fixedColor !== undefined) {
      fixed[part] = color.fixedColor;
    }
  };
  for (const line of Object.values(lines)) {
    if (line.role !== 'uncertainty') {
      choose(line.role, line.field);
    }
  }
  fills.sources.forEach(({ price }, source) => {
    const first = fills.source.indexOf(source);
    if (first >= 0) {
      choose(KINDS[fills.kinds[first]!]!, price);
    }
  });
  return fixed;
}
