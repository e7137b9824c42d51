import { scaleLinear, scalePoint, scaleUtc } from 'd3-scale';
import { area, curveStepAfter, line } from 'd3-shape';

/** A mark at x; with bounds it has an error bar. */
export interface Mark {
  readonly x: number;
  readonly y: number;
  readonly lower?: number | undefined;
  readonly upper?: number | undefined;
  readonly shape?: 'circle' | 'up' | 'down' | 'diamond';
  /** Shown by the browser when the pointer rests on it. */
  readonly title: string;
}

/** Points in the order of x; `undefined` interrupts the line. */
export type LinePoint = readonly [x: number, y: number | undefined];

export type BandPoint = readonly [x: number, lower: number, upper: number] | undefined;

/** One series of a plot. `name` is its place in the legend, `tone` its color in the style sheet. */
export type Series = { readonly name: string; readonly tone: Tone } & (
  | { readonly line: readonly LinePoint[]; readonly step?: boolean; readonly dots?: boolean }
  /** `undefined` interrupts the band. */
  | { readonly band: readonly BandPoint[] }
  | { readonly marks: readonly Mark[] }
);
export type Tone = 'a' | 'b' | 'c' | 'd' | 'muted';

export interface Plot {
  readonly title: string;
  /** The y axis, with its unit. */
  readonly yLabel: string;
  /** Time in ms since 1970, or the names of places 0, 1, 2, …. */
  readonly x: 'time' | readonly string[];
  readonly series: readonly Series[];
  /** A horizontal line that means something. */
  readonly reference?: { readonly y: number; readonly label: string };
  /** What is said where nothing can be drawn. */
  readonly empty: string;
}

const WIDTH = 720;
const HEIGHT = 260;
const MARGIN = { top: 12, right: 16, bottom: 30, left: 64 };
const Y_TICKS = 5;
const X_TICKS = 6;
/** Space above and below the data, as a share of its range. */
const PADDING = 0.08;

type ToPixel = (value: number) => number;

/** The plot as SVG, colored by classes alone, so that one style sheet serves light and dark. An empty one is a sentence. */
export function plotSvg(plot: Plot): string {
  const { xs, ys } = extent(plot);
  if (xs.length === 0) return `<p class="empty">${escapeXml(plot.empty)}</p>`;
  const y = yScale(ys);
  const x = xScale(plot, xs);
  const parts = [
    ...y.ticks(Y_TICKS).map((tick) => yTick(y(tick), y.tickFormat(Y_TICKS)(tick))),
    ...x.ticks.map(({ at, label }) => xTick(at, label)),
    `<text class="axis" transform="translate(14 ${(HEIGHT - MARGIN.bottom + MARGIN.top) / 2}) rotate(-90)" text-anchor="middle">${escapeXml(plot.yLabel)}</text>`,
    ...(plot.reference === undefined ? [] : [referenceLine(plot.reference, y)]),
    ...plot.series.map((series) => seriesSvg(series, x.toPixel, y)),
  ];
  const label = escapeXml(plot.title);
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">${parts.join('')}</svg>${legend(plot)}`;
}

/** Every value that is drawn. */
function extent({ series, reference }: Plot): { xs: number[]; ys: number[] } {
  const xs: number[] = [];
  const ys: number[] = [];
  for (const each of series) {
    if ('line' in each) {
      for (const [x, y] of each.line) {
        if (y === undefined) continue;
        xs.push(x);
        ys.push(y);
      }
    } else if ('band' in each) {
      for (const point of each.band) {
        if (point === undefined) continue;
        xs.push(point[0]);
        ys.push(point[1], point[2]);
      }
    } else {
      for (const { x, y, lower = y, upper = y } of each.marks) {
        xs.push(x);
        ys.push(lower, upper);
      }
    }
  }
  if (xs.length > 0 && reference !== undefined) ys.push(reference.y);
  return { xs, ys };
}

const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b));
const largest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b));

function yScale(ys: readonly number[]): ReturnType<typeof scaleLinear<number, number>> {
  const [low, high] = [least(ys), largest(ys)];
  // A flat line still needs a range to lie in.
  const padding = high > low ? (high - low) * PADDING : Math.max(Math.abs(high) * PADDING, 1e-6);
  return scaleLinear([low - padding, high + padding], [HEIGHT - MARGIN.bottom, MARGIN.top]).nice(Y_TICKS);
}

