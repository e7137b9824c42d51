// What the panels have in common: queries of the one data source, links into the repository, and the manners of each kind of panel.
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** The uid that provisioning/grafana/datasources/shadow.yml fixes. */
export const PROMETHEUS = { type: 'prometheus', uid: 'shadow-prometheus' };
const REPOSITORY = 'https://github.com/shadow-mode/shadow-mode/blob/main/';

export const read = (title, path) => ({ title, url: `${REPOSITORY}${path}` });
export const runbook = (alert) => read(`Runbook of ${alert}`, `alerts/runbooks/${alert}.md`);
export const catalog = read('The table of metrics', 'collector/src/metrics/catalog.ts');

const query = (refId, expression, legend) =>
  new DataqueryBuilder()
    .refId(refId)
    .expr(expression)
    .legendFormat(legend)
    .datasource(PROMETHEUS)
    .editorMode('code')
    .exemplar(false);

/** Over the time of the dashboard, step by step. */
export const range = (refId, expression, legend = '__auto') => query(refId, expression, legend).range();

/** As of the end of the dashboard's time. Of an expression that ends in [$__range]: the very samples that are stored. */
export const instant = (refId, expression, legend = '__auto') =>
  query(refId, expression, legend).instant().format('time_series');

/** Only the series of the exchange that the chosen symbol is of: those of the clock and the connection carry no symbol. */
export const ofSymbolsExchange = (expression) =>
  `${expression} and on (exchange, instance) shadow_symbol_info{symbol="$symbol"}`;

/** What every panel has to say: what it is, in which unit, what it shows when there is nothing, and where to read on. */
export function furnish(builder, { title, description, unit, noValue, links, width, height, targets, decimals }) {
  if (decimals !== undefined) builder.decimals(decimals);
  return builder
    .title(title)
    .description(description)
    .unit(unit)
    .noValue(noValue)
    .datasource(PROMETHEUS)
    .links(links.map((link) => new dashboard.DashboardLinkBuilder(link.title).url(link.url).targetBlank(true)))
    .targets(targets)
    .span(width)
    .height(height);
}

/** Steps are [from, color]; the first is from minus infinity. */
export const thresholds = (steps) =>
  new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps(steps.map(([value, color]) => ({ value, color })));

/** The last value that there is now: an instant query, so that what has ceased to be is not shown any more. */
export function stat({ steps, mappings, names = false, ...rest }) {
  const builder = furnish(new StatBuilder(), rest)
    .graphMode(common.BigValueGraphMode.None)
    .textMode(names ? common.BigValueTextMode.ValueAndName : common.BigValueTextMode.Value)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false).fields(''));
  // Grafana colors what is not there by the first step: unknown would be as green as good, or as red as bad.
  const unknown = {
    type: 'special',
    options: { match: 'null+nan', result: { text: rest.noValue, color: 'text', index: 99 } },
  };
  builder.mappings([...(mappings ?? []), unknown]);
  if (steps === undefined) return builder.colorMode(common.BigValueColorMode.None);
  return builder.colorMode(common.BigValueColorMode.Background).thresholds(thresholds(steps));
}

/** A text for a label, such as a version: the name of the series, which is 1. */
export const nameStat = (rest) => stat(rest).textMode(common.BigValueTextMode.Name);

export function timeseries({ steps, min, max, bars = false, ...rest }) {
  const builder = furnish(new TimeseriesBuilder(), rest)
    .lineWidth(1)
    .fillOpacity(bars ? 60 : 0)
    .drawStyle(bars ? common.GraphDrawStyle.Bars : common.GraphDrawStyle.Line)
    // A hole in the data is a hole in the line.
    .spanNulls(false)
    .showPoints(common.VisibilityMode.Auto)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending),
    );
  if (min !== undefined) builder.min(min);
  if (max !== undefined) builder.max(max);
  if (steps === undefined) return builder;
  return builder
    .thresholds(thresholds(steps))
    .thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed));
}

/** Values that mean a word. A value that is not there is no 0, and has no word. */
export const words = (table) => [
  {
    type: 'value',
    options: Object.fromEntries(
      Object.entries(table).map(([value, [text, color]], index) => [value, { text, color, index }]),
    ),
  },
];
