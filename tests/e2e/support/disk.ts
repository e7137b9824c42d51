import { execFileSync } from 'node:child_process';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from '@jest/globals';
import { Scope } from './scope.ts';

export interface Disk {
  readonly folder: string;
  readonly fill: () => void;
  readonly free: () => void;
}

/** Runs a test only where a small disk can be mounted, which needs rights that a developer may lack and that CI has to have. */
export function testOnDisk(name: string, body: (disk: Disk) => Promise<void>): void {
  const obstacle = whyNot();
  const able = obstacle === undefined || process.env['CI'] === 'true';
  (able ? test : test.skip)(obstacle === undefined ? name : `${name} (${obstacle})`, async () => {
    const mounts = new Scope();
    try {
      await body(mountDisk(mounts));
    } finally {
      await mounts.close();
    }
  });
}

function whyNot(): string | undefined {
  const mounts = new Scope();
  try {
    mountDisk(mounts);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    void mounts.close();
  }
}

/** A small disk of its own; throws why there is none. */
function mountDisk(scope: Scope): Disk {
  const folder = scope.folder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    const reason = (error as { stderr?: Buffer }).stderr?.toString().trim() ?? '';
    throw new Error(`no small disk to be had: mount: ${reason === '' ? 'not found' : reason}`, { cause: error });
  }
  scope.add(() => execFileSync('umount', [folder]));
  const filler = join(folder, 'filler');
  return {
    folder,
    fill: () => {
      for (const bytes of [65_536, 4_096, 1]) {
        try {
          for (;;) appendFileSync(filler, Buffer.alloc(bytes));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        }
      }
    },
    free: () => rmSync(filler, { force: true }),
  };
}
