// The keyboard's way over the fills: arrows, Home and End from fill to fill, plus and minus to zoom, Escape to leave.
import type { KeyboardEvent } from 'react';
import { useCallback, useState } from 'react';
import type { Fills } from './fills';
import { nextFill } from './hit';
import { countUntil } from './lines';
import type { Scene } from './scene';

/** A fill is known by its time and price: its index changes when data come and go. */
interface Place {
  readonly ms: number;
  readonly price: number;
  /** Which of the fills of that time and price, from 0. */
  readonly nth: number;
}

export interface Walk {
  /** Index of the fill that the keyboard is at; -1 where it is at none. */
  readonly index: number;
  /** What was said of it when a key went to it; an update says nothing. */
  readonly said: string;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  readonly leave: () => void;
}

export const WALK_HELP =
  'Arrow keys walk from fill to fill, Home and End to the first and last, plus and minus zoom, Escape leaves.';

export function useWalk(
  scene: Scene,
  [fromMs, toMs]: [number, number],
  onZoom: (fromMs: number, toMs: number) => void,
  describe: (index: number) => string
): Walk {
  const [place, setPlace] = useState<Place | null>(null);
  const { fills } = scene.picture;
  const index = place === null ? -1 : find(fills, place);
  const [said, setSaid] = useState('');
  const leave = useCallback(() => {
    setPlace(null);
    setSaid('');
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = (from: number, direction: 1 | -1): number =>
      nextFill(fills, scene.shown, from, direction, fromMs, toMs);
    const go = (to: number): void => {
      if (to >= 0) {
        setPlace(placeOf(fills, to));
        setSaid(describe(to));
      }
    };
    const zoom = (factor: number): void => {
      const middle = index < 0 ? (fromMs + toMs) / 2 : fills.times[index]!;
      onZoom(middle - (middle - fromMs) * factor, middle + (toMs - middle) * factor);
    };
    const actions: Readonly<Record<string, () => void>> = {
      ArrowRight: () => go(step(index, 1)),
      ArrowLeft: () => go(step(index, -1)),
      Home: () => go(step(-1, 1)),
      End: () => go(step(-1, -1)),
      '+': () => zoom(0.5),
      '=': () => zoom(0.5),
      '-': () => zoom(2),
      Escape: leave,
    };
    const action = actions[event.key];
    // With Ctrl, Alt or Cmd they are the browser's.
    const isModified = event.ctrlKey || event.altKey || event.metaKey;
    if (action === undefined || isModified || event.target !== event.currentTarget) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  return { index, said, onKeyDown, leave };
}

function placeOf({ times, prices }: Fills, index: number): Place {
  let nth = 0;
  for (let before = index - 1; before >= 0 && times[before] === times[index]; before--) {
    if (prices[before] === prices[index]) {
      nth++;
    }
  }
  return { ms: times[index]!, price: prices[index]!, nth };
}

/** -1: it is not among the data any more. */
function find({ times, prices }: Fills, { ms, price, nth }: Place): number {
  let left = nth;
  const end = countUntil(times, ms);
  let start = end;
  while (start > 0 && times[start - 1] === ms) {
    start--;
  }
  for (let index = start; index < end; index++) {
    if (prices[index] === price && left-- === 0) {
      return index;
    }
  }
  return -1;
}
