import type { RunConfig } from '../config.ts';
import type { VirtualFill } from '../fills/shadow-quote.ts';
import type { Logger } from '../log.ts';
import { RemoteWrite } from '../metrics/remote-write.ts';
import type { SymbolShadow } from '../symbol-shadow.ts';
import type { RunDeps } from './run.ts';

/** Where the fills of a run are pushed to; undefined where that is not wanted. */
export function openRemoteWrite(config: RunConfig, deps: RunDeps, log: Logger): RemoteWrite | undefined {
  const { remote_write_url: url } = config;
  if (url === undefined) return undefined;
  const { clock, random, build, signal } = deps;
  return new RemoteWrite({ url, version: build.version, clock, random, log, signal });
}

/** Whether a fill that has just been granted goes into the FILLS of a window: one of the driving model, and not of the time after the last window. */
export const isOfWindow = (fill: VirtualFill, { windowIndex }: SymbolShadow, config: RunConfig): boolean =>
  fill.model === config.fill_model && (config.iterations === 0 || windowIndex < config.iterations);
