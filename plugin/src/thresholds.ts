// Limits of the alerts as lines in the clock pane.
import type uPlot from 'uplot';

export interface Limit {
  readonly value: number;
  readonly label: string;
}

/** A limit is part of the axis once values have come this close to it; before, it would press them flat. */
const NEAR = 0.5;
const PAD = 0.12;

/** Range of the clock pane's axis, in ms: values from `low` to `high` (null: there are none), 0, and the limits that are near. */
export function clockRange(low: number | null, high: number | null, limits: readonly Limit[]): [number, number] {
  const [least, most] = [Math.min(0, low ?? 0), Math.max(0, high ?? 0)];
  const near = limits
    .map(({ value }) => value)
    .filter((value) => (value > 0 ? most >= NEAR * value : least <= NEAR * value));
  const [from, to] = [Math.min(least, ...near), Math.max(most, ...near)];
  if (from === to) {
    return [-1, 1];
  }
  const pad = PAD * (to - from);
  return [from < 0 ? from - pad : from, to > 0 ? to + pad : to];
}

/** Draws each limit dashed at its value, or, where that is beyond the axis, at the edge it lies behind, with an arrow. */
export function drawLimits(u: uPlot, scaleKey: string, limits: readonly Limit[], color: string, font: string): void {
  const { min, max } = u.scales[scaleKey] ?? {};
  if (min == null || max == null) {
    return;
  }
  const { left, top, width, height } = u.bbox;
  const ratio = devicePixelRatio;
  const labels: Array<{ y: number; until: number }> = [];
  const context = u.ctx;
  context.save();
  context.font = font;
  context.fillStyle = context.strokeStyle = color;
  context.lineWidth = ratio;
  context.textAlign = 'right';
  for (const { value, label } of limits) {
    // Nothing goes that way: a limit there says nothing.
    if (value < 0 && min >= 0) {
      continue;
    }
    const beyond = value > max ? '↑ ' : value < min ? '↓ ' : '';
    const y = Math.round(
      beyond === '' ? u.valToPos(value, scaleKey, true) : value > max ? top + ratio : top + height - ratio
    );
    context.setLineDash([5 * ratio, 4 * ratio]);
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(left + width, y);
    context.stroke();
    const above = y - top > 16 * ratio;
    const textY = above ? y - 4 * ratio : y + 13 * ratio;
    const text = `${beyond}${label}`;
    const right = labels
      .filter((other) => Math.abs(other.y - textY) < 12 * ratio)
      .reduce((x, other) => Math.min(x, other.until), left + width - 6 * ratio);
    context.fillText(text, right, textY);
    labels.push({ y: textY, until: right - context.measureText(text).width - 14 * ratio });
  }
  context.restore();
}
