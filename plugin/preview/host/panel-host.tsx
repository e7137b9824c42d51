/** One panel as a dashboard of Grafana would mount it: defaults, overrides, chrome, contexts. */
import { CoreApp, getPanelOptionsWithDefaults, PluginContextProvider, useFieldOverrides } from '@grafana/data';
import type {
  AbsoluteTimeRange,
  DashboardCursorSync,
  EventBus,
  FieldConfigSource,
  InterpolateFunction,
  PanelData,
  PanelPlugin,
} from '@grafana/data';
import { ErrorBoundaryAlert, PanelChrome, PanelContextProvider } from '@grafana/ui';
import type { PanelContext } from '@grafana/ui';
import React, { useMemo } from 'react';
import { useHostTheme } from './theme';

export interface PanelModel {
  readonly id: number;
  readonly title: string;
  readonly description?: string;
  readonly options: Record<string, unknown>;
  readonly fieldConfig: FieldConfigSource;
  readonly pluginVersion?: string;
}

export interface PanelHostProps {
  readonly plugin: PanelPlugin;
  readonly model: PanelModel;
  readonly data: PanelData;
  readonly width: number;
  readonly height: number;
  readonly timeZone: string;
  readonly eventBus: EventBus;
  readonly sync: DashboardCursorSync;
  readonly onChangeTimeRange: (range: AbsoluteTimeRange) => void;
  readonly onOptionsChange: (options: Record<string, unknown>) => void;
  readonly onFieldConfigChange: (config: FieldConfigSource) => void;
  readonly onToggleSeriesVisibility: NonNullable<PanelContext['onToggleSeriesVisibility']>;
}

const asItIs: InterpolateFunction = (text) => text;

/** The model as this version of the plugin wants it. To be awaited once, before the panel is mounted. */
export async function migrated(plugin: PanelPlugin, model: PanelModel, type: string): Promise<PanelModel> {
  const panel = { ...model, type, fieldConfig: model.fieldConfig };
  const older = model.pluginVersion !== plugin.meta.info.version;
  if (plugin.onPanelMigration === undefined || !(older || plugin.shouldMigrate?.(panel as never) === true)) {
    return model;
  }
  const options = await plugin.onPanelMigration(panel);
  return { ...model, options: options as Record<string, unknown> };
}

/** As in Grafana, a panel that has not asked for annotations gets none. */
function supportedData(plugin: PanelPlugin, { annotations = [], ...data }: PanelData): PanelData {
  return plugin.dataSupport?.annotations === true ? { ...data, annotations } : data;
}

/** Made once: a context that changed with the data would make a panel subscribe anew. */
function usePanelContext({ eventBus, sync, model, onToggleSeriesVisibility }: PanelHostProps): PanelContext {
  return useMemo(
    () => ({
      eventsScope: 'host',
      eventBus: eventBus.newScopedBus(`panel-${model.id}`, { onlyLocal: false }),
      sync: () => sync,
      app: CoreApp.Dashboard,
      canAddAnnotations: () => false,
      canEditAnnotations: () => false,
      canDeleteAnnotations: () => false,
      onToggleSeriesVisibility,
    }),
    [eventBus, sync, model.id, onToggleSeriesVisibility]
  );
}

export function PanelHost(props: PanelHostProps): React.ReactElement | null {
  const { plugin, model, data, width, height, timeZone } = props;
  const theme = useHostTheme();
  const { options, fieldConfig } = useMemo(
    () =>
      getPanelOptionsWithDefaults({
        plugin,
        currentOptions: model.options,
        currentFieldConfig: model.fieldConfig,
        isAfterPluginChange: false,
      }),
    [plugin, model]
  );
  const supported = useMemo(() => supportedData(plugin, data), [plugin, data]);
  const shown = useFieldOverrides(plugin, fieldConfig, supported, timeZone, theme, asItIs);
  const context = usePanelContext(props);
  const Panel = plugin.panel;
  if (Panel === null || shown === undefined) {
    return null;
  }
  return (
    <PluginContextProvider meta={plugin.meta}>
      <PanelChrome
        title={model.title}
        {...(model.description === undefined ? {} : { description: model.description })}
        width={width}
        height={height}
        loadingState={data.state}
        {...(data.errors?.[0]?.message === undefined ? {} : { statusMessage: data.errors[0].message })}
      >
        {(innerWidth, innerHeight) => (
          <ErrorBoundaryAlert dependencies={[data, plugin]}>
            <PanelContextProvider value={context}>
              <Panel
                id={model.id}
                title={model.title}
                data={shown}
                timeRange={data.timeRange}
                timeZone={timeZone}
                options={options}
                fieldConfig={fieldConfig}
                transparent={false}
                width={innerWidth}
                height={innerHeight}
                renderCounter={0}
                replaceVariables={asItIs}
                eventBus={context.eventBus}
                onOptionsChange={props.onOptionsChange}
                onFieldConfigChange={props.onFieldConfigChange}
                onChangeTimeRange={props.onChangeTimeRange}
              />
            </PanelContextProvider>
          </ErrorBoundaryAlert>
        )}
      </PanelChrome>
    </PluginContextProvider>
  );
}
