import type { Flag, FlagName } from './flags.ts';
import { FLAG_NAMES, RUN_FLAGS } from './flags.ts';

const TITLES: Record<Flag['group'], string> = {
  market: 'Market',
  quotes: 'Quotes',
  fills: 'Fill models',
  latency: 'Latency of our orders (ms)',
  windows: 'Windows',
  input: 'Input',
  output: 'Output',
};

export function runHelp(): string {
  const sections = Object.entries(TITLES).map(([group, title]) => {
    const lines = FLAG_NAMES.filter((name) => RUN_FLAGS[name].group === group).map(helpLine);
    return `${title}\n${lines.join('\n')}`;
  });
  return `shadow run [flags]

Rests virtual quotes in a live or recorded order book and reports what they would have earned. Sends no order, needs no key.

  shadow run --exchange bybit --symbols BTCUSDT,ETHUSDT --spread_bps 0 --iterations 0
  shadow run --replay session.jsonl.br --exchange bybit --symbols BTCUSDT --fill_model queue

${sections.join('\n\n')}

Every flag can also be written with dashes (--spread-bps), given in the environment as SHADOW_<FLAG>, or as a key of --config.
A flag beats the environment, that the file, that a symbol's profile, that the profile, that the default.
Exit status: 0 fine, 2 usage or configuration, 3 cannot read or write.
`;
}

function helpLine(name: FlagName): string {
  const definition: Flag = RUN_FLAGS[name];
  const value =
    definition.placeholder ?? definition.choices?.join('|') ?? (definition.kind === 'boolean' ? 'true|false' : 'N');
  const fallback = definition.fallback === undefined ? '' : ` [${String(definition.fallback)}]`;
  return `  --${name} ${value}`.padEnd(38) + ` ${definition.help}${fallback}`;
}
