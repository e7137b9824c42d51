/** The panel on what the collector tells, in the time that is chosen. */
import { DashboardCursorSync, EventBusSrv } from '@grafana/data';
import type { AbsoluteTimeRange, PanelPlugin } from '@grafana/data';
import React, { useCallback, useMemo, useState } from 'react';
import { panelDataOf } from '../host/frames';
import type { TimeRangeJson } from '../host/frames';
import { PanelHost } from '../host/panel-host';
import type { PanelModel } from '../host/panel-host';
import type { LiveData } from './data';
import { framesOf } from './data';

interface Props {
  readonly plugin: PanelPlugin;
  readonly data: LiveData;
  /** Least time between two samples. */
  readonly periodMs: number;
  readonly range: TimeRangeJson;
  readonly onZoom: (range: TimeRangeJson) => void;
  readonly timeZone: string;
  readonly width: number;
  readonly height: number;
}

const nothing = (): void => undefined;

export function LivePanel({ plugin, data, periodMs, range, onZoom, ...rest }: Props): React.ReactElement {
  const [eventBus] = useState(() => new EventBusSrv());
  const frames = useMemo(() => framesOf(data, periodMs), [data, periodMs]);
  const { from, to } = range;
  const panelData = useMemo(() => panelDataOf({ frames, timeRange: { from, to } }), [frames, from, to]);
  const [fieldConfig, setFieldConfig] = useState<PanelModel['fieldConfig']>({ defaults: {}, overrides: [] });
  const [options, setOptions] = useState<Record<string, unknown>>({});
  const title = `Virtual fills of ${data.symbol}`;
  const model = useMemo(() => ({ id: 1, title, options, fieldConfig }), [title, options, fieldConfig]);
  const onChangeTimeRange = useCallback(
    (chosen: AbsoluteTimeRange) => onZoom({ from: chosen.from, to: chosen.to }),
    [onZoom]
  );
  return (
    <PanelHost
      {...{ plugin, model, eventBus, onChangeTimeRange }}
      {...rest}
      data={panelData}
      sync={DashboardCursorSync.Off}
      onOptionsChange={setOptions}
      onFieldConfigChange={setFieldConfig}
      onToggleSeriesVisibility={nothing}
    />
  );
}
