import type { PendingFill } from '../kpi/recorder.ts';
import type { Lots, Ticks, Us } from '../units.ts';
import type { ShadowQuote } from './shadow-quote.ts';

/** What a simulation has to do at a time of its own. */
export type Task =
  | { readonly kind: 'activate'; readonly order: ShadowQuote }
  | { readonly kind: 'cancel'; readonly order: ShadowQuote }
  | { readonly kind: 'dwell'; readonly order: ShadowQuote; readonly touchStartUs: Us }
  | { readonly kind: 'markout'; readonly pending: PendingFill; readonly horizon: number; readonly link: number }
  | { readonly kind: 'response'; readonly order: ShadowQuote; readonly lots: Lots; readonly closed: boolean }
  | {
      readonly kind: 'view';
      readonly bidTicks: Ticks | undefined;
      readonly askTicks: Ticks | undefined;
      readonly era: number;
    }
  | { readonly kind: 'decide' };
