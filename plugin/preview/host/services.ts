/** The services that Grafana's core gives to @grafana/runtime. A setter that a version lacks is not called. */
import { EventBusSrv } from '@grafana/data';
import type { DataSourceApi, DataSourceInstanceSettings, DataSourceRef, PanelPlugin, ScopedVars } from '@grafana/data';
import * as runtime from '@grafana/runtime';
import { runRequest } from './run-request';

export interface HostServices {
  readonly dataSources?: readonly DataSourceApi[];
  readonly importPanelPlugin?: (id: string) => Promise<PanelPlugin>;
  readonly panelPluginFromCache?: (id: string) => PanelPlugin | undefined;
  /** Fills in what variables a page has; without it every text stays as it is. */
  readonly interpolate?: (text: string, scopedVars: ScopedVars | undefined) => string;
}

const unknown = (what: string): never => {
  throw new Error(`${what} is not known here`);
};

function dataSourceService(sources: readonly DataSourceApi[]): runtime.DataSourceSrv {
  const find = (ref?: DataSourceRef | string | null): DataSourceApi | undefined => {
    const uid = typeof ref === 'string' ? ref : ref?.uid;
    return uid === undefined ? sources[0] : sources.find((source) => source.uid === uid || source.name === uid);
  };
  const settingsOf = (source: DataSourceApi): DataSourceInstanceSettings =>
    ({ uid: source.uid, name: source.name, type: source.type, meta: source.meta, jsonData: {} }) as never;
  return {
    get: async (ref) => find(ref) ?? unknown(`the data source ${JSON.stringify(ref)}`),
    getInstanceSettings: (ref) => {
      const source = find(ref);
      return source && settingsOf(source);
    },
    getList: () => sources.map(settingsOf),
    reload: async () => undefined,
    registerRuntimeDataSource: () => undefined,
  };
}

/** Nothing here has a Grafana behind it: who asks it, is told so. */
const noBackend = new Proxy({}, { get: (_, name) => () => Promise.reject(new Error(`no Grafana: ${String(name)}`)) });

const templateService = (interpolate: NonNullable<HostServices['interpolate']>): runtime.TemplateSrv => ({
  getVariables: () => [],
  replace: (target = '', scopedVars) => interpolate(target, scopedVars),
  containsTemplate: (target = '') => target.includes('$'),
  updateTimeRange: () => undefined,
});

const EXTENSION_HOOKS: Readonly<Record<string, object>> = {
  setPluginLinksHook: { links: [], isLoading: false },
  setPluginComponentHook: { component: null, isLoading: false },
  setPluginComponentsHook: { components: [], isLoading: false },
  setPluginFunctionsHook: { functions: [], isLoading: false },
};

function call(name: string, ...values: unknown[]): void {
  const setter: unknown = Reflect.get(runtime, name);
  if (typeof setter === 'function') {
    setter(...values);
  }
}

export function setServices(services: HostServices): void {
  const { dataSources = [], importPanelPlugin, panelPluginFromCache, interpolate = (text) => text } = services;
  call('setEchoSrv', new runtime.FakeEchoSrv());
  call('setAppEvents', new EventBusSrv());
  call('setBackendSrv', noBackend);
  call('setTemplateSrv', templateService(interpolate));
  call('setLocationSrv', runtime.locationService);
  call('setRunRequest', runRequest);
  call('setDataSourceSrv', dataSourceService(dataSources));
  call('setPluginImportUtils', {
    importPanelPlugin: importPanelPlugin ?? (async (id: string) => unknown(`the panel ${id}`)),
    getPanelPluginFromCache: panelPluginFromCache ?? (() => undefined),
  });
  for (const [name, answer] of Object.entries(EXTENSION_HOOKS)) {
    call(name, () => answer);
  }
}
