import type { Logger } from 'pino';
import { destination, pino, stdTimeFunctions } from 'pino';

export type { Logger } from 'pino';

/** Messages go to standard error as JSON lines; standard output is for results. Synchronous, so that the last words are not lost. */
export const createLogger = (level: string): Logger =>
  pino({ level, base: null, timestamp: stdTimeFunctions.isoTime }, destination({ dest: 2, sync: true }));
