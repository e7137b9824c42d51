import { CacheProvider } from '@emotion/react';
import createEmotion from '@emotion/css/create-instance';
import { createTheme, ThemeContext } from '@grafana/data';
import type { GrafanaTheme2 } from '@grafana/data';
import { config, getAppEvents, ThemeChangedEvent } from '@grafana/runtime';
import { GlobalStyles } from '@grafana/ui';
import React, { useSyncExternalStore } from 'react';
import type { ReactNode } from 'react';
import { styleNonce } from './nonce';
import { PageStyles } from './page-styles';

export type ThemeName = 'light' | 'dark';

let current: GrafanaTheme2 = config.theme2;
const listeners = new Set<() => void>();

/** Sets it for what reads it from the configuration, and draws again what reads it from React. */
export function changeTheme(theme: GrafanaTheme2): void {
  current = theme;
  config.theme2 = theme;
  config.bootData.user.lightTheme = theme.isLight;
  document.documentElement.dataset['theme'] = theme.isLight ? 'light' : 'dark';
  document.documentElement.style.colorScheme = theme.isLight ? 'light' : 'dark';
  listeners.forEach((listener) => listener());
  getAppEvents().publish(new ThemeChangedEvent(theme));
}

export const changeThemeTo = (name: ThemeName): void => changeTheme(createTheme({ colors: { mode: name } }));

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useHostTheme = (): GrafanaTheme2 => useSyncExternalStore(subscribe, () => current);

const elementCache = createEmotion({ key: 'host', ...(styleNonce === undefined ? {} : { nonce: styleNonce }) }).cache;

/** Grafana's theme and global styles around a page. */
export function ThemeRoot({ children }: { children: ReactNode }): React.ReactElement {
  const theme = useHostTheme();
  return (
    <CacheProvider value={elementCache}>
      <ThemeContext.Provider value={theme}>
        <PageStyles />
        <GlobalStyles />
        {children}
      </ThemeContext.Provider>
    </CacheProvider>
  );
}
