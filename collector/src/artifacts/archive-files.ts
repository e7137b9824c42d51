import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf, ShadowError } from '../errors.ts';

type NodeFiles = Pick<
  typeof fs,
  'copyFile' | 'link' | 'lstat' | 'mkdir' | 'readFile' | 'rename' | 'rm' | 'rmdir' | 'unlink' | 'writeFile'
>;

export interface FolderEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'other';
}

/** Every call that an archive makes to the file system. */
export interface ArchiveFiles extends NodeFiles {
  /** What is in a folder, by lstat: a symbolic link is `other`, whatever it leads to. */
  list(folder: string): Promise<FolderEntry[]>;
  /** Waits until a file, or the names in a folder, are on disk. */
  sync(path: string): Promise<void>;
}

export const systemFiles: ArchiveFiles = {
  ...fs,
  list: async (folder) => {
    const entries = await fs.readdir(folder, { withFileTypes: true });
    return entries.map((entry) => ({
      name: entry.name,
      kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'other',
    }));
  },
  sync: async (path) => {
    const handle = await fs.open(path, 'r');
    await handle.sync().finally(() => handle.close());
  },
};

/**
 * Moves a file; never over another. Killed at any moment, it is whole at one of the two places or at both. The caller syncs the folders,
 * except where they are of two file systems: there the copy is safe on disk before the original goes.
 */
export async function moveFile(from: string, to: string, files: ArchiveFiles): Promise<void> {
  await refuseExisting(to, files);
  try {
    await files.rename(from, to);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    await copyWhole(from, to, files);
    await files.sync(dirname(to));
    await files.unlink(from);
  }
}

/** A copy that is there whole or not at all; never over another file. */
export async function copyWhole(from: string, to: string, files: ArchiveFiles): Promise<void> {
  await refuseExisting(to, files);
  const temporary = join(dirname(to), `.${basename(to)}.${process.pid}.tmp`);
  try {
    await files.copyFile(from, temporary, constants.COPYFILE_EXCL);
    await files.sync(temporary);
    await files.rename(temporary, to);
  } catch (error) {
    await files.rm(temporary, { force: true }).catch(() => undefined); // The first error is the one to tell.
    throw error;
  }
}

async function refuseExisting(path: string, files: ArchiveFiles): Promise<void> {
  if (await isThere(path, files)) throw new ShadowError('SHADOW_ERR_OUTPUT', `${path} is there already`);
}

/** Whether there is anything of that name. */
export const isThere = async (path: string, files: ArchiveFiles): Promise<boolean> =>
  (await lstatOf(path, files)) !== undefined;

/** Undefined where there is nothing of that name. */
export async function lstatOf(
  path: string,
  files: ArchiveFiles,
): Promise<{ readonly size: number; isFile(): boolean } | undefined> {
  try {
    return await files.lstat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
