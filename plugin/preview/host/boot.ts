/** Everything that must be set before a panel is loaded. The page has run boot-data before. */
import { fillRegistries } from './editors';
import { setPanelErrorView } from './error-view';
import { setServices } from './services';
import type { HostServices } from './services';
import { initTranslations } from './translations';

export async function bootHost(services: HostServices = {}): Promise<void> {
  fillRegistries();
  setServices(services);
  setPanelErrorView();
  await initTranslations();
}
