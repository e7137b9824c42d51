import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { IterSummary } from '../../../schema/types.gen.js';
import { messageOf } from '../errors.ts';
import { contradictionsOf } from './contradictions.ts';
import type { Finding } from './finding.ts';
import { SCHEMA_VERSION } from './run-artifacts.ts';
import type { Validator } from './validate.ts';
import { iterSummaryValidator } from './validate.ts';
import { iterationOf, iterFileName } from './window-files.ts';

/** A window's artifact is some kilobytes a symbol. What is larger than this is none. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Names that a window was probably meant to have, whether or not it has it. */
const LIKE_A_WINDOW = /^iter_?summary.*json/i;

export interface WindowList {
  /** Numbers of the windows, ascending by number. */
  readonly numbers: readonly number[];
  readonly findings: readonly Finding[];
}

/** The windows in a folder, without reading one. */
export function listWindows(folder: string): WindowList {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    return { numbers: [], findings: [{ code: 'no_folder', message: `cannot list the folder: ${messageOf(error)}` }] };
  }
  const numbers: number[] = [];
  const findings: Finding[] = [];
  for (const name of names) {
    const number = iterationOf(name);
    if (number !== undefined) numbers.push(number);
    else if (LIKE_A_WINDOW.test(name)) {
      findings.push({
        code: 'foreign_name',
        file: name,
        message: 'expected ITER_SUMMARY_<n>.json, n without leading zeros',
      });
    }
  }
  return { numbers: numbers.sort((a, b) => a - b), findings };
}

/** A document of a folder, or what is wrong with it. */
export type Read<T> = { readonly value: T } | Unreadable;

interface Unreadable {
  readonly findings: readonly Finding[];
  /** The run that the document says it is of, as far as that can be read. */
  readonly runId?: string | undefined;
}

/** Reads a window and looks whether it is one: a regular file, JSON, its schema, its number, and numbers that agree with each other. */
export function readWindow(folder: string, number: number): Read<IterSummary> {
  const read = readAnyWindow(folder, number);
  if ('findings' in read) return read;
  const { mode } = read.value;
  if (mode === 'shadow') return read;
  const file = iterFileName(number);
  return { findings: [{ code: 'not_shadow', file, pointer: '/mode', message: `expected shadow, got ${mode}` }] };
}

/** The same of a shadow run, or of a soak run, of which only the seed's fields are there. */
export function readAnyWindow(folder: string, number: number): Read<IterSummary> {
  const file = iterFileName(number);
  const read = readDocument<IterSummary>(folder, file, iterSummaryValidator);
  if ('findings' in read) return read;
  const { value } = read;
  if (value.iteration !== number) {
    const message = `expected ${number} as in its name, got ${value.iteration}`;
    return { findings: [{ code: 'wrong_number', file, pointer: '/iteration', message }] };
  }
  if (value.mode !== 'shadow') return read;
  const findings = contradictionsOf(value).map((each) => ({ code: 'contradiction' as const, file, ...each }));
  return findings.length > 0 ? { findings } : read;
}

/** Reads a JSON document of ours, and checks it against its schema. */
export function readDocument<T>(folder: string, file: string, validate: Validator<T>): Read<T> {
  const text = readRegularFile(join(folder, file));
  if (typeof text !== 'string') return { findings: [{ file, ...text }] };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { findings: [{ code: 'malformed', file, message: `expected JSON: ${messageOf(error)}` }] };
  }
  if (validate(value)) return { value };
  const { schema_version: version, run_id: given } = (value ?? {}) as { schema_version?: unknown; run_id?: unknown };
  const runId = typeof given === 'string' ? given : undefined;
  if (typeof version === 'number' && version !== SCHEMA_VERSION) {
    const message = `expected schema version ${SCHEMA_VERSION}, got ${version}: made by another version of the program (schema/MIGRATIONS.md)`;
    return { findings: [{ code: 'old_schema', file, pointer: '/schema_version', message }], runId };
  }
  const findings = validate.errors.map(({ instancePath, message, params }): Finding => {
    const detail = JSON.stringify(params);
    return { code: 'schema', file, pointer: instancePath, message: `${message ?? 'is wrong'} ${detail}` };
  });
  return { findings, runId };
}

/** The text of a regular file, or why there is none. A link is not followed, a pipe not waited for. */
function readRegularFile(path: string): string | Pick<Finding, 'code' | 'message'> {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return { code: 'not_a_file', message: 'expected a regular file' };
    if (stat.size > MAX_BYTES) {
      return { code: 'malformed', message: `expected at most ${MAX_BYTES} bytes, got ${stat.size}` };
    }
    const bytes = Buffer.allocUnsafe(stat.size);
    let length = 0;
    while (length < bytes.length) {
      const count = readSync(descriptor, bytes, length, bytes.length - length, null);
      if (count === 0) break;
      length += count;
    }
    const content = bytes.subarray(0, length);
    return isUtf8(content) ? content.toString('utf8') : { code: 'malformed', message: 'expected UTF-8' };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') return { code: 'not_a_file', message: 'expected a regular file, got a symbolic link' };
    return { code: 'unreadable', message: messageOf(error) };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
