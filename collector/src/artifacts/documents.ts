import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, basename } from 'node:path';
import { messageOf, ShadowError } from '../errors.ts';

/**
 * Writes a document whole or not at all: to a temporary file beside it, synced, renamed. Makes the folder where it is missing. Throws
 * SHADOW_ERR_OUTPUT where it cannot; what was there before is then still there.
 */
export function writeDocument(path: string, text: string): void {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`);
  try {
    mkdirSync(folder, { recursive: true });
    const descriptor = openSync(temporary, 'w', 0o644);
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
    syncFolder(folder);
  } catch (cause) {
    removeLeftover(temporary);
    throw new ShadowError('SHADOW_ERR_OUTPUT', `cannot write ${path}: ${messageOf(cause)}`, { cause });
  }
}

/** The error that came first is the one to tell. */
function removeLeftover(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // A temporary file that cannot be removed is hidden, and overwritten by the next attempt.
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
