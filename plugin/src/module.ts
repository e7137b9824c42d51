import type { VisualizationSuggestionsSupplier } from '@grafana/data';
import { FieldConfigProperty, PanelPlugin } from '@grafana/data';
import { FillsPanel } from './FillsPanel';
import type { FillsOptions } from './options';
import { CLOCK_SHARE, DEFAULTS, HORIZONS, RADIUS, soundOptions } from './options';
import type { Role } from './roles';
import { ROLE_NAMES } from './roles';
import { suggestions } from './suggestions';

interface FieldOptions {
  readonly role: Role | 'auto';
}

/** What every field could have and this panel does not use. */
const UNUSED = [
  FieldConfigProperty.Min,
  FieldConfigProperty.Max,
  FieldConfigProperty.Mappings,
  FieldConfigProperty.Thresholds,
  FieldConfigProperty.Filterable,
];

const ROLES = [
  {
    value: 'auto' as const,
    label: 'By name',
    description: 'Found by the name of its metric, its labels, or its query',
  },
  ...(Object.entries(ROLE_NAMES) as Array<[Role, string]>).map(([value, label]) => ({ value, label })),
];

export const plugin = new PanelPlugin<FillsOptions, FieldOptions>(FillsPanel)
  .setPanelOptions((builder) => {
    builder
      .addBooleanSwitch({
        path: 'show.header',
        name: 'Header',
        description: 'Fills, maker share, net edge, markout and drift',
        defaultValue: DEFAULTS.show.header,
        category: ['Shown'],
      })
      .addBooleanSwitch({
        path: 'show.quotes',
        name: 'Our quotes',
        defaultValue: DEFAULTS.show.quotes,
        category: ['Shown'],
      })
      .addBooleanSwitch({ path: 'show.fills', name: 'Fills', defaultValue: DEFAULTS.show.fills, category: ['Shown'] })
      .addBooleanSwitch({
        path: 'show.clock',
        name: 'Clock and latency',
        description: 'The second pane: drift, offset with its uncertainty, latency',
        defaultValue: DEFAULTS.show.clock,
        category: ['Shown'],
      })
      .addSliderInput({
        path: 'clockShare',
        name: 'Height of the clock pane',
        description: 'Percent of the plot',
        defaultValue: DEFAULTS.clockShare,
        settings: { ...CLOCK_SHARE, step: 1 },
        category: ['Shown'],
        showIf: ({ show }) => show?.clock !== false,
      })
      .addSelect({
        path: 'horizon',
        name: 'Markout horizon',
        description: 'Whose markout the header shows',
        defaultValue: DEFAULTS.horizon,
        settings: { options: HORIZONS.map((value) => ({ value, label: value })) },
        category: ['Shown'],
      })
      .addSelect({
        path: 'palette',
        name: 'Palette',
        defaultValue: DEFAULTS.palette,
        settings: {
          options: [
            { value: 'classic', label: 'Classic', description: 'Buys green, sells red' },
            { value: 'colorblind', label: 'Color-blind safe', description: 'Okabe and Ito: blue and orange' },
            { value: 'contrast', label: 'High contrast' },
          ],
        },
        category: ['Markers'],
      })
      .addSliderInput({
        path: 'markers.radius',
        name: 'Size',
        description: 'Radius of the largest marker, pixels',
        defaultValue: DEFAULTS.markers.radius,
        settings: { ...RADIUS, step: 1 },
        category: ['Markers'],
      })
      .addBooleanSwitch({
        path: 'markers.byQuantity',
        name: 'Size by quantity',
        description: 'Area of a marker in proportion to the quantity filled',
        defaultValue: DEFAULTS.markers.byQuantity,
        category: ['Markers'],
      });
    const limits = {
      edgeBps: ['Net edge, least', 'bps'],
      makerShare: ['Maker share, least', '0 to 1'],
      latencyMs: ['Latency, most', 'ms'],
      driftMs: ['Clock drift, most either way', 'ms'],
    } as const;
    for (const [name, [label, unit]] of Object.entries(limits) as Array<
      [keyof typeof limits, readonly [string, string]]
    >) {
      builder.addNumberInput({
        path: `thresholds.${name}`,
        name: label,
        description: `Limit of its alert, ${unit}`,
        defaultValue: DEFAULTS.thresholds[name],
        category: ['Limits'],
      });
    }
    builder
      .addBooleanSwitch({
        path: 'legend.showLegend',
        name: 'Legend',
        defaultValue: DEFAULTS.legend.showLegend,
        category: ['Legend'],
      })
      .addRadio({
        path: 'legend.placement',
        name: 'Placement',
        defaultValue: DEFAULTS.legend.placement,
        settings: {
          options: [
            { value: 'bottom', label: 'Bottom' },
            { value: 'right', label: 'Right' },
          ],
        },
        category: ['Legend'],
        showIf: ({ legend }) => legend?.showLegend !== false,
      });
  })
  .useFieldConfig({
    disableStandardOptions: UNUSED,
    useCustomConfig: (builder) =>
      builder.addSelect({
        path: 'role',
        name: 'Shows',
        description: 'What this field is, where its name does not tell',
        defaultValue: 'auto',
        settings: { options: ROLES },
      }),
  })
  .setDataSupport({ annotations: true, alertStates: false })
  .setMigrationHandler((panel) => soundOptions(panel.options))
  .setPanelChangeHandler((_panel, _previousId, previous: unknown) => {
    const { legend } = soundOptions(previous);
    return { legend };
  });

// The type of the newer way, which is a function; the older ways' object is in it.
plugin.setSuggestionsSupplier(suggestions as VisualizationSuggestionsSupplier<FillsOptions, FieldOptions>);
