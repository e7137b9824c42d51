import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

const pureFolders = ['book', 'fills', 'clock', 'kpi'].map((folder) => `collector/src/${folder}/**/*.ts`);
/** The simulated exchange but for its server, and the calibration: deterministic, so that a seed is a market. */
const deterministic = ['collector/src/simulator/**/*.ts', 'collector/src/calibration/**/*.ts'];

/** The product never signs and never sends an order; nothing in the collector may build a keyed hash. */
const noSigning = [
  {
    selector: 'ImportSpecifier[imported.name=/^(createHmac|createSign|sign|privateEncrypt|createPrivateKey)$/]',
    message: 'Shadow mode holds no key and signs nothing.',
  },
  {
    selector: 'MemberExpression[property.name=/^(createHmac|createSign|privateEncrypt|createPrivateKey)$/]',
    message: 'Shadow mode holds no key and signs nothing.',
  },
];

const timeAndChance = {
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Time is an argument.' },
    { object: 'Math', property: 'random', message: 'Randomness is an argument.' },
  ],
  'no-restricted-syntax': [
    'error',
    ...noSigning,
    { selector: 'NewExpression[callee.name="Date"]', message: 'Time is an argument.' },
  ],
};

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'dist.*/',
      'node_modules/',
      'artifacts/',
      'coverage/',
      'tests/bench/node_modules/',
      // It has its own, from Grafana's scaffold.
      'plugin/',
      'schema/types.gen.d.ts',
    ],
  },
  js.configs.recommended,
  { rules: { 'no-unused-vars': ['error', { ignoreRestSiblings: true }] } },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // Indices are bounded by the loop or the search that made them; noUncheckedIndexedAccess cannot see it.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': ['error', ...noSigning],
    },
  },
  {
    files: pureFolders,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['node:*'], message: 'Pure folders do no I/O.' },
            {
              group: ['ws', 'pino', 'prom-client', 'prometheus-remote-write', 'ajv', 'ajv-formats'],
              message: 'Pure folders do no I/O.',
            },
            {
              group: ['**/feed/**', '**/metrics/**', '**/artifacts/**', '**/commands/**', '**/log.ts', '**/config.ts'],
              message: 'The data path has one direction: pure folders do not know the edge.',
            },
          ],
        },
      ],
      'no-restricted-globals': [
        'error',
        ...[
          'process',
          'performance',
          'setTimeout',
          'setInterval',
          'setImmediate',
          'console',
          'fetch',
          'Buffer',
          'crypto',
        ].map((name) => ({ name, message: 'Pure folders read no clock, no randomness and no process.' })),
      ],
      ...timeAndChance,
    },
  },
  {
    files: deterministic,
    ignores: ['collector/src/simulator/server.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['process', 'performance', 'setTimeout', 'setInterval', 'setImmediate', 'console', 'fetch', 'crypto'].map(
          (name) => ({ name, message: 'A seed is a market: nothing else may decide.' }),
        ),
      ],
      ...timeAndChance,
    },
  },
  {
    files: ['tests/**/*.ts'],
    rules: {
      'max-lines': 'off',
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [] }],
    },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        performance: 'readonly',
        setTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
      },
    },
  },
  prettier,
);
