import { afterAll, describe, expect, test } from '@jest/globals';
import { AlertWorld, shortAfterDeath, STORIES } from './alerts/world.ts';
import { Scope } from './support/scope.ts';

const TIMEOUT_MS = 420_000;

const scope = new Scope();
afterAll(() => scope.close());

describe('a scenario sets off the alert it is made for, alone, from the collector to the webhook', () => {
  const world = AlertWorld.start(scope);
  world.catch(() => undefined); // The tests that wait for it tell.
  for (const story of STORIES) {
    const told = world.then((started) => started.tell(story));
    told.catch(() => undefined);
    test(
      `${story.alert}: ${story.scenario} on ${story.symbol} fires it, and its end resolves it`,
      async () => {
        const { fired, receivers, annotations } = await told;
        expect(fired).toEqual([story.alert]);
        expect(receivers).toEqual([story.receiver]);
        expect(annotations['summary']).toContain(story.symbol);
        expect(annotations['description']).toMatch(/\S.{20,}/);
        expect(annotations['runbook_url']).toMatch(new RegExp(`/alerts/runbooks/${story.alert}\\.md$`));
      },
      TIMEOUT_MS,
    );
  }
});

describe('the collector is killed while an alert fires', () => {
  const death = shortAfterDeath(scope);
  death.catch(() => undefined);
  test(
    'its metrics are missing, and nothing is told to be resolved',
    async () => {
      const { before, after } = await death;
      expect(before).toEqual(['firing ShadowLatencyHigh']);
      expect(after.filter((told) => told.startsWith('resolved'))).toEqual([]);
      expect(after).toContain('firing ShadowMetricsMissing');
    },
    TIMEOUT_MS,
  );
});
