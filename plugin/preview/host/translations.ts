/** The texts of @grafana/ui and @grafana/scenes, in the language they are written in. Hosts before 12 have no such package. */
import * as i18n from '@grafana/i18n';

const PACKAGES = ['grafana', 'grafana-ui', 'grafana-scenes'];

export async function initTranslations(): Promise<void> {
  const init: unknown = Reflect.get(i18n, 'initPluginTranslations');
  if (typeof init !== 'function') {
    return;
  }
  for (const name of PACKAGES) {
    await init(name, []);
  }
}
