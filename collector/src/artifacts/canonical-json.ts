/**
 * JSON with keys sorted at every depth, two spaces, `\n` at the end. The same value gives the same bytes. Throws on a number that JSON
 * cannot hold: NaN would silently become null.
 */
export const canonicalJson = (value: unknown): string => `${JSON.stringify(sorted(value, '$'), undefined, 2)}\n`;

function sorted(value: unknown, path: string): unknown {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new TypeError(`${path} is ${value}: not a JSON number`);
  if (Array.isArray(value)) return value.map((item, index) => sorted(item, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item, `${path}.${key}`)]));
}
