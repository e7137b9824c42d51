// Bundles the pages of the preview into dist/: node preview/build.mjs [--page bench …] [--host hosts/11.6] [--out DIR].
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

/** What a host may lack: an empty module takes its place, and who imports it looks whether something is there. */
const OPTIONAL = ['@grafana/i18n'];
/** Nothing is edited here: the code editor of @grafana/ui, a chunk of its own there, is not even built. */
const UNUSED = /^(monaco-editor|monaco-promql|react-monaco-editor|@monaco-editor\/react)(\/|$)/;

/** Grafana before 12 imports CommonJS files of these by path, and means their default; as ES modules there is one way to mean it. */
const COMMONJS_PATH = /^(react-use|rc-[a-z]+)\/lib\//;

/** Packages come from the host's own node_modules. */
const hostPackages = (nodeModules) => ({
  name: 'host packages',
  setup({ onResolve, onLoad, resolve: resolveAs }) {
    const fromHost = { resolveDir: dirname(nodeModules), kind: 'import-statement', pluginData: 'resolved' };
    onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: 'empty' }));
    onResolve({ filter: COMMONJS_PATH }, ({ path, resolveDir, kind }) =>
      resolveAs(path.replace('/lib/', path.startsWith('rc-') ? '/es/' : '/esm/'), { resolveDir, kind })
    );
    onResolve({ filter: /^shadow-host:panel-data-error-view$/ }, async ({ path }) => {
      const runtime = await resolveAs('@grafana/runtime', fromHost);
      const view = join(dirname(runtime.path), 'components/PanelDataErrorView.mjs');
      return existsSync(view) ? { path: view } : { path, namespace: 'empty' };
    });
    onResolve({ filter: /^shadow-host:emotion-css$/ }, () => resolveAs('@emotion/css', fromHost));
    onResolve({ filter: /^@emotion\/css$/ }, ({ pluginData }) =>
      pluginData === 'resolved' ? undefined : { path: join(here, 'host/emotion-css.ts') }
    );
    onResolve({ filter: /^[^./]/ }, async ({ path, importer, kind, pluginData }) => {
      if (pluginData === 'resolved' || importer.includes('node_modules') || kind === 'entry-point') {
        return;
      }
      const found = await resolveAs(path, { ...fromHost, kind });
      return found.errors.length > 0 && OPTIONAL.includes(path) ? { path, namespace: 'empty' } : found;
    });
    onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
  },
});

const BLANK = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"></svg>\n';

/** Grafana's packages name fonts that they do not contain. The families fall back to what the system has. */
const noFonts = {
  name: 'no fonts',
  setup({ onLoad }) {
    onLoad({ filter: /GlobalStyles[/\\]fonts\.m?js$/ }, () => ({ contents: 'export const getFontStyles = () => [];' }));
  },
};

/**
 * The icons of @grafana/ui, which has not all that it names: the more usual of the others are drawn in icons/, the rest are blank, so that
 * no page asks for what is not there.
 */
function copyIcons(nodeModules, out) {
  const target = join(out, 'public/build/img/icons');
  cpSync(join(nodeModules, '@grafana/ui/dist/public/img/icons'), target, { recursive: true });
  const { availableIconsIndex } = createRequire(import.meta.url)('@grafana/data');
  const folders = ['unicons', 'mono', 'solid', 'custom'].map((folder) => join(target, folder));
  const known = new Set(folders.flatMap((folder) => readdirSync(folder)));
  for (const name of Object.keys(availableIconsIndex)) {
    const file = `${name}.svg`;
    const own = join(here, 'icons', file);
    if (known.has(file)) {
      continue;
    }
    for (const folder of folders) {
      writeFileSync(join(folder, file), existsSync(own) ? readFileSync(own) : BLANK);
    }
  }
}

/** Whole pages, found by their html; also for a host of another version, whose packages lie in `host`. */
export async function buildPages({ pages, host = dirname(here), out = join(here, 'dist') }) {
  const nodeModules = join(resolve(host), 'node_modules');
  const options = {
    bundle: true,
    minify: true,
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
    loader: { '.svg': 'dataurl' },
    nodePaths: [nodeModules],
    plugins: [hostPackages(nodeModules), noFonts],
    logLevel: 'warning',
    // Of systemjs, whose package.json has a type of its own.
    logOverride: { 'package.json': 'silent' },
  };
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  await build({
    ...options,
    format: 'esm',
    splitting: true,
    outdir: out,
    chunkNames: 'chunks/[name]-[hash]',
    entryPoints: pages.map((page) => join(here, `${page}.tsx`)),
  });
  await build({ ...options, format: 'iife', outdir: out, entryPoints: [join(here, 'host/boot-data.ts')] });
  for (const page of pages) {
    cpSync(join(here, `${page}.html`), join(out, `${page}.html`));
  }
  copyIcons(nodeModules, out);
}

const allPages = () => readdirSync(here).flatMap((name) => (name.endsWith('.html') ? [name.slice(0, -5)] : []));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { page: { type: 'string', multiple: true }, host: { type: 'string' }, out: { type: 'string' } },
  });
  const { page: pages = allPages(), ...where } = values;
  await buildPages({ pages, ...where });
}
