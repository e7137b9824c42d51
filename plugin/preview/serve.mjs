// Serves the pages of the preview on loopback: node preview/serve.mjs [--port 0] [--prometheus URL] [--scrape 5s] [--index bench] [--pages DIR] [--plugin DIR] [--csp].
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, request as requestHttp } from 'node:http';
import { dirname, extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const PLUGIN = '/plugins/shadowmode-fills-panel/';
const DASHBOARDS = '/dashboards/';
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

/** That of the live page, which the collector serves. */
const policy = (nonce) =>
  `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'`;

function answer(response, status, text, type = 'text/plain; charset=utf-8') {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-cache' }).end(text);
}

/** The file below a folder, or undefined for a path that leads out of it. */
function below(folder, path) {
  const file = normalize(join(folder, path));
  return file.startsWith(normalize(folder + sep)) ? file : undefined;
}

async function serveFile(response, file, withPolicy) {
  const content = file === undefined ? undefined : await readFile(file).catch(() => undefined);
  if (content === undefined) {
    return answer(response, 404, 'not found\n');
  }
  const type = TYPES[extname(file)] ?? 'application/octet-stream';
  if (!withPolicy || extname(file) !== '.html') {
    return answer(response, 200, content, type);
  }
  const nonce = randomBytes(16).toString('base64');
  response.setHeader('content-security-policy', policy(nonce));
  return answer(response, 200, content.toString().replaceAll('%NONCE%', nonce), type);
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
  // A page that gives a query up, gives it up at Prometheus too.
  response.on('close', () => asked.destroy());
  return request.pipe(asked);
}

/** Undefined for what is no address, or cannot be decoded. */
function addressOf(sent) {
  try {
    const url = new URL(sent, 'http://localhost');
    decodeURIComponent(url.pathname);
    return url;
  } catch {
    return undefined;
  }
}

function handler({ prometheus, scrape, index, pages, plugin, dashboards, csp }) {
  const folders = { [PLUGIN]: plugin, [DASHBOARDS]: dashboards };
  return (request, response) => {
    const url = addressOf(request.url);
    if (url === undefined) {
      return answer(response, 400, 'no address\n');
    }
    const { pathname } = url;
    if (pathname.startsWith(PROMETHEUS)) {
      return proxy(request, response, prometheus, url);
    }
    if (!['GET', 'HEAD'].includes(request.method)) {
      return answer(response, 405, 'not allowed\n');
    }
    if (pathname === '/settings.json') {
      return answer(response, 200, JSON.stringify({ timeInterval: scrape }), TYPES['.json']);
    }
    const prefix = Object.keys(folders).find((path) => pathname.startsWith(path));
    if (prefix !== undefined) {
      return serveFile(response, below(folders[prefix], pathname.slice(prefix.length)), csp);
    }
    return serveFile(response, below(pages, pathname === '/' ? `${index}.html` : pathname), csp);
  };
}

const DEFAULTS = {
  scrape: '5s',
  index: 'bench',
  pages: join(here, 'dist'),
  plugin: join(here, '../dist'),
  dashboards: join(here, '../../provisioning/grafana/dashboards'),
  csp: false,
};

/** Answers with the address of a server that listens on loopback, and a function that ends it. */
export async function serve({ port = 0, ...options }) {
  const server = createServer(handler({ ...DEFAULTS, ...options }));
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = { type: 'string' };
  const files = { index: text, pages: text, plugin: text };
  const { values } = parseArgs({
    options: { port: text, prometheus: text, scrape: text, ...files, csp: { type: 'boolean' } },
  });
  const { url } = await serve({ ...values, port: Number(values.port ?? 0) });
  console.log(url);
}
