import { readdir } from 'node:fs/promises';
import { archive } from '../artifacts/archive.ts';
import type { ArtifactStore } from '../artifacts/store.ts';
import { iterationOf } from '../artifacts/window-files.ts';
import type { RunConfig } from '../config.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import { parentOf, systemWorld } from './archive.ts';
import type { RunDeps } from './run.ts';

/** Windows in the folder at which it is time: a tenth more than are to stay, so that not each window makes an archive of its own. */
export const archivesAt = (maxKeep: number): number => maxKeep + Math.ceil(maxKeep / 10);

/**
 * What is to be done when a window is final: archiving between two writes of the store, which come one after the other, and never while a
 * message waits. A failure is counted and logged by the store, and the next window tries again.
 */
export function autoArchive(config: RunConfig, store: ArtifactStore, deps: RunDeps, log: Logger): () => void {
  const options = {
    src: store.folder,
    dstRoot: parentOf(store.folder),
    maxKeep: config.max_keep,
    maxArchives: 0,
    maxBytes: 0,
    dryRun: false,
  };
  const print = (line: string): void => log.info({ line }, 'auto archive');
  const work = async (): Promise<void> => {
    if (deps.signal.aborted) return; // The run is to end now; the next one archives.
    const windows = (await readdir(store.folder)).filter((name) => iterationOf(name) !== undefined).length;
    if (windows < archivesAt(config.max_keep)) return;
    await archive(options, { ...systemWorld(deps), print }).catch((error: unknown) => {
      if (!deps.signal.aborted) throw error;
      log.info({ reason: messageOf(error) }, 'auto archive stopped');
    });
  };
  return () => store.between('archive', work);
}
