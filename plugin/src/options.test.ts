import * as fc from 'fast-check';
import { DEFAULTS, soundOptions } from './options';

describe('options that are stored', () => {
  test.each([
    ['nothing', undefined, {}],
    ['what no panel is', 'text', {}],
    ['an unknown palette', { palette: 'rainbow' }, {}],
    ['a pane that leaves no room', { clockShare: 100 }, { clockShare: 70 }],
    ['a marker of no size', { markers: { radius: 0 } }, { markers: { radius: 3, byQuantity: true } }],
    ['a limit that is text', { thresholds: { driftMs: '500' } }, {}],
    ['a limit of the user', { thresholds: { driftMs: 20 } }, { thresholds: { ...DEFAULTS.thresholds, driftMs: 20 } }],
    [
      'what another panel had',
      { legend: { placement: 'right', calcs: [] } },
      { legend: { showLegend: true, placement: 'right' } },
    ],
  ])('%s: are the defaults but for what is sound', (_name, stored, expected) => {
    expect(soundOptions(stored)).toEqual({ ...DEFAULTS, ...expected });
  });

  test('are sound for whatever is stored, and stay what they are', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (stored) => {
        const sound = soundOptions(stored);
        expect(Object.keys(sound)).toEqual(Object.keys(DEFAULTS));
        expect(soundOptions(sound)).toEqual(sound);
      })
    );
  });
});
