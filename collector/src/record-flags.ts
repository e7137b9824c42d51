import { EXCHANGES } from './feed/exchanges.ts';
import type { Flag } from './flags.ts';
import { flag } from './flags.ts';

/** How a recording is cut; of `shadow run` too. */
// prettier-ignore
export const SEGMENT_FLAGS = {
  segment_s: flag({ group: 'input', kind: 'number', fallback: 600, min: 1, max: 86_400, help: 'a recording in a folder begins a new segment after so many seconds', results: false }),
  segment_mb: flag({ group: 'input', kind: 'number', fallback: 64, min: 0.01, max: 16_384, help: 'or after so many MiB, compressed', results: false }),
} as const satisfies Record<string, Flag>;

/** The flags of `shadow record`. */
// prettier-ignore
export const RECORD_FLAGS = {
  exchange: flag({ group: 'market', kind: 'choice', choices: [...EXCHANGES.keys()], fallback: 'bybit', help: 'exchange adapter: bybit is linear perpetuals' }),
  symbols: flag({ group: 'market', kind: 'list', fallback: ['BTCUSDT'], placeholder: 'A B | A,B', help: 'symbols as the exchange spells them' }),
  depth: flag({ group: 'market', kind: 'choice', choices: ['1', '50', '200'], fallback: '50', help: 'book levels a side; orderbook.1 comes along for the best price' }),
  ws_url: flag({ group: 'market', kind: 'url', choices: ['ws:', 'wss:'], fallback: undefined, placeholder: 'URL', help: 'WebSocket address instead of the exchange\'s own; that of shadow simulate, say' }),
  rest_url: flag({ group: 'market', kind: 'url', choices: ['http:', 'https:'], fallback: undefined, placeholder: 'URL', help: 'REST address (tick and lot sizes) instead of the exchange\'s own' }),
  clock_probes: flag({ group: 'market', kind: 'boolean', fallback: true, help: 'ask the exchange for its time every ten seconds: without it a replay does not know the clock offset' }),

  output: flag({ group: 'output', kind: 'text', fallback: 'recordings', placeholder: 'DIR', help: 'folder in which the session gets one of its own' }),
  segment_s: { ...SEGMENT_FLAGS.segment_s, group: 'output' },
  segment_mb: { ...SEGMENT_FLAGS.segment_mb, group: 'output' },
  duration: flag({ group: 'output', kind: 'number', fallback: 0, min: 0, max: 31_536_000, help: 'seconds to record; 0 is until stopped' }),
  log_level: flag({ group: 'output', kind: 'choice', choices: ['debug', 'info', 'warn', 'error', 'silent'], fallback: 'warn', help: 'messages on standard error, beside the progress' }),
  config: flag({ group: 'input', kind: 'text', fallback: undefined, placeholder: 'FILE', help: 'JSON file whose keys are these flags' }),
} as const satisfies Record<string, Flag>;
