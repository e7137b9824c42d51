import type { RunConfig } from '../config.ts';
import { LiveView } from '../live/live-view.ts';
import type { RunMetrics } from '../metrics/collect.ts';
import type { Build } from '../resources.ts';
import { pageFolders } from '../resources.ts';

/** The live view of a run, of the symbols that are configured. */
export function openLiveView(config: RunConfig, { version, commit }: Build, metrics: RunMetrics): LiveView {
  const { exchange, symbols, fill_model } = config;
  const source = config.replay !== undefined ? 'replay' : config.mock ? 'mock' : 'live';
  return new LiveView({
    about: { exchange, source, fill_model, symbols: [...symbols], version, commit, window_s: config.duration },
    folders: pageFolders(),
    kpis: (symbol) => metrics.kpis(symbol),
  });
}
