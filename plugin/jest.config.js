// force timezone to UTC to allow tests to work regardless of local timezone
// generally used by snapshots, but can affect specific tests
process.env.TZ = 'UTC';

const scaffold = require('./.config/jest.config');
const { grafanaESModules, nodeModulesToTransform } = require('./.config/jest/utils');

module.exports = {
  // Jest configuration provided by Grafana scaffolding
  ...scaffold,
  testMatch: [...scaffold.testMatch, '<rootDir>/preview/**/*.test.ts'],
  // Packages that @grafana/data 13 needs and that ship as ES modules alone.
  transform: { ...scaffold.transform, '^.+\\.mjs$': Object.values(scaffold.transform)[0] },
  transformIgnorePatterns: [nodeModulesToTransform([...grafanaESModules, '@react-hookz/web', '@ver0/deep-equal'])],
};
