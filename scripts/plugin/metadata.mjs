// What plugin.json says, and whether versions agree. Grafana's own schema is in no package; this is what of it a panel may use, and 11.6 knows.
import { Ajv } from 'ajv';
import { textOf } from './folder.mjs';

const object = (properties, required = Object.keys(properties)) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});
const text = (minLength) => ({ type: 'string', minLength });
const matching = (pattern) => ({ type: 'string', pattern });
const HTTPS = matching('^https://[^\\s]+$');
const ICON = matching('^img/[a-z0-9-]+\\.svg$');

const PANEL = object(
  {
    $schema: HTTPS,
    type: { const: 'panel' },
    name: text(3),
    id: matching('^[0-9a-z]+-[0-9a-z]+-panel$'),
    suggestions: { const: true },
    info: object({
      description: { type: 'string', minLength: 40, maxLength: 250 },
      keywords: { type: 'array', minItems: 3, uniqueItems: true, items: text(2) },
      author: object({ name: text(2), url: HTTPS }),
      logos: object({ small: ICON, large: ICON }),
      links: { type: 'array', minItems: 1, items: object({ name: text(2), url: HTTPS }) },
      screenshots: {
        type: 'array',
        minItems: 1,
        items: object({ name: text(2), path: matching('^img/[a-z0-9-]+\\.png$') }),
      },
      version: matching('^\\d+\\.\\d+\\.\\d+$'),
      updated: matching('^\\d{4}-\\d{2}-\\d{2}$'),
    }),
    // Written by the scaffold's build.
    buildMode: { const: 'production' },
    dependencies: object({ grafanaDependency: { const: '>=11.6.0' }, plugins: { type: 'array', maxItems: 0 } }),
  },
  ['type', 'name', 'id', 'suggestions', 'info', 'buildMode', 'dependencies'],
);

const validate = new Ajv({ allErrors: true, verbose: true }).compile(PANEL);

/** Ajv's "must be …, must match …" as "expected …, got …". */
function wordsOf({ instancePath, keyword, message, params, data }) {
  const place = `plugin.json ${instancePath || '/'}`;
  if (keyword === 'required') return `${place}: expected ${params.missingProperty}, got none`;
  if (keyword === 'additionalProperties') {
    return `${place}: expected what a panel may have, got ${params.additionalProperty}`;
  }
  const wanted = keyword === 'const' ? JSON.stringify(params.allowedValue) : message.replace(/^must /, 'to ');
  return `${place}: expected ${wanted}, got ${JSON.stringify(data)}`;
}

export function metadataFindings({ json, packageJson }) {
  const faults = validate(json) ? [] : validate.errors.map(wordsOf);
  const same = packageJson.name === json.id;
  return [
    ...faults,
    ...(same ? [] : [`plugin.json /id: expected ${packageJson.name} as in package.json, got ${json.id}`]),
  ];
}

export function versionFindings({ files, json, packageJson }) {
  const { name, version } = packageJson;
  const told = {
    'plugin.json /info/version': json.info?.version,
    'CHANGELOG.md, newest': /^## v?(\S+)/m.exec(textOf(files, 'CHANGELOG.md'))?.[1],
    'module.js, banner': new RegExp(`plugin: ${name}@(\\S+)`).exec(textOf(files, 'module.js'))?.[1],
  };
  return Object.entries(told)
    .filter(([, got]) => got !== version)
    .map(([place, got]) => `${place}: expected ${version} as in package.json, got ${got ?? 'none'}`);
}
