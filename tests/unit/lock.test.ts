import { link, mkdtemp, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Lock, LockWorld } from '../../collector/src/artifacts/lock.ts';
import { holderOf, takeLock, tidyLock } from '../../collector/src/artifacts/lock.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shadow-lock-'));
  path = join(folder, '.shadow.lock');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Processes 1 to 99 are alive. */
const world = (pid: number, files: Partial<LockWorld['files']> = {}): LockWorld => ({
  files: { link, readFile, rm, unlink, writeFile, ...files },
  processes: { pid, isAlive: (id) => id < 100, held: new Set() },
});
const take = (own: LockWorld): Promise<Lock> => takeLock(path, (pid) => `process ${pid} is in the way`, own);

test('a lock of a live process blocks and names it, and one that was released does not', async () => {
  const lock = await take(world(1));
  expect(await holderOf(path, world(2))).toBe(1);
  await expect(take(world(2))).rejects.toThrow('process 1 is in the way');
  await lock.release();
  expect(await holderOf(path, world(2))).toBeUndefined();
  await (await take(world(2))).release();
  expect(await readdir(folder)).toEqual([]);
});

test('a process that holds a lock cannot take it a second time, and takes one that an earlier process of its id left', async () => {
  await writeFile(path, '1');
  const own = world(1);
  expect(await holderOf(path, own)).toBeUndefined();
  const lock = await take(own);
  expect(await holderOf(path, own)).toBe(1);
  await expect(take(own)).rejects.toThrow('process 1 is in the way');
  await lock.release();
  await (await take(own)).release();
});

test.each([
  { name: 'of a dead process', content: '100', takeover: undefined },
  { name: 'without content', content: '', takeover: undefined },
  { name: 'that is no lock', content: 'hello', takeover: undefined },
  { name: 'of a dead process, left in a takeover that was killed too', content: '100', takeover: '101' },
])('of forty takers of one stale lock $name exactly one wins', async ({ content, takeover }) => {
  for (let round = 0; round < 10; round++) {
    await writeFile(path, content);
    if (takeover !== undefined) await writeFile(`${path}.takeover`, takeover);
    const takers = Array.from({ length: 40 }, (_, index) => take(world(index + 1)));
    const locks = (await Promise.allSettled(takers)).filter((result) => result.status === 'fulfilled');
    expect(locks.length).toBe(1);
    expect(await readdir(folder)).toEqual(['.shadow.lock']);
    await locks[0]!.value.release();
  }
  expect(await readdir(folder)).toEqual([]);
});

test('a file system without hard links has locks all the same', async () => {
  const none = (): Promise<void> => Promise.reject(Object.assign(new Error('no links'), { code: 'EPERM' }));
  const lock = await take(world(1, { link: none }));
  await expect(take(world(2, { link: none }))).rejects.toThrow('process 1 is in the way');
  await lock.release();
  expect(await readdir(folder)).toEqual([]);
});

test('a lock that was removed by hand and made anew by another process is not released with the old one', async () => {
  const first = await take(world(1));
  await rm(path);
  await take(world(2));
  await first.release();
  expect(await readFile(path, 'utf8')).toBe('2');
});

test('a lock in a folder that is not there is an error', async () => {
  await expect(takeLock(join(folder, 'none', '.shadow.lock'), String)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('what interrupted attempts to take a lock left is removed, and nothing of one that is alive or of another lock', async () => {
  const left = [
    '.shadow.lock.500',
    '.shadow.lock.takeover.500',
    '.shadow.lock.takeover',
    '.shadow.lock.takeover.takeover',
  ];
  for (const name of left) await writeFile(join(folder, name), '500');
  await writeFile(join(folder, '.shadow.locked'), '500');
  await writeFile(join(folder, '.shadow-archive.lock.500'), '500');
  await tidyLock(folder, '.shadow.lock', await readdir(folder), world(1));
  expect((await readdir(folder)).sort()).toEqual(['.shadow-archive.lock.500', '.shadow.locked']);
  await writeFile(join(folder, '.shadow.lock.takeover'), '2');
  await tidyLock(folder, '.shadow.lock', await readdir(folder), world(1));
  expect(await readFile(join(folder, '.shadow.lock.takeover'), 'utf8')).toBe('2');
});
