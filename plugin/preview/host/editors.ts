/** The registries that Grafana's core fills, and without which a panel plugin has no standard options. */
import {
  FieldType,
  ThresholdsMode,
  booleanOverrideProcessor,
  dataLinksOverrideProcessor,
  displayNameOverrideProcessor,
  identityOverrideProcessor,
  numberOverrideProcessor,
  standardEditorsRegistry,
  standardFieldConfigEditorRegistry,
  stringOverrideProcessor,
  thresholdsOverrideProcessor,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
} from '@grafana/data';
import type { Field, FieldConfigPropertyItem } from '@grafana/data';

/** Nothing is edited here: an option needs an editor only to be registered. */
const NoEditor = (): null => null;

const EDITORS =
  'text number slider boolean radio select unit links actions stats-picker strings timezone fieldColor color multi-select field-name dashboard-uid mappings thresholds'.split(
    ' '
  );

interface StandardOption {
  readonly id: string;
  readonly name: string;
  readonly process: FieldConfigPropertyItem['process'];
  readonly shouldApply?: (field: Field) => boolean;
  readonly defaultValue?: unknown;
  readonly settings?: object;
}

const ofNumbers = (field: Field): boolean => field.type === FieldType.number;

const OPTIONS: readonly StandardOption[] = [
  { id: 'unit', name: 'Unit', process: unitOverrideProcessor },
  { id: 'min', name: 'Min', process: numberOverrideProcessor, shouldApply: ofNumbers },
  { id: 'max', name: 'Max', process: numberOverrideProcessor, shouldApply: ofNumbers },
  { id: 'fieldMinMax', name: 'Field min/max', process: booleanOverrideProcessor, shouldApply: ofNumbers },
  { id: 'decimals', name: 'Decimals', process: numberOverrideProcessor, shouldApply: ofNumbers },
  {
    id: 'displayName',
    name: 'Display name',
    process: displayNameOverrideProcessor,
    settings: { expandTemplateVars: true },
  },
  {
    id: 'color',
    name: 'Color scheme',
    process: identityOverrideProcessor,
    settings: { byValueSupport: true, preferThresholdsMode: true },
  },
  { id: 'noValue', name: 'No value', process: stringOverrideProcessor },
  { id: 'links', name: 'Data links', process: dataLinksOverrideProcessor },
  { id: 'actions', name: 'Actions', process: identityOverrideProcessor },
  {
    id: 'mappings',
    name: 'Value mappings',
    process: valueMappingsOverrideProcessor,
    shouldApply: ({ type }) => type !== FieldType.time,
    defaultValue: [],
  },
  {
    id: 'thresholds',
    name: 'Thresholds',
    process: thresholdsOverrideProcessor,
    defaultValue: {
      mode: ThresholdsMode.Absolute,
      steps: [
        { value: -Infinity, color: 'green' },
        { value: 80, color: 'red' },
      ],
    },
  },
  { id: 'filterable', name: 'Filterable', process: booleanOverrideProcessor },
];

const propertyItem = (option: StandardOption): FieldConfigPropertyItem => ({
  path: option.id,
  settings: {},
  shouldApply: () => true,
  editor: NoEditor,
  override: NoEditor,
  category: ['Standard options'],
  ...option,
});

/** Once, and before a panel plugin is loaded: it copies the standard options when it is first asked for its own. */
export function fillRegistries(): void {
  standardEditorsRegistry.setInit(() => EDITORS.map((id) => ({ id, name: id, editor: NoEditor })));
  standardFieldConfigEditorRegistry.setInit(() => OPTIONS.map(propertyItem));
}
