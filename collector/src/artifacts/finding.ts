import type { Finding as PublishedFinding } from '../../../schema/types.gen.js';

/** What can be wrong with a folder of artifacts, by code. Each of them is a reason to HOLD. */
export const FINDING_CODES = {
  no_folder: 'the folder is not there or cannot be listed',
  no_windows: 'the folder holds no window',
  foreign_name: 'a file is named like a window but is none',
  not_a_file: 'a window is no regular file: a link, a folder, a pipe',
  unreadable: 'a file cannot be read',
  malformed: 'a file is no JSON',
  schema: 'a file does not follow its schema',
  old_schema: 'a file was written for another schema version',
  wrong_number: 'the number in a file is not that of its name',
  contradiction: 'numbers of a window contradict each other',
  not_shadow: 'a window is of another mode than shadow',
  wrong_source: 'windows are of another source than asked for',
  mixed_run: 'windows are of different runs',
  missing_window: 'a window is missing between two others',
  time_gap: 'windows do not follow each other in time',
  provisional: 'a window inside the run never became final',
  no_run_summary: 'the run summary is missing',
  foreign_run_summary: 'the run summary is of another run',
  noted: 'the run itself notes that something about it is not as a live run should be',
  stale: 'the newest window is too old',
  future: 'the newest window lies in the future',
  not_finished: 'the audit did not come to its end',
  usage: 'the audit was called with flags that it does not understand',
} as const;
export type FindingCode = keyof typeof FINDING_CODES;

/** One thing that is wrong, and where. */
export interface Finding {
  readonly code: FindingCode;
  /** What was expected and what came. */
  readonly message: string;
  /** Name within the folder. */
  readonly file?: string;
  /** Place within the file, as a JSON pointer (RFC 6901). */
  readonly pointer?: string;
}

/** A finding, or another reason that is told like one. */
export type Described = Omit<Finding, 'code'> & { readonly code: string };

/** A finding as artifacts hold it: null where it names no place. */
export const published = ({ code, message, file, pointer }: Described): PublishedFinding => ({
  code,
  message,
  file: file ?? null,
  pointer: pointer ?? null,
});

/** In one line: where, and what. */
export const describeFinding = ({ file, pointer, message, code }: Described | PublishedFinding): string =>
  `${file === undefined || file === null ? '' : `${file}${pointer ?? ''}: `}${message} (${code})`;
