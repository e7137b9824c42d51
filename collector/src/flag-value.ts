import { messageOf } from './errors.ts';
import type { LatencyDistribution } from './fills/latency-model.ts';
import type { Flag } from './flags.ts';
import type { ScheduledScenario } from './simulator/scenario.ts';
import { parseScenarios } from './simulator/scenario.ts';

export type Value =
  string | number | boolean | readonly string[] | LatencyDistribution | readonly ScheduledScenario[] | undefined;

/** A value in the type its flag has, or what was expected instead. */
export type Parsed = { readonly value: Value } | { readonly expected: string };

/** Reads what a flag, the environment or a file gave. `readText` reads a file that a value names; it throws where it cannot. */
export function parseValue(flag: Flag, raw: unknown, readText: (path: string) => string): Parsed {
  switch (flag.kind) {
    case 'number':
    case 'integer':
      return parseNumber(flag, raw);
    case 'boolean':
      if (raw === true || raw === 'true') return { value: true };
      return raw === false || raw === 'false' ? { value: false } : { expected: 'true or false' };
    case 'choice':
      return flag.choices!.includes(String(raw))
        ? { value: String(raw) }
        : { expected: `one of ${flag.choices!.join(', ')}` };
    case 'text':
      return typeof raw === 'string' && raw !== '' ? { value: raw } : { expected: 'a text' };
    case 'url':
      return parseUrl(flag, raw);
    case 'list':
      return parseSymbols(raw);
    case 'latency':
      return parseLatency(String(raw), readText);
    case 'scenario':
      return parseScenario(String(raw));
    case 'time':
      return parseTime(raw);
  }
}

function parseUrl({ choices = [] }: Flag, raw: unknown): Parsed {
  const expected = `an address that begins with ${choices.map((protocol) => `${protocol}//`).join(' or ')}`;
  if (typeof raw !== 'string' || !URL.canParse(raw)) return { expected };
  return choices.includes(new URL(raw).protocol) ? { value: raw } : { expected };
}

function parseNumber(flag: Flag, raw: unknown): Parsed {
  const value = typeof raw === 'number' ? raw : typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : NaN;
  const { min = -Infinity, max = Infinity } = flag;
  const whole = flag.kind === 'integer';
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return { value };
  return { expected: `a ${whole ? 'whole ' : ''}number from ${min} to ${max}` };
}

/** What becomes a label, a topic and a key of an artifact must be plain. */
const SYMBOL = /^[A-Za-z0-9][A-Za-z0-9_:/-]{0,31}$/;

function parseSymbols(raw: unknown): Parsed {
  const parts = (Array.isArray(raw) ? raw.map(String) : String(raw).split(',')).map((part) => part.trim());
  const symbols = [...new Set(parts.filter((part) => part !== ''))];
  const plain = symbols.length > 0 && symbols.every((symbol) => SYMBOL.test(symbol));
  return plain ? { value: symbols } : { expected: 'symbols such as BTCUSDT,ETHUSDT' };
}

const MAX_LATENCY_MS = 60_000;
const isLatency = (ms: number | undefined): ms is number => ms !== undefined && ms >= 0 && ms < MAX_LATENCY_MS;
const LATENCY = {
  expected: '"3" (constant), "7,15" (median and 95th percentile of a lognormal, ascending) or "file:PATH", in ms',
};

function parseLatency(text: string, readText: (path: string) => string): Parsed {
  if (text.startsWith('file:')) {
    const lines = readText(text.slice(5)).split(/\s+/);
    const sortedMs = lines.filter((line) => line !== '').map(Number);
    if (sortedMs.length === 0 || !sortedMs.every(isLatency)) return LATENCY;
    return { value: { kind: 'empirical', sortedMs: sortedMs.sort((a, b) => a - b) } };
  }
  const [first, second, ...rest] = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (rest.length > 0 || !isLatency(first)) return LATENCY;
  if (second === undefined) return { value: { kind: 'const', ms: first } };
  if (first === 0 || second < first || !isLatency(second)) return LATENCY;
  return { value: { kind: 'lognormal', medianMs: first, p95Ms: second } };
}

function parseScenario(text: string): Parsed {
  try {
    return { value: parseScenarios(text) };
  } catch (error) {
    return { expected: messageOf(error) };
  }
}

/** A UTC time as milliseconds since the epoch. */
function parseTime(raw: unknown): Parsed {
  const ms = typeof raw === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(raw) ? Date.parse(raw) : NaN;
  return Number.isNaN(ms) ? { expected: 'a UTC time such as 2026-01-01T00:00:00Z' } : { value: ms };
}
