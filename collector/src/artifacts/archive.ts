import { join } from 'node:path';
import { codeOf, messageOf, ShadowError } from '../errors.ts';
import type { Clock } from '../system-clock.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';
import type { ArchiveFiles } from './archive-files.ts';
import { copyWhole, isThere, lstatOf, moveFile } from './archive-files.ts';
import type { Archive, ArchivePlan } from './archive-plan.ts';
import { planArchive } from './archive-plan.ts';
import { bytesOf, prune } from './archive-prune.ts';
import type { LockWorld } from './lock.ts';
import { ARCHIVE_LOCK, holderOf, RUN_LOCK, takeLock, tidyLock } from './lock.ts';
import { isoOf } from './run-artifacts.ts';
import { AUDIT_FILE, iterationOf, iterFileName, REPORT_FOLDER, SNAPSHOT_FILE } from './window-files.ts';

export interface ArchiveOptions {
  readonly src: string;
  /** Where the folders ts-YYYYMMDD_HHMMSS are made. */
  readonly dstRoot: string;
  /** Windows that stay: those of the highest numbers. */
  readonly maxKeep: number;
  /** Newest archive folders that stay, and bytes that they may have together; 0 is no limit. */
  readonly maxArchives: number;
  readonly maxBytes: number;
  /** Tell what would be done, and touch nothing. */
  readonly dryRun: boolean;
}

export interface ArchiveWorld extends LockWorld {
  readonly files: ArchiveFiles;
  readonly clock: Pick<Clock, 'wallUs'>;
  readonly wait: (ms: number) => Promise<void>;
  readonly print: (line: string) => void;
  /** Stops it between two files. */
  readonly signal: AbortSignal;
}

/** How long a name for the archive folder that is not taken is waited for. */
const MAX_WAIT_SECONDS = 30;

const REPORTS = [
  { file: SNAPSHOT_FILE, label: 'Snapshot' },
  { file: AUDIT_FILE, label: 'Audit summary' },
] as const;

/**
 * Moves old windows into a folder of their own. Killed at any moment, each file is whole in the one folder or in the other, and the next
 * archive goes on. Throws SHADOW_ERR_OUTPUT where another archive is at it, or the disk refuses.
 */
export async function archive(options: ArchiveOptions, world: ArchiveWorld): Promise<void> {
  const { src, dryRun } = options;
  try {
    if (!(await isThere(src, world.files))) {
      world.print(`[SKIP] Source directory not found: ${src}`);
      return;
    }
    if (dryRun) {
      await rotate(options, world);
      return;
    }
    const path = join(src, ARCHIVE_LOCK);
    const lock = await takeLock(path, (pid) => inTheWay(pid, path), world);
    try {
      await rotate(options, world);
    } finally {
      // Left behind it is stale, and the next archive takes it over.
      await lock.release().catch(() => undefined);
    }
  } catch (cause) {
    if (cause instanceof ShadowError) throw cause;
    throw new ShadowError('SHADOW_ERR_OUTPUT', `cannot archive ${src}: ${messageOf(cause)}`, { cause });
  }
}

const inTheWay = (pid: number, path: string): string =>
  `process ${pid} already archives there (${path}); let it finish, or remove that file if process ${pid} is no archive`;

async function rotate(options: ArchiveOptions, world: ArchiveWorld): Promise<void> {
  const { src, maxKeep } = options;
  const { files, print } = world;
  const entries = await files.list(src);
  const names = entries.map(({ name }) => name);
  if (!options.dryRun) await tidyLock(src, ARCHIVE_LOCK, names, world);
  const whole = planArchive(entries, maxKeep);
  print(
    whole.found === 0
      ? `[SKIP] No ITER_SUMMARY files found in ${src}`
      : `[INFO] Found ${whole.found} ITER_SUMMARY files`,
  );
  if (whole.strangers.length > 0) {
    print(`[WARN] Left in place, no files of windows: ${whole.strangers.join(', ')}`);
  }
  if (whole.found === 0) return;
  if (whole.windows.length === 0) {
    print(`[SKIP] No rotation needed (count=${whole.found} <= max_keep=${maxKeep})`);
    return prune(options, world, undefined);
  }
  const held = await provisionalAmong(whole.windows, src, world);
  for (const number of held) print(`[SKIP] ${iterFileName(number)} is still provisional`);
  const plan = held.size === 0 ? whole : planArchive(entries, maxKeep, held);
  let made: Archive | undefined;
  if (plan.windows.length > 0)
    made = options.dryRun ? await rehearse(plan, options, world) : await move(plan, options, world);
  return prune(options, world, made);
}

