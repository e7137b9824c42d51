import type { Flag } from './flags.ts';
import { flag } from './flags.ts';

/** The flags of `shadow report`. */
// prettier-ignore
export const REPORT_FLAGS = {
  src: flag({ group: 'input', kind: 'text', fallback: 'artifacts/shadow/latest', placeholder: 'DIR', help: 'folder of artifacts' }),
  last_n: flag({ group: 'input', kind: 'integer', fallback: 8, min: 1, max: 1e9, help: 'put the last so many final windows together, by number; an interval needs eight windows with fills' }),
  out: flag({ group: 'output', kind: 'text', fallback: undefined, placeholder: 'DIR', help: 'folder of the reports. Default: reports/analysis below --src' }),
  config: flag({ group: 'input', kind: 'text', fallback: undefined, placeholder: 'FILE', help: 'JSON file whose keys are these flags' }),
} as const satisfies Record<string, Flag>;
