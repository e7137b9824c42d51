/** The one panel of the bench, outside of React, so that a test can change it and read what it did. */
import { DashboardCursorSync, DataHoverClearEvent, DataHoverEvent, EventBusSrv } from '@grafana/data';
import type { AbsoluteTimeRange, DataHoverPayload, FieldConfigSource, PanelData, PanelPlugin } from '@grafana/data';
import type { SeriesVisibilityChangeMode } from '@grafana/ui';
import { panelDataOf } from './host/frames';
import type { PanelDataJson } from './host/frames';
import type { PanelModel } from './host/panel-host';
import { withVisibility } from './host/series-visibility';

export interface Mounted {
  /** Another one is another panel, and not the same with other options. */
  readonly key: number;
  readonly plugin: PanelPlugin;
  readonly model: PanelModel;
  readonly data: PanelData;
  readonly width: number;
  readonly height: number;
  readonly timeZone: string;
}

/** What the panel told its host, oldest first. */
export interface Recorded {
  readonly timeRanges: AbsoluteTimeRange[];
  readonly hovers: DataHoverPayload[];
  readonly hoverClears: number[];
  readonly options: object[];
  readonly fieldConfigs: FieldConfigSource[];
}

const nothing = (): Recorded => ({ timeRanges: [], hovers: [], hoverClears: [], options: [], fieldConfigs: [] });

const HOST = 'another panel';

export class BenchState {
  readonly eventBus = new EventBusSrv();
  readonly sync = DashboardCursorSync.Crosshair;
  recorded = nothing();
  mounted: Mounted | undefined;
  #mounts = 0;
  #dataJson: PanelDataJson | undefined;
  readonly #listeners = new Set<() => void>();

  constructor() {
    this.eventBus.subscribe(DataHoverEvent, ({ payload }) => {
      if (Reflect.get(payload, 'sentBy') !== HOST) {
        this.recorded.hovers.push(JSON.parse(JSON.stringify({ point: payload.point })));
      }
    });
    this.eventBus.subscribe(DataHoverClearEvent, () => this.recorded.hoverClears.push(performance.now()));
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  snapshot = (): Mounted | undefined => this.mounted;

  set(mounted: Mounted | undefined): void {
    this.mounted = mounted;
    this.#listeners.forEach((listener) => listener());
  }

  mount(mounted: Omit<Mounted, 'data' | 'key'>, data: PanelDataJson): void {
    this.recorded = nothing();
    this.#dataJson = data;
    this.set({ ...mounted, key: ++this.#mounts, data: panelDataOf(data) });
  }

  /** What is not told stays as it was. */
  update(change: Partial<PanelDataJson> & { readonly width?: number; readonly height?: number }): void {
    if (this.mounted === undefined || this.#dataJson === undefined) {
      throw new Error('mount a panel first');
    }
    const { width = this.mounted.width, height = this.mounted.height, ...data } = change;
    this.#dataJson = { ...this.#dataJson, ...data };
    this.set({ ...this.mounted, width, height, data: panelDataOf(this.#dataJson) });
  }

  /** As if the cursor stood at that time over another panel; undefined: as if it had left. */
  hover(time: number | undefined): void {
    const event =
      time === undefined
        ? new DataHoverClearEvent()
        : new DataHoverEvent({ point: { time }, sentBy: HOST } as DataHoverPayload);
    this.eventBus.publish(event);
  }

  changeTimeRange = (range: AbsoluteTimeRange): void => {
    this.recorded.timeRanges.push({ from: range.from, to: range.to });
  };
  changeOptions = (options: Record<string, unknown>): void => {
    this.recorded.options.push(options);
    this.#changeModel({ options });
  };
  changeFieldConfig = (fieldConfig: FieldConfigSource): void => {
    this.recorded.fieldConfigs.push(fieldConfig);
    this.#changeModel({ fieldConfig });
  };
  toggleSeries = (label: string | string[] | null, mode: SeriesVisibilityChangeMode): void => {
    const { model, data } = this.mounted!;
    this.changeFieldConfig(withVisibility(model.fieldConfig, data.series, label, mode));
  };

  #changeModel(change: Partial<PanelModel>): void {
    this.set({ ...this.mounted!, model: { ...this.mounted!.model, ...change } });
  }
}
