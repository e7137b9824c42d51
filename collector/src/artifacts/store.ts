import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { IterSummary } from '../../../schema/types.gen.js';
import { messageOf, ShadowError } from '../errors.ts';
import type { Us } from '../units.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';
import type { Lock } from './lock.ts';
import { RUN_LOCK, takeLock, tidyLock } from './lock.ts';
import { iterSummaryValidator, validated } from './validate.ts';
import { iterationOf, iterFileName, TEMPORARY_FILE } from './window-files.ts';

/** Documents that could not be written and wait for the next attempt; beyond this the oldest are given up, and counted. */
export const MAX_WAITING_DOCUMENTS = 1_000;

export interface StoreEvents {
  onError(file: string, error: unknown): void;
}

/**
 * The folder of artifacts. A document is there whole or not at all: it is written to a temporary file, synced, renamed. One process
 * writes at a time. What the disk refuses is kept and tried again with the next document, so a full disk delays artifacts but does
 * not stop the run.
 */
export class ArtifactStore {
  readonly folder: string;
  readonly #events: StoreEvents;
  readonly #lock: Lock;
  readonly #waiting = new Map<string, string>();
  #writing: Promise<void> = Promise.resolve();
  #closing: Promise<number> | undefined;
  writeErrors = 0;
  givenUp = 0;

  private constructor(folder: string, lock: Lock, events: StoreEvents) {
    this.folder = folder;
    this.#lock = lock;
    this.#events = events;
  }

  /** Throws SHADOW_ERR_OUTPUT when the folder cannot be made or another live process writes to it. */
  static async open(folder: string, events: StoreEvents): Promise<ArtifactStore> {
    const path = join(folder, RUN_LOCK);
    let lock: Lock | undefined;
    try {
      await mkdir(folder, { recursive: true });
      lock = await takeLock(path, (pid) => inTheWay(pid, path));
      const names = await readdir(folder);
      for (const name of names) if (TEMPORARY_FILE.test(name)) await rm(join(folder, name), { force: true });
      await tidyLock(folder, RUN_LOCK, names);
    } catch (cause) {
      await lock?.release().catch(() => undefined); // The first error is the one to tell.
      if (cause instanceof ShadowError) throw cause;
      throw new ShadowError('SHADOW_ERR_OUTPUT', `cannot write artifacts to ${folder}: ${messageOf(cause)}`, { cause });
    }
    return new ArtifactStore(folder, lock, events);
  }

  /** Numbers of the windows in the folder, ascending by number. */
  iterations(): number[] {
    const numbers = readdirSync(this.folder).map(iterationOf);
    return numbers.filter((number) => number !== undefined).sort((a, b) => a - b);
  }

  /**
   * The number of a run's first window: behind everything there is, or, where the folder already holds windows of this very run (a replay
   * made again), where it began, whether its first windows are still there or have been archived. Files that cannot be read as windows are
   * left alone and their numbers not used again. Reads the folder synchronously: it happens once, before the first window is written.
   */
  firstIteration(runId: string, startUs: Us): number {
    const numbers = this.iterations();
    for (const number of numbers) {
      try {
        const window = readIterSummary(join(this.folder, iterFileName(number)));
        if (window.run_id === runId) return number - Math.min(number - 1, indexOf(window, startUs));
      } catch (error) {
        this.#events.onError(iterFileName(number), error);
      }
    }
    return (numbers.at(-1) ?? 0) + 1;
  }

  /** Queues a document, given as the text it is to be; never rejects. Documents of one name: the last wins. */
  write(name: string, text: string): void {
    this.#waiting.delete(name);
    this.#waiting.set(name, text);
    if (this.#waiting.size > MAX_WAITING_DOCUMENTS) {
      this.#waiting.delete(this.#waiting.keys().next().value!);
      this.givenUp++;
    }
    this.#writing = this.#writing.then(() => this.#writeWaiting());
  }

  /** Does something with the folder between two writes; what goes wrong is counted and told like a document that was refused. */
  between(name: string, work: () => Promise<void>): void {
    this.#writing = this.#writing.then(work).catch((error: unknown) => {
      this.writeErrors++;
      this.#events.onError(name, error);
    });
  }

  /**
   * Waits for every queued document, tries once more for those that failed, and gives the folder free. Returns how many are lost; a
   * second call does nothing more.
   */
  async close(): Promise<number> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<number> {
    await this.#writing;
    await this.#writeWaiting();
    await this.#lock.release().catch((error: unknown) => this.#events.onError(RUN_LOCK, error));
    return this.#waiting.size + this.givenUp;
  }

  async #writeWaiting(): Promise<void> {
    for (const [name, text] of [...this.#waiting]) {
      try {
        await writeAtomically(this.folder, name, text);
        if (this.#waiting.get(name) === text) this.#waiting.delete(name);
      } catch (error) {
        this.writeErrors++;
        this.#events.onError(name, error);
        return; // The rest would fail alike; all of it is tried again with the next document.
      }
    }
  }
}

/** Reads and validates one window. Throws SHADOW_ERR_INPUT where the file or its JSON is broken, SHADOW_ERR_SCHEMA otherwise. */
export function readIterSummary(path: string): IterSummary {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new ShadowError('SHADOW_ERR_INPUT', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
  return validated(iterSummaryValidator, value, path);
}

/** Which window of its run it is, from 0 on, by its end. One that was cut short does not tell, and is taken for the first. */
function indexOf({ timestamp, duration_seconds: seconds, cut_short: cutShort }: IterSummary, startUs: Us): number {
  if (cutShort || seconds === 0) return 0;
  const index = Math.round((Date.parse(timestamp) * US_PER_MS - startUs) / (seconds * US_PER_S)) - 1;
  return Math.max(0, index);
}

async function writeAtomically(folder: string, name: string, text: string): Promise<void> {
  const temporary = join(folder, `.${name}.${process.pid}.tmp`);
  try {
    const file = await open(temporary, 'w', 0o644);
    try {
      await file.writeFile(text, 'utf8');
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(folder, name));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // The first error is the one to tell.
    throw error;
  }
  const directory = await open(folder, 'r');
  await directory.sync().finally(() => directory.close());
}

const inTheWay = (pid: number, path: string): string =>
  `process ${pid} already writes there (${path}); give this run an --output of its own, or remove that file if process ${pid} is no run`;
