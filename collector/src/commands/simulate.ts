import { EXIT, ShadowError } from '../errors.ts';
import { bybitLinear } from '../feed/bybit.ts';
import { RecordingWriter } from '../feed/recording-writer.ts';
import type { Subscription } from '../feed/exchange.ts';
import { FlagReader } from '../flags.ts';
import { commandHelp } from '../help.ts';
import { SIMULATE_FLAGS } from '../simulate-flags.ts';
import { instrumentsBody } from '../simulator/instruments.ts';
import type { CancelLaw } from '../simulator/order-flow.ts';
import type { ScheduledScenario } from '../simulator/scenario.ts';
import { describe } from '../simulator/scenario.ts';
import { SIMULATED_PATH, SimulatorServer } from '../simulator/server.ts';
import { SimulatedExchange } from '../simulator/simulated-exchange.ts';
import { VirtualClient } from '../simulator/virtual-client.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';
import type { CommandDeps } from './deps.ts';

interface SimulateConfig {
  readonly symbols: readonly string[];
  readonly seed: number;
  readonly scenario: readonly ScheduledScenario[];
  readonly cancel_law: CancelLaw;
  readonly host: string;
  readonly port: number;
  readonly record: string | undefined;
  readonly seconds: number;
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly depth: string;
}

const SYNOPSIS = `shadow simulate [flags]

A simulated exchange that speaks Bybit v5 (linear): public WebSocket and REST on one port of this machine, with a market of known truth.
With --record it runs in virtual time instead, an hour in seconds, and writes what a client would have received.

  shadow simulate --port 9110 --scenario reconnect:60s+30s
  shadow run --ws_url ws://127.0.0.1:9110${SIMULATED_PATH} --rest_url http://127.0.0.1:9110 --symbols BTCUSDT
  shadow simulate --record hour.jsonl.br --symbols BTCUSDT,ETHUSDT --seconds 3600 --seed 7
  shadow run --replay hour.jsonl.br --symbols BTCUSDT,ETHUSDT --iterations 0
`;

/** `shadow simulate`: serves until it is stopped, or writes a recording. Answers with the exit code. Throws ShadowError. */
export async function simulate(argv: readonly string[], deps: CommandDeps): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    deps.print(commandHelp('simulate', SYNOPSIS, SIMULATE_FLAGS));
    return EXIT.fine;
  }
  const reader = new FlagReader('simulate', SIMULATE_FLAGS, { ...deps, argv });
  const values = reader.values();
  const recording = values['record'] !== undefined;
  for (const name of recording ? ['host', 'port'] : ['seconds', 'start', 'depth']) {
    if (reader.explicit[name] === undefined) continue;
    reader.problems.push(recording ? `--${name} is of the server; --record makes none` : `--${name} needs --record`);
  }
  reader.finish();
  const config = values as unknown as SimulateConfig;
  return config.record === undefined ? serve(config, deps) : record(config, config.record, deps);
}

const exchangeOf = (config: SimulateConfig, startUs: number): SimulatedExchange =>
  new SimulatedExchange({
    symbols: config.symbols,
    seed: config.seed,
    startUs,
    scenarios: config.scenario,
    cancelLaw: config.cancel_law,
  });

async function serve(config: SimulateConfig, deps: CommandDeps): Promise<number> {
  const { host, port, seed } = config;
  const { clock, signal } = deps;
  const exchange = exchangeOf(config, clock.wallUs());
  const server = await SimulatorServer.start({ exchange, host, port, seed, clock });
  deps.print(`WebSocket: ${server.websocketUrl}`);
  deps.print(`REST:      ${server.restUrl}`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await server.close();
  return EXIT.fine;
}

/** A line of progress this often, in seconds of the market. */
const PROGRESS_S = 600;

async function record(config: SimulateConfig, path: string, deps: CommandDeps): Promise<number> {
  const startUs = config.start * US_PER_MS;
  const exchange = exchangeOf(config, startUs);
  const untilUs = exchange.nowUs + Math.round(config.seconds * US_PER_S);
  const channels = [
    ...bybitLinear.bookChannels(Number(config.depth)).map(({ name }) => name),
    bybitLinear.tradeChannel,
  ];
  const subscriptions: Subscription[] = config.symbols.flatMap((symbol) =>
    channels.map((channel) => ({ symbol, channel })),
  );
  const scenarios = config.scenario.map(describe).join(',');
  const notes = [
    `simulated exchange, seed ${config.seed}, scenario ${scenarios}, cancel law ${config.cancel_law}, virtual time`,
  ];
  let failure: Error | undefined;
  const writer = new RecordingWriter(
    path,
    { exchange: bybitLinear.id, subscriptions, notes, virtual: true as const },
    (error) => {
      failure = error;
    },
  );
  const markets = [...exchange.symbols.values()].map(({ market }) => market);
  writer.http({
    url: `http://simulated${bybitLinear.instrumentPath('')}`,
    body: JSON.stringify(instrumentsBody(markets, config.start)),
  });
  const url = `ws://simulated${SIMULATED_PATH}`;
  const client = new VirtualClient({
    exchange,
    adapter: bybitLinear,
    subscriptions,
    seed: config.seed,
    untilUs,
    url,
  });
  let frames = 0;
  let nextProgressUs = startUs + PROGRESS_S * US_PER_S;
  for (const records of client.records()) {
    writer.write(records);
    for (const { type } of records) if (type === 'receive') frames++;
    if (exchange.nowUs >= nextProgressUs) {
      nextProgressUs += PROGRESS_S * US_PER_S;
      deps.say(`${Math.round((exchange.nowUs - startUs) / US_PER_S)} s of ${config.seconds} s, ${frames} frames`);
    }
    await writer.ready();
    if (failure !== undefined || deps.signal.aborted) break;
  }
  await writer.close(client.stamps);
  if (failure !== undefined) {
    throw new ShadowError('SHADOW_ERR_OUTPUT', `cannot write ${path}: ${failure.message}`, { cause: failure });
  }
  deps.print(`${path}: ${frames} frames of ${Math.round((exchange.nowUs - startUs) / US_PER_S)} s`);
  return EXIT.fine;
}
