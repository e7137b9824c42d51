import type { Flag } from './flags.ts';
import { flag } from './flags.ts';
import { LISTED_SYMBOLS } from './simulator/markets.ts';
import { SCENARIO_NAMES } from './simulator/scenario.ts';

/** The flags of `shadow simulate`. */
// prettier-ignore
export const SIMULATE_FLAGS = {
  symbols: flag({ group: 'market', kind: 'list', fallback: [...LISTED_SYMBOLS], placeholder: 'A B | A,B', help: 'what the exchange lists; SIM1USDT to SIM9999USDT are there for load' }),
  seed: flag({ group: 'market', kind: 'integer', fallback: 1, min: 0, max: 4_294_967_295, help: 'the same seed gives the same market' }),
  scenario: flag({ group: 'market', kind: 'scenario', fallback: 'calm', placeholder: 'NAME[:START[+LENGTH]],…', help: `what happens, as latency-high:60s+120s: ${SCENARIO_NAMES.join(', ')}` }),
  cancel_law: flag({ group: 'market', kind: 'choice', choices: ['uniform', 'back-heavy'], fallback: 'back-heavy', help: 'which orders of a queue are cancelled: any, or mostly young ones' }),

  host: flag({ group: 'output', kind: 'text', fallback: '127.0.0.1', placeholder: 'HOST', help: 'address to listen on' }),
  port: flag({ group: 'output', kind: 'integer', fallback: 9_110, min: 0, max: 65_535, help: 'its port, for WebSocket and REST; 0 takes a free one and prints it' }),
  record: flag({ group: 'output', kind: 'text', fallback: undefined, placeholder: 'FILE', help: 'no server: write what a client would receive here (.jsonl.br), in virtual time, for shadow run --replay' }),
  seconds: flag({ group: 'output', kind: 'number', fallback: 3_600, min: 1, max: 604_800, help: 'length of the recording, in seconds of the market' }),
  start: flag({ group: 'output', kind: 'time', fallback: '2026-01-01T00:00:00Z', placeholder: 'TIME', help: 'UTC time at which the recording begins' }),
  depth: flag({ group: 'output', kind: 'choice', choices: ['1', '50', '200'], fallback: '50', help: 'book levels a side of the recording; orderbook.1 comes along' }),
  config: flag({ group: 'input', kind: 'text', fallback: undefined, placeholder: 'FILE', help: 'JSON file whose keys are these flags' }),
} as const satisfies Record<string, Flag>;
