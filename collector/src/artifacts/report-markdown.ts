import type { ShadowSnapshot } from '../../../schema/types.gen.js';
import { describeFinding } from './finding.ts';
import { reportScope, reportTables } from './report-tables.ts';
import { escapeMarkdown, markdownTable } from './table.ts';

/** The snapshot as a page of Markdown. */
export function reportMarkdown(snapshot: ShadowSnapshot): string {
  const lines = ['# Shadow report', '', ...reportScope(snapshot).map((line) => `${escapeMarkdown(line)}  `), ''];
  for (const { title, note, rows, right } of reportTables(snapshot)) {
    lines.push(`## ${title}`, '', note, '', ...markdownTable(rows, right), '');
  }
  if (snapshot.left_out.length > 0) {
    const items = snapshot.left_out.map((finding) => `- ${escapeMarkdown(describeFinding(finding))}`);
    lines.push('## Left out', '', ...items, '');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}
