import * as fc from 'fast-check';

/**
 * The same cases every time, so that a failure is of the change and not of the day. To look for new ones, which is worth doing before a
 * release: `SHADOW_TEST_SEED=$RANDOM npm run jest -- tests/property`.
 */
fc.configureGlobal({ seed: Number(process.env['SHADOW_TEST_SEED'] ?? 20_260_809) });
