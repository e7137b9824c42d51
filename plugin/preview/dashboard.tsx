/** The provisioned dashboard on a Prometheus, without Grafana. `?all` draws all panels at once, and not as they come into view. */
import { sceneGraph, loadResources } from '@grafana/scenes';
import type { SceneObject } from '@grafana/scenes';
import type { DataSourceApi, ScopedVars } from '@grafana/data';
import { Alert } from '@grafana/ui';
import React from 'react';
import { createRoot } from 'react-dom/client';
import type { DashboardJson } from './dashboard/model';
import { DashboardPage } from './dashboard/page';
import { dashboardScene } from './dashboard/scene';
import { bootHost } from './host/boot';
import { loadPlugin, pluginFromCache, registerPlugin } from './host/load-plugin';
import { PrometheusDataSource } from './host/prometheus/data-source';
import { ThemeRoot } from './host/theme';
import { stateTimelinePlugin } from './stand-ins/state-timeline';
import { statPlugin } from './stand-ins/stat';
import { timeSeriesPlugin } from './stand-ins/timeseries';

async function json<Value>(path: string): Promise<Value> {
  const response = await fetch(new URL(path, document.baseURI));
  if (!response.ok) {
    throw new Error(`${path}: status ${response.status}`);
  }
  return (await response.json()) as Value;
}

/** Variables of the scene that a query belongs to. */
function interpolate(text: string, scopedVars: ScopedVars | undefined): string {
  const source: unknown = scopedVars?.['__sceneObject']?.value;
  const scene = typeof source === 'object' && source !== null ? (source.valueOf() as SceneObject) : undefined;
  return scene === undefined ? text : sceneGraph.interpolate(scene, text, scopedVars);
}

async function page(): Promise<React.ReactElement> {
  const { timeInterval } = await json<{ timeInterval: string }>('settings.json');
  const dashboard = await json<DashboardJson>('dashboards/shadow-mode.json');
  const url = new URL('api/prometheus', document.baseURI).href;
  const prometheus = new PrometheusDataSource({ uid: 'shadow-prometheus', name: 'Prometheus', url, timeInterval });
  registerPlugin(timeSeriesPlugin, { id: 'timeseries', name: 'Time series' });
  registerPlugin(statPlugin, { id: 'stat', name: 'Stat' });
  registerPlugin(stateTimelinePlugin, { id: 'state-timeline', name: 'State timeline' });
  await bootHost({
    dataSources: [prometheus as unknown as DataSourceApi],
    importPanelPlugin: loadPlugin,
    panelPluginFromCache: pluginFromCache,
    interpolate,
    loadTranslations: { 'grafana-scenes': loadResources },
  });
  const all = new URLSearchParams(window.location.search).has('all');
  return <DashboardPage dashboard={dashboard} scene={dashboardScene(dashboard, !all)} />;
}

const content = await page().catch((error: unknown) => (
  <Alert title="The dashboard cannot be shown">{error instanceof Error ? error.message : String(error)}</Alert>
));
createRoot(document.getElementById('root')!).render(<ThemeRoot>{content}</ThemeRoot>);
