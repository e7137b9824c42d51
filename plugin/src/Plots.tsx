// The two plots, one above the other on one time axis, with crosshair, zoom and tooltip.
import type { LinkModel } from '@grafana/data';
import { DashboardCursorSync } from '@grafana/data';
import { EventBusPlugin, TooltipPlugin2, UPlotChart, usePanelContext } from '@grafana/ui';
import React, { useCallback, useId, useLayoutEffect, useMemo, useRef } from 'react';
import type uPlot from 'uplot';
import type { AlignedData } from 'uplot';
import type { Note } from './annotations';
import { notesAt } from './annotations';
import type { Setting } from './draw';
import { bookConfig, clockConfig, hoveredFill, placingOf } from './draw';
import { overlapping } from './hit';
import type { Scene } from './scene';
import { Tooltip } from './Tooltip';
import type { TooltipSetting } from './Tooltip';

interface Props {
  readonly setting: Setting;
  readonly tooltip: TooltipSetting;
  readonly scene: Scene;
  readonly timeRange: [number, number];
  readonly width: number;
  readonly bookHeight: number;
  /** 0: no clock pane. */
  readonly clockHeight: number;
  readonly onZoom: (fromMs: number, toMs: number) => void;
  readonly plotRef: (u: uPlot) => void;
}

/** xAll of TooltipHoverMode, which is not exported: over the whole plot, not only near a line. */
const HOVER_MODE = 1;
/** An annotation is told of within this many pixels. */
const NOTE_REACH_PX = 5;

export function Plots({ setting, tooltip, scene, timeRange, width, bookHeight, clockHeight, onZoom, plotRef }: Props) {
  const { sync, eventsScope, eventBus } = usePanelContext();
  const own = useId();
  const mode = sync?.() ?? DashboardCursorSync.Off;
  // The two plots share a crosshair even where the dashboard shares none.
  const shared =
    mode === DashboardCursorSync.Off
      ? { syncMode: DashboardCursorSync.Crosshair, syncScope: own }
      : { syncMode: mode, syncScope: eventsScope };
  const scope = `${shared.syncMode} ${shared.syncScope}`;
  const withClock = clockHeight > 0;
  // A configuration serves one plot: another setting or scope needs others.
  const book = useMemo(() => bookConfig(setting, !withClock), [setting, withClock, scope]); // eslint-disable-line react-hooks/exhaustive-deps -- a new scope needs a new one
  const clock = useMemo(() => clockConfig(setting), [setting, scope]); // eslint-disable-line react-hooks/exhaustive-deps -- as above
  const [fromMs, toMs] = timeRange;
  // Other times of the same data are other data to a plot: it works out its axes when data come.
  const bookData = useMemo(() => [...scene.book] as AlignedData, [scene, fromMs, toMs]); // eslint-disable-line react-hooks/exhaustive-deps -- new times are new data
  const clockData = useMemo(() => [...scene.clock] as AlignedData, [scene, fromMs, toMs]); // eslint-disable-line react-hooks/exhaustive-deps -- new times are new data
  const latest = useRef(scene);
  useLayoutEffect(() => void (latest.current = scene));
  const pointedAt = useRef(-1);
  const queryZoom = useCallback(({ from, to }: { from: number; to: number }) => onZoom(from, to), [onZoom]);
  const common = { hoverMode: HOVER_MODE, queryZoom, maxWidth: 400, ...shared };

  const bookTooltip = (u: uPlot, links: readonly LinkModel[]): React.ReactNode => {
    const { picture } = latest.current;
    const fill = (pointedAt.current = hoveredFill(u, latest.current));
    const placing = placingOf(u, latest.current);
    const fills = fill < 0 || placing === undefined ? [] : overlapping(placing, fill);
    const ms = fill < 0 ? timeAt(u) : picture.fills.times[fill]!;
    return (
      <Tooltip
        {...tooltip}
        {...{ picture, ms, fills, links }}
        lines={tooltip.bookLines}
        notes={notesNear(u, setting, ms)}
      />
    );
  };
  const clockTooltip = (u: uPlot): React.ReactNode => {
    const ms = timeAt(u);
    return (
      <Tooltip
        {...tooltip}
        picture={latest.current.picture}
        ms={ms}
        lines={tooltip.clockLines}
        notes={notesNear(u, setting, ms)}
      />
    );
  };

  return (
    <>
      <UPlotChart config={book} data={bookData} width={width} height={bookHeight} plotRef={plotRef}>
        {mode !== DashboardCursorSync.Off && <EventBusPlugin config={book} eventBus={eventBus} />}
        <TooltipPlugin2
          config={book}
          {...common}
          getDataLinks={() => linksOf(latest.current, pointedAt.current)}
          render={(u, _rows, _series, isPinned, _dismiss, _range, _viaSync, links) =>
            bookTooltip(u, isPinned ? links : [])
          }
        />
      </UPlotChart>
      {withClock && (
        <UPlotChart config={clock} data={clockData} width={width} height={clockHeight}>
          {mode !== DashboardCursorSync.Off && <EventBusPlugin config={clock} eventBus={eventBus} />}
          <TooltipPlugin2 config={clock} {...common} render={(u) => clockTooltip(u)} />
        </UPlotChart>
      )}
    </>
  );
}

const timeAt = (u: uPlot): number => Math.round(u.posToVal(u.cursor.left ?? 0, 'x'));

function notesNear(u: uPlot, { notes }: Setting, ms: number): Note[] {
  const { min, max } = u.scales['x'] ?? {};
  const msPerPx = min == null || max == null ? 0 : (max - min) / u.over.clientWidth;
  return notesAt(notes(), ms, NOTE_REACH_PX * msPerPx);
}

/** Links of the field that a fill is of; none where no fill is pointed at. */
function linksOf({ picture: { fills } }: Scene, fill: number): LinkModel[] {
  if (fill < 0) {
    return [];
  }
  const { price } = fills.sources[fills.source[fill]!]!;
  return price.getLinks?.({ valueRowIndex: fills.row[fill]! }) ?? [];
}
