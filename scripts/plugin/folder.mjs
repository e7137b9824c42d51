// A built plugin as its files: path with slashes → bytes, in order of path.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export function readFolder(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
  const paths = entries.map(({ parentPath, name }) => relative(folder, join(parentPath, name)).split(sep).join('/'));
  return new Map(paths.sort().map((path) => [path, readFileSync(join(folder, path))]));
}

/** The text of a file; empty where there is none, which is told by the list of files. */
export const textOf = (files, path) => files.get(path)?.toString() ?? '';