function xScale(plot: Plot, xs: readonly number[]): { toPixel: ToPixel; ticks: { at: number; label: string }[] } {
  const range = [MARGIN.left, WIDTH - MARGIN.right] as const;
  if (plot.x !== 'time') {
    const places = plot.x.map((_, index) => index);
    const scale = scalePoint(places, range).padding(0.5);
    return {
      toPixel: (value) => scale(Math.round(value))! + (value - Math.round(value)) * scale.step(),
      ticks: plot.x.map((label, index) => ({ at: scale(index)!, label })),
    };
  }
  const [from, to] = [least(xs), largest(xs)];
  const scale = scaleUtc([from, to > from ? to : from + 1_000], range);
  return {
    toPixel: (value) => scale(value),
    ticks: scale.ticks(X_TICKS).map((tick) => ({ at: scale(tick), label: clockLabel(tick, to - from) })),
  };
}

/** UTC, as fine as the range asks for. */
function clockLabel(tick: Date, rangeMs: number): string {
  const [day = '', time = ''] = tick.toISOString().split('T');
  if (rangeMs < 3_600_000) return time.slice(0, 8);
  return rangeMs < 86_400_000 ? time.slice(0, 5) : `${day.slice(5)} ${time.slice(0, 5)}`;
}

const yTick = (at: number, label: string): string =>
  `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${px(at)}" y2="${px(at)}"/><text class="tick" x="${MARGIN.left - 6}" y="${px(at + 4)}" text-anchor="end">${escapeXml(label)}</text>`;

const xTick = (at: number, label: string): string =>
  `<text class="tick" x="${px(at)}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${escapeXml(label)}</text>`;

const referenceLine = ({ y, label }: { y: number; label: string }, scale: ToPixel): string =>
  `<line class="reference" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${px(scale(y))}" y2="${px(scale(y))}"/><text class="tick" x="${WIDTH - MARGIN.right - 4}" y="${px(scale(y) - 5)}" text-anchor="end">${escapeXml(label)}</text>`;

function seriesSvg(series: Series, x: ToPixel, y: ToPixel): string {
  if ('line' in series) return lineSvg(series, x, y);
  if ('marks' in series) return series.marks.map((mark) => markSvg(mark, series.tone, x, y)).join('');
  const shape = area<BandPoint>()
    .defined((point) => point !== undefined)
    .x((point) => x(point![0]))
    .y0((point) => y(point![1]))
    .y1((point) => y(point![2]))
    .digits(1);
  return `<path class="band tone-${series.tone}" d="${shape(series.band) ?? ''}"/>`;
}

function lineSvg(series: Extract<Series, { line: unknown }>, x: ToPixel, y: ToPixel): string {
  const path = line<LinePoint>(
    ([at]) => x(at),
    ([, value]) => y(value!),
  )
    .defined(([, value]) => value !== undefined)
    .digits(1);
  if (series.step === true) path.curve(curveStepAfter);
  const drawn = `<path class="line tone-${series.tone}" d="${path(series.line) ?? ''}"/>`;
  if (series.dots !== true) return drawn;
  const dots = series.line.flatMap(([at, value]) =>
    value === undefined
      ? []
      : [`<circle class="mark tone-${series.tone}" cx="${px(x(at))}" cy="${px(y(value))}" r="2.5"/>`],
  );
  return drawn + dots.join('');
}

function markSvg(
  { x: at, y: value, lower, upper, shape = 'circle', title }: Mark,
  tone: Tone,
  x: ToPixel,
  y: ToPixel,
): string {
  const [cx, cy] = [x(at), y(value)];
  const bar =
    lower === undefined || upper === undefined
      ? ''
      : `<path class="bar tone-${tone}" d="M${px(cx)} ${px(y(lower))}V${px(y(upper))}M${px(cx - 5)} ${px(y(lower))}h10M${px(cx - 5)} ${px(y(upper))}h10"/>`;
  return `<g>${bar}<path class="mark tone-${tone}" d="${SHAPES[shape](cx, cy)}"/><title>${escapeXml(title)}</title></g>`;
}

const SHAPES = {
  circle: (x, y) => `M${px(x - 4)} ${px(y)}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0`,
  up: (x, y) => `M${px(x)} ${px(y - 5)}l5 9h-10z`,
  down: (x, y) => `M${px(x)} ${px(y + 5)}l5 -9h-10z`,
  diamond: (x, y) => `M${px(x)} ${px(y - 6)}l5 6l-5 6l-5 -6z`,
} as const satisfies Record<NonNullable<Mark['shape']>, (x: number, y: number) => string>;

function legend({ series }: Plot): string {
  if (series.length < 2) return '';
  const items = series.map(({ name, tone }) => `<li><i class="swatch tone-${tone}"></i>${escapeXml(name)}</li>`);
  return `<ul class="legend">${items.join('')}</ul>`;
}

const px = (value: number): string => String(Math.round(value * 10) / 10);

/** Text for XML and HTML, attributes included. */
export const escapeXml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
