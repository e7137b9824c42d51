// "Is the clock trusted": how far the latencies and the drift can be believed.
import { FieldColorModeId } from '@grafana/grafana-foundation-sdk/dashboard';
import { catalog, instant, ofSymbolsExchange, range, read, runbook, stat, timeseries, words } from './parts.mjs';

const theClock = read('The clock', 'README.md#the-clock');
const driftRunbook = runbook('ShadowClockDriftHigh');

const clockStat = (rest) => stat({ ...rest, links: [theClock], width: 8, height: 4 });

const synced = clockStat({
  title: 'Clock offset',
  description:
    'Whether the offset to the exchange has been measured, which takes a minute and eight probes. While it has not, latencies hold it.',
  unit: 'none',
  noValue: 'not known',
  steps: [
    [null, 'orange'],
    [1, 'green'],
  ],
  mappings: words({ 0: ['not measured', 'orange'], 1: ['measured', 'green'] }),
  targets: [instant('synced', ofSymbolsExchange('shadow_clock_synced'))],
});

const uncertainty = clockStat({
  title: 'Uncertainty of the offset',
  description: 'Half of the band that holds the true offset, about half a round trip.',
  unit: 'ms',
  decimals: 2,
  noValue: 'not known',
  targets: [instant('uncertainty', ofSymbolsExchange('shadow_clock_offset_uncertainty_ms'))],
});

const skew = clockStat({
  title: 'Skew',
  description: 'Rate of change of the offset, + is the local clock gaining.',
  unit: 'ppm',
  decimals: 2,
  noValue: 'not known',
  targets: [instant('skew', ofSymbolsExchange('shadow_clock_skew_ppm'))],
});

const drift = timeseries({
  title: 'Clock drift',
  description:
    'EWMA of receive minus exchange time: offset plus delay, signed. The alert fires beyond 500 ms either way.',
  unit: 'ms',
  noValue: 'not known',
  links: [driftRunbook],
  width: 12,
  height: 8,
  steps: [
    [null, 'red'],
    [-500, 'transparent'],
    [500, 'red'],
  ],
  targets: [range('drift', 'shadow_clock_drift_ms{symbol="$symbol"}', 'drift')],
});

const side = (sign) => ofSymbolsExchange(`shadow_clock_offset_ms ${sign} shadow_clock_offset_uncertainty_ms`);

/** The edges of the band without lines, and the space between them filled. */
const edge = (color) => [
  { id: 'custom.lineWidth', value: 0 },
  { id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor: color } },
];

const offset = timeseries({
  title: 'Clock offset and the band that holds the truth',
  description:
    'Local minus exchange clock, + is local ahead. The truth lies in the band; where the ways to and from differ, not in its middle.',
  unit: 'ms',
  decimals: 2,
  noValue: 'not known',
  links: [runbook('ShadowClockOffsetHigh'), theClock],
  width: 12,
  height: 8,
  targets: [
    range('offset', ofSymbolsExchange('shadow_clock_offset_ms'), 'offset'),
    range('highest', side('+'), 'highest'),
    range('lowest', side('-'), 'lowest'),
  ],
})
  .overrideByName('highest', [
    ...edge('semi-dark-blue'),
    { id: 'custom.fillBelowTo', value: 'lowest' },
    { id: 'custom.fillOpacity', value: 15 },
  ])
  .overrideByName('lowest', edge('semi-dark-blue'));

const probes = timeseries({
  title: 'Probes, by what came of them',
  description:
    'Questions for the time of the exchange in each step; discarded is the first of a connection. Extrapolated, as every increase.',
  unit: 'short',
  noValue: 'no data',
  links: [theClock, catalog],
  width: 8,
  height: 7,
  bars: true,
  min: 0,
  targets: [range('probes', ofSymbolsExchange('increase(shadow_clock_probes_total[$__rate_interval])'), '{{result}}')],
});

const roundTrip = timeseries({
  title: 'Round trip of probes',
  description: 'Time from question to answer, by quantile over five minutes, in which there are thirty probes.',
  unit: 's',
  noValue: 'no data',
  links: [theClock, catalog],
  width: 8,
  height: 7,
  min: 0,
  targets: [
    ['p50', 0.5],
    ['p95', 0.95],
  ].map(([name, q]) =>
    range(
      name,
      `histogram_quantile(${q}, sum by (le) (${ofSymbolsExchange('rate(shadow_clock_probe_rtt_seconds_bucket[5m])')}))`,
      name,
    ),
  ),
});

const steps = timeseries({
  title: 'Steps of a clock, and messages from the future',
  description:
    'Steps of this machine’s wall clock and of the exchange’s clock, and messages that arrived before they were sent by the estimated offset. Extrapolated, as every increase.',
  unit: 'short',
  noValue: 'no data',
  links: [theClock, driftRunbook],
  width: 8,
  height: 7,
  bars: true,
  min: 0,
  targets: [
    range('steps', ofSymbolsExchange('increase(shadow_clock_steps_total[$__rate_interval])'), 'step: {{side}}'),
    range(
      'negative',
      'increase(shadow_feed_latency_negative_total{symbol="$symbol"}[$__rate_interval])',
      'before they were sent',
    ),
  ],
});

export const clock = [synced, uncertainty, skew, drift, offset, probes, roundTrip, steps];
