import { existsSync, mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ask } from '../support/ask.ts';
import { EventStream } from '../support/event-stream.ts';
import { NO_KPIS, publishedAt, sampleAt, serveLive, T } from '../support/live.ts';
import { Scope, waitFor } from './support/scope.ts';

let scope: Scope;
beforeEach(() => {
  scope = new Scope();
});
afterEach(() => scope.close());

interface IdleReader {
  readonly closed: () => boolean;
  readonly resume: () => void;
  readonly text: () => string;
}

/** A reader that asks for the stream and then takes nothing. */
function idleReader(url: string): IdleReader {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  scope.add(() => socket.destroy());
  let closed = false;
  let text = '';
  socket.on('error', () => undefined).on('close', () => (closed = true));
  socket.setEncoding('latin1').on('data', (part: string) => (text += part));
  socket.pause();
  socket.write('GET /live/stream?symbol=BTCUSDT HTTP/1.1\r\nHost: localhost\r\n\r\n');
  return { closed: () => closed, resume: () => socket.resume(), text: () => text };
}

describe('a stream', () => {
  test('that is read too slowly is dropped, and the others miss nothing', async () => {
    const live = await serveLive(scope, { limits: { unsentBytes: 65_536 } });
    const slow = idleReader(live.url);
    const quick = await EventStream.open(scope, `${live.url}/live/stream?symbol=BTCUSDT`);
    await waitFor('both', () => live.streams.count === 2);
    let made = 0;
    await quick.until('the slow one to be dropped', () => {
      for (let index = 0; index < 2_000; index++) live.history.addFill(publishedAt(T, made++));
      return live.streams.count === 1;
    });
    await quick.until('the rest', () => quick.fills.at(-1)?.order_id === made - 1);
    expect(quick.events.filter(({ name }) => name === 'history')).toHaveLength(1);
    expect(quick.fills.map(({ order_id }) => order_id)).toEqual(Array.from({ length: made }, (_, index) => index));
    slow.resume();
    await waitFor('the slow one to see its end', slow.closed);
  });

  test('is given the history however long it takes, when that is more than may be unsent', async () => {
    const live = await serveLive(scope, { limits: { unsentBytes: 2_000 } });
    // More than the sockets of both sides hold.
    const long = 'X'.repeat(700);
    for (let order = 0; order < 10_000; order++) live.history.addFill({ ...publishedAt(T, order), symbol: long });
    const slow = idleReader(live.url);
    const quick = await EventStream.open(scope, `${live.url}/live/stream?symbol=BTCUSDT`);
    await waitFor('both', () => live.streams.count === 2);
    for (let update = 1; update <= 3; update++) {
      live.history.addSample(sampleAt(T + 250 * update));
      await quick.until('the update', () => quick.rows.length === update);
    }
    expect(live.streams.count).toBe(2);
    slow.resume();
    await waitFor('all to be read', () => slow.text().includes(String(T + 750)));
    expect(slow.text().match(/"order_id":/g)).toHaveLength(10_000);
  });

  test('that opens between two ticks takes nothing from those that are open', async () => {
    const live = await serveLive(scope, { limits: { tickMs: 60_000 } });
    const url = `${live.url}/live/stream?symbol=BTCUSDT`;
    const first = await EventStream.open(scope, url);
    live.history.addSample(sampleAt(T));
    live.history.addFill(publishedAt(T));
    const second = await EventStream.open(scope, url);
    await first.until('the update', () => first.events.length === 2);
    expect([first.rows, first.fills]).toEqual([second.rows, second.fills]);
    expect(first.fills).toEqual([publishedAt(T)]);
  });

  test('whose reader has gone is forgotten', async () => {
    const live = await serveLive(scope);
    const streams = await Promise.all(
      [1, 2].map(() => EventStream.open(scope, `${live.url}/live/stream?symbol=BTCUSDT`)),
    );
    streams[0]!.close();
    live.history.addSample(sampleAt(T));
    await waitFor('one to be forgotten', () => live.streams.count === 1);
    await streams[1]!.until('the sample', () => streams[1]!.rows.length === 1);
    streams[1]!.close();
    await waitFor('all to be forgotten', () => live.streams.count === 0);
    const again = await EventStream.open(scope, `${live.url}/live/stream?symbol=BTCUSDT`);
    expect(again.rows).toHaveLength(1);
  });

  test('says something now and then, and says nothing new twice', async () => {
    const live = await serveLive(scope, { limits: { aliveMs: 20 } });
    const stream = await EventStream.open(scope, `${live.url}/live/stream?symbol=BTCUSDT`);
    await stream.until('signs of life', () => stream.alive >= 2);
    expect(stream.events).toHaveLength(1);
    live.kpis.now = { ...NO_KPIS, edge_bps: -1 };
    await stream.until('the KPIs', () => stream.events.length === 2);
    expect(stream.events[1]!.data).toMatchObject({ kpis: { edge_bps: -1 }, samples: { times_ms: [] }, fills: [] });
  });

  test('is told what came last before it is told of the end', async () => {
    const live = await serveLive(scope, { limits: { tickMs: 60_000 } });
    const stream = await EventStream.open(scope, `${live.url}/live/stream?symbol=BTCUSDT`);
    live.history.addSample(sampleAt(T));
    await live.streams.close();
    await stream.until('the end', () => stream.closed);
    expect(stream.events.map(({ name }) => name)).toEqual(['history', 'update', 'end']);
    expect(stream.rows).toHaveLength(1);
  });

  test('that is stuck does not hold up the end, and those that read are told of it', async () => {
    const live = await serveLive(scope, { limits: { unsentBytes: Infinity } });
    const slow = idleReader(live.url);
    const quick = await EventStream.open(scope, `${live.url}/live/stream?symbol=BTCUSDT`);
    await waitFor('both', () => live.streams.count === 2);
    // More than the sockets of both sides hold.
    for (let round = 0; round < 20; round++) {
      for (let order = 0; order < 9_000; order++) live.history.addFill(publishedAt(T, order));
      const told = quick.events.length;
      await quick.until('the next update', () => quick.events.length > told);
    }
    const startMs = performance.now();
    await live.streams.close();
    expect(performance.now() - startMs).toBeLessThan(1_000);
    await quick.until('the end', () => quick.closed);
    expect(quick.events.at(-1)).toEqual({ name: 'end', data: 'the run has ended' });
    slow.resume();
    await waitFor('the stuck one to see its end', slow.closed);
    const late = await EventStream.open(scope, `${live.url}/live/stream?symbol=BTCUSDT`);
    expect([late.status, late.refusal]).toEqual([503, 'the run has ended\n']);
  });

  test('is told all anew where the clock goes back', async () => {
    const live = await serveLive(scope);
    live.history.addSample(sampleAt(T));
    const stream = await EventStream.open(scope, `${live.url}/live/stream?symbol=BTCUSDT`);
    live.history.addSample(sampleAt(T - 5_000));
    await stream.until('a second history', () => stream.events.length === 2);
    expect(stream.rows.map(([time]) => time)).toEqual([T - 5_000]);
  });
});

