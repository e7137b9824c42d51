// Which series is what: by the override of a field, by the name of its metric and its labels, or by the letter of its query.
import type { DataFrame, Field } from '@grafana/data';

export type LineRole = 'bid' | 'ask' | 'quoteBuy' | 'quoteSell' | 'drift' | 'offset' | 'uncertainty' | 'latency';
export type KpiRole = 'edge' | 'makerShare' | 'markout';
export type Role = LineRole | KpiRole | 'fillPrice' | 'fillSize' | 'ignore';

export const BOOK_LINES = ['bid', 'ask', 'quoteBuy', 'quoteSell'] as const satisfies readonly LineRole[];
export const CLOCK_LINES = ['drift', 'offset', 'uncertainty', 'latency'] as const satisfies readonly LineRole[];
export const LINES: readonly LineRole[] = [...BOOK_LINES, ...CLOCK_LINES];

export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  bid: 'Best bid',
  ask: 'Best ask',
  quoteBuy: 'Our bid',
  quoteSell: 'Our ask',
  drift: 'Clock drift',
  offset: 'Clock offset',
  uncertainty: 'Offset uncertainty',
  latency: 'Latency',
  edge: 'Net edge',
  makerShare: 'Maker share',
  markout: 'Markout',
  fillPrice: 'Fill price',
  fillSize: 'Fill size',
  ignore: 'Nothing',
};

/** The metric by which a role is found, with the labels that tell it from others of the metric. */
export const METRICS: ReadonlyArray<{ metric: string; role: Role; labels?: Readonly<Record<string, string>> }> = [
  { metric: 'shadow_best_bid', role: 'bid' },
  { metric: 'shadow_best_ask', role: 'ask' },
  { metric: 'shadow_quote_price', role: 'quoteBuy', labels: { side: 'buy' } },
  { metric: 'shadow_quote_price', role: 'quoteSell', labels: { side: 'sell' } },
  { metric: 'shadow_fill_price', role: 'fillPrice' },
  { metric: 'shadow_fill_size', role: 'fillSize' },
  { metric: 'shadow_clock_drift_ms', role: 'drift' },
  { metric: 'shadow_clock_offset_ms', role: 'offset' },
  { metric: 'shadow_clock_offset_uncertainty_ms', role: 'uncertainty' },
  { metric: 'shadow_latency_ms', role: 'latency' },
  { metric: 'shadow_edge_bps', role: 'edge' },
  { metric: 'shadow_maker_taker_ratio', role: 'makerShare' },
  { metric: 'shadow_markout_bps', role: 'markout' },
];

/** A query so named is taken for that role where the metric's name is lost: a sum, a recording rule, another data source. */
export const REF_IDS: Readonly<Record<string, Role>> = {
  bid: 'bid',
  ask: 'ask',
  quote_buy: 'quoteBuy',
  quote_sell: 'quoteSell',
  fills: 'fillPrice',
  sizes: 'fillSize',
  drift: 'drift',
  offset: 'offset',
  uncertainty: 'uncertainty',
  latency: 'latency',
  edge: 'edge',
  maker: 'makerShare',
  markout: 'markout',
};

/** Columns of a table of fills: one row a fill, as in FILLS_<n>.json. Told from others by its column `side` of text. */
const FILL_COLUMNS: Readonly<Record<string, Role>> = { price: 'fillPrice', size: 'fillSize', quantity: 'fillSize' };

/** Undefined: a field that says nothing to this panel. */
export function roleOf(frame: DataFrame, field: Field): Role | undefined {
  const chosen = (field.config.custom as { role?: unknown } | undefined)?.role;
  if (typeof chosen === 'string' && chosen in ROLE_NAMES) {
    return chosen as Role;
  }
  const metric = field.labels?.['__name__'] ?? field.name;
  const known = METRICS.filter((entry) => entry.metric === metric);
  if (known.length > 0) {
    return known.find(({ labels }) => has(field, labels))?.role;
  }
  if (isFillTable(frame)) {
    return FILL_COLUMNS[field.name.toLowerCase()];
  }
  return frame.refId === undefined ? undefined : REF_IDS[frame.refId];
}

export const isFillTable = (frame: DataFrame): boolean =>
  frame.fields.some(({ name, type }) => name.toLowerCase() === 'side' && isText(type)) &&
  frame.fields.some(({ name }) => name.toLowerCase() === 'price');

/** A column of text, or of one word of several. */
export const isText = (type: string): boolean => type === 'string' || type === 'enum';

const has = (field: Field, labels: Readonly<Record<string, string>> = {}): boolean =>
  Object.entries(labels).every(([name, value]) => field.labels?.[name] === value);
