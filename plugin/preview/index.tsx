/** The page that the collector serves at its own address. */
import { Alert } from '@grafana/ui';
import React from 'react';
import { createRoot } from 'react-dom/client';
import { bootHost } from './host/boot';
import { loadPlugin, pluginFromCache } from './host/load-plugin';
import { ThemeRoot } from './host/theme';
import { LivePage } from './live/page';
import { aboutRun } from './live/stream';

async function page(): Promise<React.ReactElement> {
  await bootHost({ importPanelPlugin: loadPlugin, panelPluginFromCache: pluginFromCache });
  const [run, plugin] = await Promise.all([aboutRun(), loadPlugin('shadowmode-fills-panel')]);
  return <LivePage run={run} plugin={plugin} />;
}

const content = await page().catch((error: unknown) => (
  <Alert title="The live view cannot be shown">{error instanceof Error ? error.message : String(error)}</Alert>
));
createRoot(document.getElementById('root')!).render(<ThemeRoot>{content}</ThemeRoot>);