/** Windows that a live run is still to write again. A file that cannot be read as one is no such window. */
async function provisionalAmong(windows: readonly number[], src: string, world: ArchiveWorld): Promise<Set<number>> {
  const provisional = new Set<number>();
  if ((await holderOf(join(src, RUN_LOCK), world)) === undefined) return provisional;
  for (const number of windows) {
    if (isProvisional(await world.files.readFile(join(src, iterFileName(number)), 'utf8'))) provisional.add(number);
  }
  return provisional;
}

function isProvisional(text: string): boolean {
  try {
    const window = JSON.parse(text) as { readonly provisional?: unknown; readonly cut_short?: unknown } | null;
    return window?.provisional === true && window.cut_short !== true;
  } catch {
    return false; // Not JSON: it is moved like any other, not judged.
  }
}

async function move(plan: ArchivePlan, options: ArchiveOptions, world: ArchiveWorld): Promise<Archive> {
  const { src, dstRoot } = options;
  const { files, print, signal } = world;
  const name = await makeFolder(dstRoot, world);
  const folder = join(dstRoot, name);
  let [moved, windows] = [0, 0];
  try {
    print(`[ROTATE] Moving ${plan.windows.length} files to ${folder}`);
    await files.sync(dstRoot);
    for (const { file, label } of await reportsOf(src, world)) {
      await copyWhole(join(src, REPORT_FOLDER, file), join(folder, file), files);
      print(`[COPY] ${label} copied to archive`);
    }
    for (const file of plan.files) {
      if (signal.aborted) throw new Error('it was stopped');
      await moveFile(join(src, file), join(folder, file), files);
      moved++;
      if (iterationOf(file) !== undefined) windows++;
    }
    await files.sync(folder);
    await files.sync(src);
  } catch (cause) {
    if (moved === 0) await discard(folder, world);
    const done = `${windows} of ${plan.windows.length} ITER_SUMMARY files are in ${folder}`;
    const message = `cannot archive ${src}: ${messageOf(cause)}; ${done}, the others where they were. Run it again once that is solved`;
    throw new ShadowError('SHADOW_ERR_OUTPUT', message, { cause });
  }
  print(`[OK] Archived ${windows} files`);
  print(`[OK] Kept ${plan.found - windows} most recent files`);
  return { name, files: plan.files, bytes: 0 };
}

/** The folder's name. It is one of our own: where the second's is taken, the next second's is waited for. */
async function makeFolder(dstRoot: string, { files, clock, wait }: ArchiveWorld): Promise<string> {
  await files.mkdir(dstRoot, { recursive: true });
  for (let second = 0; second < MAX_WAIT_SECONDS; second++) {
    const nowUs = clock.wallUs();
    const name = archiveName(nowUs);
    try {
      await files.mkdir(join(dstRoot, name));
      return name;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      await wait(Math.ceil((US_PER_S - (nowUs % US_PER_S)) / US_PER_MS));
    }
  }
  throw new ShadowError('SHADOW_ERR_OUTPUT', `no free name for an archive in ${dstRoot} for ${MAX_WAIT_SECONDS} s`);
}

/** ts-YYYYMMDD_HHMMSS, UTC. */
export function archiveName(wallUs: number): string {
  const [date, time] = isoOf(wallUs).split('T') as [string, string];
  return `ts-${date.replaceAll('-', '')}_${time.slice(0, 8).replaceAll(':', '')}`;
}

async function reportsOf(src: string, { files }: ArchiveWorld): Promise<(typeof REPORTS)[number][]> {
  const there: (typeof REPORTS)[number][] = [];
  for (const report of REPORTS) {
    if ((await lstatOf(join(src, REPORT_FOLDER, report.file), files))?.isFile() === true) there.push(report);
  }
  return there;
}

/** Takes back a folder into which nothing was moved. As far as that goes: the error that led here is the one to tell. */
async function discard(folder: string, { files }: ArchiveWorld): Promise<void> {
  for (const { file } of REPORTS) await files.rm(join(folder, file), { force: true }).catch(() => undefined);
  await files.rmdir(folder).catch(() => undefined);
}

async function rehearse(plan: ArchivePlan, options: ArchiveOptions, world: ArchiveWorld): Promise<Archive> {
  const { src, dstRoot } = options;
  const name = archiveName(world.clock.wallUs());
  world.print(`[DRY-RUN] Would move ${plan.windows.length} files to ${join(dstRoot, name)}`);
  const reports = await reportsOf(src, world);
  for (const { label } of reports) world.print(`[DRY-RUN] Would copy ${label.toLowerCase()} to archive`);
  const paths = [...plan.files, ...reports.map(({ file }) => join(REPORT_FOLDER, file))];
  return {
    name,
    files: plan.files,
    bytes: await bytesOf(
      paths.map((path) => join(src, path)),
      world.files,
    ),
  };
}
