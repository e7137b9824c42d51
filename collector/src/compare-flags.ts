import type { Flag } from './flags.ts';
import { flag } from './flags.ts';

/** The flags of `shadow compare`. */
// prettier-ignore
export const COMPARE_FLAGS = {
  a: flag({ group: 'input', kind: 'text', fallback: undefined, placeholder: 'DIR', help: 'folder of artifacts, the first argument: what is compared against' }),
  b: flag({ group: 'input', kind: 'text', fallback: undefined, placeholder: 'DIR', help: 'folder of artifacts, the second argument: what is compared' }),
  max_net_bps: flag({ group: 'gates', kind: 'number', fallback: 0.5, min: 0, max: 10_000, help: 'net_bps agrees if its difference certainly is within this' }),
  max_maker_taker_ratio: flag({ group: 'gates', kind: 'number', fallback: 0.05, min: 0, max: 1, help: 'the same for maker_taker_ratio' }),
  max_p95_latency_ms: flag({ group: 'gates', kind: 'number', fallback: 50, min: 0, max: 1e6, help: 'the same for the p95 latency of windows, window by window' }),
  max_risk_ratio: flag({ group: 'gates', kind: 'number', fallback: 0.05, min: 0, max: 1, help: 'the same for risk_ratio' }),
  out: flag({ group: 'output', kind: 'text', fallback: undefined, placeholder: 'FILE', help: 'write the comparison there, as JSON' }),
  config: flag({ group: 'input', kind: 'text', fallback: undefined, placeholder: 'FILE', help: 'JSON file whose keys are these flags' }),
} as const satisfies Record<string, Flag>;
