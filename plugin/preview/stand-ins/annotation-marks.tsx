/** Annotations as Grafana draws them: a shaded region with a line where it begins, over the plot. */
import { FieldType } from '@grafana/data';
import type { DataFrame } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import type { UPlotConfigBuilder } from '@grafana/ui';
import { useEffect, useLayoutEffect, useRef } from 'react';
import type uPlot from 'uplot';

interface Mark {
  readonly time: number;
  readonly timeEnd: number;
  readonly color: string;
}

export function marksOf(annotations: readonly DataFrame[]): readonly Mark[] {
  return annotations.flatMap((frame) => {
    const values = (name: string): readonly unknown[] =>
      frame.fields.find((field) => field.name === name)?.values ?? [];
    const times = frame.fields.find(({ type }) => type === FieldType.time)?.values ?? [];
    const [ends, colors] = [values('timeEnd'), values('color')];
    return (times as number[]).map((time, index) => ({
      time,
      timeEnd: typeof ends[index] === 'number' ? ends[index] : time,
      color: typeof colors[index] === 'string' ? colors[index] : 'red',
    }));
  });
}

function draw(plot: uPlot, marks: readonly Mark[], colorOf: (name: string) => string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const mark of marks) {
    const [from, to] = [plot.valToPos(mark.time, 'x', true), plot.valToPos(mark.timeEnd, 'x', true)];
    ctx.strokeStyle = ctx.fillStyle = colorOf(mark.color);
    ctx.globalAlpha = 0.1;
    ctx.fillRect(from, bbox.top, to - from, bbox.height);
    ctx.globalAlpha = 0.8;
    ctx.setLineDash([5, 5]);
    ctx.strokeRect(from, bbox.top, 0, bbox.height);
  }
  ctx.restore();
}

export function AnnotationMarks({ config, annotations }: AnnotationMarksProps): null {
  const theme = useTheme2();
  const plot = useRef<uPlot>(null);
  const latest = useRef<readonly Mark[]>([]);
  useLayoutEffect(() => {
    config.addHook('init', (made) => {
      plot.current = made;
    });
    config.addHook('draw', (drawn) => draw(drawn, latest.current, theme.visualization.getColorByName));
  }, [config, theme]);
  useEffect(() => {
    latest.current = marksOf(annotations);
    plot.current?.redraw(false);
  }, [annotations]);
  return null;
}

interface AnnotationMarksProps {
  readonly config: UPlotConfigBuilder;
  readonly annotations: readonly DataFrame[];
}
