// What a click in the legend shows and hides.
import type { Part } from './palette';

/** `alone`: all others are hidden, or shown again where they are. */
export function toggled(
  parts: readonly Part[],
  hidden: ReadonlySet<Part>,
  part: Part,
  alone: boolean
): ReadonlySet<Part> {
  const others = parts.filter((other) => other !== part);
  if (alone) {
    return new Set(others.every((other) => hidden.has(other)) && !hidden.has(part) ? [] : others);
  }
  const next = new Set(hidden);
  if (!next.delete(part)) {
    next.add(part);
  }
  return next;
}
