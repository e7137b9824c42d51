import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readdir } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Exchanged } from '../http/answer.ts';
import { send, writeHead } from '../http/answer.ts';

/** What is served, by the ending of its name; nothing else is. */
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

/** Opened by itself, a file is a document of this address too, and may then do nothing. */
const HEADERS = {
  'Cache-Control': 'no-cache',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
};
const DOCUMENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";
const DOCUMENTS = ['.html', '.svg'];

/** The files of a folder, found by a list that is made from a walk: a request chooses from it, and never says a path. */
export class PageFiles {
  readonly #folder: string;
  #paths: ReadonlyMap<string, string> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The list is made anew when it is next asked for. */
  forget(): void {
    this.#paths = undefined;
  }

  /** Serves what is there under a name as it was sent, percent signs and all. */
  async serve(sentName: string, { request, response }: Exchanged): Promise<void> {
    this.#paths ??= await pathsIn(this.#folder);
    const path = this.#paths.get(decoded(sentName));
    const handle = path === undefined ? undefined : await opened(path);
    if (path === undefined || handle === undefined) {
      send(response, 404, 'no such file\n');
      return;
    }
    try {
      const { size, mtimeMs } = await handle.stat();
      const ETag = `W/"${size.toString(36)}-${mtimeMs.toString(36)}"`;
      if (request.headers['if-none-match']?.split(/\s*,\s*/).includes(ETag) === true) {
        response.writeHead(304, { ...HEADERS, ETag }).end();
        return;
      }
      const ending = extname(path);
      const policy = DOCUMENTS.includes(ending) ? { 'Content-Security-Policy': DOCUMENT_POLICY } : {};
      writeHead(response, 200, TYPES[ending]!, { ...HEADERS, ...policy, ETag, 'Content-Length': size });
      if (request.method === 'HEAD' || size === 0) response.end();
      else await pipeline(handle.createReadStream({ autoClose: false, end: size - 1 }), response);
    } finally {
      await handle.close();
    }
  }
}

/** Name, with slashes → path. Empty where there is no such folder; symbolic links in it are not followed. */
async function pathsIn(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries
    .filter((entry) => entry.isFile() && extname(entry.name) in TYPES)
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [relative(folder, path).split(sep).join('/'), path]));
}

/** It may have gone, or have become a link, since the list was made. */
const opened = (path: string): Promise<FileHandle | undefined> =>
  open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // A stray percent sign: no file has such a name.
  }
}
