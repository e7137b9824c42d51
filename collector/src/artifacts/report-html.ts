import type { ShadowSnapshot } from '../../../schema/types.gen.js';
import { describeFinding } from './finding.ts';
import { escapeXml, plotSvg } from './plot.ts';
import type { Figure } from './report-plots.ts';
import type { ReportTable } from './report-tables.ts';
import { reportScope, reportTables } from './report-tables.ts';
import { shown } from './table.ts';

/**
 * The report as one page: no script, no request, styles and plots within. Its policy lets nothing else in, whatever the artifacts hold.
 */
export function reportHtml(snapshot: ShadowSnapshot, figures: readonly Figure[]): string {
  const { run } = snapshot;
  const title = `Shadow report: ${run.exchange} ${run.symbols.join(', ')}`;
  const [kpis, ...tables] = reportTables(snapshot);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escapeXml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escapeXml(title)}</h1>
${reportScope(snapshot)
  .map((line) => `<p class="scope">${escapeXml(line)}</p>`)
  .join('\n')}
</header>
<main>
${cards(snapshot)}
${tableHtml(kpis!)}
<section class="figures">
${figures.map(figureHtml).join('\n')}
</section>
${tables.map(tableHtml).join('\n')}
${leftOut(snapshot)}
</main>
</body>
</html>
`;
}

/** The few numbers that a reader looks for first. */
function cards({ pooled, kpi_last_n: spreads }: ShadowSnapshot): string {
  const { net_bps: net, latency_ms: latency } = pooled;
  const interval =
    net.lower_95_bps === null
      ? 'no interval: fewer than eight windows with fills'
      : `95 %: ${shown(net.lower_95_bps, 2)} to ${shown(net.upper_95_bps, 2)}`;
  const items = [
    ['Net edge', shown(net.mean_bps, 2, ' bps'), interval],
    ['Fills', String(pooled.fills), `${net.n} with a known markout`],
    ['Maker share', shown(pooled.maker_taker_ratio, 3), 'of notional'],
    [
      'Latency p95',
      shown(latency.p95, 1, ' ms'),
      latency.corrected ? 'clock offset taken off' : 'clock offset included',
    ],
    ['Risk', shown(pooled.risk_ratio, 3), 'inventory over its limit, mean over time'],
    ['Drift', shown(spreads.clock_drift_ms.median, 1, ' ms'), 'median of windows'],
    ['Coverage', shown(pooled.coverage, 3), 'time with a trusted book'],
  ];
  const cells = items.map(([name, value, note]) => `<div><dt>${name!}</dt><dd>${value!}</dd><p>${note!}</p></div>`);
  return `<dl class="cards">${cells.join('')}</dl>`;
}

const figureHtml = ({ plot, caption }: Figure): string =>
  `<figure><h2>${escapeXml(plot.title)}</h2>${plotSvg(plot)}<figcaption>${escapeXml(caption)}</figcaption></figure>`;

function tableHtml({ title, note, rows, right }: ReportTable): string {
  const [head = [], ...body] = rows;
  const kind = (column: number): string => (right.includes(column) ? ' class="number"' : '');
  const cells = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0 ? `<th scope="row">${escapeXml(cell)}</th>` : `<td${kind(column)}>${escapeXml(cell)}</td>`,
      )
      .join('');
  const heads = head.map((cell, column) => `<th scope="col"${kind(column)}>${escapeXml(cell)}</th>`).join('');
  return `<section><h2>${title}</h2><p class="note">${escapeXml(note)}</p><div class="scroll"><table><thead><tr>${heads}</tr></thead><tbody>${body.map((row) => `<tr>${cells(row)}</tr>`).join('')}</tbody></table></div></section>`;
}

function leftOut({ left_out: findings, left_out_total: total }: ShadowSnapshot): string {
  if (total === 0) return '';
  const items = findings.map((finding) => `<li>${escapeXml(describeFinding(finding))}</li>`).join('');
  return `<section><h2>Left out: ${total}</h2><ul>${items}</ul></section>`;
}

const STYLE = `
:root{color-scheme:light dark;--paper:#fff;--card:#f5f6f8;--ink:#1b1f24;--soft:#59636e;--rule:#d8dde3;--a:#1a7f37;--b:#0b66c2;--c:#b35900;--d:#c2255c;--muted:#0b66c2}
@media(prefers-color-scheme:dark){:root{--paper:#14171a;--card:#1e2226;--ink:#e6e9ec;--soft:#9aa4ae;--rule:#343b42;--a:#4cc38a;--b:#62b0ff;--c:#f0a35e;--d:#ff7eb0;--muted:#62b0ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1180px;padding:24px 20px 48px;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
h1{font-size:24px;margin:0 0 8px}h2{font-size:17px;margin:0 0 6px}
.scope,.note,figcaption{color:var(--soft);margin:0;font-size:13px;overflow-wrap:anywhere}.note{margin-bottom:8px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(145px,1fr));gap:10px;margin:20px 0}
.cards div{background:var(--card);border-radius:8px;padding:12px 14px}.cards dt{color:var(--soft);font-size:13px}.cards dd{margin:2px 0;font-size:22px;font-weight:600;font-variant-numeric:tabular-nums}.cards p{margin:0;color:var(--soft);font-size:12px}
section{margin:28px 0}.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(480px,100%),1fr));gap:22px}
figure{margin:0;background:var(--card);border-radius:8px;padding:14px 16px}
svg{display:block;width:100%;height:auto}
.grid{stroke:var(--rule);stroke-width:1}.reference{stroke:var(--soft);stroke-width:1;stroke-dasharray:5 4}
.tick,.axis{fill:var(--soft);font:11px system-ui,sans-serif}
.line{fill:none;stroke-width:1.6;stroke:currentColor}.bar{fill:none;stroke-width:1.6;stroke:currentColor}.mark{fill:currentColor;stroke:var(--card);stroke-width:.6}.band{fill:currentColor;opacity:.18}
.tone-a{color:var(--a)}.tone-b{color:var(--b)}.tone-c{color:var(--c)}.tone-d{color:var(--d)}.tone-muted{color:var(--muted)}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;list-style:none;margin:4px 0;padding:0;font-size:12px}.swatch{display:inline-block;width:10px;height:10px;border-radius:2px;background:currentColor;margin-right:5px}
.swatch.tone-muted{opacity:.35}
.empty{color:var(--soft);padding:48px 12px;text-align:center}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px}th,td{padding:5px 10px;border-bottom:1px solid var(--rule);text-align:left;font-weight:400}thead th{color:var(--soft);font-size:13px}.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
@media print{body{max-width:none}figure{break-inside:avoid}}
`;
