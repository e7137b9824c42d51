import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readCompose, readText } from '../support/compose/document.ts';
import type { Instruction } from '../support/dockerfile.ts';
import { all, carryOut, copiesOf, isSent, last, stagesOf, words } from '../support/dockerfile.ts';
import { ROOT } from '../support/root.ts';
import { plainEnv } from './support/collector.ts';
import { Scope, waitFor } from './support/scope.ts';
import { freePort } from './support/server-process.ts';

const [build, dependencies, final] = stagesOf(readText('collector/Dockerfile')) as [
  Instruction[],
  Instruction[],
  Instruction[],
];
const root = fileURLToPath(ROOT);
const COMMIT = '0123456789abcdef0123456789abcdef01234567';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

/** node_modules of the production dependencies alone, as links. */
function linkDependencies(folder: string): void {
  const { packages } = JSON.parse(readText('package-lock.json')) as Lock;
  for (const [path, { dev }] of Object.entries(packages)) {
    if (dev === true || !/^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path)) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(join(root, path), join(folder, path));
  }
}

describe('the steps of collector/Dockerfile, carried out without an engine', () => {
  const scope = new Scope();
  /** What is / in the image. */
  let image: string;
  const inside = (path: string): string => path.replace(/^\/(?=app|data)/, `${image}/`);

  beforeAll(() => {
    const stages = { build: scope.folder(), dependencies: scope.folder() };
    image = scope.folder();
    for (const copy of copiesOf(build)) carryOut(copy, (path) => join(root, path), join(stages.build, 'build'));
    symlinkSync(join(root, 'node_modules'), join(stages.build, 'build/node_modules'));
    const env = { ...plainEnv(), SHADOW_GIT_COMMIT: COMMIT };
    execFileSync('npm', ['run', '-s', 'build'], { cwd: join(stages.build, 'build'), env, stdio: 'pipe' });
    linkDependencies(join(stages.dependencies, 'build'));
    for (const copy of copiesOf(final)) {
      const from = copy.from === undefined ? root : stages[copy.from as keyof typeof stages];
      carryOut(copy, (path) => join(from, path), image);
    }
    mkdirSync(join(image, 'data'));
  }, 120_000);
  afterAll(() => scope.close());

  test('the program is whole, and knows its commit', () => {
    const [node, ...args] = [...words(last(final, 'ENTRYPOINT')), '--version'].map(inside);
    const { version } = JSON.parse(readText('package.json')) as { version: string };
    expect(node).toBe('node');
    expect(execFileSync(process.execPath, args, { cwd: inside('/data'), encoding: 'utf8' })).toBe(
      `${version} (${COMMIT})\n`,
    );
  });

  test('as the demo starts it, it runs, is found healthy, writes to its working folder, and ends at SIGTERM', async () => {
    const port = String(await freePort());
    const { SHADOW_REMOTE_WRITE_URL: _, ...settings } = readCompose().services['collector-demo']!.environment!;
    const env = {
      ...plainEnv(),
      ...settings,
      SHADOW_METRICS_HOST: '127.0.0.1',
      SHADOW_METRICS_PORT: port,
      SHADOW_SCENARIO: 'calm',
      SHADOW_DURATION: '1',
    };
    const [, ...args] = [...words(last(final, 'ENTRYPOINT')), ...words(last(final, 'CMD'))].map(inside);
    const child = spawn(process.execPath, args, { cwd: inside(last(final, 'WORKDIR')), env, stdio: 'ignore' });
    scope.add(() => child.kill('SIGKILL'));
    const [, ...check] = words(last(final, 'HEALTHCHECK').replace(/^.*CMD /, ''));
    const healthy = (): boolean => {
      try {
        execFileSync(process.execPath, check, { env, stdio: 'pipe' });
        return true;
      } catch {
        return false; // The check says no by its exit status.
      }
    };
    await waitFor('the health check to pass', healthy, 20_000);
    const first = join(image, 'data/artifacts/shadow/latest/ITER_SUMMARY_1.json');
    await waitFor('the first window', () => existsSync(first), 20_000);
    expect((JSON.parse(readFileSync(first, 'utf8')) as { git_commit: string }).git_commit).toBe(COMMIT);
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    expect(await closed).toEqual([0, null]);
    expect(healthy()).toBe(false);
  });

  test('the image runs by no root, and is told to stop by SIGTERM', () => {
    expect(last(final, 'USER')).toBe('node');
    expect(last(final, 'STOPSIGNAL')).toBe('SIGTERM');
    expect(all(final, 'EXPOSE')).toEqual(['9109']);
    expect(last(dependencies, 'RUN')).toContain('npm ci --omit=dev');
  });

  test('every base is one release, and the same', () => {
    const bases = [build, dependencies, final].map((stage) => last(stage, 'FROM').split(' ')[0]);
    expect(bases[0]).toMatch(/^node:2[24]\.\d+\.\d+-[a-z]+-slim$/);
    expect(new Set(bases).size).toBe(1);
  });

  test('all that is copied is sent to the builder, and nothing of the machine', () => {
    const ignore = readText('.dockerignore');
    const copied = [build, dependencies, final]
      .flatMap((stage) => copiesOf(stage))
      .filter(({ from }) => from === undefined)
      .flatMap(({ sources }) => sources);
    expect(copied.filter((path) => !isSent(path, ignore))).toEqual([]);
    for (const path of [
      'node_modules',
      'secrets/slack_api_url',
      '.git',
      'artifacts',
      'collector.env',
      'plugin/dist',
      'scripts/test.mjs',
    ]) {
      expect([path, isSent(path, ignore)]).toEqual([path, false]);
    }
  });
});
