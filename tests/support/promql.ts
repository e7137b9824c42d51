/** A selector of a query: the metric and the labels that its braces name. */
export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

const FUNCTIONS = new Set(
  'sum max min avg count rate increase histogram_quantile time abs count_over_time by on ignoring group_left and or unless'.split(
    ' ',
  ),
);
const STRING = /"(?:[^"\\]|\\.)*"/g;
const GROUPING = /\b(?:by|on|ignoring|group_left)\s*\(([^)]*)\)/g;

/** The selectors of a query of the kind that dashboards have; no parser, but strict: a word that is neither function nor metric is a metric. */
export function selectorsOf(expression: string): Selector[] {
  const bare = expression
    .replaceAll(STRING, '""')
    .replaceAll(GROUPING, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ');
  return [...bare.matchAll(/([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\})?/g)]
    .filter(([, word]) => !FUNCTIONS.has(word!))
    .map(([, word, braces = '']) => ({
      metric: word!,
      labels: [...braces.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label!),
    }));
}

/** Labels by which a query groups or matches. */
export const groupingLabelsOf = (expression: string): string[] =>
  [...expression.matchAll(GROUPING)].flatMap(([, list]) => list!.split(',').map((label) => label.trim()));
