// `npm run calibrate [-- HOURS [SEED]]`: compares the fill models with the truth of the simulated exchange, writes docs/CALIBRATION.md and
// docs/calibration.svg, and puts a part of its table into the README. Two hours a cell take about five minutes.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { parse, View } from 'vega';
import { compile } from 'vega-lite';
import { runCell } from '../../dist/calibration/cell.js';
import { allCells, biasPlot, biasTable, calibrated, calibrationMarkdown } from '../../dist/calibration/report.js';

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const [hours, seed] = [process.argv[2] ?? 2, process.argv[3] ?? 1].map(Number);
if (!(hours >= 0.1 && hours <= 100) || !Number.isInteger(seed)) {
  console.error('expected: npm run calibrate -- HOURS SEED, such as 2 1; at least 0.1 h');
  process.exit(2);
}

const cells = allCells(Math.round(hours * 3_600), seed);
const results = cells.flatMap((cell, index) => {
  const start = Date.now();
  const result = runCell(cell);
  const seconds = ((Date.now() - start) / 1_000).toFixed(0);
  console.error(
    `${index + 1}/${cells.length} ${cell.symbol} ${cell.cancelLaw}: ${result.orders.length} orders, ${seconds} s`,
  );
  return calibrated(cell, result);
});

const markdown = (text) => format(text, { parser: 'markdown', printWidth: 120 });
const view = new View(parse(compile(biasPlot(results)).spec), { renderer: 'none' });
writeFileSync(at('docs/calibration.svg'), `${await view.toSVG()}\n`);
writeFileSync(at('docs/CALIBRATION.md'), await markdown(calibrationMarkdown(results, hours, seed)));

const readme = readFileSync(at('README.md'), 'utf8');
const marked = /(<!-- calibration -->\n)[\s\S]*?(\n<!-- \/calibration -->)/;
if (!marked.test(readme))
  throw new Error('README.md has no <!-- calibration --> … <!-- /calibration --> to put the table into');
const short = biasTable(results.filter(({ cell }) => cell.symbol === 'DOGEUSDT'));
writeFileSync(
  at('README.md'),
  await markdown(readme.replace(marked, (_all, open, close) => `${open}\n${short}\n${close}`)),
);
console.error('written: docs/CALIBRATION.md, docs/calibration.svg, README.md');
