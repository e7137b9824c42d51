/** Hides series by an override, as a click on a legend does in Grafana. */
import { ByNamesMatcherMode, FieldMatcherID, getFieldDisplayName } from '@grafana/data';
import type { DataFrame, FieldConfigSource, SystemConfigOverrideRule } from '@grafana/data';
import { SeriesVisibilityChangeMode } from '@grafana/ui';

const REF = 'hideSeriesFrom';

const isHiding = (rule: object): rule is SystemConfigOverrideRule => Reflect.get(rule, '__systemRef') === REF;

const namesOf = (frames: readonly DataFrame[]): string[] =>
  frames.flatMap((frame) =>
    frame.fields.filter(({ type }) => type === 'number').map((field) => getFieldDisplayName(field, frame, [...frames]))
  );

function shownBefore(config: FieldConfigSource, all: readonly string[]): readonly string[] {
  const rule = config.overrides.find(isHiding);
  return (rule?.matcher.options as { names?: string[] } | undefined)?.names ?? all;
}

function shownAfter(
  before: readonly string[],
  all: readonly string[],
  label: string,
  mode: SeriesVisibilityChangeMode
): readonly string[] {
  if (mode === SeriesVisibilityChangeMode.AppendToSelection) {
    return before.includes(label) ? before.filter((name) => name !== label) : [...before, label];
  }
  return before.length === 1 && before[0] === label ? all : [label];
}

const hideAllBut = (names: readonly string[]): SystemConfigOverrideRule => ({
  __systemRef: REF,
  matcher: {
    id: FieldMatcherID.byNames,
    options: { mode: ByNamesMatcherMode.exclude, names, prefix: 'All except:', readOnly: true },
  },
  properties: [{ id: 'custom.hideFrom', value: { legend: false, tooltip: true, viz: true } }],
});

/** The configuration after a click on the legend's item of that name; null shows all. */
export function withVisibility(
  config: FieldConfigSource,
  frames: readonly DataFrame[],
  label: string | string[] | null,
  mode: SeriesVisibilityChangeMode
): FieldConfigSource {
  const others = config.overrides.filter((rule) => !isHiding(rule));
  const name = Array.isArray(label) ? label[0] : label;
  const all = namesOf(frames);
  if (name === null || name === undefined) {
    return { ...config, overrides: others };
  }
  const shown = shownAfter(shownBefore(config, all), all, name, mode);
  const everything = all.every((one) => shown.includes(one));
  return { ...config, overrides: everything ? others : [...others, hideAllBut(shown)] };
}
