// "What would we have earned": the fills in the market they happened in, the KPIs against their thresholds, and what stands behind them.
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { KPIS } from './kpis.mjs';
import { catalog, furnish, instant, ofSymbolsExchange, range, read, runbook, stat, timeseries } from './parts.mjs';

const PANEL_ID = 'shadowmode-fills-panel';
const HORIZONS = ['100ms', '1s', '5s', '30s', '60s'];
/** The time over which rates of fills and orders are taken: they are rare, and a shorter one would be 0 or a spike. */
const RARE = '5m';

const whatComesOut = read('What comes out', 'README.md#what-comes-out');
const howTrue = read('How true', 'README.md#how-true');

const fills = furnish(new PanelBuilder().type(PANEL_ID), {
  title: 'Virtual fills of $symbol',
  description:
    'Best bid and ask, our virtual quotes, and every virtual fill at its exact time and price; below, clock drift, corrected offset with its uncertainty, and latency. Fills are read as stored samples, never resampled.',
  unit: 'short',
  noValue: 'no data',
  links: [whatComesOut, read('The clock', 'README.md#the-clock')],
  width: 24,
  height: 16,
  targets: [
    range('bid', 'shadow_best_bid{symbol="$symbol"}'),
    range('ask', 'shadow_best_ask{symbol="$symbol"}'),
    range('quotes', 'shadow_quote_price{symbol="$symbol"}'),
    instant('fills', 'shadow_fill_price{symbol="$symbol"}[$__range]'),
    instant('sizes', 'shadow_fill_size{symbol="$symbol"}[$__range]'),
    range('drift', 'shadow_clock_drift_ms{symbol="$symbol"}'),
    range('offset', ofSymbolsExchange('shadow_clock_offset_ms')),
    range('uncertainty', ofSymbolsExchange('shadow_clock_offset_uncertainty_ms')),
    range('latency', 'shadow_latency_ms{symbol="$symbol"}'),
    instant('edge', 'shadow_edge_bps{symbol="$symbol"}'),
    instant('maker', 'shadow_maker_taker_ratio{symbol="$symbol"}'),
    instant('markout', 'shadow_markout_bps{symbol="$symbol"}'),
  ],
});

const kpis = KPIS.map(({ refId, metric, alert, ...rest }) =>
  stat({
    ...rest,
    links: [runbook(alert)],
    width: 4,
    height: 4,
    targets: [instant(refId, `${metric}{symbol="$symbol"}`)],
  }),
);

const fillCount = stat({
  title: 'Fills',
  description:
    'Virtual fills of the driving model in the time of the dashboard, counted from the pushed samples. Without --remote_write_url none are pushed.',
  unit: 'short',
  decimals: 0,
  noValue: 'no data',
  links: [runbook('ShadowFillsNotStored'), whatComesOut],
  width: 4,
  height: 4,
  targets: [instant('count', 'sum(count_over_time(shadow_fill_size{symbol="$symbol"}[$__range]))')],
});

const band = timeseries({
  title: 'Net edge by fill model',
  description:
    'The same orders under each fill model: trade-through fills too late and touch too early; the truth of a resting order lies between. A wide band says that the edge hangs on the model.',
  unit: 'suffix: bps',
  decimals: 2,
  noValue: 'not known',
  links: [howTrue, read('Calibration', 'docs/CALIBRATION.md')],
  width: 12,
  height: 8,
  steps: [
    [null, 'transparent'],
    [2.5, 'green'],
  ],
  targets: [range('band', 'shadow_model_edge_bps{symbol="$symbol"}', '{{model}}')],
});

const markouts = stat({
  title: 'Markout by horizon',
  description:
    'Mean markout of the fills of the last completed window after each horizon, fees not taken off, + is good for us. A horizon that is not there has no known markout.',
  unit: 'suffix: bps',
  decimals: 2,
  noValue: 'not known',
  links: [whatComesOut],
  width: 12,
  height: 8,
  names: true,
  steps: [
    [null, 'red'],
    [0, 'green'],
  ],
  targets: HORIZONS.map((horizon) =>
    instant(`after_${horizon}`, `shadow_markout_bps{symbol="$symbol",horizon="${horizon}"}`, horizon),
  ),
});

const profit = timeseries({
  title: 'PnL since the start of the run',
  description:
    'Realised plus unrealised at mid less fees, in quote currency, of virtual fills. Not there while there is no mid.',
  unit: 'suffix: quote',
  decimals: 2,
  noValue: 'not known',
  links: [whatComesOut],
  width: 12,
  height: 7,
  targets: [range('pnl', 'shadow_pnl_quote{symbol="$symbol"}', 'PnL')],
});

const inventory = timeseries({
  title: 'Virtual inventory',
  description: 'Position of the virtual fills, base currency, + is long.',
  unit: 'suffix: base',
  noValue: 'no data',
  links: [runbook('ShadowRiskHigh')],
  width: 12,
  height: 7,
  targets: [range('inventory', 'shadow_inventory_base{symbol="$symbol"}', 'inventory')],
});

const fillRate = timeseries({
  title: 'Fills a minute, by side and model',
  description: `Rate over ${RARE}, extrapolated by Prometheus, so not whole numbers. All four models look at the same orders; one of them drives quoting.`,
  unit: 'suffix: /min',
  decimals: 2,
  noValue: 'no data',
  links: [howTrue],
  width: 12,
  height: 8,
  min: 0,
  targets: [
    range(
      'fills',
      `60 * sum by (side, model) (rate(shadow_fills_total{symbol="$symbol"}[${RARE}]))`,
      '{{side}} {{model}}',
    ),
  ],
});

const orders = timeseries({
  title: 'Virtual orders a minute, by what happened',
  description: `Rate over ${RARE}, extrapolated by Prometheus. Rejected post-only orders count as would-be takers; censored ones stood while the book could not be trusted.`,
  unit: 'suffix: /min',
  decimals: 2,
  noValue: 'no data',
  links: [runbook('ShadowMakerLow'), catalog],
  width: 12,
  height: 8,
  min: 0,
  targets: [range('orders', `60 * sum by (event) (rate(shadow_orders_total{symbol="$symbol"}[${RARE}]))`, '{{event}}')],
});

export const earned = [fills, ...kpis, fillCount, band, markouts, profit, inventory, fillRate, orders];
