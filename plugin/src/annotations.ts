// Annotations of the dashboard on our time axis: lines and regions, and their texts for the tooltip.
import type { DataFrame } from '@grafana/data';
import type uPlot from 'uplot';

export interface Note {
  readonly fromMs: number;
  /** Equal to `fromMs` for a moment. */
  readonly toMs: number;
  readonly text: string;
  readonly color: string | undefined;
}

export function notesOf(frames: readonly DataFrame[]): Note[] {
  return frames.flatMap((frame) => {
    const column = (name: string): unknown[] => frame.fields.find((field) => field.name === name)?.values ?? [];
    const [times, ends, titles, texts, colors] = ['time', 'timeEnd', 'title', 'text', 'color'].map(column);
    return times!.flatMap((time, row): Note[] => {
      if (typeof time !== 'number') {
        return [];
      }
      const end = ends![row];
      const words = [titles![row], texts![row]].filter((word) => typeof word === 'string' && word !== '');
      const color = colors![row];
      return [
        {
          fromMs: time,
          toMs: typeof end === 'number' && end > time ? end : time,
          // Texts may hold markup of their author: here they are words.
          text:
            words
              .join(': ')
              .replace(/<[^>]*>/g, ' ')
              .trim() || 'annotation',
          color: typeof color === 'string' ? color : undefined,
        },
      ];
    });
  });
}

export function drawNotes(u: uPlot, notes: readonly Note[], colorOf: (note: Note) => string): void {
  const { left, top, width, height } = u.bbox;
  const context = u.ctx;
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  for (const note of notes) {
    const x = u.valToPos(note.fromMs, 'x', true);
    const end = u.valToPos(note.toMs, 'x', true);
    if (end < left || x > left + width) {
      continue;
    }
    context.strokeStyle = context.fillStyle = colorOf(note);
    context.lineWidth = devicePixelRatio;
    context.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    context.globalAlpha = 0.12;
    if (end > x) {
      context.fillRect(x, top, end - x, height);
    }
    context.globalAlpha = 0.9;
    context.beginPath();
    for (const edge of end > x ? [x, end] : [x]) {
      context.moveTo(Math.round(edge), top);
      context.lineTo(Math.round(edge), top + height);
    }
    context.stroke();
  }
  context.restore();
}

/** Those at a time, or within `reachMs` of it. */
export const notesAt = (notes: readonly Note[], ms: number, reachMs: number): Note[] =>
  notes.filter(({ fromMs, toMs }) => ms >= fromMs - reachMs && ms <= toMs + reachMs);
