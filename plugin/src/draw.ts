// What is drawn how: the configurations of the two plots, as functions of the options. They stay while data come and go; those are asked for.
import type { GrafanaTheme2 } from '@grafana/data';
import { colorManipulator } from '@grafana/data';
import type { TimeZone } from '@grafana/schema';
import {
  AxisPlacement,
  DrawStyle,
  LineInterpolation,
  PointVisibility,
  ScaleDirection,
  ScaleOrientation,
  UPlotConfigBuilder,
} from '@grafana/ui';
import type uPlot from 'uplot';
import type { Note } from './annotations';
import { drawNotes } from './annotations';
import type { Placing } from './hit';
import { nearestFill } from './hit';
import { drawMarkers, Sprites } from './markers';
import type { FillsOptions } from './options';
import type { Palette, Part } from './palette';
import { CLOCK_SERIES, FILLS_SERIES } from './scene';
import type { Scene } from './scene';
import type { Limit } from './thresholds';
import { clockRange, drawLimits } from './thresholds';

/** What both plots need. A change of it makes new plots; a change of what its functions return does not. */
export interface Setting {
  readonly theme: GrafanaTheme2;
  readonly timeZone: TimeZone;
  readonly palette: Palette;
  readonly options: FillsOptions;
  readonly hidden: ReadonlySet<Part>;
  /** Width of both value axes, CSS pixels: the crosshairs of the two plots stand one above the other. */
  readonly axisWidth: number;
  readonly scene: () => Scene;
  readonly timeRange: () => [number, number];
  readonly notes: () => readonly Note[];
  readonly onBookDrawn: (u: uPlot) => void;
}

const AXIS_GAP = 4;
const RIGHT_PAD = 12;

export function bookConfig(setting: Setting, withTimeAxis: boolean): UPlotConfigBuilder {
  const { theme, palette, options, hidden, scene } = setting;
  const config = baseConfig(setting, 'price', withTimeAxis);
  config.addScale({ scaleKey: 'price', orientation: ScaleOrientation.Vertical, direction: ScaleDirection.Up });
  const line = (part: 'bid' | 'ask' | 'quoteBuy' | 'quoteSell'): void => {
    const isQuote = part.startsWith('quote');
    config.addSeries({
      ...{ scaleKey: 'price', theme, lineColor: palette[part], lineWidth: isQuote ? 1 : 1.5, spanNulls: false },
      ...{
        drawStyle: DrawStyle.Line,
        lineInterpolation: LineInterpolation.StepAfter,
        showPoints: PointVisibility.Auto,
        pointSize: 4,
      },
      ...(isQuote ? { lineStyle: { fill: 'dash', dash: [6, 4] } as const } : {}),
      show: !hidden.has(part) && (options.show.quotes || !isQuote),
    });
  };
  line('bid');
  line('ask');
  line('quoteBuy');
  line('quoteSell');
  config.addSeries({
    scaleKey: 'price',
    theme,
    lineColor: palette.unknown,
    pathBuilder: () => null,
    pointsBuilder: () => false,
    show: true,
  });
  if (!hidden.has('bid') && !hidden.has('ask')) {
    config.addBand({ series: [2, 1], fill: colorManipulator.alpha(theme.colors.text.secondary, 0.1) });
  }
  const style = { ...options.markers, colors: palette, outline: theme.colors.background.primary };
  let sprites = new Sprites(style, devicePixelRatio);
  let ratio = devicePixelRatio;
  config.addHook('draw', (u) => {
    if (ratio !== devicePixelRatio) {
      sprites = new Sprites(style, (ratio = devicePixelRatio));
    }
    drawFills(u, scene(), sprites);
    setting.onBookDrawn(u);
  });
  config.setCursor({
    dataIdx: (u, series, closest) => {
      if (series !== FILLS_SERIES) {
        return closest;
      }
      const fill = hoveredFill(u, scene());
      return fill < 0 ? null : scene().fillRows[fill]!;
    },
    points: {
      show: (_u, series) => (series === FILLS_SERIES ? ring(theme) : (undefined as unknown as HTMLElement)),
      size: (_u, series) => (series === FILLS_SERIES ? 2 * options.markers.radius + 8 : 0),
      width: () => 2,
      stroke: () => theme.colors.text.maxContrast,
      fill: () => 'transparent',
    },
  });
  return config;
}

