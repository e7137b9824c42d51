// How wide the value axes of both plots are.
import { measureText } from '@grafana/ui';
import type { Picture } from './frames';
import type { FillsOptions } from './options';

const FONT_SIZE_PX = 12;
const AXIS_STEP_PX = 8;

/** Width that the labels of both value axes need, in steps, so that a digit more or less does not move the plot. */
export function axisWidthOf({ lines, fills }: Picture, { show }: FillsOptions): number {
  const prices = [lines.bid, lines.ask, ...(show.quotes ? [lines.quoteBuy, lines.quoteSell] : [])].flatMap(
    (line) => line?.values ?? []
  );
  let [low, high] = [Infinity, -Infinity];
  for (const price of prices) {
    if (price !== null) {
      [low, high] = [Math.min(low, price), Math.max(high, price)];
    }
  }
  for (const price of fills.prices) {
    [low, high] = [Math.min(low, price), Math.max(high, price)];
  }
  const decimals = high > low ? Math.min(10, Math.max(0, Math.ceil(-Math.log10((high - low) / 4)))) : 2;
  const widest = Math.max(
    measureText(high > -Infinity ? high.toFixed(decimals) : '', FONT_SIZE_PX).width,
    measureText('−1000 ms', FONT_SIZE_PX).width
  );
  return Math.ceil((widest + 14) / AXIS_STEP_PX) * AXIS_STEP_PX;
}
