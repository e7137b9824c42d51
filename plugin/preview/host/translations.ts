/** The texts of @grafana/ui and @grafana/scenes, in the language they are written in. Hosts before 12 have no such package. */
import * as i18n from '@grafana/i18n';

/** By the name of a package: its texts in a language. */
export type Translations = Readonly<Record<string, (language: string) => Promise<unknown>>>;

const PACKAGES = ['grafana', 'grafana-ui'];

export async function initTranslations(further: Translations = {}): Promise<void> {
  const init: unknown = Reflect.get(i18n, 'initPluginTranslations');
  if (typeof init !== 'function') {
    return;
  }
  for (const name of PACKAGES) {
    await init(name, []);
  }
  for (const [name, load] of Object.entries(further)) {
    await init(name, [load]);
  }
}
