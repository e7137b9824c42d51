/** A page with one panel, for tests in a browser: they drive it by `window.shadowHost`. */
import type { FieldConfigSource } from '@grafana/data';
import React, { useSyncExternalStore } from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import { BenchState } from './bench-state';
import type { Recorded } from './bench-state';
import { bootHost } from './host/boot';
import type { PanelDataJson } from './host/frames';
import { loadPlugin, pluginFromCache } from './host/load-plugin';
import { migrated, PanelHost } from './host/panel-host';
import { changeThemeTo, ThemeRoot } from './host/theme';
import type { ThemeName } from './host/theme';

const PLUGIN_ID = 'shadowmode-fills-panel';

export interface MountParameters extends PanelDataJson {
  readonly options?: Record<string, unknown>;
  readonly fieldConfig?: FieldConfigSource;
  readonly theme?: ThemeName;
  /** Of the panel with its frame and title, in CSS pixels. */
  readonly width?: number;
  readonly height?: number;
  readonly title?: string;
  readonly timeZone?: string;
  /** Where options of an older version are to be migrated. */
  readonly pluginVersion?: string;
}

export interface ShadowHost {
  /** Mounts the panel anew, and forgets what was recorded; answers after the frame in which it was drawn. */
  mount(parameters: MountParameters): Promise<void>;
  /** New data, range, size or state; what is not told stays as it was. */
  update(change: Partial<PanelDataJson> & { readonly width?: number; readonly height?: number }): Promise<void>;
  unmount(): Promise<void>;
  setTheme(name: ThemeName): Promise<void>;
  /** As if the cursor stood at that time (epoch ms) over another panel; without one: as if it had left. */
  hover(time?: number): void;
  readonly recorded: Recorded;
}

declare global {
  interface Window {
    shadowHost?: ShadowHost;
  }
}

const state = new BenchState();

function Bench(): React.ReactElement | null {
  const mounted = useSyncExternalStore(state.subscribe, state.snapshot);
  return mounted === undefined ? null : (
    <PanelHost
      {...mounted}
      key={mounted.key}
      eventBus={state.eventBus}
      sync={state.sync}
      onChangeTimeRange={state.changeTimeRange}
      onOptionsChange={state.changeOptions}
      onFieldConfigChange={state.changeFieldConfig}
      onToggleSeriesVisibility={state.toggleSeries}
    />
  );
}

/** Runs a change between the marks `shadow-host:NAME:start` and `:end`, the frame in which it was drawn. */
async function drawn(name: string, change: () => void): Promise<void> {
  performance.mark(`shadow-host:${name}:start`);
  flushSync(change);
  // The first frame draws; when the second begins, the first has been painted.
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  performance.mark(`shadow-host:${name}:end`);
  performance.measure(`shadow-host:${name}`, `shadow-host:${name}:start`, `shadow-host:${name}:end`);
}

async function mount(parameters: MountParameters): Promise<void> {
  const { options = {}, fieldConfig = { defaults: {}, overrides: [] }, title = '', ...rest } = parameters;
  const { theme, width = 1_000, height = 500, timeZone = 'utc', pluginVersion, ...data } = rest;
  const plugin = await loadPlugin(PLUGIN_ID);
  const version = pluginVersion ?? plugin.meta.info.version;
  const model = await migrated(plugin, { id: 1, title, options, fieldConfig, pluginVersion: version }, PLUGIN_ID);
  if (theme !== undefined) {
    flushSync(() => changeThemeTo(theme));
  }
  await drawn('mount', () => state.mount({ plugin, model, width, height, timeZone }, data));
}

await bootHost({ importPanelPlugin: loadPlugin, panelPluginFromCache: pluginFromCache });
createRoot(document.getElementById('root')!).render(
  <ThemeRoot>
    <Bench />
  </ThemeRoot>
);

window.shadowHost = {
  mount,
  update: (change) => drawn('update', () => state.update(change)),
  unmount: () => drawn('unmount', () => state.set(undefined)),
  setTheme: (name) => drawn('theme', () => changeThemeTo(name)),
  hover: (time) => state.hover(time),
  get recorded() {
    return state.recorded;
  },
};
