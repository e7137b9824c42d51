import { notesAt, notesOf } from './annotations';
import { field, frame } from './testing/frames';

const notes = notesOf([
  frame(
    'alerts',
    field('time', 'time', [100, 200, null]),
    field('timeEnd', 'time', [150, undefined, 5]),
    field('title', 'string', ['ShadowEdgeLow', '', 'x']),
    field('text', 'string', ['<b>net</b> edge', 'restart', 'y']),
    field('color', 'string', ['red', undefined, 'z'])
  ),
  frame('none', field('time', 'time', [300])),
]);

test('annotations are moments or regions with their words, without markup', () => {
  expect(notes).toEqual([
    { fromMs: 100, toMs: 150, text: 'ShadowEdgeLow:  net  edge', color: 'red' },
    { fromMs: 200, toMs: 200, text: 'restart', color: undefined },
    { fromMs: 300, toMs: 300, text: 'annotation', color: undefined },
  ]);
});

test.each([
  [94, []],
  [96, [100]],
  [130, [100]],
  [154, [100]],
  [156, []],
  [203, [200]],
])('at %d ms with a reach of 5 those of %p are told', (ms, starts) => {
  expect(notesAt(notes, ms, 5).map(({ fromMs }) => fromMs)).toEqual(starts);
});
