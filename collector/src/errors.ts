/** Every error a user can meet, by code. `terminal` ones end the process; the others are retried or counted. */
export const ERROR_CODES = {
  SHADOW_ERR_USAGE: 'a flag, environment variable or configuration key is wrong',
  SHADOW_ERR_INPUT: 'a file cannot be read, or is not what it should be',
  SHADOW_ERR_OUTPUT: 'an artifact or recording cannot be written',
  SHADOW_ERR_INSTRUMENTS: 'tick and lot sizes of a symbol are not to be had',
  SHADOW_ERR_CONNECTION: 'the connection to the exchange failed',
  SHADOW_ERR_PORT: 'a port cannot be opened',
  SHADOW_ERR_SCHEMA: 'a document does not follow its schema',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export const EXIT = { fine: 0, findings: 1, usage: 2, io: 3 } as const;

export class ShadowError extends Error {
  readonly code: ErrorCode;
  readonly terminal: boolean;

  /** `message` says what was expected, what came and where. */
  constructor(code: ErrorCode, message: string, options: { terminal?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ShadowError';
    this.code = code;
    this.terminal = options.terminal ?? true;
  }

  get exitCode(): number {
    return this.code === 'SHADOW_ERR_USAGE' ? EXIT.usage : EXIT.io;
  }
}

/** A sentence from anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The code of a system error, ENOENT say. */
export const codeOf = (error: unknown): string | undefined => {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
};
