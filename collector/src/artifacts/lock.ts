import { link, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { codeOf, ShadowError } from '../errors.ts';

/** The run that writes to a folder, and the archive that takes from it. */
export const RUN_LOCK = '.shadow.lock';
export const ARCHIVE_LOCK = '.shadow-archive.lock';
/** Behind the name of a lock, what an interrupted attempt to take it leaves. */
const LEFTOVER = /^(\.takeover)*\.\d+$/;
const TAKEOVER = /^(\.takeover)+$/;

/** How often a lock that others take, free or take over at the same time is tried, and how long a takeover is waited for each time. */
const ATTEMPTS = 500;
const TAKEOVER_WAIT_MS = 10;
/** Of file systems without hard links. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

export interface Processes {
  readonly pid: number;
  isAlive(pid: number): boolean;
  /**
   * Locks that this process holds. One with its id that is not among them was left by an earlier process of the same id: that of a
   * container is 1 each time.
   */
  readonly held: Set<string>;
}

export interface LockWorld {
  readonly files: {
    readonly link: typeof link;
    readonly readFile: typeof readFile;
    readonly rm: typeof rm;
    readonly unlink: typeof unlink;
    readonly writeFile: typeof writeFile;
  };
  readonly processes: Processes;
}

export const systemProcesses: Processes = { pid: process.pid, isAlive, held: new Set() };
const SYSTEM: LockWorld = { files: { link, readFile, rm, unlink, writeFile }, processes: systemProcesses };

export interface Lock {
  release(): Promise<void>;
}

/** Throws SHADOW_ERR_OUTPUT with the sentence that `refusal` makes of the id of the live process that holds the lock. */
export async function takeLock(path: string, refusal: (pid: number) => string, world = SYSTEM): Promise<Lock> {
  const lock = await tryLock(path, world);
  if (typeof lock === 'number') throw new ShadowError('SHADOW_ERR_OUTPUT', refusal(lock));
  return lock;
}

/** The live process that holds a lock; undefined where none does. */
export async function holderOf(path: string, world = SYSTEM): Promise<number | undefined> {
  const { processes } = world;
  if (processes.held.has(resolve(path))) return processes.pid;
  const state = await stateOf(path, world);
  return typeof state === 'number' ? state : undefined;
}

/** Removes what interrupted attempts to take a lock have left, of the names that are in its folder. */
export async function tidyLock(folder: string, lock: string, names: readonly string[], world = SYSTEM): Promise<void> {
  const tails = names.filter((name) => name.startsWith(lock)).map((name) => name.slice(lock.length));
  for (const tail of tails) {
    if (LEFTOVER.test(tail)) await world.files.rm(join(folder, lock + tail), { force: true });
  }
  // The takeover of a takeover first: each is a lock.
  for (const tail of tails.filter((each) => TAKEOVER.test(each)).sort((a, b) => b.length - a.length)) {
    const stale = await tryLock(join(folder, lock + tail), world);
    if (typeof stale !== 'number') await stale.release();
  }
}

/** The lock, or the process that is in the way. */
async function tryLock(path: string, world: LockWorld): Promise<Lock | number> {
  const { held, pid } = world.processes;
  const key = resolve(path);
  if (held.has(key)) return pid;
  held.add(key);
  let blocker: number | undefined;
  try {
    blocker = await acquire(path, world);
  } catch (error) {
    held.delete(key);
    throw error;
  }
  if (blocker !== undefined) {
    held.delete(key);
    return blocker;
  }
  return {
    release: async () => {
      try {
        // Somebody may have removed the file by hand, and another process have made its own.
        if ((await contentOf(path, world)) === String(pid)) await world.files.unlink(path);
      } finally {
        held.delete(key);
      }
    },
  };
}

/**
 * Makes the lock's file; undefined when that is done. A stale one is removed by the holder of `<lock>.takeover` alone, who has looked again
 * and found it stale: nobody else could change it meanwhile, since its owner is dead. Killed there, the takeover is a stale lock itself.
 */
async function acquire(path: string, world: LockWorld): Promise<number | undefined> {
  let blocker: number | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await make(path, world)) return undefined;
    const state = await stateOf(path, world);
    if (typeof state === 'number') return state;
    if (state === 'free') continue;
    blocker = await removeStale(path, world);
    if (blocker !== undefined) await setTimeout(TAKEOVER_WAIT_MS);
  }
  if (blocker !== undefined) return blocker;
  throw new ShadowError('SHADOW_ERR_OUTPUT', `cannot take ${path}: it came and went ${ATTEMPTS} times`);
}

/** The process that is at it already, if one is. */
async function removeStale(path: string, world: LockWorld): Promise<number | undefined> {
  const guard = await tryLock(`${path}.takeover`, world);
  if (typeof guard === 'number') return guard;
  try {
    if ((await stateOf(path, world)) === 'stale') await world.files.rm(path, { force: true });
  } finally {
    await guard.release();
  }
  return undefined;
}

/** False where there is one. It appears with its content: an empty one would look stale to others. */
async function make(path: string, world: LockWorld): Promise<boolean> {
  const { files, processes } = world;
  const temporary = `${path}.${processes.pid}`;
  try {
    await files.writeFile(temporary, String(processes.pid));
    return await appear(temporary, path, world);
  } finally {
    await files.rm(temporary, { force: true }).catch(() => undefined); // It says nothing to anyone.
  }
}

async function appear(temporary: string, path: string, { files, processes }: LockWorld): Promise<boolean> {
  try {
    await files.link(temporary, path).catch(async (error: unknown) => {
      if (!NO_LINKS.has(codeOf(error) ?? '')) throw error;
      await files.writeFile(path, String(processes.pid), { flag: 'wx' });
    });
    return true;
  } catch (error) {
    // ENOENT: one who holds the lock tidied the temporary file away.
    if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Of a lock that this process does not hold. */
async function stateOf(path: string, world: LockWorld): Promise<number | 'stale' | 'free'> {
  const content = await contentOf(path, world);
  if (content === undefined) return 'free';
  const pid = Number(content);
  const { processes } = world;
  const alive = Number.isInteger(pid) && pid > 0 && pid !== processes.pid && processes.isAlive(pid);
  return alive ? pid : 'stale';
}

/** Undefined where there is no such file. */
async function contentOf(path: string, { files }: LockWorld): Promise<string | undefined> {
  try {
    return await files.readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
