import { cpSync, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** Instructions of each stage, from its FROM on; comments left out, continued lines joined. */
export function stagesOf(text: string): Instruction[][] {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: Instruction[][] = [];
  for (const line of lines) {
    const [, name, rest] = /^([A-Z]+) +(.*)$/.exec(line)!;
    if (name === 'FROM') stages.push([]);
    stages.at(-1)!.push({ name: name!, rest: rest! });
  }
  return stages;
}

export const all = (stage: readonly Instruction[], name: string): string[] =>
  stage.filter((instruction) => instruction.name === name).map(({ rest }) => rest);

/** The last of its kind, as for ENTRYPOINT, CMD, WORKDIR, USER. */
export const last = (stage: readonly Instruction[], name: string): string => all(stage, name).at(-1)!;

/** An instruction in its exec form. */
export const words = (text: string): string[] => JSON.parse(text.slice(text.indexOf('['))) as string[];

export interface Copy {
  /** The stage it comes from; undefined is the context. */
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly target: string;
}

export function copiesOf(stage: readonly Instruction[]): Copy[] {
  return all(stage, 'COPY').map((rest) => {
    const parts = rest.split(/ +/);
    const from = /^--from=(.+)$/.exec(parts[0]!)?.[1];
    if (from !== undefined) parts.shift();
    return { from, sources: parts.slice(0, -1), target: parts.at(-1)! };
  });
}

/** Copies as a builder does: a folder's content, a file under its own name where the target ends in a slash. */
export function carryOut({ sources, target }: Copy, source: (path: string) => string, to: string): void {
  for (const path of sources) {
    const into = target.endsWith('/') ? join(to, target, basename(path)) : join(to, target);
    mkdirSync(dirname(into), { recursive: true });
    cpSync(source(path), into, { recursive: true, verbatimSymlinks: true });
  }
}

/** Whether .dockerignore lets a file or folder of the context through: the last pattern that matches it decides. */
export function isSent(path: string, ignore: string): boolean {
  let sent = true;
  for (const line of ignore.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
    const pattern = line.replace(/^!/, '').replaceAll(/[.+]/g, '\\$&').replaceAll('*', '[^/]*');
    if (new RegExp(`^${pattern}(?:/|$)`).test(path)) sent = line.startsWith('!');
  }
  return sent;
}
