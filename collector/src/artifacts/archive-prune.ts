import { join } from 'node:path';
import type { ArchiveOptions, ArchiveWorld } from './archive.ts';
import { lstatOf } from './archive-files.ts';
import type { Archive } from './archive-plan.ts';
import { ARCHIVE_FOLDER, archivesToPrune, DELETING, isArchived } from './archive-plan.ts';

/** Removes old archives as far as limits ask for it. `made` is the one just made, in a dry run the one that would have been. */
export async function prune(options: ArchiveOptions, world: ArchiveWorld, made: Archive | undefined): Promise<void> {
  const { dstRoot, dryRun, maxArchives, maxBytes } = options;
  if (maxArchives === 0 && maxBytes === 0) return;
  const { files, print } = world;
  const entries = (await lstatOf(dstRoot, files)) === undefined ? [] : await files.list(dstRoot);
  const folders = entries.filter(({ kind }) => kind === 'folder').map(({ name }) => name);
  const archives: Archive[] = [];
  const foreign: string[] = [];
  for (const name of folders.filter((each) => ARCHIVE_FOLDER.test(each)).sort()) {
    const archive = await readArchive(options, name, world);
    if (archive === undefined) foreign.push(name);
    else archives.push(archive);
  }
  for (const name of folders.filter(isDeleting).sort()) {
    const leftover = await readArchive(options, name, world);
    if (leftover === undefined) foreign.push(name);
    else await remove(leftover, options, world);
  }
  if (foreign.length > 0) {
    print(`[WARN] Not removed, holding files that are not of an archive: ${inFolder(dstRoot, foreign)}`);
  }
  if (dryRun && made !== undefined) archives.push(made);
  for (const archive of archivesToPrune(archives, options, made?.name)) await remove(archive, options, world);
}

const isDeleting = (name: string): boolean =>
  name.startsWith(DELETING) && ARCHIVE_FOLDER.test(name.slice(DELETING.length));

const inFolder = (folder: string, names: readonly string[]): string =>
  names.map((name) => join(folder, name)).join(', ');

/** Undefined where it holds anything that an archive never put there. Its bytes are asked for only where they are limited. */
async function readArchive(
  { dstRoot, maxBytes }: ArchiveOptions,
  name: string,
  { files }: ArchiveWorld,
): Promise<Archive | undefined> {
  const entries = await files.list(join(dstRoot, name));
  if (!entries.every(isArchived)) return undefined;
  const archive = { name, files: entries.map((entry) => entry.name), bytes: 0 };
  return maxBytes === 0 ? archive : { ...archive, bytes: await bytesOf(pathsOf(dstRoot, archive), files) };
}

const pathsOf = (root: string, { name, files }: Archive): string[] => files.map((file) => join(root, name, file));

/** Bytes of files, as far as they are there. */
export async function bytesOf(paths: readonly string[], files: ArchiveWorld['files']): Promise<number> {
  let bytes = 0;
  for (const path of paths) bytes += (await lstatOf(path, files))?.size ?? 0;
  return bytes;
}

/** File by file, so that what came into the folder meanwhile stays, and the folder with it. */
async function remove(archive: Archive, { dstRoot, dryRun }: ArchiveOptions, world: ArchiveWorld): Promise<void> {
  const { files, print } = world;
  const path = join(dstRoot, archive.name);
  const bytes = await bytesOf(pathsOf(dstRoot, archive), files);
  const size = `(${archive.files.length} files, ${bytes} bytes)`;
  if (dryRun) {
    print(`[DRY-RUN] Would remove ${path} ${size}`);
    return;
  }
  const leaving = archive.name.startsWith(DELETING) ? path : join(dstRoot, DELETING + archive.name);
  if (leaving !== path) await files.rename(path, leaving);
  for (const name of archive.files) await files.unlink(join(leaving, name));
  await files.rmdir(leaving);
  await files.sync(dstRoot);
  print(`[PRUNE] Removed ${path} ${size}`);
}
