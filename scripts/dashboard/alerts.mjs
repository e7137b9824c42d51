// "Is something wrong": the alerts of Prometheus over time, and their marks on every other panel.
import { AnnotationQueryBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import * as common from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { KPIS } from './kpis.mjs';
import { furnish, PROMETHEUS, range, runbook, words } from './parts.mjs';

/** Alerts of the symbol, and those that are of none. */
const OURS = 'component=~"shadow.*",symbol=~"$symbol|"';
const firing = `ALERTS{${OURS},alertstate="firing"}`;
const pending = `ALERTS{${OURS},alertstate="pending"}`;

const state = furnish(new StateTimelineBuilder(), {
  title: 'Alerts',
  description:
    'Pending and firing alerts of the symbol and of the collector. Nothing here means that none is pending or firing, or that the rules are not loaded: the alert Watchdog, which always fires, tells the two apart.',
  unit: 'none',
  noValue: 'no alert pending or firing, or no rules loaded',
  links: [...KPIS.map(({ alert }) => runbook(alert)), runbook('ShadowMetricsMissing'), runbook('Watchdog')],
  width: 24,
  height: 7,
  targets: [range('alerts', `max by (alertname, symbol) (2 * ${firing} or ${pending})`, '{{alertname}} {{symbol}}')],
})
  .mappings(words({ 1: ['pending', 'orange'], 2: ['firing', 'red'] }))
  .mergeValues(true)
  .showValue(common.VisibilityMode.Auto)
  .rowHeight(0.8);

export const alerts = [state];

/** Marks while an alert fires. Read by Grafana 11 from `expr` and `step`, which 12 moves into a target by itself. */
export const firingAlerts = {
  build: () => ({
    ...new AnnotationQueryBuilder().name('Firing alerts').datasource(PROMETHEUS).enable(true).iconColor('red').build(),
    expr: `ALERTS{${OURS},alertstate="firing",alertname!~".*Watchdog"}`,
    step: '15s',
    titleFormat: '{{alertname}}',
    textFormat: '{{symbol}}',
    tagKeys: 'severity',
    useValueForTime: false,
  }),
};