describe('the page', () => {
  /** A build of page and panel in folders of its own. */
  function built(): { app: string; plugin: string } {
    const [app, plugin] = [scope.folder(), scope.folder()];
    mkdirSync(join(app, 'fonts'));
    mkdirSync(join(plugin, 'img'));
    writeFileSync(
      join(app, 'index.html'),
      '<script src="/live/app/main.js"></script><style nonce="%NONCE%"></style>%NONCE%',
    );
    writeFileSync(join(app, 'main.js'), 'started()');
    writeFileSync(join(app, 'main.css'), 'a{}');
    writeFileSync(join(app, 'fonts', 'inter 1.woff2'), 'wOF2');
    writeFileSync(join(app, 'secret.pem'), 'hush');
    writeFileSync(join(plugin, 'module.js'), 'define([])');
    writeFileSync(join(plugin, 'plugin.json'), '{}');
    writeFileSync(join(plugin, 'img', 'logo.svg'), '<svg/>');
    return { app, plugin };
  }

  test('has a policy that allows its own files alone, with a nonce that is never the same', async () => {
    const { url } = await serveLive(scope, built());
    const [first, second] = [await ask(url, '/'), await ask(url, '/')];
    const nonce = / 'nonce-([\w+/]{22}==)'/.exec(String(first.headers['content-security-policy']))?.[1];
    expect(first.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(first.body).toBe(`<script src="/live/app/main.js"></script><style nonce="${nonce}"></style>${nonce}`);
    expect(second.body).not.toBe(first.body);
    const head = await ask(url, '/', { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([200, '']);
  });

  test.each([
    { path: '/live/app/main.js', type: 'text/javascript; charset=utf-8', body: 'started()' },
    { path: '/live/app/main.css', type: 'text/css; charset=utf-8', body: 'a{}' },
    { path: '/live/app/fonts/inter%201.woff2', type: 'font/woff2', body: 'wOF2' },
    { path: '/live/plugin/module.js?_cache=1', type: 'text/javascript; charset=utf-8', body: 'define([])' },
    { path: '/live/plugin/plugin.json', type: 'application/json; charset=utf-8', body: '{}' },
    { path: '/live/plugin/img/logo.svg', type: 'image/svg+xml; charset=utf-8', body: '<svg/>' },
  ])('$path is served with its type and a tag, and not again to whoever has it', async ({ path, type, body }) => {
    const { url } = await serveLive(scope, built());
    const got = await ask(url, path);
    expect([got.status, got.body]).toEqual([200, body]);
    expect(got.headers).toMatchObject({
      'content-type': type,
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'content-length': String(body.length),
    });
    const etag = String(got.headers['etag']);
    const again = await ask(url, path, { headers: { 'If-None-Match': `"other", ${etag}` } });
    expect([again.status, again.body]).toEqual([304, '']);
    const other = await ask(url, path, { headers: { 'If-None-Match': '"other"' } });
    expect(other.status).toBe(200);
    const head = await ask(url, path, { method: 'HEAD' });
    expect([head.status, head.body, head.headers['content-length']]).toEqual([200, '', String(body.length)]);
  });

  test.each([
    '/live/app/../../package.json',
    '/live/app/%2e%2e/%2e%2e/package.json',
    '/live/app/..%2f..%2fpackage.json',
    '/live/app/..%5c..%5cpackage.json',
    '/live/app//etc/passwd',
    '/live/app/%2fetc%2fpasswd',
    '/live/app/main.js%00.png',
    '/live/app/%E0%A4%A',
    '/live/app/secret.pem',
    '/live/app/link.js',
    '/live/app/',
    '/live/app',
    '/live/plugin/../app/main.js',
    '/live/plugin/__proto__',
    '/live/',
    '/live/symbols/',
    '//live/symbols',
  ])('%s is not to be had', async (path) => {
    const folders = built();
    symlinkSync('/etc/hostname', join(folders.app, 'link.js'));
    const { url } = await serveLive(scope, folders);
    const { status, body } = await ask(url, path);
    expect(status).toBe(404);
    expect(body).not.toMatch(/hush|root:|"name"/);
  });

  test('a file that has become a link since is not followed, one that has gone is not there', async () => {
    const folders = built();
    const { url } = await serveLive(scope, folders);
    expect((await ask(url, '/live/app/main.js')).status).toBe(200);
    renameSync(join(folders.app, 'main.js'), join(folders.app, 'other.js'));
    expect((await ask(url, '/live/app/main.js')).status).toBe(404);
    symlinkSync('/etc/hostname', join(folders.app, 'main.js'));
    expect((await ask(url, '/live/app/main.js')).status).toBe(404);
  });

  test('where nothing is built, says what is missing and how to build it, and finds the build that comes', async () => {
    const { app, plugin } = built();
    const away = { app: `${app}-away`, plugin: `${plugin}-away` };
    for (const [from, to] of [
      [app, away.app],
      [plugin, away.plugin],
    ] as const) {
      renameSync(from, to);
      scope.add(() => (existsSync(to) ? renameSync(to, from) : undefined));
    }
    const { url } = await serveLive(scope, { app, plugin });
    const none = await ask(url, '/');
    expect(none.status).toBe(200);
    expect(none.headers['content-security-policy']).toMatch(/script-src 'self'; style-src 'self' 'nonce-/);
    expect(none.body).toContain('what is missing is the page that hosts the panel, and the panel.');
    expect(none.body).toContain('<code>npm run build:live</code>');
    expect(none.body).toContain('href="/metrics"');
    expect(none.body).not.toMatch(/<script|%NONCE%/);
    expect((await ask(url, '/live/app/main.js')).status).toBe(404);
    renameSync(away.app, app);
    expect((await ask(url, '/')).body).toContain('what is missing is the panel.');
    renameSync(away.plugin, plugin);
    expect((await ask(url, '/')).body).toContain('/live/app/main.js');
    expect((await ask(url, '/live/app/main.js')).body).toBe('started()');
    // A later build has files of other names.
    writeFileSync(join(app, 'chunk-2.js'), 'two()');
    utimesSync(join(app, 'index.html'), 1_790_000_000, 1_790_000_000);
    expect((await ask(url, '/')).status).toBe(200);
    expect((await ask(url, '/live/app/chunk-2.js')).body).toBe('two()');
  });
});

describe('who is answered', () => {
  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s is not', async (method) => {
    const { url } = await serveLive(scope);
    for (const path of ['/', '/live/symbols', '/live/stream?symbol=BTCUSDT']) {
      const { status, headers, body } = await ask(url, path, { method });
      expect([status, headers['allow'], body]).toEqual([405, 'GET, HEAD', 'only GET and HEAD\n']);
    }
  });

  test.each([
    { host: 'evil.example', status: 403 },
    { host: 'localhost.evil.example', status: 403 },
    { host: '127.0.0.1.evil.example:9109', status: 403 },
    { host: '10.0.0.1', status: 403 },
    { host: 'localhost', status: 200 },
    { host: 'LOCALHOST:9109', status: 200 },
    { host: '127.0.0.2:9109', status: 200 },
    { host: '[::1]:9109', status: 200 },
  ])('a page under the name "$host" gets $status', async ({ host, status }) => {
    const { url } = await serveLive(scope);
    for (const path of ['/', '/live/symbols']) {
      const answer = await ask(url, path, { headers: { Host: host } });
      expect(answer.status).toBe(status);
      if (status === 403) expect(answer.body).toContain('localhost or 127.0.0.1 alone');
    }
  });

  test('pages of another address get a link to the page, and neither stream nor file', async () => {
    const { url } = await serveLive(scope);
    const headers = { 'Sec-Fetch-Site': 'cross-site' };
    expect((await ask(url, '/', { headers })).status).toBe(200);
    for (const path of ['/live/stream?symbol=BTCUSDT', '/live/symbols', '/live/app/main.js']) {
      expect((await ask(url, path, { headers })).status).toBe(403);
    }
  });

  test('whoever asks for a symbol that is not there is told which there are; HEAD opens no stream', async () => {
    const { url, streams } = await serveLive(scope);
    const missing = await ask(url, '/live/stream');
    expect([missing.status, missing.body]).toEqual([400, expect.stringContaining('there are BTCUSDT\n')]);
    const unknown = await ask(url, '/live/stream?symbol=%3Cscript%3E');
    expect([unknown.status, unknown.body]).toEqual([404, 'no such symbol; there are BTCUSDT\n']);
    const head = await ask(url, '/live/stream?symbol=BTCUSDT', { method: 'HEAD' });
    expect([head.status, head.headers['content-type'], streams.count]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      0,
    ]);
  });
});
