import type { LiveSymbols } from '../../../schema/types.gen.js';
import type { Exchanged, Route } from '../http/answer.ts';
import { send, writeHead } from '../http/answer.ts';
import { isLoopbackHost } from '../http/loopback.ts';
import type { Channel } from './channel.ts';
import type { LivePage } from './page.ts';
import type { Streams } from './streams.ts';

const APP = '/live/app/';
const PLUGIN = '/live/plugin/';

export interface LiveParts {
  readonly page: LivePage;
  readonly streams: Streams;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly symbols: LiveSymbols;
}

/** `/` and `/live/*`. */
export const liveRoute =
  ({ page, streams, channels, symbols }: LiveParts): Route =>
  async (asked) => {
    const { path, response } = asked;
    if (path !== '/' && !path.startsWith('/live/')) return false;
    const refusal = refusalOf(asked);
    if (refusal !== undefined) send(response, 403, `${refusal}\n`);
    else if (path === '/') await page.answer(asked);
    else if (path.startsWith(APP)) await page.app.serve(path.slice(APP.length), asked);
    else if (path.startsWith(PLUGIN)) await page.plugin.serve(path.slice(PLUGIN.length), asked);
    else if (path === '/live/symbols') sendJson(asked, symbols);
    else if (path === '/live/stream') openStream(asked, streams, channels);
    else send(response, 404, `here are /live/symbols, /live/stream, ${APP}… and ${PLUGIN}…\n`);
    return true;
  };

/** Why a browser is not answered; undefined where it is. What the run knows is for pages of this address alone. */
function refusalOf({ request, loopback, path }: Exchanged): string | undefined {
  const { host = '', 'sec-fetch-site': site } = request.headers;
  if (loopback && !isLoopbackHost(host)) return 'this address is answered under the name localhost or 127.0.0.1 alone';
  // A link to the page may stand anywhere; a stranger's page may not keep streams open.
  return path !== '/' && site === 'cross-site' ? 'not for pages of another address' : undefined;
}

function sendJson({ response }: Exchanged, value: LiveSymbols): void {
  writeHead(response, 200, 'application/json; charset=utf-8', { 'Cross-Origin-Resource-Policy': 'same-origin' });
  response.end(`${JSON.stringify(value)}\n`);
}

function openStream({ request, response, query }: Exchanged, streams: Streams, channels: LiveParts['channels']): void {
  const there = `there are ${[...channels.keys()].join(', ')}`;
  const symbol = query.get('symbol');
  if (symbol === null) return send(response, 400, `which symbol? Ask for /live/stream?symbol=X; ${there}\n`);
  const channel = channels.get(symbol);
  if (channel === undefined) return send(response, 404, `no such symbol; ${there}\n`);
  const { refusal } = streams;
  if (refusal !== undefined) return send(response, 503, `${refusal}\n`);
  writeHead(response, 200, 'text/event-stream; charset=utf-8', { 'Cross-Origin-Resource-Policy': 'same-origin' });
  if (request.method === 'HEAD') response.end();
  else streams.open(response, channel);
}
