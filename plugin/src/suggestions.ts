// Whether this panel is one to suggest for some data, in the way of Grafana up to 12.2 and in the way since.
import type { DataFrame, VisualizationSuggestion } from '@grafana/data';
import { channelsOf } from './channels';
import type { FillsOptions } from './options';

/** VisualizationSuggestionScore.Best, which older Grafana lacks at this place. */
const BEST = 100;

type Suggestion = VisualizationSuggestion<FillsOptions>;

/** A best price or fills, of one symbol: what no other panel shows as what it is. */
export function suits(frames: readonly DataFrame[]): boolean {
  const { found, symbols } = channelsOf(frames);
  return symbols.length <= 1 && found.some(({ role }) => role === 'bid' || role === 'ask' || role === 'fillPrice');
}

const SUGGESTION: Suggestion = {
  name: 'Virtual fills on best bid and ask',
  score: BEST,
  cardOptions: {
    previewModifier: (suggestion) => {
      suggestion.options = {
        ...suggestion.options,
        show: { header: false, quotes: true, fills: true, clock: false },
        legend: { showLegend: false, placement: 'bottom' },
      };
    },
  },
};

interface OldBuilder {
  readonly data?: { readonly series: readonly DataFrame[] };
  readonly getListAppender: (defaults: object) => { readonly append: (suggestion: object) => void };
}

/** Since 12.3 a function of what is known of the data; before, an object that appends to a list. This is both. */
export const suggestions = Object.assign(
  ({ rawFrames }: { readonly rawFrames?: readonly DataFrame[] }): Suggestion[] | undefined =>
    suits(rawFrames ?? []) ? [SUGGESTION] : undefined,
  {
    getSuggestionsForData: (builder: OldBuilder): void => {
      if (!suits(builder.data?.series ?? [])) {
        return;
      }
      builder
        .getListAppender({
          pluginId: 'shadowmode-fills-panel',
          name: SUGGESTION.name,
          options: {},
          fieldConfig: { defaults: { custom: {} }, overrides: [] },
        })
        .append({ ...SUGGESTION });
    },
  }
);
