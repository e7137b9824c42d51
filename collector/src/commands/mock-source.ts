import type { RunConfig } from '../config.ts';
import type { Exchange } from '../feed/exchange.ts';
import type { Logger } from '../log.ts';
import { marketOf } from '../simulator/markets.ts';
import { describe } from '../simulator/scenario.ts';
import { SimulatorServer } from '../simulator/server.ts';
import { SimulatedExchange } from '../simulator/simulated-exchange.ts';
import { openFeed } from './live-source.ts';
import type { RunDeps } from './run.ts';
import type { Source } from './source.ts';

/** The simulated exchange on a port of its own, and behind it the live feed as it is: only the address differs. */
export async function openMock(config: RunConfig, exchange: Exchange, deps: RunDeps, log: Logger): Promise<Source> {
  const { seed } = config;
  const listed = config.symbols.filter((symbol) => marketOf(symbol) !== undefined);
  // One of many that is not listed is left out, as on a live exchange; none at all is a mistake, and the exchange says what it lists.
  const symbols = listed.length > 0 ? listed : config.symbols;
  const simulated = new SimulatedExchange({
    symbols,
    seed,
    startUs: deps.clock.wallUs(),
    scenarios: config.scenario,
  });
  const { clock } = deps;
  const server = await SimulatorServer.start({ exchange: simulated, host: '127.0.0.1', port: 0, seed, clock });
  // A stop stops the market first: what is left to do is to write down what came of it.
  const stop = (): void => void server.close();
  deps.signal.addEventListener('abort', stop, { once: true });
  const { websocketUrl, restUrl } = server;
  log.info({ websocketUrl, restUrl, seed, scenario: config.scenario.map(describe) }, 'simulated exchange started');
  const notes = [`simulated exchange, seed ${seed}, scenario ${config.scenario.map(describe).join(',')}`];
  try {
    const source = await openFeed({ kind: 'mock', websocketUrl, restUrl, notes }, config, exchange, deps, log);
    return {
      ...source,
      close: async () => {
        deps.signal.removeEventListener('abort', stop);
        await source.close();
        await server.close();
      },
    };
  } catch (error) {
    deps.signal.removeEventListener('abort', stop);
    await server.close();
    throw error;
  }
}
