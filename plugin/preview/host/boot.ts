/** Everything that must be set before a panel is loaded. The page has run boot-data before. */
import { fillRegistries } from './editors';
import { setPanelErrorView } from './error-view';
import { setServices } from './services';
import type { HostServices } from './services';
import { initTranslations } from './translations';
import type { Translations } from './translations';

export async function bootHost(
  options: HostServices & { readonly loadTranslations?: Translations } = {}
): Promise<void> {
  fillRegistries();
  setServices(options);
  setPanelErrorView();
  await initTranslations(options.loadTranslations);
}
