import type { Us } from '../units.ts';
import { US_PER_MS, US_PER_S } from '../units.ts';

/** The exchange's answer to a request for its time. "Get Bybit Server Time", v5. */
export const serverTimeBody = (clockUs: Us): object => ({
  retCode: 0,
  retMsg: 'OK',
  result: { timeSecond: String(Math.floor(clockUs / US_PER_S)), timeNano: `${Math.floor(clockUs)}000` },
  retExtInfo: {},
  time: Math.floor(clockUs / US_PER_MS),
});
