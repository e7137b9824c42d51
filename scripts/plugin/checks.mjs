// What Grafana's validator of plugins would find, as far as it can be seen without a Grafana and without a network: of a folder as `npm run build` leaves it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const MOST_BYTES = 100_000;
/** What a panel may take from the Grafana that it runs in. */
const SHARED = [
  ...['react', 'react-dom', '@grafana/data', '@grafana/ui', '@grafana/runtime'],
  ...['@emotion/css', '@emotion/react', 'rxjs', 'lodash', 'moment', 'module'],
];
const FILES = /^(module\.js(\.map)?|plugin\.json|README\.md|CHANGELOG\.md|LICENSE|img\/[\w-]+\.(svg|png))$/;
const TEMPLATE =
  /BEFORE YOU BEGIN|Be inspired|remaining comments|Uncomment and replace|Simple text option|Shields\.io/i;
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const MOST_PICTURE_BYTES = 300_000;
const LEAST_PICTURE_PX = 400;

/** Names of all files, with slashes, sorted. */
export const filesBelow = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();

/** One sentence a finding; `version` is that of package.json. */
export function findingsOf(folder, version) {
  const findings = [];
  const expect = (what, fine, got) => {
    if (!fine) findings.push(`${what}, got ${got}`);
  };
  const text = (name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '');
  const manifest = parsed(text('plugin.json'));
  for (const name of ['module.js', 'plugin.json', 'README.md', 'CHANGELOG.md', 'LICENSE'])
    expect(`${name}: expected a file with something in it`, text(name).length > 0, 'none');
  for (const name of filesBelow(folder)) expect('expected nothing but what Grafana reads', FILES.test(name), name);
  if (manifest === undefined) return [...findings, 'plugin.json: expected JSON, got something else'];
  checkManifest(manifest, version, expect);
  checkPictures(manifest, folder, expect);
  checkDocuments(text, version, expect);
  checkModule(text('module.js'), text('module.js.map'), expect);
  return findings;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // The caller tells it as a finding.
  }
}

function checkManifest({ type, id, name, info = {}, dependencies = {} }, version, expect) {
  expect('plugin.json: expected the type panel', type === 'panel', type);
  expect('plugin.json: expected an id of organization-name-panel', /^[a-z0-9]+-[a-z0-9]+-panel$/.test(id ?? ''), id);
  expect('plugin.json: expected a name of its own', (name ?? '').length > 3 && !/plugin|panel/i.test(name), name);
  expect('plugin.json: expected a description', (info.description ?? '').length >= 20, info.description);
  expect('plugin.json: expected an author', (info.author?.name ?? '').length > 0, info.author?.name);
  expect('plugin.json: expected keywords', (info.keywords ?? []).length >= 2, String(info.keywords));
  const links = info.links ?? [];
  expect(
    'plugin.json: expected links by https',
    links.length > 0 && links.every(({ url }) => /^https:/.test(url)),
    JSON.stringify(links),
  );
  expect('plugin.json: expected the version of package.json', info.version === version, info.version);
  expect('plugin.json: expected a date', /^\d{4}-\d\d-\d\d$/.test(info.updated ?? ''), info.updated);
  const needs = dependencies.grafanaDependency;
  expect('plugin.json: expected grafanaDependency >=11.6.0', needs === '>=11.6.0', needs);
}

function checkPictures({ info = {} }, folder, expect) {
  const { logos = {}, screenshots = [] } = info;
  expect('plugin.json: expected a screenshot', screenshots.length > 0, 'none');
  for (const path of new Set([logos.small, logos.large])) {
    const logo = path !== undefined && existsSync(join(folder, path)) ? readFileSync(join(folder, path), 'utf8') : '';
    expect(`${path}: expected a logo as SVG`, logo.includes('<svg'), logo === '' ? 'no file' : 'something else');
    expect(
      `${path}: expected a logo that loads and runs nothing`,
      !/<script|href=|url\(|on\w+=/.test(logo),
      'one that may',
    );
  }
  for (const { path, name } of screenshots) {
    expect(`${path}: expected a name`, (name ?? '').length > 0, 'none');
    const png = existsSync(join(folder, path)) ? readFileSync(join(folder, path)) : Buffer.alloc(24);
    expect(`${path}: expected a picture as PNG`, png.subarray(0, 8).equals(PNG), 'something else, or nothing');
    const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
    const sane = width >= LEAST_PICTURE_PX && height >= LEAST_PICTURE_PX / 2 && png.length <= MOST_PICTURE_BYTES;
    expect(
      `${path}: expected ${LEAST_PICTURE_PX} pixels at least and ${MOST_PICTURE_BYTES} bytes at most`,
      sane,
      `${width} by ${height}, ${png.length} bytes`,
    );
  }
}

function checkDocuments(text, version, expect) {
  const readme = text('README.md');
  const [template] = TEMPLATE.exec(readme) ?? ['<!--'].filter((mark) => readme.includes(mark));
  expect('README.md: expected no text of the template', template === undefined, template);
  const links = [...readme.matchAll(/\]\(([^)\s]+)/g)]
    .map(([, target]) => target)
    .filter((target) => !/^(https:|#)/.test(target));
  expect('README.md: expected absolute links, since it is read elsewhere', links.length === 0, links.join(', '));
  expect('CHANGELOG.md: expected a section of this version', text('CHANGELOG.md').includes(`## ${version}`), 'none');
  expect('LICENSE: expected Apache 2.0', /Apache License\s+Version 2\.0/.test(text('LICENSE')), 'something else');
}

function checkModule(module, map, expect) {
  const bytes = Buffer.byteLength(module);
  expect(`module.js: expected less than ${MOST_BYTES} bytes`, bytes < MOST_BYTES, bytes);
  const list = /define\(\[([^\]]*)\]/.exec(module)?.[1];
  expect('module.js: expected an AMD module', list !== undefined, 'something else');
  const foreign = [...(list ?? '').matchAll(/"([^"]+)"/g)]
    .map(([, name]) => name)
    .filter((name) => !SHARED.includes(name));
  expect('module.js: expected nothing but what every Grafana shares', foreign.length === 0, foreign.join(', '));
  const forbidden = {
    'console.log': /console\.(log|debug|info)\(/,
    debugger: /\bdebugger\b/,
    'code from text': /\beval\(|new Function\(/,
    'React of 19 alone': /\.(useActionState|useOptimistic|useFormStatus|useEffectEvent)\b|react["'\])]*\)?\.use\(/,
  };
  for (const [what, pattern] of Object.entries(forbidden))
    expect(`module.js: expected no ${what}`, !pattern.test(module), pattern.exec(module)?.[0]);
  const paths = (parsed(map)?.sources ?? []).filter((source) => /^(\/|file:|[A-Z]:)/.test(source));
  expect('module.js.map: expected no path of the machine it was built on', paths.length === 0, paths[0]);
}
