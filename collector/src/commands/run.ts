import { ArtifactStore } from '../artifacts/store.ts';
import { publishedFill } from '../artifacts/window-fills.ts';
import type { RunConfig } from '../config.ts';
import { resolveRunConfig } from '../config.ts';
import type { ClockChange, ClockReading } from '../clock/exchange-clock.ts';
import { US_PER_MS } from '../units.ts';
import { EXIT, messageOf, ShadowError } from '../errors.ts';
import type { GapReason } from '../events.ts';
import type { Exchange } from '../feed/exchange.ts';
import { EXCHANGES } from '../feed/exchanges.ts';
import { commandHelp } from '../help.ts';
import { startHttpServer } from '../http/server.ts';
import type { LiveView } from '../live/live-view.ts';
import type { Logger } from '../log.ts';
import { createLogger } from '../log.ts';
import { RunMetrics } from '../metrics/collect.ts';
import { MetricsRegistry } from '../metrics/registry.ts';
import type { RemoteWrite } from '../metrics/remote-write.ts';
import { metricsRoute } from '../metrics/routes.ts';
import { Pipeline } from '../pipeline.ts';
import type { Build } from '../resources.ts';
import { RUN_FLAGS } from '../run-flags.ts';
import type { Clock } from '../system-clock.ts';
import { pipelineParameters, resultsConfig, summaryParameters } from './compose.ts';
import { ProcessLatency } from './process-latency.ts';
import { ArtifactSink } from './artifact-sink.ts';
import { autoArchive } from './auto-archive.ts';
import { isOfWindow, openRemoteWrite } from './fill-push.ts';
import { openLive } from './live-source.ts';
import { openLiveView } from './live-view.ts';
import { openMock } from './mock-source.ts';
import { openRecorded } from './recorded-source.ts';
import type { Source } from './source.ts';

export interface RunDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readText: (path: string) => string;
  readonly builtInProfiles: string;
  readonly build: Build;
  readonly clock: Clock;
  readonly random: () => number;
  /** A line of results. */
  readonly print: (line: string) => void;
  /** Aborted by SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** A logger instead of standard error. */
  readonly logger?: Logger;
}

const SYNOPSIS = `shadow run [flags]

Rests virtual quotes in a live, simulated or recorded order book and reports what they would have earned. Sends no order, needs no key.

  shadow run --exchange bybit --symbols BTCUSDT,ETHUSDT --spread_bps 0 --iterations 0
  shadow run --mock --scenario latency-high:60s+120s --spread_bps 8 --iterations 0
  shadow run --replay session.jsonl.br --exchange bybit --symbols BTCUSDT --fill_model queue
`;

/** `shadow run --help`. */
export const runHelp = (): string => commandHelp('run', SYNOPSIS, RUN_FLAGS);

/** `shadow run`: composes the run, carries it out, and answers with the exit code. Throws ShadowError. */
export async function run(argv: readonly string[], deps: RunDeps): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    deps.print(runHelp());
    return EXIT.fine;
  }
  const config = resolveRunConfig({ ...deps, argv });
  const log = deps.logger ?? createLogger(config.log_level);
  const exchange = EXCHANGES.get(config.exchange)!;

  let pipeline: Pipeline | undefined;
  let source: Source | undefined;
  let store: ArtifactStore | undefined;
  let remoteWrite: RemoteWrite | undefined;
  const processLatency = config.replay === undefined ? new ProcessLatency(deps.clock, deps.build) : undefined;
  const counts = () => ({
    artifactWriteErrors: store?.writeErrors ?? 0,
    recordingDropped: source?.recordingDropped() ?? 0,
    ingestQueue: processLatency?.ingestQueueTotal,
    processing: processLatency?.processingTotal,
    remoteWrite: remoteWrite?.counts,
  });
  const metrics = new RunMetrics({
    exchange: config.exchange,
    configured: config.symbols,
    fillModel: config.fill_model,
    build: deps.build,
    pipeline: () => pipeline,
    running: (shadow, clock) => summaryParameters(config).running(shadow, clock),
    nowUs: () => (config.replay === undefined ? deps.clock.monoUs() : (pipeline?.monoUs ?? 0)),
    counts,
  });
  const live = openLiveView(config, deps.build, metrics);
  const registry = new MetricsRegistry((put) => metrics.collect(put));
  const server = await startHttpServer(config.metrics_host, config.metrics_port, [
    metricsRoute(registry, { ready: () => readiness(config, pipeline) }),
    live.route,
  ]);
  deps.print(`metrics: ${server.url}/metrics`);
  deps.print(`live view: ${server.url}/`);
  log.info({ url: server.url, exchange: config.exchange, symbols: config.symbols }, 'metrics server started');
  try {
    remoteWrite = openRemoteWrite(config, deps, log);
    // The folder first: a second run on it must not get as far as the exchange.
    store = await ArtifactStore.open(config.output, {
      onError: (file, error) => log.error({ file, folder: config.output, reason: messageOf(error) }, 'artifact error'),
    });
    source = await openSource(config, exchange, deps, log);
    const results = resultsConfig(config, source);
    const onFinal = config.auto_archive ? autoArchive(config, store, deps, log) : undefined;
    const parts = { config, store, source, deps, metrics, processLatency, onFinal };
    const sink = new ArtifactSink({ ...parts, resultsConfig: results });
    const { onResync, onSuspicion } = source;
    pipeline = new Pipeline(pipelineParameters(config, source, exchange), {
      onFill: (symbol, fill) => {
        const instrument = source!.instruments.get(symbol)!;
        metrics.onFill(symbol, fill, fill.priceTicks * fill.lots * instrument.tick.size * instrument.lot.size);
        if (!isOfWindow(fill, pipeline!.symbols.get(symbol)!, config)) return;
        live.addFill(publishedFill(fill, instrument));
        remoteWrite?.push(instrument, fill);
      },
      onSymbolWindow: (symbol, stats) => metrics.onSymbolWindow(symbol, stats),
      onWindow: (report) => sink.onWindow(report, pipeline!.startUs!),
      onResync: (symbol: string, channel: string, reason: GapReason) => {
        log.warn({ symbol, channel, reason }, 'book not trusted, asking for a snapshot');
        onResync(symbol, channel);
      },
      onClock: (change) => {
        if (change === 'suspicion') onSuspicion();
        else logClock(log, change, pipeline!.clock.reading(pipeline!.monoUs));
      },
    });
    await consume(source, pipeline, live, processLatency, log, deps.signal);
    pipeline.finish();
    // Beside the writing of artifacts: a run that is stopped has little time.
    const [code] = await Promise.all([conclude(sink, source, pipeline, deps, log), remoteWrite?.close()]);
    return code;
  } catch (error) {
    // Stopped by the user before there was anything to do is no failure.
    if (source !== undefined || !deps.signal.aborted) throw error;
    log.info({ reason: messageOf(error) }, 'stopped before the first event');
    return EXIT.fine;
  } finally {
    processLatency?.close();
    await remoteWrite?.close();
    await source?.close();
    await store?.close();
    await live.close();
    await server.close();
  }
}

