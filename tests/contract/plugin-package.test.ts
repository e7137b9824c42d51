import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { strToU8, unzipSync, zipSync } from 'fflate';
import { Scope } from '../e2e/support/scope.ts';
import { ROOT } from '../support/root.ts';

const at = (path: string): string => fileURLToPath(new URL(path, ROOT));
const DIST = at('plugin/dist');
const ID = 'shadowmode-fills-panel';
const { version: VERSION } = JSON.parse(readFileSync(at('plugin/package.json'), 'utf8')) as { version: string };
const ARCHIVE = `${ID}-${VERSION}.zip`;

let scope: Scope;
let folder: string;
beforeEach(() => {
  if (!existsSync(join(DIST, 'module.js'))) throw new Error('plugin/dist/module.js is missing: npm run build:live');
  scope = new Scope();
  folder = join(scope.folder(), 'dist');
  cpSync(DIST, folder, { recursive: true });
});
afterEach(() => scope.close());

function run(script: 'check' | 'package', ...flags: readonly string[]) {
  return runIn('UTC', script, ...flags);
}

function runIn(timeZone: string, script: 'check' | 'package', ...flags: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [at(`scripts/plugin/${script}.mjs`), ...flags], {
    encoding: 'utf8',
    env: { ...process.env, TZ: timeZone },
  });
  return { status, stdout, stderr };
}

/** Packs the copy; answers with the path of the archive. */
function pack(name = 'packed', timeZone = 'UTC'): string {
  const output = join(folder, '..', name);
  mkdirSync(output);
  expect(runIn(timeZone, 'package', folder, '--output', output)).toMatchObject({ status: 0, stderr: '' });
  return join(output, ARCHIVE);
}

function edit(name: string, change: (bytes: Buffer) => Uint8Array | string): void {
  const path = join(folder, name);
  const before = readFileSync(path);
  const after = Buffer.from(change(before));
  expect(after.equals(before)).toBe(false);
  writeFileSync(path, after);
}

type Break = () => void;
const replace =
  (name: string, from: string | RegExp, to: string): Break =>
  () =>
    edit(name, (bytes) => bytes.toString().replace(from, () => to));
const append =
  (name: string, text: string): Break =>
  () =>
    edit(name, (bytes) => bytes.toString() + text);
const change =
  (path: readonly string[], value: unknown): Break =>
  () =>
    edit('plugin.json', (bytes) => {
      const json = JSON.parse(bytes.toString()) as Record<string, unknown>;
      let at = json;
      for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
      at[path.at(-1)!] = value;
      return JSON.stringify(json);
    });
const source = (name: string): Break => replace('module.js.map', '"sources":["', `"sources":["${name}","`);

