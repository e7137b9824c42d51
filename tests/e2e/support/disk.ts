import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from '@jest/globals';
import type { Scope } from './scope.ts';

/** A disk of a mebibyte. */
export interface Disk {
  readonly folder: string;
  /** To the last byte. */
  readonly fill: () => void;
  readonly free: () => void;
  readonly unmount: () => void;
}

/** A small disk of its own, or why there is none. */
function mountDisk(): Disk | string {
  const folder = mkdtempSync(join(tmpdir(), 'shadow-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    rmSync(folder, { recursive: true });
    const reason = (error as { stderr?: Buffer }).stderr?.toString().trim() ?? '';
    return `no small disk to be had: mount: ${reason === '' ? 'not found' : reason}`;
  }
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
    unmount: () => {
      execFileSync('umount', [folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Mounting needs rights that a developer may lack, and that CI has to have. */
function canMount(): string | undefined {
  const mounted = mountDisk();
  if (typeof mounted === 'string') return mounted;
  mounted.unmount();
  return undefined;
}

const obstacle = canMount();
export const testOnDisk = obstacle === undefined || process.env['CI'] === 'true' ? test : test.skip;
export const reported = (name: string): string => (obstacle === undefined ? name : `${name} (${obstacle})`);

/** For processes that the scope closes before it. */
export function disk(scope: Scope): Disk {
  const mounted = mountDisk();
  if (typeof mounted === 'string') throw new Error(mounted);
  scope.add(mounted.unmount);
  return mounted;
}
