/** Stands in for Grafana's core panel for time series, which is not on npm: the parts it is made of are. */
import { getFieldDisplayName, PanelPlugin } from '@grafana/data';
import type { DataFrame, PanelProps } from '@grafana/data';
import { PanelDataErrorView } from '@grafana/runtime';
import {
  EventBusPlugin,
  getFieldDisplayItems,
  TimeSeries,
  TooltipPlugin2,
  usePanelContext,
  VizTooltipContent,
  VizTooltipHeader,
  VizTooltipWrapper,
} from '@grafana/ui';
import type { UPlotConfigBuilder } from '@grafana/ui';
import type { OptionsWithLegend, OptionsWithTooltip } from '@grafana/schema';
import React, { useMemo } from 'react';
import { AnnotationMarks } from './annotation-marks';
import { graphFrames } from './graph-frames';
import { graphFieldConfig } from './graph-options';

interface Options extends OptionsWithLegend, OptionsWithTooltip {}

/** The one for a time with all its series; the enumeration of @grafana/ui is not exported. */
const ALL_SERIES = 1;

function Tooltip({ frame, rows, series, mode, sort }: TooltipProps): React.ReactElement {
  const [time, ...others] = frame.fields;
  const row = rows.find((index) => index !== null) ?? 0;
  const items = getFieldDisplayItems(frame.fields, time!, rows, series, mode, sort);
  const label = others.length === 1 ? getFieldDisplayName(others[0]!, frame) : '';
  const when = time!.display!(time!.values[row]).text;
  return (
    <VizTooltipWrapper>
      <VizTooltipHeader item={{ label: when, value: '' }} />
      <VizTooltipContent items={items.map((item) => ({ ...item, label: item.label === '' ? label : item.label }))} />
    </VizTooltipWrapper>
  );
}

interface TooltipProps {
  readonly frame: DataFrame;
  readonly rows: Array<number | null>;
  readonly series: number | null;
  readonly mode: Options['tooltip']['mode'];
  readonly sort: Options['tooltip']['sort'];
}

function TimeSeriesPanel(props: PanelProps<Options>): React.ReactElement {
  const { data, options, width, height, timeRange, timeZone, fieldConfig, id, onChangeTimeRange } = props;
  const { eventBus, sync, eventsScope } = usePanelContext();
  const frames = useMemo(() => graphFrames(data.series), [data.series]);
  if (frames === undefined) {
    return <PanelDataErrorView panelId={id} data={data} fieldConfig={fieldConfig} needsTimeField needsNumberField />;
  }
  const plugins = (config: UPlotConfigBuilder, frame: DataFrame): React.ReactElement => (
    <>
      <EventBusPlugin config={config} eventBus={eventBus} frame={frame} />
      <TooltipPlugin2
        config={config}
        hoverMode={ALL_SERIES}
        queryZoom={onChangeTimeRange}
        clientZoom
        {...(sync === undefined ? {} : { syncMode: sync() })}
        syncScope={eventsScope}
        render={(_, rows, series) => <Tooltip frame={frame} rows={rows} series={series} {...options.tooltip} />}
      />
      <AnnotationMarks config={config} annotations={data.annotations ?? []} />
    </>
  );
  return (
    <TimeSeries
      frames={frames}
      {...(data.structureRev === undefined ? {} : { structureRev: data.structureRev })}
      timeRange={timeRange}
      timeZone={timeZone}
      width={width}
      height={height}
      legend={options.legend}
      options={options as object}
    >
      {plugins}
    </TimeSeries>
  );
}

export const timeSeriesPlugin = new PanelPlugin<Options>(TimeSeriesPanel)
  .useFieldConfig(graphFieldConfig)
  .setDataSupport({ annotations: true, alertStates: true });
