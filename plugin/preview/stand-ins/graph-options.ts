/** The options of a field that the core panel for time series registers, as far as a stand-in draws them. */
import { FieldColorModeId, FieldConfigProperty, identityOverrideProcessor } from '@grafana/data';
import type { FieldConfigEditorBuilder, FieldType, SetFieldConfigOptionsArgs } from '@grafana/data';
import { GraphDrawStyle, GraphThresholdsStyleMode, LineInterpolation, VisibilityMode } from '@grafana/schema';
import type { GraphFieldConfig } from '@grafana/schema';

const NoEditor = (): null => null;

const DEFAULTS: Readonly<GraphFieldConfig> = {
  drawStyle: GraphDrawStyle.Line,
  lineInterpolation: LineInterpolation.Linear,
  lineWidth: 1,
  fillOpacity: 0,
  showPoints: VisibilityMode.Auto,
  pointSize: 5,
  spanNulls: false,
  axisGridShow: true,
  thresholdsStyle: { mode: GraphThresholdsStyleMode.Off },
  hideFrom: { legend: false, tooltip: false, viz: false },
};
/** Without a default. */
const FURTHER = [
  'fillBelowTo',
  'lineStyle',
  'gradientMode',
  'barAlignment',
  'axisLabel',
  'axisPlacement',
  'axisSoftMin',
];

function register(builder: FieldConfigEditorBuilder<GraphFieldConfig>): void {
  const add = (path: string, defaultValue?: unknown): void => {
    builder.addCustomEditor({
      id: path,
      path: path as never,
      name: path,
      editor: NoEditor,
      override: NoEditor,
      process: identityOverrideProcessor,
      shouldApply: ({ type }) => type === ('number' as FieldType),
      ...(defaultValue === undefined ? {} : { defaultValue: defaultValue as never }),
    });
  };
  Object.entries(DEFAULTS).forEach(([path, value]) => add(path, value));
  FURTHER.forEach((path) => add(path));
}

/** Colors of the palette where nothing else is said, as in Grafana. */
export const graphFieldConfig: SetFieldConfigOptionsArgs<GraphFieldConfig> = {
  standardOptions: {
    [FieldConfigProperty.Color]: {
      settings: { byValueSupport: true, bySeriesSupport: true, preferThresholdsMode: false },
      defaultValue: { mode: FieldColorModeId.PaletteClassic },
    },
  },
  useCustomConfig: register,
};
