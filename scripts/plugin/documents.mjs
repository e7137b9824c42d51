// What people read: README, change log and license.
import { textOf } from './folder.mjs';

const HOME = 'https://github.com/shadow-mode/shadow-mode';
const TEMPLATE = [
  /<!--/,
  /uncomment and replace/i,
  /BEFORE YOU BEGIN/i,
  /your-plugin-id|Shields\.io/i,
  /lorem ipsum|\bTODO\b/i,
  /%[A-Z_]+%/,
  /\bUnreleased\b/,
];
const LINKS = [/\]\(\s*<?([^)\s>]+)/g, /^\s*\[[^\]]+\]:\s*(\S+)/gm, /\b(?:src|href)\s*=\s*["']?([^"'\s>]+)/gi];
const LEAST_README = 1_000;

const isHome = (link) => link === HOME || link.startsWith(`${HOME}/`) || link.startsWith(`${HOME}#`);

function documentFindings(files, name) {
  const text = textOf(files, name);
  const links = LINKS.flatMap((pattern) => [...text.matchAll(pattern)].map(([, link]) => link));
  return [
    ...TEMPLATE.map((pattern) => pattern.exec(text)?.[0])
      .filter((found) => found !== undefined)
      .map((found) => `${name}: expected no text of a template, got ${JSON.stringify(found)}`),
    ...links.filter((link) => !isHome(link)).map((link) => `${name}: expected links to ${HOME}, got ${link}`),
  ];
}

export function documentsFindings({ files, license }) {
  const readme = textOf(files, 'README.md');
  return [
    ...documentFindings(files, 'README.md'),
    ...documentFindings(files, 'CHANGELOG.md'),
    ...(/^# \S/.test(readme) ? [] : ['README.md: expected a title in its first line, got none']),
    ...(readme.length >= LEAST_README
      ? []
      : [`README.md: expected at least ${LEAST_README} characters, got ${readme.length}`]),
    ...(textOf(files, 'LICENSE') === license ? [] : ['LICENSE: expected that of the repository, got another']),
  ];
}