export function clockConfig(setting: Setting): UPlotConfigBuilder {
  const { theme, palette, options, hidden } = setting;
  const config = baseConfig(setting, 'ms', true);
  const limits = limitsOf(options);
  config.addScale({
    ...{ scaleKey: 'ms', orientation: ScaleOrientation.Vertical, direction: ScaleDirection.Up },
    range: (_u, low, high) => clockRange(low, high, limits),
  });
  for (const series of CLOCK_SERIES) {
    const isEdge = series === 'offsetHigh' || series === 'offsetLow';
    const part = isEdge ? 'offset' : series;
    config.addSeries({
      ...{
        scaleKey: 'ms',
        theme,
        lineColor: isEdge ? 'transparent' : palette[part],
        lineWidth: isEdge ? 0 : 1.5,
        spanNulls: false,
      },
      ...{ drawStyle: DrawStyle.Line, lineInterpolation: LineInterpolation.Linear, pointSize: 4 },
      showPoints: isEdge ? PointVisibility.Never : PointVisibility.Auto,
      show: !hidden.has(part),
    });
  }
  config.addBand({ series: [1, 2], fill: colorManipulator.alpha(palette.offset, 0.22) });
  config.addHook('draw', (u) =>
    drawLimits(u, 'ms', limits, palette.alert, `${11 * devicePixelRatio}px ${theme.typography.fontFamily}`)
  );
  config.setCursor({
    dataIdx: (_u, _series, closest) => closest,
    points: { show: false, size: () => 0, width: () => 0, stroke: () => 'transparent', fill: () => 'transparent' },
  });
  return config;
}

export function limitsOf({ thresholds: { latencyMs, driftMs } }: FillsOptions): Limit[] {
  return [
    { value: latencyMs, label: `latency alert ${latencyMs} ms` },
    { value: driftMs, label: `drift alert ${driftMs} ms` },
    { value: -driftMs, label: `drift alert −${driftMs} ms` },
  ];
}

function baseConfig(
  { theme, timeZone, timeRange, axisWidth, notes }: Setting,
  scaleKey: string,
  withTimeAxis: boolean
): UPlotConfigBuilder {
  const config = new UPlotConfigBuilder(timeZone);
  config.addScale({
    ...{ scaleKey: 'x', isTime: true, orientation: ScaleOrientation.Horizontal, direction: ScaleDirection.Right },
    range: () => timeRange(),
  });
  config.addAxis({
    ...{ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone, theme, grid: { show: true } },
    ...(withTimeAxis
      ? {}
      : { size: 6, values: (_u: uPlot, splits: number[]) => splits.map(() => ''), ticks: { show: false } }),
  });
  config.addAxis({
    ...{ scaleKey, theme, placement: AxisPlacement.Left, size: axisWidth, gap: AXIS_GAP, grid: { show: true } },
    formatValue: (value: number, decimals) => `${value.toFixed(decimals ?? 0)}${scaleKey === 'ms' ? ' ms' : ''}`,
  });
  config.setPadding([8, RIGHT_PAD, 0, 0]);
  config.addHook('draw', (u) => drawNotes(u, notes(), (note) => note.color ?? theme.colors.primary.text));
  return config;
}

/** Index of the fill under the cursor; -1 where there is none. */
export function hoveredFill(u: uPlot, scene: Scene): number {
  const { left, top } = u.cursor;
  const placing = placingOf(u, scene);
  // A crosshair that follows another plot has a time, but no price.
  if (u.cursor.event == null || placing === undefined || left == null || top == null || left < 0) {
    return -1;
  }
  return nearestFill(placing, left, top);
}

/** Undefined while the plot has no scales: there is nothing to place. */
export function placingOf(u: uPlot, { picture: { fills }, shown }: Scene): Placing | undefined {
  const [{ min: fromMs, max: toMs }, price] = [u.scales['x'] ?? {}, u.scales['price'] ?? {}];
  if (fromMs == null || toMs == null || price.min == null || price.max == null) {
    return undefined;
  }
  const pxPerMs = u.over.clientWidth / (toMs - fromMs);
  const [high, perUnit] = [price.max, u.over.clientHeight / (price.max - price.min)];
  return { fills, shown, fromMs, pxPerMs, topOf: (value) => (high - value) * perUnit };
}

function drawFills(u: uPlot, { picture: { fills }, shown, largestSize }: Scene, sprites: Sprites): void {
  const [{ min: fromMs, max: toMs }, { min: low, max: high }] = [u.scales['x'] ?? {}, u.scales['price'] ?? {}];
  const { width, height } = u.bbox;
  // A panel may be so small that its axes take it all.
  if (fromMs == null || toMs == null || low == null || high == null || !(width > 0 && height > 0)) {
    return;
  }
  u.ctx.save();
  u.ctx.beginPath();
  // Half a marker may reach over the edge: one at the very end of the time is still to be told by its shape.
  const slack = sprites.style.radius * devicePixelRatio;
  u.ctx.rect(u.bbox.left - slack, u.bbox.top - slack, u.bbox.width + 2 * slack, u.bbox.height + 2 * slack);
  u.ctx.clip();
  drawMarkers(u.ctx, fills, shown, { ...u.bbox, fromMs, toMs, low, high }, sprites, largestSize);
  u.ctx.restore();
}

function ring(theme: GrafanaTheme2): HTMLElement {
  const element = document.createElement('div');
  element.style.borderStyle = 'solid';
  element.style.borderColor = theme.colors.text.maxContrast;
  return element;
}
