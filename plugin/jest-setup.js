// Jest setup provided by Grafana scaffolding
import './.config/jest-setup';
import * as fc from 'fast-check';

// The same cases each time, so that a red test stays red.
fc.configureGlobal({ seed: 20_261_124, numRuns: 200 });
