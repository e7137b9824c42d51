/** What @grafana/runtime has for Grafana's core alone; the build finds it, or gives an empty module. */
declare module 'shadow-host:panel-data-error-view' {
  export const setPanelDataErrorView: unknown;
}

/** The package itself; the build lets everything else that imports it have host/emotion-css.ts. */
declare module 'shadow-host:emotion-css' {
  export * from '@emotion/css';
}
