import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Scope } from '../../e2e/support/scope.ts';
import { waitFor } from '../../e2e/support/scope.ts';
import { ROOT } from '../../support/root.ts';

const SCRIPT = fileURLToPath(new URL('plugin/preview/preview.mjs', ROOT));
/** It may have to build the plugin and the page. */
const START_MS = 180_000;

export interface Exit {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm run preview` as a process. */
export class Preview {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  #stdout = '';
  #stderr = '';

  private constructor(flags: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [SCRIPT, ...flags], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.#exit = once(this.#child, 'close');
  }

  static launch(scope: Scope, flags: readonly string[], env: Readonly<Record<string, string>> = {}): Preview {
    const preview = new Preview(flags, env);
    scope.add(() => preview.end('SIGTERM'));
    return preview;
  }

  /** Waits until it has told its addresses. */
  static async start(scope: Scope, flags: readonly string[]): Promise<Preview> {
    const preview = Preview.launch(scope, ['--port', '0', ...flags]);
    const told = (): boolean => {
      if (!preview.running) throw new Error(`it ended: ${preview.#stderr}`);
      return preview.#stdout.includes('metrics:');
    };
    await waitFor('the addresses of the preview', told, START_MS);
    return preview;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** One of the addresses it told. */
  address(name: 'dashboard' | 'prometheus' | 'metrics'): string {
    const found = new RegExp(`^${name}: +(\\S+)$`, 'm').exec(this.#stdout)?.[1];
    if (found === undefined) throw new Error(`expected the address of ${name}, got ${this.#stdout}`);
    return found;
  }

  async exited(): Promise<Exit> {
    await this.#exit;
    return { code: this.#child.exitCode, stdout: this.#stdout, stderr: this.#stderr };
  }

  async end(signal: NodeJS.Signals): Promise<Exit> {
    if (this.running) this.#child.kill(signal);
    return this.exited();
  }
}
