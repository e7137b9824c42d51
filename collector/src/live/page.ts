import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Exchanged } from '../http/answer.ts';
import { writeHead } from '../http/answer.ts';
import { PageFiles } from './page-files.ts';

/** Where `npm run build:live` puts what is served. */
export interface PageFolders {
  /** The page that hosts the panel. */
  readonly app: string;
  /** The panel. */
  readonly plugin: string;
}

const INDEX = 'index.html';
const MODULE = 'module.js';

/** The page of the live view and its files. A build that comes while the collector runs is found when the page is next asked for. */
export class LivePage {
  readonly app: PageFiles;
  readonly plugin: PageFiles;
  readonly #folders: PageFolders;
  #build = '';

  constructor(folders: PageFolders) {
    this.#folders = folders;
    this.app = new PageFiles(folders.app);
    this.plugin = new PageFiles(folders.plugin);
  }

  async answer({ response }: Exchanged): Promise<void> {
    const { app, plugin } = this.#folders;
    const stamps = await Promise.all([stampOf(join(app, INDEX)), stampOf(join(plugin, MODULE))]);
    this.#look(stamps.join());
    const missing = ['the page that hosts the panel', 'the panel'].filter((_, index) => stamps[index] === undefined);
    const nonce = randomBytes(16).toString('base64');
    const html = missing.length > 0 ? missingPage(missing) : await readFile(join(app, INDEX), 'utf8');
    sendPage(response, html.replaceAll('%NONCE%', nonce), nonce);
  }

  #look(build: string): void {
    if (build === this.#build) return;
    this.#build = build;
    this.app.forget();
    this.plugin.forget();
  }
}

/** Undefined where there is no such file. */
const stampOf = (path: string): Promise<string | undefined> =>
  stat(path).then(
    ({ mtimeMs, size }) => `${mtimeMs} ${size}`,
    () => undefined,
  );

function sendPage(response: ServerResponse, html: string, nonce: string): void {
  writeHead(response, 200, 'text/html; charset=utf-8', pageHeaders(nonce));
  response.end(html);
}

const pageHeaders = (nonce: string): OutgoingHttpHeaders => ({
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
});

const missingPage = (missing: readonly string[]): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Shadow mode: the live view is not built</title>
<style nonce="%NONCE%">
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }
code { font-size: 1.1em }
</style>
<h1>The live view is not built yet</h1>
<p>The run goes on; what is missing is ${missing.join(', and ')}. In the checkout, build it and load this page again:</p>
<p><code>npm run build:live</code></p>
<p>The numbers are at <a href="/metrics">/metrics</a>.</p>
</html>
`;
