/** What is read of Grafana's classic dashboard JSON. */
import type { AnnotationQuery, DataLink, DataSourceRef, FieldConfigSource } from '@grafana/data';
import type { SceneDataQuery } from '@grafana/scenes';

export interface GridPosition {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: GridPosition;
  readonly datasource?: DataSourceRef;
  readonly targets?: readonly SceneDataQuery[];
  readonly options?: object;
  readonly fieldConfig?: FieldConfigSource;
  readonly pluginVersion?: string;
  readonly transparent?: boolean;
  readonly links?: readonly DataLink[];
  readonly interval?: string;
  readonly maxDataPoints?: number;
  /** Of a row. */
  readonly collapsed?: boolean;
  /** Of a collapsed row. */
  readonly panels?: readonly PanelJson[];
}

export interface VariableJson {
  readonly type: string;
  readonly name: string;
  readonly label?: string;
  readonly description?: string;
  readonly datasource: DataSourceRef;
  readonly query: SceneDataQuery;
  readonly refresh: number;
  readonly sort: number;
  readonly current: { readonly text: string; readonly value: string };
}

export interface DashboardJson {
  readonly title: string;
  readonly description?: string;
  readonly graphTooltip: number;
  readonly timezone: string;
  readonly time: { readonly from: string; readonly to: string };
  readonly refresh: string;
  readonly panels: readonly PanelJson[];
  readonly templating: { readonly list: readonly VariableJson[] };
  readonly annotations: { readonly list: readonly AnnotationQuery[] };
}
