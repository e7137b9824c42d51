// How wide the value axes of both plots are.
import { measureText } from '@grafana/ui';
import type { Picture } from './frames';
import { countBefore, countUntil } from './lines';
import type { FillsOptions } from './options';

const FONT_SIZE_PX = 12;
const AXIS_STEP_PX = 8;

/** An axis goes a little beyond its values, and may so need a digit more. */
const PAD = 0.1;

/** Width that the labels of both value axes need for what is in the time shown, in steps, so that a little more or less does not move the plot. */
export function axisWidthOf(picture: Picture, { show }: FillsOptions, [fromMs, toMs]: [number, number]): number {
  const { lines, fills } = picture;
  let [low, high] = [Infinity, -Infinity];
  const take = (times: ArrayLike<number>, values: ArrayLike<number | null>): void => {
    const end = countUntil(times, toMs);
    for (let index = Math.max(0, countBefore(times, fromMs) - 1); index < end; index++) {
      const value = values[index] ?? null;
      if (value !== null) {
        [low, high] = [Math.min(low, value), Math.max(high, value)];
      }
    }
  };
  for (const line of [lines.bid, lines.ask, ...(show.quotes ? [lines.quoteBuy, lines.quoteSell] : [])]) {
    take(line?.times ?? [], line?.values ?? []);
  }
  take(fills.times, fills.prices);
  const decimals = high > low ? Math.min(10, Math.max(0, Math.ceil(-Math.log10((high - low) / 4)))) : 2;
  const highest = high > low ? high + PAD * (high - low) : high;
  const widest = Math.max(
    measureText(highest > -Infinity ? highest.toFixed(decimals) : '', FONT_SIZE_PX).width,
    measureText('−1000 ms', FONT_SIZE_PX).width
  );
  return Math.ceil((widest + 14) / AXIS_STEP_PX) * AXIS_STEP_PX;
}
