import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ARCHIVE_FLAGS } from '../archive-flags.ts';
import { archive as archiveFolder } from '../artifacts/archive.ts';
import { systemFiles } from '../artifacts/archive-files.ts';
import { systemProcesses } from '../artifacts/lock.ts';
import { EXIT } from '../errors.ts';
import { FlagReader } from '../flags.ts';
import { commandHelp } from '../help.ts';
import type { CommandDeps } from './deps.ts';

interface ArchiveConfig {
  readonly src: string;
  readonly dst_root: string | undefined;
  readonly max_keep: number;
  readonly max_archives: number;
  readonly max_bytes: number;
  readonly dry_run: boolean;
}

const SYNOPSIS = `shadow archive [flags]

Keeps the newest windows of a folder and moves the others, with their fills and a copy of the reports, to a folder of their own beside it.
A run may be writing meanwhile: windows that it is still to complete stay. Interrupted at any moment nothing is lost, and the next one goes on.

  shadow archive --max_keep 300
  shadow archive --max_keep 300 --max_archives 30 --dry_run
`;

/** `shadow archive`: answers with the exit code. Throws ShadowError. */
export async function archive(argv: readonly string[], deps: CommandDeps): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    deps.print(commandHelp('archive', SYNOPSIS, ARCHIVE_FLAGS));
    return EXIT.fine;
  }
  const reader = new FlagReader('archive', ARCHIVE_FLAGS, { ...deps, argv });
  const values = reader.values();
  reader.finish();
  const config = values as unknown as ArchiveConfig;
  const options = {
    src: config.src,
    dstRoot: config.dst_root ?? parentOf(config.src),
    maxKeep: config.max_keep,
    maxArchives: config.max_archives,
    maxBytes: config.max_bytes,
    dryRun: config.dry_run,
  };
  await archiveFolder(options, { ...systemWorld(deps), print: deps.print });
  return EXIT.fine;
}

/** By name, also of "." and of a symbolic link: beside the folder as the user calls it. */
export const parentOf = (folder: string): string => join(folder, '..');

export const systemWorld = ({ clock, signal }: Pick<CommandDeps, 'clock' | 'signal'>) => ({
  files: systemFiles,
  processes: systemProcesses,
  wait: (ms: number): Promise<void> => setTimeout(ms),
  clock,
  signal,
});
