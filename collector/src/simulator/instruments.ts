import type { Market } from './markets.ts';

/** The exchange's answer to a request for instruments. "Get Instruments Info", Bybit v5: the fields that say how a symbol trades. */
export function instrumentsBody(markets: readonly Market[], timeMs: number): object {
  if (markets.length === 0) {
    return { retCode: 10001, retMsg: 'params error: symbol invalid', result: {}, retExtInfo: {}, time: timeMs };
  }
  const result = { category: 'linear', list: markets.map(instrumentInfo), nextPageCursor: '' };
  return { retCode: 0, retMsg: 'OK', result, retExtInfo: {}, time: timeMs };
}

const instrumentInfo = ({ symbol, tickSize, lotSize, minNotional }: Market): object => ({
  symbol,
  contractType: 'LinearPerpetual',
  status: 'Trading',
  baseCoin: symbol.replace(/USDT$/, ''),
  quoteCoin: 'USDT',
  priceFilter: { minPrice: tickSize, tickSize },
  lotSizeFilter: { minOrderQty: lotSize, qtyStep: lotSize, minNotionalValue: minNotional },
});
