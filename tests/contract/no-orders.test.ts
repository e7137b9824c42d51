import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Linter } from 'eslint';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = readdirSync(`${ROOT}/collector/src`, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

/** What any client that can trade has somewhere. */
const FORBIDDEN = [
  /createHmac|createSign\b|privateEncrypt|createPrivateKey|subtle\.sign/,
  /api[_-]?secret|api[_-]?key|x-bapi|x-mbx-apikey|recv_window/i,
  /\/v5\/(order|position|account|asset|user)\b/,
  /\/v5\/private|\/v5\/trade\b/,
  /method:\s*['"](POST|PUT|PATCH|DELETE)['"]/i,
  /["']op["']?:\s*["'](auth|order\.)/,
];

describe('the collector cannot trade', () => {
  test('there are sources to look through', () => {
    expect(SOURCES.length).toBeGreaterThan(40);
  });

  test.each(SOURCES)('%s holds no key, no signing and no order endpoint', (file) => {
    const text = readFileSync(`${ROOT}/collector/src/${file}`, 'utf8');
    for (const pattern of FORBIDDEN) expect(text).not.toMatch(pattern);
  });

  const lint = async (path: string, code: string): Promise<string[]> => {
    // The file need not be there: rules that need types are off, those of the folders are not.
    const eslint = new ESLint({ cwd: ROOT, overrideConfig: tseslint.configs.disableTypeChecked as Linter.Config });
    const [result] = await eslint.lintText(code, { filePath: `${ROOT}/${path}` });
    return result!.messages.map(({ ruleId, message }) => `${String(ruleId)}: ${message}`);
  };

  test.each([
    { name: 'importing createHmac', code: "import { createHmac } from 'node:crypto';\nexport const x = createHmac;\n" },
    {
      name: 'crypto.createHmac',
      code: "import crypto from 'node:crypto';\nexport const x = crypto.createHmac('a', 'b');\n",
    },
  ])('lint refuses $name', async ({ code }) => {
    const messages = await lint('collector/src/feed/probe-of-lint.ts', code);
    expect(messages.some((message) => message.includes('signs nothing'))).toBe(true);
  });

  test.each([
    { name: 'the wall clock', code: 'export const x = Date.now();\n' },
    { name: 'randomness', code: 'export const x = Math.random();\n' },
    { name: 'process', code: 'export const x = process.pid;\n' },
    { name: 'node modules', code: "import { readFileSync } from 'node:fs';\nexport const x = readFileSync;\n" },
    { name: 'the logger', code: "import { createLogger } from '../log.ts';\nexport const x = createLogger;\n" },
    { name: 'the feed', code: "import { backoffMs } from '../feed/connection.ts';\nexport const x = backoffMs;\n" },
  ])('lint keeps $name out of the pure folders', async ({ code }) => {
    for (const folder of ['book', 'fills', 'clock', 'kpi']) {
      const messages = await lint(`collector/src/${folder}/probe-of-lint.ts`, code);
      expect(messages.filter((message) => message.startsWith('no-restricted')).length).toBeGreaterThan(0);
    }
  });
});
