/** Loads a built panel plugin the way Grafana does: an AMD module by SystemJS, with the modules that Grafana shares. */
import type { PanelPlugin, PanelPluginMeta } from '@grafana/data';
import 'systemjs/dist/system.js';
import 'systemjs/dist/extras/amd.js';
import 'systemjs/dist/extras/named-register.js';
import { sharedModules } from './shared-modules';

const PREFIX = 'package:';

function share(): void {
  const imports: Record<string, string> = {};
  for (const [name, module] of Object.entries(sharedModules)) {
    System.set(PREFIX + name, module);
    imports[name] = PREFIX + name;
  }
  System.addImportMap({ imports });
}

const loaded = new Map<string, PanelPlugin>();
let shared = false;

/** Where the plugin lies: relative to the page, so that pages work under any path; a page may say another place. */
function addressOf(id: string, file: string): string {
  const place = document.querySelector<HTMLMetaElement>('meta[name="plugin-path"]')?.content ?? `plugins/${id}/`;
  return new URL(place + file, document.baseURI).href;
}

async function metaOf(id: string): Promise<PanelPluginMeta> {
  const response = await fetch(addressOf(id, 'plugin.json'));
  if (!response.ok) {
    throw new Error(`plugin.json of ${id}: status ${response.status}`);
  }
  const manifest = (await response.json()) as PanelPluginMeta;
  return { ...manifest, baseUrl: addressOf(id, ''), module: addressOf(id, 'module.js') };
}

export const pluginFromCache = (id: string): PanelPlugin | undefined => loaded.get(id);

/** A plugin that is part of this page, as the core panels are part of Grafana. */
export function registerPlugin(plugin: PanelPlugin, meta: Pick<PanelPluginMeta, 'id' | 'name'>): void {
  plugin.meta = { ...meta, info: { version: '' } } as PanelPluginMeta;
  loaded.set(meta.id, plugin);
}

export async function loadPlugin(id: string): Promise<PanelPlugin> {
  const known = loaded.get(id);
  if (known !== undefined) {
    return known;
  }
  if (!shared) {
    share();
    shared = true;
  }
  const [meta, module] = await Promise.all([metaOf(id), System.import(addressOf(id, 'module.js'))]);
  const plugin = module['plugin'] as PanelPlugin | undefined;
  if (plugin === undefined) {
    throw new Error(`module.js of ${id} exports no plugin`);
  }
  plugin.meta = meta;
  loaded.set(id, plugin);
  return plugin;
}
