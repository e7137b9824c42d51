import { readFileSync } from 'node:fs';
import { ROOT } from './root.ts';

/** What the tests look at in Grafana's classic dashboard JSON. */
export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly instant: boolean;
  readonly range: boolean;
  readonly legendFormat: string;
  readonly datasource: DataSource;
}

export interface DataSource {
  readonly type: string;
  readonly uid: string;
}

export interface Threshold {
  readonly value: number | null;
  readonly color: string;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: DataSource;
  readonly links?: readonly { readonly title: string; readonly url: string }[];
  readonly targets?: readonly Target[];
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly noValue?: string;
      readonly thresholds?: { readonly steps: readonly Threshold[] };
      readonly mappings?: readonly { readonly type: string; readonly options: Readonly<Record<string, unknown>> }[];
    };
  };
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly editable: boolean;
  readonly refresh: string;
  readonly graphTooltip: number;
  readonly timezone: string;
  readonly time: { readonly from: string; readonly to: string };
  readonly links: readonly { readonly url: string }[];
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly multi: boolean;
      readonly datasource: DataSource;
      readonly query: { readonly query: string };
    }[];
  };
  readonly annotations: {
    readonly list: readonly { readonly name: string; readonly expr: string; readonly datasource: DataSource }[];
  };
}

/** The provisioned dashboard, as it is committed. */
export const readDashboard = (): Dashboard =>
  JSON.parse(readFileSync(new URL('provisioning/grafana/dashboards/shadow-mode.json', ROOT), 'utf8')) as Dashboard;

/** Panels that show something: all but the rows. */
export const panelsOf = ({ panels }: Dashboard): readonly Panel[] => panels.filter(({ type }) => type !== 'row');
