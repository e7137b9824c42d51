// Fills as markers: drawn once as small images and copied, since a hundred thousand paths would take seconds.
import type { Fills, Kind } from './fills';
import { KINDS } from './fills';
import { countBefore, countUntil } from './lines';

export interface MarkerStyle {
  readonly colors: Readonly<Record<Kind, string>>;
  /** Color behind the markers, which sets one off from another. */
  readonly outline: string;
  /** Radius of the largest, CSS pixels. */
  readonly radius: number;
  readonly byQuantity: boolean;
}

/** Plot area in canvas pixels, and the scales on it; both linear. */
export interface MarkerArea {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly low: number;
  readonly high: number;
}

/** Of markers in one cell of this many canvas pixels the first of its kind is drawn: the others would cover it. */
const CELL_PX = 4;
const LEAST_SHARE = 0.5;
const STEP_PX = 0.5;

/** Radius of a fill's marker, CSS pixels: its area is proportional to the quantity, but never too small to be seen or hit. Unknown sizes are the least. */
export function radiusOf(size: number, largest: number, { radius, byQuantity }: MarkerStyle): number {
  if (!byQuantity) {
    return radius;
  }
  const share = size > 0 && largest > 0 ? Math.sqrt(size / largest) : 0;
  return Math.round((radius * Math.max(LEAST_SHARE, Math.min(1, share))) / STEP_PX) * STEP_PX;
}

export function largestSize({ sizes }: Fills): number {
  let largest = 0;
  for (const size of sizes) {
    if (size > largest) {
      largest = size;
    }
  }
  return largest;
}

/** Images of the markers of one style. Bitmaps are copied faster than canvases are. */
export class Sprites {
  readonly style: MarkerStyle;
  readonly #pixelRatio: number;
  readonly #images = new Map<number, ImageBitmap>();

  constructor(style: MarkerStyle, pixelRatio: number) {
    this.style = style;
    this.#pixelRatio = pixelRatio;
  }

  of(kind: number, radius: number): ImageBitmap {
    const key = kind * 1_000 + radius / STEP_PX;
    let image = this.#images.get(key);
    if (image === undefined) {
      this.#images.set(key, (image = this.#draw(KINDS[kind]!, radius)));
    }
    return image;
  }

  #draw(kind: Kind, radius: number): ImageBitmap {
    const half = Math.ceil((radius + 1.5) * this.#pixelRatio);
    const canvas = new OffscreenCanvas(2 * half, 2 * half);
    const context = canvas.getContext('2d')!;
    context.translate(half, half);
    context.scale(this.#pixelRatio, this.#pixelRatio);
    outlineOf(context, kind, radius);
    context.fillStyle = this.style.colors[kind];
    context.strokeStyle = this.style.outline;
    context.lineWidth = 1.25;
    context.lineJoin = 'round';
    context.fill();
    context.stroke();
    return canvas.transferToImageBitmap();
  }
}

/** Path of a marker around 0, 0: its shape alone tells the kind. */
function outlineOf(context: OffscreenCanvasRenderingContext2D, kind: Kind, radius: number): void {
  context.beginPath();
  for (const [x, y] of CORNERS[kind]) {
    context.lineTo(x * radius, y * radius);
  }
  if (kind === 'unknown') {
    context.arc(0, 0, radius * 0.75, 0, 2 * Math.PI);
  }
  context.closePath();
}

/** Corners of the shapes in units of the radius, y down; the circle has none. */
export const CORNERS: Readonly<Record<Kind, ReadonlyArray<readonly [number, number]>>> = {
  makerBuy: [
    [0, -1],
    [0.95, 0.75],
    [-0.95, 0.75],
  ],
  makerSell: [
    [0, 1],
    [0.95, -0.75],
    [-0.95, -0.75],
  ],
  taker: [
    [0, -1.1],
    [1.1, 0],
    [0, 1.1],
    [-1.1, 0],
  ],
  unknown: [],
};

/** How many markers lie in the area, and how many images were copied for them. */
export interface DrawnMarkers {
  readonly inside: number;
  readonly copied: number;
}

export function drawMarkers(
  context: CanvasRenderingContext2D,
  fills: Fills,
  shown: readonly boolean[],
  area: MarkerArea,
  sprites: Sprites,
  largest: number
): DrawnMarkers {
  const columns = Math.ceil(area.width / CELL_PX) + 1;
  const cells = columns * (Math.ceil(area.height / CELL_PX) + 1);
  const taken = new Uint8Array(cells);
  const perMs = area.width / (area.toMs - area.fromMs);
  const perUnit = area.height / (area.high - area.low);
  const end = countUntil(fills.times, area.toMs);
  let [inside, copied] = [0, 0];
  for (let index = countBefore(fills.times, area.fromMs); index < end; index++) {
    const kind = fills.kinds[index]!;
    const x = (fills.times[index]! - area.fromMs) * perMs;
    const y = (area.high - fills.prices[index]!) * perUnit;
    if (!shown[kind] || !(y >= 0 && y <= area.height)) {
      continue;
    }
    inside++;
    const cell = Math.floor(y / CELL_PX) * columns + Math.floor(x / CELL_PX);
    const bit = 1 << kind;
    if ((taken[cell]! & bit) !== 0) {
      continue;
    }
    taken[cell]! |= bit;
    const image = sprites.of(kind, radiusOf(fills.sizes[index]!, largest, sprites.style));
    context.drawImage(image, Math.round(area.left + x - image.width / 2), Math.round(area.top + y - image.height / 2));
    copied++;
  }
  return { inside, copied };
}
