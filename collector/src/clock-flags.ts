import { EXCHANGES } from './feed/exchanges.ts';
import type { Flag } from './flags.ts';
import { flag } from './flags.ts';

/** The flags of `shadow clock`. */
// prettier-ignore
export const CLOCK_FLAGS = {
  exchange: flag({ group: 'market', kind: 'choice', choices: [...EXCHANGES.keys()], fallback: 'bybit', help: 'whose clock to measure against' }),
  rest_url: flag({ group: 'market', kind: 'url', choices: ['http:', 'https:'], fallback: undefined, placeholder: 'URL', help: 'REST address instead of the exchange\'s own; that of shadow simulate, say' }),
  duration: flag({ group: 'windows', kind: 'integer', fallback: 60, min: 5, max: 86_400, help: 'seconds; a question a second. From 60 on the skew is told' }),
  limit_ms: flag({ group: 'output', kind: 'number', fallback: 100, min: 0, max: 1e9, help: 'an offset that is certainly larger is a finding: exit status 1' }),
  format: flag({ group: 'output', kind: 'choice', choices: ['text', 'json'], fallback: 'text', help: 'of the result, on standard output' }),
  config: flag({ group: 'input', kind: 'text', fallback: undefined, placeholder: 'FILE', help: 'JSON file whose keys are these flags' }),
} as const satisfies Record<string, Flag>;
