// Logos and screenshots: there, what they claim to be, and of a size that a page can bear.
import { crc32 } from 'node:zlib';
import { textOf } from './folder.mjs';

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const SIDE = { least: 400, most: 2_600 };
const MOST_BYTES = { png: 150_000, svg: 10_000 };
const FOREIGN = /<script|<foreignObject|<image|<use|\son\w+\s*=|@import|href\s*=|url\(\s*['"]?(?!#)|<!ENTITY/i;
/** An id in the logo that the scaffold brings. */
const TEMPLATE = 'Layer_1-2';

/** Names of the chunks of a PNG, up to the first that is cut or damaged. */
function soundChunks(bytes) {
  const names = [];
  for (let at = PNG.length; at + 12 <= bytes.length;) {
    const end = at + 8 + bytes.readUInt32BE(at);
    if (end + 4 > bytes.length || crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32BE(end)) break;
    names.push(bytes.toString('latin1', at + 4, at + 8));
    at = end + 4;
  }
  return names;
}

function pngFindings(path, bytes) {
  const chunks = bytes.subarray(0, PNG.length).equals(PNG) ? soundChunks(bytes) : [];
  if (chunks[0] !== 'IHDR' || !chunks.includes('IDAT') || chunks.at(-1) !== 'IEND') {
    return [`${path}: expected a whole PNG, got ${chunks.length === 0 ? 'none' : `${chunks.length} sound chunks`}`];
  }
  const sides = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  return sides.every((side) => side >= SIDE.least && side <= SIDE.most)
    ? []
    : [`${path}: expected sides of ${SIDE.least} to ${SIDE.most} pixels, got ${sides.join(' x ')}`];
}

function svgFindings(path, text) {
  const foreign = FOREIGN.exec(text)?.[0];
  return [
    ...(/^\s*<svg [^>]*viewBox="[^"]+"/.test(text) && /<\/svg>\s*$/.test(text)
      ? []
      : [`${path}: expected a whole SVG with a viewBox, got none`]),
    ...(foreign === undefined
      ? []
      : [`${path}: expected no script and no reference, got ${JSON.stringify(foreign.trim())}`]),
    ...(text.includes(TEMPLATE) ? [`${path}: expected a logo of our own, got that of the template`] : []),
  ];
}

function imageFindings(files, path) {
  const bytes = files.get(path);
  if (bytes === undefined) return [`${path}: expected an image that plugin.json names, got no such file`];
  const kind = path.endsWith('.svg') ? 'svg' : 'png';
  return [
    ...(kind === 'svg' ? svgFindings(path, textOf(files, path)) : pngFindings(path, bytes)),
    ...(bytes.length <= MOST_BYTES[kind]
      ? []
      : [`${path}: expected at most ${MOST_BYTES[kind]} bytes, got ${bytes.length}`]),
  ];
}

/** Paths of the images that plugin.json names, each once. */
export const imagesOf = ({ info = {} }) => [
  ...new Set(
    [info.logos?.small, info.logos?.large, ...(info.screenshots ?? []).map(({ path }) => path)].filter(Boolean),
  ),
];

export const imagesFindings = ({ files, json }) => imagesOf(json).flatMap((path) => imageFindings(files, path));
