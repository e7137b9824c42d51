import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { unzipSync } from 'fflate';
import { ROOT } from '../support/root.ts';

const at = (path: string): string => fileURLToPath(new URL(path, ROOT));
const DIST = at('plugin/dist');

let folder: string;
beforeEach(() => {
  if (!existsSync(join(DIST, 'module.js'))) throw new Error('plugin/dist/module.js is missing: npm run build:live');
  folder = mkdtempSync(join(tmpdir(), 'shadow-plugin-'));
  cpSync(DIST, folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function check(where: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [at('scripts/plugin/check.mjs'), where], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

function edit(name: string, change: (text: string) => string): void {
  const path = join(folder, name);
  const before = readFileSync(path, 'utf8');
  writeFileSync(path, change(before));
  expect(readFileSync(path, 'utf8')).not.toBe(before);
}

const replace = (name: string, from: string | RegExp, to: string) => () => edit(name, (text) => text.replace(from, to));
const append = (name: string, text: string) => () => edit(name, (before) => before + text);

test('the built plugin is as a catalog wants it', () => {
  expect(check(DIST)).toMatchObject({ status: 0, stderr: '' });
});

describe('what a catalog would refuse is found', () => {
  test.each<[string, () => void, string]>([
    ['another type', replace('plugin.json', '"panel",', '"app",'), 'expected the type panel, got app'],
    ['an id without its kind', replace('plugin.json', /"id": "[^"]*"/, '"id": "fills"'), 'expected an id'],
    ['no description', replace('plugin.json', /"description": "[^"]*"/, '"description": ""'), 'expected a description'],
    [
      'another version',
      replace('plugin.json', /"version": "[^"]*"/, '"version": "9.9.9"'),
      'the version of package.json, got 9.9.9',
    ],
    [
      'a date that was not filled in',
      replace('plugin.json', /"updated": "[^"]*"/, '"updated": "%TODAY%"'),
      'expected a date',
    ],
    [
      'another Grafana',
      replace('plugin.json', '>=11.6.0', '>=13.0.0'),
      'expected grafanaDependency >=11.6.0, got >=13.0.0',
    ],
    [
      'a link without https',
      replace(
        'plugin.json',
        '"url": "https://github.com/shadow-mode/shadow-mode"',
        '"url": "http://github.com/shadow-mode/shadow-mode"',
      ),
      'expected links by https',
    ],
    ['no JSON', replace('plugin.json', '{', ''), 'plugin.json: expected JSON'],
    [
      'a screenshot that is not there',
      replace('plugin.json', 'screenshot-dark', 'screenshot-none'),
      'expected a picture as PNG',
    ],
    ['a logo with a script', replace('img/logo.svg', '</svg>', '<script/></svg>'), 'loads and runs nothing'],
    ['text of the template', append('README.md', '\n<!-- Be inspired -->\n'), 'no text of the template'],
    [
      'a link that leads nowhere elsewhere',
      append('README.md', '\n[x](docs/x.md)\n'),
      'expected absolute links, since it is read elsewhere, got docs/x.md',
    ],
    [
      'no section of the version',
      replace('CHANGELOG.md', /## 0\.1\.0/, '## 0.0.9'),
      'expected a section of this version',
    ],
    ['another license', replace('LICENSE', /Apache License/, 'My License'), 'expected Apache 2.0'],
    ['a module that is too large', append('module.js', ' '.repeat(100_000)), 'expected less than 100000 bytes'],
    [
      'what not every Grafana shares',
      replace('module.js', 'define(["', 'define(["d3","'),
      'every Grafana shares, got d3',
    ],
    ['a log', append('module.js', ';console.log(1)'), 'expected no console.log'],
    ['code from text', append('module.js', ';eval("1")'), 'expected no code from text'],
    ['a debugger', append('module.js', ';debugger'), 'expected no debugger'],
    ['React of 19 alone', append('module.js', ';a.useOptimistic()'), 'expected no React of 19 alone'],
    [
      'a path of a machine',
      replace('module.js.map', '"sources":["', '"sources":["/home/x.ts","'),
      'no path of the machine',
    ],
    [
      'a file that is not Grafana’s',
      () => writeFileSync(join(folder, 'notes.txt'), 'x'),
      'nothing but what Grafana reads, got notes.txt',
    ],
    ['no license', () => rmSync(join(folder, 'LICENSE')), 'LICENSE: expected a file'],
  ])('%s', (_name, breakIt, sentence) => {
    breakIt();
    const { status, stderr } = check(folder);
    expect(stderr).toContain(sentence);
    expect(status).toBe(1);
  });
});

test('the archive holds the one folder that Grafana expects, and is the same each time', () => {
  const pack = () => spawnSync(process.execPath, [at('scripts/plugin/package.mjs')], { encoding: 'utf8' });
  const said = pack();
  expect(said.status).toBe(0);
  const path = at(/plugin\/\S+\.zip/.exec(said.stdout)![0]);
  const first = readFileSync(path);
  pack();
  expect(readFileSync(path).equals(first)).toBe(true);
  const names = Object.keys(unzipSync(first));
  expect(names.every((name) => name.startsWith('shadowmode-fills-panel/'))).toBe(true);
  expect(names).toEqual(
    expect.arrayContaining(['shadowmode-fills-panel/module.js', 'shadowmode-fills-panel/plugin.json']),
  );
  expect(
    Buffer.from(unzipSync(first)['shadowmode-fills-panel/module.js']!).equals(readFileSync(join(DIST, 'module.js'))),
  ).toBe(true);
});
