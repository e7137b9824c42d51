import type { FlagInputs } from '../flags.ts';
import type { Clock } from '../system-clock.ts';

/** What a command takes from the world outside. */
export interface CommandDeps extends Omit<FlagInputs, 'argv'> {
  readonly clock: Clock;
  /** A line of the result, on standard output. */
  readonly print: (line: string) => void;
  /** A passing message, on standard error. */
  readonly say: (line: string) => void;
  /** Aborted by SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}
