import type { Flag, FlagGroup, FlagTable } from './flags.ts';
import { envPrefix, FLAG_GROUPS } from './flags.ts';

/** `--help` of a command: what it does, and every flag. */
export function commandHelp(command: string, synopsis: string, table: FlagTable): string {
  const groups = (Object.keys(FLAG_GROUPS) as FlagGroup[]).filter((group) =>
    Object.values(table).some((each) => each.group === group),
  );
  const sections = groups.map((group) => {
    const lines = Object.entries(table).filter(([, each]) => each.group === group);
    return `${FLAG_GROUPS[group]}\n${lines.map(([name, each]) => helpLine(name, each)).join('\n')}`;
  });
  return `${synopsis}
${sections.join('\n\n')}

Every flag can also be written with dashes (--log-level), given in the environment as ${envPrefix(command)}<FLAG>, or as a key of --config.
A flag beats the environment, that the file, ${'profile' in table ? "that a symbol's profile, that the profile, " : ''}that the default.
Exit status: 0 fine, 1 findings, 2 usage or configuration, 3 cannot read or write.
`;
}

function helpLine(name: string, { placeholder, choices, kind, fallback, help }: Flag): string {
  const value = placeholder ?? choices?.join('|') ?? (kind === 'boolean' ? 'true|false' : 'N');
  const shown = fallback === undefined ? '' : ` [${String(fallback)}]`;
  return `  --${name} ${value}`.padEnd(38) + ` ${help}${shown}`;
}
