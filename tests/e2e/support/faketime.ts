import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scope } from './scope.ts';

/** Debian's libfaketime, under whichever architecture; `npm test` installs it. */
function library(): string {
  for (const folder of readdirSync('/usr/lib')) {
    const path = join('/usr/lib', folder, 'faketime/libfaketime.so.1');
    if (existsSync(path)) return path;
  }
  throw new Error('expected libfaketime.so.1 below /usr/lib: install the package faketime');
}

/** A wall clock for another process, which a test steps; its monotonic clock is left as it is. */
export class WallClock {
  readonly #file: string;

  constructor(scope: Scope) {
    this.#file = join(scope.folder(), 'faketime');
    this.step(0);
  }

  /** Seconds off the true time from now on. */
  step(seconds: number): void {
    writeFileSync(this.#file, `${seconds >= 0 ? '+' : ''}${seconds}`);
  }

  get env(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: library(),
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
  }
}
