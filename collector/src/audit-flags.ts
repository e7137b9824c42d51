import { DEFAULT_THRESHOLDS } from './artifacts/gates.ts';
import type { Flag } from './flags.ts';
import { flag } from './flags.ts';

/** The flags of `shadow audit`. */
// prettier-ignore
export const AUDIT_FLAGS = {
  base: flag({ group: 'input', kind: 'text', fallback: 'artifacts/shadow/latest', placeholder: 'DIR', help: 'folder of artifacts' }),
  run_id: flag({ group: 'input', kind: 'text', fallback: undefined, placeholder: 'ID', help: 'judge this run of a folder that holds several. Default: all windows, and they have to be of one run' }),
  source: flag({ group: 'input', kind: 'choice', choices: ['live', 'mock', 'replay'], fallback: 'live', help: 'windows of another source are HOLD: a simulated market is no reason to risk money' }),
  last_n: flag({ group: 'input', kind: 'integer', fallback: 0, min: 0, max: 1e9, help: 'judge the last so many final windows of the run, by number; 0 is all' }),
  allow_notes: flag({ group: 'input', kind: 'boolean', fallback: false, help: 'judge a live run in spite of what it notes: a feed from elsewhere than the exchange, a symbol that is not traded there' }),
  max_age_h: flag({ group: 'input', kind: 'number', fallback: 24, min: 0, max: 1e6, help: 'the newest window may have ended so many hours ago; 0 is any time' }),

  min_windows: flag({ group: 'gates', kind: 'integer', fallback: DEFAULT_THRESHOLDS.minWindows, min: 1, max: 1e9, help: 'final windows' }),
  min_fills: flag({ group: 'gates', kind: 'integer', fallback: DEFAULT_THRESHOLDS.minFills, min: 1, max: 1e9, help: 'fills whose markout is known' }),
  min_coverage: flag({ group: 'gates', kind: 'number', fallback: DEFAULT_THRESHOLDS.minCoverage, min: 0, max: 1, help: 'share of time with a trusted book, of the worst symbol; and of fills with a known markout, of messages with a known latency' }),
  min_maker_taker: flag({ group: 'gates', kind: 'number', fallback: DEFAULT_THRESHOLDS.minMakerTaker, min: 0, max: 1, help: 'maker_taker_ratio: maker share in notional' }),
  min_edge: flag({ group: 'gates', kind: 'number', fallback: DEFAULT_THRESHOLDS.minEdgeBps, min: -10_000, max: 10_000, help: 'net_bps, by its lower 95 % bound' }),
  max_latency: flag({ group: 'gates', kind: 'number', fallback: DEFAULT_THRESHOLDS.maxLatencyMs, min: 0, max: 1e6, help: 'p95_latency_ms, the uncertainty of the clock added' }),
  max_risk: flag({ group: 'gates', kind: 'number', fallback: DEFAULT_THRESHOLDS.maxRisk, min: 0, max: 1, help: 'risk_ratio: time-weighted |inventory| over its limit, of the worst symbol' }),
  max_drift: flag({ group: 'gates', kind: 'number', fallback: DEFAULT_THRESHOLDS.maxDriftMs, min: 0, max: 1e9, help: '|clock_drift_ms| at the end of a window, the largest' }),
  allow_raw_latency: flag({ group: 'gates', kind: 'boolean', fallback: false, help: 'where the clock offset was never measured, judge latency with the offset in it' }),

  fail_on_hold: flag({ group: 'output', kind: 'boolean', fallback: false, help: 'exit status 1 on HOLD. Where the artifacts themselves are at fault it is 1 in any case' }),
  fail_on_model_dependent: flag({ group: 'output', kind: 'boolean', fallback: false, help: 'exit status 1 on GO_MODEL_DEPENDENT too' }),
  summary_file: flag({ group: 'output', kind: 'text', fallback: undefined, placeholder: 'FILE', help: 'write a summary in Markdown there. In GitHub Actions it also goes to $GITHUB_STEP_SUMMARY' }),
  config: flag({ group: 'input', kind: 'text', fallback: undefined, placeholder: 'FILE', help: 'JSON file whose keys are these flags' }),
} as const satisfies Record<string, Flag>;
