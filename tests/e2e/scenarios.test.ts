import { afterAll, describe, expect, test } from '@jest/globals';
import { SCENARIO_NAMES } from '../../collector/src/simulator/scenario.ts';
import { CLOCK_STORIES } from './scenarios/clock-stories.ts';
import { FRAME_STORIES } from './scenarios/frame-stories.ts';
import { LINE_STORIES } from './scenarios/line-stories.ts';
import { MARKET_STORIES } from './scenarios/market-stories.ts';
import type { Story } from './scenarios/story.ts';
import { tell } from './scenarios/story.ts';
import { Limiter } from './support/limiter.ts';
import { Scope } from './support/scope.ts';

/** Those that take longest first. */
const STORIES: readonly Story[] = [...MARKET_STORIES, ...LINE_STORIES, ...FRAME_STORIES, ...CLOCK_STORIES];
/** Collectors at once: most of the time of a run is waiting. */
const COLLECTORS = 9;
/** From the start of the file, the others' turns included. */
const TIMEOUT_MS = 280_000;

const scope = new Scope();
afterAll(() => scope.close());

describe('the world changes for a while, the collector shows it, and all is as before', () => {
  const limiter = new Limiter(COLLECTORS);
  for (const story of STORIES) {
    const told = limiter.run(() => tell(scope, story));
    told.catch(() => undefined); // The test that waits for it tells.
    test(`${story.scenario}: ${story.shows}`, () => told, TIMEOUT_MS);
  }
});

test('every scenario has a test', () => {
  const tested = new Set(STORIES.map(({ scenario }) => scenario));
  expect([...tested].sort()).toEqual([...SCENARIO_NAMES].sort());
});
