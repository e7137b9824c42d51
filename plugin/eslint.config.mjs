import { defineConfig } from 'eslint/config';
import baseConfig from './.config/eslint.config.mjs';

export default defineConfig([
  {
    ignores: ['**/node_modules/', '**/dist/', '.config/'],
  },
  ...baseConfig,
  {
    rules: {
      // Imports of types stand apart from those of values: the build drops them.
      'no-duplicate-imports': 'off',
    },
  },
]);
