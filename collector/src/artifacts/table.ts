/** Columns under each other, as wide as their widest cell; those of numbers to the right. */
export function textTable(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

/** A table in Markdown; the first row is its head. */
export function markdownTable(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeMarkdown).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(head.map((_, column) => (right.includes(column) ? '---:' : '---'))), ...body.map(line)];
}

/** Text that is to stay text: artifacts may hold anything. */
export const escapeMarkdown = (text: string): string =>
  text.replace(/[\\|`*_<>[\]]/g, '\\$&').replace(/\p{Cc}|\s+/gu, ' ');

/** A number as people read it; what is not known says so. */
export const shown = (value: number | null | undefined, digits: number, unit = ''): string =>
  value === null || value === undefined ? 'n/a' : `${value.toFixed(digits).replace(/^-(0(\.0+)?)$/, '$1')}${unit}`;

/** A line for a terminal: artifacts may hold anything, and a terminal must not act on it. */
export const printable = (line: string): string => line.replace(/[\p{Cc}\p{Cf}]/gu, '?');
