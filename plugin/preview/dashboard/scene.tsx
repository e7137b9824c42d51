/** A provisioned dashboard as a scene: what Grafana itself makes of such a file. */
import { VariableHide } from '@grafana/data';
import type { DashboardCursorSync, FieldConfigSource, VariableRefresh, VariableSort } from '@grafana/data';
import {
  behaviors,
  dataLayers,
  EmbeddedScene,
  QueryVariable,
  SceneControlsSpacer,
  SceneDataLayerControls,
  SceneDataLayerSet,
  SceneGridItem,
  SceneGridLayout,
  SceneGridRow,
  SceneQueryRunner,
  SceneReactObject,
  SceneRefreshPicker,
  SceneTimePicker,
  SceneTimeRange,
  SceneVariableSet,
  VariableValueSelectors,
  VizPanel,
} from '@grafana/scenes';
import type { SceneObject } from '@grafana/scenes';
import React from 'react';
import { PanelLinks } from './panel-links';
import type { DashboardJson, GridPosition, PanelJson, VariableJson } from './model';
import { ThemeSwitch } from './theme-switch';

const ROW = 'row';
const NO_FIELDS: FieldConfigSource = { defaults: {}, overrides: [] };

const place = ({ x, y, w, h }: GridPosition) => ({ x, y, width: w, height: h });

function queries({ targets = [], datasource, interval, maxDataPoints }: PanelJson): SceneQueryRunner {
  return new SceneQueryRunner({
    queries: [...targets],
    ...(datasource === undefined ? {} : { datasource }),
    ...(interval === undefined ? {} : { minInterval: interval }),
    ...(maxDataPoints === undefined ? { maxDataPointsFromWidth: true } : { maxDataPoints }),
  });
}

function panel(json: PanelJson): VizPanel {
  const { id, type, title, description, options = {}, fieldConfig = NO_FIELDS, pluginVersion, links = [] } = json;
  return new VizPanel({
    key: `panel-${id}`,
    pluginId: type,
    title,
    options,
    fieldConfig,
    displayMode: json.transparent === true ? 'transparent' : 'default',
    $data: queries(json),
    ...(description === undefined ? {} : { description }),
    ...(pluginVersion === undefined ? {} : { pluginVersion }),
    ...(links.length === 0 ? {} : { titleItems: <PanelLinks key="links" links={links} /> }),
  });
}

const item = (json: PanelJson): SceneGridItem =>
  new SceneGridItem({ key: `item-${json.id}`, ...place(json.gridPos), body: panel(json) });

const row = ({ id, title, gridPos, collapsed = false }: PanelJson, panels: readonly PanelJson[]): SceneGridRow =>
  new SceneGridRow({
    key: `row-${id}`,
    title,
    y: gridPos.y,
    isCollapsible: true,
    isCollapsed: collapsed,
    children: panels.map(item),
  });

/** The panels of a row: its own where it is collapsed, and else those that come behind it, up to the next row. */
function grid(panels: readonly PanelJson[]): Array<SceneGridItem | SceneGridRow> {
  const rows = panels.flatMap(({ type }, index) => (type === ROW ? [index] : []));
  const before = panels.slice(0, rows[0] ?? panels.length);
  return [
    ...before.map(item),
    ...rows.map((start, index) => {
      const behind = panels.slice(start + 1, rows[index + 1] ?? panels.length);
      return row(panels[start]!, [...(panels[start]!.panels ?? []), ...behind]);
    }),
  ];
}

function variable(json: VariableJson): QueryVariable {
  if (json.type !== 'query') {
    throw new Error(`expected a variable of the type query, got ${json.type}`);
  }
  const { name, label, description, datasource, query, refresh, sort, current } = json;
  return new QueryVariable({
    name,
    datasource,
    query,
    refresh: refresh as VariableRefresh,
    sort: sort as VariableSort,
    value: current.value,
    text: current.text,
    hide: VariableHide.dontHide,
    ...(label === undefined ? {} : { label }),
    ...(description === undefined ? {} : { description }),
  });
}

const layers = ({ annotations }: DashboardJson): dataLayers.AnnotationsDataLayer[] =>
  annotations.list.map(
    (query) =>
      new dataLayers.AnnotationsDataLayer({
        key: `annotations-${query.name}`,
        name: query.name,
        query,
        isEnabled: query.enable,
        isHidden: query.hide === true,
      })
  );

const controls = ({ refresh }: DashboardJson): SceneObject[] => [
  new VariableValueSelectors({}),
  new SceneDataLayerControls(),
  new SceneControlsSpacer(),
  new SceneTimePicker({ isOnCanvas: true }),
  new SceneRefreshPicker({ refresh, isOnCanvas: true }),
  new SceneReactObject({ component: ThemeSwitch }),
];

/** Lazy panels ask for data when they come into view. */
export function dashboardScene(dashboard: DashboardJson, lazy: boolean): EmbeddedScene {
  const { time, timezone, graphTooltip, templating, panels } = dashboard;
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({ from: time.from, to: time.to, timeZone: timezone }),
    $variables: new SceneVariableSet({ variables: templating.list.map(variable) }),
    $data: new SceneDataLayerSet({ layers: layers(dashboard) }),
    $behaviors: [
      new behaviors.CursorSync({ key: 'cursor', sync: graphTooltip as DashboardCursorSync }),
      new behaviors.SceneQueryController(),
    ],
    controls: controls(dashboard),
    body: new SceneGridLayout({ isLazy: lazy, isDraggable: false, isResizable: false, children: grid(panels) }),
  });
}
