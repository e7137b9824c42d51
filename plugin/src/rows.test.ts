import * as fc from 'fast-check';
import { mergeRows } from './rows';

const column = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.option(fc.integer(), { nil: null })), {
  maxLength: 12,
});

test('each event has a row of its own, in order of time and of the columns, and none is lost', () => {
  fc.assert(
    fc.property(fc.array(column, { minLength: 1, maxLength: 5 }), (unsorted) => {
      const columns = unsorted.map((pairs) => {
        const sorted = [...pairs].sort(([a], [b]) => a - b);
        return { times: sorted.map(([ms]) => ms), values: sorted.map(([, value]) => value) };
      });
      const expected = columns
        .flatMap(({ times, values }, number) => times.map((ms, index) => ({ ms, number, value: values[index] })))
        .map((event, place) => ({ ...event, place }))
        .sort((a, b) => a.ms - b.ms || a.place - b.place);
      const { data, rowsOf } = mergeRows(columns);
      expect(data[0]).toEqual(expected.map(({ ms }) => ms));
      columns.forEach((_, number) => {
        const own = expected.map((event) => (event.number === number ? event.value : undefined));
        expect(data[number + 1]).toEqual(own);
        expect([...rowsOf[number]!]).toEqual(expected.flatMap((event, row) => (event.number === number ? [row] : [])));
      });
    })
  );
});
