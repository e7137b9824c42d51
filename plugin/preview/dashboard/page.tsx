import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { locationService, LocationServiceProvider } from '@grafana/runtime';
import { UrlSyncContextProvider } from '@grafana/scenes';
import type { EmbeddedScene } from '@grafana/scenes';
import { useStyles2 } from '@grafana/ui';
import React, { useSyncExternalStore } from 'react';
import type { ReactNode } from 'react';
import { Router } from 'react-router-dom';
import type { DashboardJson } from './model';

const history = locationService.getHistory();

/** The router of the scenes, on the history that Grafana's location service has. */
function HistoryRouter({ children }: { children: ReactNode }): React.ReactElement {
  const location = useSyncExternalStore(
    (listener) => history.listen(listener),
    () => history.location
  );
  return (
    <Router location={location} navigator={history as never}>
      {children}
    </Router>
  );
}

function Heading({ title, description }: DashboardJson): React.ReactElement {
  const styles = useStyles2(getStyles);
  return (
    <header className={styles.heading}>
      <h1>{title}</h1>
      <p>{description}</p>
      <p>
        Without Grafana: the fills panel is the built plugin; time series, stats and the state timeline are stand-ins
        for Grafana’s core panels, which are not published as packages.
      </p>
    </header>
  );
}

export function DashboardPage(props: { dashboard: DashboardJson; scene: EmbeddedScene }): React.ReactElement {
  const { dashboard, scene } = props;
  const styles = useStyles2(getStyles);
  return (
    <LocationServiceProvider service={locationService}>
      <HistoryRouter>
        <main className={styles.page}>
          <Heading {...dashboard} />
          <UrlSyncContextProvider scene={scene} updateUrlOnInit createBrowserHistorySteps>
            <scene.Component model={scene} />
          </UrlSyncContextProvider>
        </main>
      </HistoryRouter>
    </LocationServiceProvider>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  page: css({
    padding: theme.spacing(2),
    minHeight: '100%',
    display: 'flex',
    flexDirection: 'column',
    gap: theme.spacing(2),
  }),
  heading: css({
    '& h1': { margin: 0 },
    '& p': { margin: 0, color: theme.colors.text.secondary },
  }),
});
