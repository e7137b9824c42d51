// Serves the pages of the preview on loopback: node preview/serve.mjs [--port 0] [--prometheus URL] [--pages DIR] [--plugin DIR] [--csp].
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, request as requestHttp } from 'node:http';
import { dirname, extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const PLUGIN = '/plugins/shadowmode-fills-panel/';
const PROMETHEUS = '/api/prometheus/';
/** What a dashboard asks. Nothing here can change a Prometheus. */
const ALLOWED = /^api\/v1\/(query|query_range|series|labels|label\/[A-Za-z_][A-Za-z0-9_]*\/values)$/;

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.css': 'text/css; charset=utf-8',
};

const policy = (nonce) =>
  `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'`;

function answer(response, status, text) {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
}

/** The file below a folder, or undefined for a path that leads out of it. */
function below(folder, path) {
  const file = normalize(join(folder, decodeURIComponent(path)));
  return file.startsWith(normalize(folder + sep)) ? file : undefined;
}

async function serveFile(response, file, withPolicy) {
  const content = file === undefined ? undefined : await readFile(file).catch(() => undefined);
  if (content === undefined) {
    return answer(response, 404, 'not found\n');
  }
  const headers = { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'cache-control': 'no-cache' };
  if (extname(file) !== '.html') {
    return response.writeHead(200, headers).end(content);
  }
  if (!withPolicy) {
    return response.writeHead(200, headers).end(content);
  }
  const nonce = randomBytes(16).toString('base64');
  headers['content-security-policy'] = policy(nonce);
  response.writeHead(200, headers).end(content.toString().replaceAll('%NONCE%', nonce));
}

function proxy(request, response, prometheus, { pathname, search }) {
  const path = pathname.slice(PROMETHEUS.length);
  if (prometheus === undefined) {
    return answer(response, 404, 'no Prometheus here\n');
  }
  if (!['GET', 'POST'].includes(request.method) || !ALLOWED.test(path)) {
    return answer(response, 403, 'not allowed\n');
  }
  const target = new URL(path + search, prometheus.endsWith('/') ? prometheus : `${prometheus}/`);
  const headers = { accept: 'application/json' };
  for (const name of ['content-type', 'content-length']) {
    if (request.headers[name] !== undefined) {
      headers[name] = request.headers[name];
    }
  }
  const asked = requestHttp(target, { method: request.method, headers }, (from) => {
    response.writeHead(from.statusCode, { 'content-type': from.headers['content-type'] ?? 'application/json' });
    from.pipe(response);
  });
  asked.on('error', (error) => {
    if (response.headersSent) {
      response.destroy();
    } else {
      answer(response, 502, `Prometheus does not answer: ${error.message}\n`);
    }
  });
  // A page that cancels a query cancels it at Prometheus too.
  response.on('close', () => asked.destroy());
  request.pipe(asked);
}

/** Answers with the server, which listens on loopback, and its address. */
export async function serve({
  port = 0,
  prometheus,
  pages = join(here, 'dist'),
  plugin = join(here, '../dist'),
  index = 'bench',
  csp = false,
}) {
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    if (url.pathname.startsWith(PROMETHEUS)) {
      return proxy(request, response, prometheus, url);
    }
    if (!['GET', 'HEAD'].includes(request.method)) {
      return answer(response, 405, 'not allowed\n');
    }
    if (url.pathname.startsWith(PLUGIN)) {
      return serveFile(response, below(plugin, url.pathname.slice(PLUGIN.length)), csp);
    }
    return serveFile(response, below(pages, url.pathname === '/' ? `${index}.html` : url.pathname), csp);
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: { port: text, prometheus: text, pages: text, plugin: text, index: text, csp: { type: 'boolean' } },
  });
  const { url } = await serve({ ...values, port: Number(values.port ?? 0) });
  console.log(url);
}