// prettier-ignore
const BROKEN: [string, Break, string][] = [
  ['another type', change(['type'], 'app'), 'plugin.json /type: expected "panel", got "app"'],
  ['an id without its kind', change(['id'], 'fills'), 'plugin.json /id: expected to match pattern'],
  ['another id', change(['id'], 'other-fills-panel'), `expected ${ID} as in package.json, got other-fills-panel`],
  ['no name', change(['name'], undefined), 'plugin.json /: expected name, got none'],
  ['no description', change(['info', 'description'], ''), 'plugin.json /info/description: expected to NOT have fewer'],
  ['the keyword of the template alone', change(['info', 'keywords'], ['panel']), 'plugin.json /info/keywords'],
  ['no author', change(['info', 'author'], undefined), 'plugin.json /info: expected author, got none'],
  ['a link without https', change(['info', 'links', '0', 'url'], 'http://example.org'), 'got "http://example.org"'],
  ['no links', change(['info', 'links'], []), 'plugin.json /info/links'],
  ['no screenshots', change(['info', 'screenshots'], []), 'plugin.json /info/screenshots'],
  ['a screenshot without a name', change(['info', 'screenshots', '0', 'name'], undefined), 'expected name, got none'],
  ['a logo that is no SVG', change(['info', 'logos', 'small'], 'img/logo.png'), 'plugin.json /info/logos/small'],
  ['a date that was not filled in', change(['info', 'updated'], '%TODAY%'), 'plugin.json /info/updated'],
  ['another Grafana', change(['dependencies', 'grafanaDependency'], '>=13.0.0'), 'expected ">=11.6.0", got ">=13.0.0"'],
  ['no suggestions', change(['suggestions'], undefined), 'expected suggestions, got none'],
  ['what a panel has not', change(['backend'], true), 'expected what a panel may have, got backend'],
  ['a build for development', change(['buildMode'], 'development'), 'expected "production", got "development"'],
  ['another version', change(['info', 'version'], '9.9.9'), `plugin.json /info/version: expected ${VERSION}`],
  ['no section of the version', replace('CHANGELOG.md', `## ${VERSION}`, '## 0.0.9'), 'CHANGELOG.md, newest: expected'],
  ['a newer section', replace('CHANGELOG.md', '## ', '## 9.0.0\n\n- x\n\n## '), `as in package.json, got 9.0.0`],
  ['code of another version', replace('module.js', `@${VERSION}`, '@0.0.9'), 'module.js, banner: expected'],
  ['text of the template', append('README.md', '\n<!-- Be inspired -->\n'), 'README.md: expected no text of a template'],
  ['a place that was not filled in', append('README.md', '\n%VERSION%\n'), 'no text of a template, got "%VERSION%"'],
  ['a relative link', append('README.md', '\n[x](docs/x.md)\n'), 'got docs/x.md'],
  ['a relative picture', append('README.md', '\n<img alt="" src="img/x.png">\n'), 'got img/x.png'],
  ['a link by reference', append('CHANGELOG.md', '\n[x]: ./x\n'), 'CHANGELOG.md: expected links to'],
  ['a link to elsewhere', append('README.md', '\n[x](https://github.com/shadow-mode/shadow-modes)\n'), 'shadow-modes'],
  ['no title', replace('README.md', '# ', ''), 'README.md: expected a title'],
  ['a README that says nothing', () => edit('README.md', () => '# Fills\n'), 'at least 1000 characters, got 8'],
  ['another license', replace('LICENSE', 'Apache License', 'My License'), 'LICENSE: expected that of the repository'],
  ['no license', () => rmSync(join(folder, 'LICENSE')), 'LICENSE: expected a file'],
  ['an empty license', () => edit('LICENSE', () => ''), 'LICENSE: expected a file'],
  ['no module', () => rmSync(join(folder, 'module.js')), 'module.js: expected a file'],
  ['a logo that is not there', () => rmSync(join(folder, 'img/logo.svg')), 'img/logo.svg: expected an image'],
  ['a logo with a script', replace('img/logo.svg', '</svg>', '<script/></svg>'), 'no script and no reference, got "<script"'],
  ['a logo that asks elsewhere', replace('img/logo.svg', '</svg>', '<image href="//x"/></svg>'), 'got "<image"'],
  ['a logo that is cut', replace('img/logo.svg', '</svg>', ''), 'img/logo.svg: expected a whole SVG'],
  ['the logo of the template', replace('img/logo.svg', '</svg>', '<g id="Layer_1-2"/></svg>'), 'got that of the template'],
  ['a screenshot that is not there', () => rmSync(join(folder, 'img/screenshot-dark.png')), 'screenshot-dark.png: expected an image'],
  ['a screenshot that is text', () => edit('img/screenshot-dark.png', () => 'x'), 'expected a whole PNG, got none'],
  ['a screenshot that is cut', () => edit('img/screenshot-dark.png', (png) => png.subarray(0, 50_000)), 'expected a whole PNG'],
  ['a screenshot with a wrong bit', () => edit('img/screenshot-light.png', (png) => Buffer.from(png.map((byte, at) => (at === 9_999 ? byte ^ 1 : byte)))), 'screenshot-light.png: expected a whole PNG'],
  ['a file that nothing names', () => writeFileSync(join(folder, 'img/other.png'), 'x'), 'expected no such file, got img/other.png'],
  ['a stamp', () => writeFileSync(join(folder, '.stamp'), 'x'), 'expected no such file, got .stamp'],
  ['a test', () => writeFileSync(join(folder, 'fills.test.js'), 'x'), 'got fills.test.js'],
  ['a link in the folder', () => symlinkSync('module.js', join(folder, 'other.js')), 'expected no such file, got other.js'],
  ['a module that is too large', append('module.js', ' '.repeat(100_000)), 'expected less than 100000 bytes'],
  ['no AMD module', replace('module.js', 'define([', 'define2(['), 'module.js: expected define'],
  ['what Grafana does not share', replace('module.js', 'define([', 'define(["d3",'), 'imports that Grafana shares, got d3'],
  ['the runtime of newer JSX', replace('module.js', 'define([', 'define(["react/jsx-runtime",'), 'got react/jsx-runtime'],
  ['a log', append('module.js', ';console.log(1)'), 'expected no console.log'],
  ['a debugger', append('module.js', ';debugger'), 'expected no debugger'],
  ['code from text', append('module.js', ';eval("1")'), 'expected no eval'],
  ['a function from text', append('module.js', ';new Function("1")'), 'expected no new Function'],
  ['use() of React 19', append('module.js', ';(0,y.use)(p)'), 'expected no API of React 19, got ".use)("'],
  ['use() of React 19, minified', append('module.js', ';y.use(p)'), 'got ".use("'],
  ['useActionState', append('module.js', ';y.useActionState(f)'), 'got "useActionState"'],
  ['useOptimistic', append('module.js', ';y.useOptimistic(f)'), 'got "useOptimistic"'],
  ['useEffectEvent', append('module.js', ';y.useEffectEvent(f)'), 'got "useEffectEvent"'],
  ['a path of a machine in the module', append('module.js', ';"/home/someone/x.ts"'), 'module.js: expected no path of a machine'],
  ['a path of a machine in the map', source('/home/someone/x.ts'), 'module.js.map: expected no path of a machine'],
  ['a path of a machine in a source', replace('module.js.map', '"sourcesContent":["', '"sourcesContent":["// file:///x '), 'module.js.map: expected no path of a machine'],
  ['a source from outside', source(`webpack://${ID}/../schema/x.ts`), `got webpack://${ID}/../schema/x.ts`],
  ['a source that is a test', source(`webpack://${ID}/./fills.test.ts`), `got webpack://${ID}/./fills.test.ts`],
  ['a map that is cut', () => edit('module.js.map', (map) => map.subarray(0, 99)), 'module.js.map: expected JSON'],
];

