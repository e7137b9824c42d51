// The dashboard as Grafana's classic JSON, which 11.6 and 12 read alike. The panel of ours is a plugin: shadowmode-fills-panel.
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { alerts, firingAlerts } from './alerts.mjs';
import { clock } from './clock.mjs';
import { earned } from './earned.mjs';
import { feed } from './feed.mjs';
import { PROMETHEUS, read } from './parts.mjs';

const ROWS = [
  ['What would we have earned', earned],
  ['Is something wrong', alerts],
  ['Is the feed healthy', feed],
  ['Is the clock trusted', clock],
];

/** One symbol at a time: prices of two do not fit on one axis. */
const SYMBOLS = 'label_values(shadow_symbol_configured, symbol)';
const symbol = new dashboard.QueryVariableBuilder('symbol')
  .label('Symbol')
  .description('Configured symbols; one at a time.')
  .datasource(PROMETHEUS)
  .query({ qryType: 1, query: SYMBOLS, refId: 'symbols' })
  .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
  .sort(dashboard.VariableSort.AlphabeticalAsc)
  .current({ selected: false, text: '', value: '' })
  .options([])
  .allowCustomValue(false)
  .multi(false)
  .includeAll(false);

const toArchitecture = read('How it is built', 'ARCHITECTURE.md');

export function shadowModeDashboard() {
  const builder = new dashboard.DashboardBuilder('Shadow mode')
    .uid('shadow-mode')
    .description(
      'Would your passive quotes earn anything? Virtual quotes on a live feed: what they would have earned, and how far to trust it.',
    )
    .tags(['shadow-mode'])
    .time({ from: 'now-15m', to: 'now' })
    .refresh('5s')
    .timezone('browser')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .readonly()
    .withVariable(symbol)
    .annotation(firingAlerts)
    .link(
      new dashboard.DashboardLinkBuilder(toArchitecture.title)
        .type(dashboard.DashboardLinkType.Link)
        .icon('external link')
        .url(toArchitecture.url)
        .targetBlank(true),
    );
  for (const [title, panels] of ROWS) {
    builder.withRow(new dashboard.RowBuilder(title));
    for (const panel of panels) builder.withPanel(panel);
  }
  const { panels, ...rest } = builder.build();
  // Plain data, as a reader of the file has it; ids in the order of the panels, so that a link to one keeps its meaning.
  return JSON.parse(JSON.stringify({ ...rest, panels: panels.map((panel, index) => ({ ...panel, id: index + 1 })) }));
}