async function openSource(config: RunConfig, exchange: Exchange, deps: RunDeps, log: Logger): Promise<Source> {
  if (config.replay !== undefined) return openRecorded(config.replay, config, exchange, deps, log);
  return config.mock ? openMock(config, exchange, deps, log) : openLive(config, exchange, deps, log);
}

async function consume(
  source: Source,
  pipeline: Pipeline,
  live: LiveView,
  processLatency: ProcessLatency | undefined,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  for await (const events of source.feed) {
    for (const event of events) {
      if (event.kind === 'subscription' && !event.accepted)
        log.error({ message: event.message }, 'subscription rejected');
    }
    processLatency?.begin(events);
    live.push(pipeline, events);
    processLatency?.end(events);
    if (pipeline.done || (signal.aborted && source.stopsAtOnce)) return;
  }
}

/** One line a change of the clocks. */
function logClock(log: Logger, change: Exclude<ClockChange, 'suspicion'>, reading: ClockReading): void {
  const [offsetMs, uncertaintyMs] = [reading.offsetUs, reading.uncertaintyUs].map((us) =>
    us === undefined ? undefined : Math.round(us) / US_PER_MS,
  );
  const fields = { change, offsetMs, uncertaintyMs, skewPpm: reading.skewPpm };
  switch (change) {
    case 'synced':
      return log.info(fields, 'clock offset to the exchange measured');
    case 'route-change':
      return log.info(fields, 'the path to the exchange changed its length one way');
    case 'unsynced':
      return log.warn(fields, 'clock offset to the exchange not known any more; latencies hold it until it is');
    case 'wall-step':
      return log.warn(fields, 'the wall clock of this machine stepped; offset and latencies are not touched by it');
    case 'exchange-step':
      return log.warn(
        fields,
        'the clock of the exchange stepped against local time, or this machine slept; the offset is measured anew',
      );
    case 'feed-conflict':
      return log.warn(
        fields,
        'stamps of the feed and of the server time contradict each other, they are of different clocks; the offset is that to the server time',
      );
  }
}

async function conclude(
  sink: ArtifactSink,
  source: Source,
  pipeline: Pipeline,
  deps: RunDeps,
  log: Logger,
): Promise<number> {
  const { windows, lost } = await sink.finish(pipeline);
  await source.close();
  deps.print(sink.closingLine());
  if (lost > 0) log.error({ lost }, 'artifacts could not be written');
  if (windows === 0 && !deps.signal.aborted) {
    log.warn({}, 'no window was written: the feed brought no event');
  }
  return lost > 0 ? EXIT.io : EXIT.fine;
}

function readiness(
  config: RunConfig,
  pipeline: Pipeline | undefined,
): { ready: boolean; waitingFor: readonly string[] } {
  const waitingFor = config.symbols.filter((symbol) => pipeline?.symbols.get(symbol)?.simulation.live !== true);
  return { ready: waitingFor.length === 0, waitingFor };
}

/** For `main`: the sentence and exit code of what a command threw. */
export function describeFailure(error: unknown): { message: string; exitCode: number } {
  if (error instanceof ShadowError) return { message: `${error.code}: ${error.message}`, exitCode: error.exitCode };
  return { message: error instanceof Error ? (error.stack ?? error.message) : messageOf(error), exitCode: EXIT.io };
}
