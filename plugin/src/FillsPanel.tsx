import { css } from '@emotion/css';
import type { GrafanaTheme2, PanelProps } from '@grafana/data';
import { LoadingState } from '@grafana/data';
import { PanelDataErrorView } from '@grafana/runtime';
import { useStyles2, useTheme2, VizLayout } from '@grafana/ui';
import React, { useCallback, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type uPlot from 'uplot';
import { notesOf } from './annotations';
import { axisWidthOf } from './axis';
import type { Setting } from './draw';
import type { Picture } from './frames';
import { readFrames } from './frames';
import { Header, HEADER_HEIGHT, NOTICE_HEIGHT, Notices } from './Header';
import { kpisOf } from './kpis';
import { Legend } from './Legend';
import type { FillsOptions } from './options';
import { soundOptions } from './options';
import type { Part } from './palette';
import { fixedColorsOf, isKind, paletteOf } from './palette';
import { Plots } from './Plots';
import type { LineRole } from './roles';
import { partsOf, sceneOf } from './scene';
import type { TooltipSetting } from './Tooltip';
import { useWalk } from './walk';
import { WalkCard } from './WalkCard';
import { announcement, nameOfPart, summary, timeShown } from './words';

/** Below these heights (CSS pixels) something gives way to the plot. */
const LEAST_HEIGHT = { header: 170, legend: 140, clock: 190 };
const DEFAULT_NO_VALUE = 'no data';

export function FillsPanel(props: PanelProps<FillsOptions>) {
  const { data, id, fieldConfig } = props;
  const options = useSame(soundOptions(props.options));
  const reading = useMemo(() => readFrames(data.series, options.horizon), [data.series, options.horizon]);
  if (reading.problem === undefined) {
    return <FillsView {...props} options={options} picture={reading.picture} />;
  }
  const waiting = data.state === LoadingState.Loading && data.series.length === 0;
  const message = waiting ? 'Waiting for the first data.' : reading.problem;
  return <PanelDataErrorView panelId={id} data={data} fieldConfig={fieldConfig} message={message} />;
}

/** A value that is the same object for as long as it says the same: a plot is made anew when its options are others. */
function useSame<T>(value: T): T {
  const text = JSON.stringify(value);
  return useMemo(() => JSON.parse(text) as T, [text]);
}

function FillsView({
  picture,
  data,
  options,
  width,
  height,
  timeRange,
  timeZone,
  fieldConfig,
  onChangeTimeRange,
}: PanelProps<FillsOptions> & { picture: Picture }) {
  const theme = useTheme2();
  const styles = useStyles2(getStyles);
  const [hidden, setHidden] = useState<ReadonlySet<Part>>(new Set());
  const fixedColors = useSame(fixedColorsOf(picture));
  const palette = useMemo(() => paletteOf(options.palette, theme, fixedColors), [options.palette, theme, fixedColors]);
  const scene = useMemo(() => sceneOf(picture, hidden, options.show.fills), [picture, hidden, options.show.fills]);
  const notes = useMemo(() => notesOf(data.annotations ?? []), [data.annotations]);
  const range = useMemo((): [number, number] => [timeRange.from.valueOf(), timeRange.to.valueOf()], [timeRange]);
  const axisWidth = useMemo(() => axisWidthOf(picture, options, range), [picture, options, range]);
  const onZoom = useCallback(
    (from: number, to: number) => onChangeTimeRange({ from: Math.round(from), to: Math.round(to) }),
    [onChangeTimeRange]
  );
  const walk = useWalk(scene, range, onZoom, (index) => announcement(scene, index, range, timeZone));
  // Whoever walks sees the card beside its marker: it is placed again behind each drawing.
  const [drawn, setDrawn] = useState<{ readonly plot: uPlot } | null>(null);
  const keepPlot = useCallback((plot: uPlot) => setDrawn({ plot }), []);
  const timeId = useId();
  const live = useRef({ scene, range, notes, walking: false });
  // A plot works out axes and draws in a microtask after it was given data, when this has run.
  useLayoutEffect(() => void (live.current = { scene, range, notes, walking: walk.index >= 0 }));
  const setting = useMemo(
    (): Setting => ({
      ...{ theme, timeZone, palette, options, hidden, axisWidth },
      ...{ scene: () => live.current.scene, timeRange: () => live.current.range, notes: () => live.current.notes },
      onBookDrawn: (plot) => {
        if (live.current.walking) {
          setDrawn({ plot });
        }
      },
    }),
    [theme, timeZone, palette, options, hidden, axisWidth]
  );
  const parts = useMemo(() => partsOf(picture, options.show), [picture, options.show]);
  const label = useMemo(() => summary(picture, range), [picture, range]);
  const kpis = useMemo(() => kpisOf(picture, options, ...range), [picture, options, range]);
  const nameOf = (part: Part): string => nameOfPart(picture, part);
  const lines = parts.filter((part) => !isKind(part));
  const shownLines = lines.filter((part) => !hidden.has(part));
  const tooltip: TooltipSetting = {
    ...{ palette, timeZone, nameOf },
    bookLines: shownLines.filter((role) => !isClock(role)),
    clockLines: shownLines.filter(isClock),
  };
  const withHeader = options.show.header && height >= LEAST_HEIGHT.header;
  const withNotices = picture.notices.length > 0 && height >= LEAST_HEIGHT.header;
  const top = (withHeader ? HEADER_HEIGHT : 0) + (withNotices ? NOTICE_HEIGHT : 0);
  const legend =
    options.legend.showLegend && height >= LEAST_HEIGHT.legend ? (
      <VizLayout.Legend placement={options.legend.placement}>
        <Legend {...{ parts, nameOf, palette, hidden }} placement={options.legend.placement} onChange={setHidden} />
      </VizLayout.Legend>
    ) : null;
  const hasClock = options.show.clock && lines.some(isClock);

  return (
    <div className={styles.panel} data-testid="shadow-fills-panel">
      {withHeader && (
        <Header kpis={kpis} palette={palette} noValue={fieldConfig.defaults.noValue ?? DEFAULT_NO_VALUE} />
      )}
      {withNotices && <Notices notices={picture.notices} />}
      <VizLayout width={width} height={height - top} legend={legend}>
        {(plotWidth: number, plotHeight: number) => {
          const clockHeight =
            hasClock && plotHeight >= LEAST_HEIGHT.clock ? Math.round((plotHeight * options.clockShare) / 100) : 0;
          return (
            <div
              className={styles.plots}
              role="application"
              aria-roledescription="chart"
              aria-label={label}
              aria-describedby={timeId}
              tabIndex={0}
              onKeyDown={walk.onKeyDown}
              onBlur={walk.leave}
              data-testid="shadow-fills-plots"
            >
              <Plots
                {...{ setting, tooltip, scene, onZoom, clockHeight }}
                timeRange={range}
                width={plotWidth}
                bookHeight={plotHeight - clockHeight}
                plotRef={keepPlot}
              />
              <WalkCard {...{ scene, tooltip }} plot={drawn?.plot ?? null} index={walk.index} />
            </div>
          );
        }}
      </VizLayout>
      <div aria-live="polite" className={styles.unseen} data-testid="shadow-fills-announcer">
        {walk.said}
      </div>
      <div id={timeId} className={styles.unseen}>
        {timeShown(range, timeZone)}
      </div>
    </div>
  );
}

const isClock = (role: LineRole): boolean => role === 'drift' || role === 'offset' || role === 'latency';

const getStyles = (theme: GrafanaTheme2) => ({
  panel: css({ position: 'relative', height: '100%', overflow: 'hidden' }),
  plots: css({
    position: 'relative',
    borderRadius: theme.shape.radius.default,
    '&:focus': { outline: 'none' },
    '&:focus-visible': { outline: `2px solid ${theme.colors.primary.border}`, outlineOffset: -2 },
  }),
  unseen: css({
    position: 'absolute',
    width: 1,
    height: 1,
    overflow: 'hidden',
    clipPath: 'inset(50%)',
    whiteSpace: 'nowrap',
  }),
});