test('the built plugin is as a catalog wants it', () => {
  expect(run('check', DIST)).toMatchObject({
    status: 0,
    stderr: '',
    stdout: expect.stringMatching(/module\.js has \d+ bytes/),
  });
});

describe('what a catalog would refuse is found', () => {
  test.each(BROKEN)('%s', (_name, breakIt, sentence) => {
    breakIt();
    const { status, stderr } = run('check', folder);
    expect(stderr).toContain(sentence);
    expect(status).toBe(1);
  });

  test('all of it at once, a line each', () => {
    for (const breakIt of [append('module.js', ';debugger'), change(['type'], 'app'), append('README.md', '[x](y)')])
      breakIt();
    const lines = run('check', folder).stderr.trim().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).toMatch(/expected .*, got /);
  });
});

describe('the archive', () => {
  test('holds the one folder that Grafana expects, and nothing but what is built', () => {
    const path = pack();
    expect(run('check', folder, '--archive', path)).toMatchObject({ status: 0, stderr: '' });
    const entries = unzipSync(readFileSync(path));
    expect(Object.keys(entries)).toEqual(Object.keys(entries).sort());
    expect(Buffer.from(entries[`${ID}/module.js`]!).equals(readFileSync(join(DIST, 'module.js')))).toBe(true);
  });

  test('is the same bytes each time, whatever the files’ own times and the time zone', () => {
    const first = readFileSync(pack('first'));
    edit('LICENSE', (text) => `${text.toString()}x`);
    cpSync(join(DIST, 'LICENSE'), join(folder, 'LICENSE'));
    expect(readFileSync(pack('second', 'Pacific/Auckland')).equals(first)).toBe(true);
  });

  type Entries = ReturnType<typeof unzipSync>;
  test.each<[string, (entries: Entries) => Entries, string]>([
    [
      'another folder',
      (all) => Object.fromEntries(Object.entries(all).map(([path, bytes]) => [path.replace(ID, 'dist'), bytes])),
      `expected all below ${ID}/, got dist/`,
    ],
    ['a file beside the folder', (all) => ({ ...all, 'notes.txt': strToU8('x') }), 'got notes.txt'],
    ['a way out of the folder', (all) => ({ ...all, [`${ID}/../x`]: strToU8('x') }), `got ${ID}/../x`],
    [
      'a file that is not built',
      (all) => ({ ...all, [`${ID}/x.test.js`]: strToU8('x') }),
      `expected what is built, got ${ID}/x.test.js`,
    ],
    [
      'a file that is missing',
      ({ [`${ID}/module.js`]: _, ...all }) => all,
      `expected ${ID}/module.js, got no such file`,
    ],
    [
      'another module',
      (all) => ({ ...all, [`${ID}/module.js`]: strToU8('x') }),
      `expected ${ID}/module.js as it is built`,
    ],
  ])('with %s is refused', (_name, breakIt, sentence) => {
    const path = pack();
    writeFileSync(path, zipSync(breakIt(unzipSync(readFileSync(path)))));
    const { status, stderr } = run('check', folder, '--archive', path);
    expect(stderr).toContain(sentence);
    expect(stderr).toContain(`${ARCHIVE}.sha1: expected`);
    expect(status).toBe(1);
  });

  test.each<[string, (path: string) => void, string]>([
    ['that is not there', (path) => rmSync(path), 'got no such file'],
    ['that is no zip', (path) => writeFileSync(path, 'x'), 'expected a zip'],
    ['without a digest', (path) => rmSync(`${path}.sha1`), 'got no such file'],
    [
      'with the digest of another',
      (path) => writeFileSync(`${path}.sha1`, `${'0'.repeat(40)}  ${ARCHIVE}\n`),
      'got 0000',
    ],
  ])('%s is refused', (_name, breakIt, sentence) => {
    const path = pack();
    breakIt(path);
    const { status, stderr } = run('check', folder, '--archive', path);
    expect(stderr).toContain(sentence);
    expect(status).toBe(1);
  });

  test('of another name is refused', () => {
    const path = pack();
    cpSync(path, join(folder, '../fills.zip'));
    expect(run('check', folder, '--archive', join(folder, '../fills.zip')).stderr).toContain(
      `expected ${ARCHIVE}, got fills.zip`,
    );
  });
});

test.each(['check', 'package'] as const)('%s tells its usage, and what it cannot do', (script) => {
  expect(run(script, '--help')).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('usage:') });
  expect(run(script, '--nothing')).toMatchObject({ status: 2, stderr: expect.stringContaining('usage:') });
  expect(run(script, join(folder, 'nothing'))).toMatchObject({ status: 3, stderr: expect.stringContaining('ENOENT') });
});
