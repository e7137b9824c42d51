// The five series of the user with the thresholds of their alerts. A value on a threshold is still good, as for the alert; Grafana's steps begin
// with their value, so that a value exactly on an upper threshold is colored as beyond it.
export const KPIS = [
  {
    refId: 'edge',
    metric: 'shadow_edge_bps',
    alert: 'ShadowEdgeLow',
    title: 'Net edge',
    unit: 'suffix: bps',
    decimals: 2,
    noValue: 'not known',
    steps: [
      [null, 'red'],
      [2.5, 'green'],
    ],
    description:
      'Markout of virtual fills less fees in the last completed window, + is profit. Red below 2.5 bps; the alert looks at the mean of 15 minutes.',
  },
  {
    refId: 'maker',
    metric: 'shadow_maker_taker_ratio',
    alert: 'ShadowMakerLow',
    title: 'Maker share',
    unit: 'percentunit',
    decimals: 1,
    noValue: 'not known',
    steps: [
      [null, 'red'],
      [0.83, 'green'],
    ],
    description:
      'Maker share of maker, taker and would-be-taker notional in the last completed window. Red below 83 %; the alert looks at the mean of 15 minutes.',
  },
  {
    refId: 'latency',
    metric: 'shadow_latency_ms',
    alert: 'ShadowLatencyHigh',
    title: 'Latency, p95',
    unit: 'ms',
    decimals: 1,
    noValue: 'not known',
    steps: [
      [null, 'green'],
      [350, 'red'],
    ],
    description:
      '95th percentile of the one-way latency of the feed in the last completed window; the clock offset is still in it while the clock is not synced. Red above 350 ms; the alert looks at the mean of 15 minutes.',
  },
  {
    refId: 'risk',
    metric: 'shadow_risk_ratio',
    alert: 'ShadowRiskHigh',
    title: 'Risk',
    unit: 'percentunit',
    decimals: 1,
    noValue: 'not known',
    steps: [
      [null, 'green'],
      [0.4, 'red'],
    ],
    description:
      'Time-weighted absolute inventory over its limit in the last completed window. Red above 40 %; the alert looks at the mean of 15 minutes.',
  },
  {
    refId: 'drift',
    metric: 'shadow_clock_drift_ms',
    alert: 'ShadowClockDriftHigh',
    title: 'Clock drift',
    unit: 'ms',
    decimals: 1,
    noValue: 'not known',
    steps: [
      [null, 'red'],
      [-500, 'green'],
      [500, 'red'],
    ],
    description:
      'EWMA of receive minus exchange time: clock offset plus delay, signed. Red beyond 500 ms either way; the alert looks at the mean of 10 minutes.',
  },
];
