import { roleOf } from './roles';
import { field, frame } from './testing/frames';

const labels = { symbol: 'BTCUSDT' };

describe('the role of a field', () => {
  test.each([
    ['its metric in a label', 'A', field('Value', 'number', [], { labels: { __name__: 'shadow_best_bid' } }), 'bid'],
    ['its metric as its name', 'A', field('shadow_best_ask', 'number', [], { labels }), 'ask'],
    ['a quote by its side', 'A', field('shadow_quote_price', 'number', [], { labels: { side: 'sell' } }), 'quoteSell'],
    ['the query, where the name is lost', 'offset', field('Value', 'number', [], { labels }), 'offset'],
    [
      'the override, above all',
      'bid',
      field('shadow_best_bid', 'number', [], { config: { custom: { role: 'ask' } } }),
      'ask',
    ],
    [
      'the override that leaves it to the name',
      'A',
      field('shadow_best_bid', 'number', [], { config: { custom: { role: 'auto' } } }),
      'bid',
    ],
    [
      'the override that hides it',
      'A',
      field('shadow_best_bid', 'number', [], { config: { custom: { role: 'ignore' } } }),
      'ignore',
    ],
    ['no role for a quote without a side', 'A', field('shadow_quote_price', 'number', []), undefined],
    ['no role for another metric, whatever its query', 'A', field('up', 'number', []), undefined],
  ])('%s', (_name, refId, one, role) => {
    expect(roleOf(frame(refId, one), one)).toBe(role);
  });

  test('columns of a table of fills go by their names', () => {
    const columns = [
      field('Price', 'number', []),
      field('quantity', 'number', []),
      field('side', 'string', []),
      field('fee', 'number', []),
    ];
    const table = frame('A', ...columns);
    expect(columns.map((column) => roleOf(table, column))).toEqual(['fillPrice', 'fillSize', undefined, undefined]);
  });
});
