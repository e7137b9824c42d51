/**
 * What Grafana's page says before any of its code runs. A script of its own, since @grafana/runtime reads it while it is
 * loaded, and a bundler is free to load modules in another order than they were imported in.
 */
import type { BootData } from '@grafana/data';

declare global {
  interface Window {
    grafanaBootData?: Partial<BootData>;
    __grafana_public_path__?: string;
  }
}

const wanted = new URLSearchParams(window.location.search).get('theme');
const preferred = window.matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
const theme = wanted === 'light' || wanted === 'dark' ? wanted : preferred;

/** Relative to the page, so that the pages work under any path; a page may say another place. */
const publicPath = document.querySelector<HTMLMetaElement>('meta[name="public-path"]')?.content ?? 'public/';
window.__grafana_public_path__ = new URL(publicPath, document.baseURI).href;

// Only what the packages read; the rest of Grafana's settings has defaults in its config.
const settings = { featureToggles: {}, datasources: {}, panels: {}, apps: {} } as unknown as BootData['settings'];
const user = {
  isSignedIn: false,
  orgRole: 'Viewer',
  theme,
  lightTheme: theme === 'light',
  timezone: 'browser',
  language: 'en-US',
  weekStart: '',
  permissions: {},
} as unknown as BootData['user'];

window.grafanaBootData = { settings, user, navTree: [], assets: { light: '', dark: '' } };
