/** Stands in for Grafana's core state timeline, of which nothing is on npm: rows of boxes over the time of the dashboard. */
import { css } from '@emotion/css';
import { DataHoverClearEvent, DataHoverEvent, dateTimeFormat, PanelPlugin } from '@grafana/data';
import type { EventBus, GrafanaTheme2, PanelProps } from '@grafana/data';
import { PanelDataErrorView } from '@grafana/runtime';
import { Tooltip, useStyles2, usePanelContext, useTheme2 } from '@grafana/ui';
import React, { useEffect, useMemo, useState } from 'react';
import { rowsOf } from './states';
import type { Row, Stretch } from './states';

const TICKS = 6;

/** The time under the cursor, here or over another panel; undefined while there is none. */
function useHover(eventBus: EventBus): number | undefined {
  const [time, setTime] = useState<number>();
  useEffect(() => {
    const hover = eventBus.subscribe(DataHoverEvent, ({ payload }) =>
      setTime((payload.point as { time?: number } | undefined)?.time)
    );
    const clear = eventBus.subscribe(DataHoverClearEvent, () => setTime(undefined));
    return () => {
      hover.unsubscribe();
      clear.unsubscribe();
    };
  }, [eventBus]);
  return time;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

const percent = ({ from, to }: Span, time: number): string => `${(100 * (time - from)) / (to - from)}%`;

function Box({ stretch, span }: { stretch: Stretch; span: Span }): React.ReactElement | null {
  const theme = useTheme2();
  const styles = useStyles2(getStyles);
  const [from, to] = [Math.max(stretch.from, span.from), Math.min(stretch.to, span.to)];
  if (to <= from) {
    return null;
  }
  const width = `${(100 * (to - from)) / (span.to - span.from)}%`;
  const color = theme.colors.getContrastText(stretch.color);
  return (
    <Tooltip content={`${stretch.text}, from ${dateTimeFormat(stretch.from)} to ${dateTimeFormat(stretch.to)}`}>
      <div className={styles.box} style={{ left: percent(span, from), width, background: stretch.color, color }}>
        {stretch.text}
      </div>
    </Tooltip>
  );
}

function Strip({ row, span, hover }: { row: Row; span: Span; hover: number | undefined }): React.ReactElement {
  const styles = useStyles2(getStyles);
  const inside = hover !== undefined && hover >= span.from && hover <= span.to;
  return (
    <div className={styles.row}>
      <div className={styles.name} title={row.name}>
        {row.name}
      </div>
      <div className={styles.strip} data-strip="">
        {row.stretches.map((stretch) => (
          <Box key={stretch.from} stretch={stretch} span={span} />
        ))}
        {inside && <div className={styles.cursor} style={{ left: percent(span, hover) }} />}
      </div>
    </div>
  );
}

function Axis({ span, timeZone }: { span: Span; timeZone: string }): React.ReactElement {
  const styles = useStyles2(getStyles);
  const times = Array.from(
    { length: TICKS },
    (_, index) => span.from + ((index + 0.5) * (span.to - span.from)) / TICKS
  );
  return (
    <div className={styles.row}>
      <div className={styles.name} />
      <div className={styles.axis}>
        {times.map((time) => (
          <span key={time}>{dateTimeFormat(time, { timeZone, format: 'HH:mm:ss' })}</span>
        ))}
      </div>
    </div>
  );
}

function StateTimelinePanel(props: PanelProps): React.ReactElement {
  const { data, fieldConfig, timeRange, timeZone, width, height, id } = props;
  const { eventBus } = usePanelContext();
  const hover = useHover(eventBus);
  const styles = useStyles2(getStyles);
  const rows = useMemo(() => rowsOf(data.series), [data.series]);
  const span = { from: timeRange.from.valueOf(), to: timeRange.to.valueOf() };
  if (rows.every(({ stretches }) => stretches.length === 0)) {
    return <PanelDataErrorView panelId={id} data={{ ...data, series: [] }} fieldConfig={fieldConfig} />;
  }
  const publish = (event: React.MouseEvent<HTMLDivElement>): void => {
    const strip = event.currentTarget.querySelector('[data-strip]') ?? event.currentTarget;
    const { left, width: across } = strip.getBoundingClientRect();
    const time = span.from + ((event.clientX - left) / across) * (span.to - span.from);
    eventBus.publish(new DataHoverEvent({ point: { time } }));
  };
  return (
    <div
      className={styles.all}
      style={{ width, height }}
      onMouseMove={publish}
      onMouseLeave={() => eventBus.publish(new DataHoverClearEvent())}
    >
      {rows.map((row, index) => (
        <Strip key={`${index} ${row.name}`} row={row} span={span} hover={hover} />
      ))}
      <Axis span={span} timeZone={timeZone} />
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(0.5), overflow: 'auto' }),
  row: css({ display: 'flex', flex: '0 1 28px', minHeight: 16, fontSize: theme.typography.bodySmall.fontSize }),
  name: css({ flex: '0 0 220px', overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }),
  strip: css({ position: 'relative', flex: 1, background: theme.colors.background.secondary }),
  box: css({ position: 'absolute', top: 0, bottom: 0, overflow: 'hidden', paddingLeft: 4, whiteSpace: 'nowrap' }),
  cursor: css({ position: 'absolute', top: 0, bottom: 0, width: 1, background: theme.colors.text.secondary }),
  axis: css({ flex: 1, display: 'flex', justifyContent: 'space-around', color: theme.colors.text.secondary }),
});

export const stateTimelinePlugin = new PanelPlugin(StateTimelinePanel).useFieldConfig();
