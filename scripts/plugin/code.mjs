// module.js and its source map: what Grafana loads.
import { textOf } from './folder.mjs';

const MOST_BYTES = 100_000;
/** What Grafana 11.6 shares with plugins, of that which we mean to use. */
const SHARED = [
  'react',
  'react-dom',
  '@grafana/data',
  '@grafana/ui',
  '@grafana/runtime',
  '@emotion/css',
  '@emotion/react',
  'rxjs',
  'lodash',
  'moment',
  'module',
];
const FORBIDDEN = {
  'console.log': /\bconsole\.log\b/,
  debugger: /\bdebugger\b/,
  eval: /\beval\s*\(/,
  'new Function': /\bnew Function\b|\bFunction\(/,
  // Grafana 11.6 and 12 run on React 18.
  'API of React 19': /\.use\)?\(|\b(?:useActionState|useOptimistic|useEffectEvent|useFormStatus)\b/,
};
const MACHINE =
  /file:\/\/|(?:^|["'\s(`])(?:\/(?:home|Users|root|tmp|work|builds?|workspace)\/|[A-Za-z]:\\{1,2}\w)[\w./\\-]*/m;
const SOURCE = (id) => new RegExp(`^webpack://${id}/(?:\\./|webpack/|external )`);

function importsFindings(code) {
  const list = /\bdefine\((\[[^\]]*\])/.exec(code)?.[1];
  if (list === undefined) return ['module.js: expected define([…], …), got none'];
  const strange = JSON.parse(list).filter((name) => !SHARED.includes(name));
  return strange.map((name) => `module.js: expected imports that Grafana shares, got ${name}`);
}

function sourceMapFindings(text, id) {
  let map;
  try {
    map = JSON.parse(text);
  } catch (error) {
    return [`module.js.map: expected JSON, got ${error.message}`];
  }
  const machine = [...(map.sourcesContent ?? []), ...map.sources].map((each) => MACHINE.exec(each)?.[0]).find(Boolean);
  return [
    ...map.sources
      .filter((source) => !SOURCE(id).test(source) || /\.\.\/|\.test\.|\/testing\//.test(source))
      .map((source) => `module.js.map: expected sources of the panel, got ${source}`),
    ...(machine === undefined ? [] : [`module.js.map: expected no path of a machine, got ${machine.trim()}`]),
  ];
}

export function codeFindings({ files, packageJson }) {
  const code = textOf(files, 'module.js');
  const machine = MACHINE.exec(code)?.[0];
  return [
    ...(code.length > 0 && Buffer.byteLength(code) < MOST_BYTES
      ? []
      : [`module.js: expected less than ${MOST_BYTES} bytes, got ${Buffer.byteLength(code)}`]),
    ...importsFindings(code),
    ...Object.entries(FORBIDDEN)
      .filter(([, pattern]) => pattern.test(code))
      .map(([name, pattern]) => `module.js: expected no ${name}, got ${JSON.stringify(pattern.exec(code)[0])}`),
    ...(machine === undefined ? [] : [`module.js: expected no path of a machine, got ${machine.trim()}`]),
    ...sourceMapFindings(textOf(files, 'module.js.map'), packageJson.name),
  ];
}
