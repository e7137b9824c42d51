import { css } from '@emotion/css';
import type { GrafanaTheme2, LinkModel, TimeZone } from '@grafana/data';
import { TextLink, useStyles2 } from '@grafana/ui';
import React from 'react';
import type { Note } from './annotations';
import { KIND_NAMES, KINDS } from './fills';
import { detailsOf, formatExact, formatTime, sideOfFill } from './format';
import type { Picture } from './frames';
import { valueAt } from './lines';
import type { Palette, Part } from './palette';
import type { LineRole } from './roles';
import { Glyph } from './Glyph';

/** Fills that are listed one by one where markers overlap; the others are counted. */
export const MOST_LISTED = 8;

type ShownLine = Exclude<LineRole, 'uncertainty'>;

/** What is the same for every tooltip of a panel. */
export interface TooltipSetting {
  readonly palette: Palette;
  readonly timeZone: TimeZone;
  readonly nameOf: (part: Part) => string;
  /** Lines that the plots show. */
  readonly bookLines: readonly ShownLine[];
  readonly clockLines: readonly ShownLine[];
}

interface Props extends Pick<TooltipSetting, 'palette' | 'timeZone' | 'nameOf'> {
  readonly picture: Picture;
  readonly ms: number;
  /** Lines whose values at that time are shown. */
  readonly lines: readonly ShownLine[];
  /** The fills that are pointed at. */
  readonly fills?: readonly number[];
  readonly notes: readonly Note[];
  readonly links?: readonly LinkModel[];
}

/** Exact values at a time: every digit that the data have. */
export function Tooltip({ picture, palette, timeZone, nameOf, ms, lines, fills = [], notes, links = [] }: Props) {
  const styles = useStyles2(getStyles);
  const listed = fills.slice(0, MOST_LISTED);
  return (
    <div className={styles.body} data-testid="shadow-fills-tooltip">
      <div className={styles.time}>{formatTime(ms, timeZone)}</div>
      {fills.length > 1 && <div className={styles.count}>{fills.length} fills here</div>}
      {listed.map((index) => (
        <FillRow key={index} {...{ picture, palette, timeZone, index }} withTime={picture.fills.times[index] !== ms} />
      ))}
      {fills.length > listed.length && (
        <div className={styles.count}>and {fills.length - listed.length} more: zoom in to tell them apart</div>
      )}
      {lines.map((role) => (
        <div key={role} className={styles.row}>
          <Glyph part={role} color={palette[role]} />
          <span className={styles.name}>{nameOf(role)}</span>
          <span className={styles.value}>{textAt(picture, role, ms)}</span>
        </div>
      ))}
      {notes.map(({ text }, index) => (
        <div key={index} className={styles.count}>
          ⚑ {text}
        </div>
      ))}
      {links.map(({ href, title, target, onClick }) => (
        <TextLink key={href} href={href} external={target === '_blank'} onClick={onClick} inline={false}>
          {title}
        </TextLink>
      ))}
    </div>
  );
}

function FillRow({
  picture,
  palette,
  timeZone,
  index,
  withTime,
}: Pick<Props, 'picture' | 'palette' | 'timeZone'> & { index: number; withTime: boolean }) {
  const styles = useStyles2(getStyles);
  const kind = KINDS[picture.fills.kinds[index]!]!;
  const details = detailsOf(picture.fills, index);
  return (
    <div className={styles.fill} data-testid="shadow-fills-fill">
      <div className={styles.row}>
        <Glyph part={kind} color={palette[kind]} />
        <span className={styles.name}>{fillName(picture, index)}</span>
        <span className={styles.value}>{fillAmounts(picture, index)}</span>
      </div>
      {withTime && <div className={styles.detail}>{formatTime(picture.fills.times[index]!, timeZone, false)}</div>}
      {details.length > 0 && (
        <div className={styles.detail}>{details.map(({ name, text }) => `${name} ${text}`).join(' · ')}</div>
      )}
    </div>
  );
}

/** "Maker buy", "Taker sell". */
export function fillName({ fills }: Picture, index: number): string {
  const kind = KINDS[fills.kinds[index]!]!;
  const side = sideOfFill(fills, index);
  return kind === 'taker' || kind === 'unknown'
    ? `${KIND_NAMES[kind]}${side === undefined ? '' : ` ${side}`}`
    : KIND_NAMES[kind];
}

/** "0.004 @ 64000.5"; a size that is not known is said to be so. */
export function fillAmounts({ fills }: Picture, index: number): string {
  const { price } = fills.sources[fills.source[index]!]!;
  const size = fills.sizes[index]!;
  return `${Number.isNaN(size) ? 'size not known' : String(size)} @ ${formatExact(price, fills.prices[index]!)}`;
}

function textAt({ lines }: Picture, role: ShownLine, ms: number): string {
  const line = lines[role];
  const value = line === undefined ? null : valueAt(line, ms);
  if (line === undefined || value === null) return 'not known';
  const text = formatExact(line.field, value);
  if (role === 'bid' || role === 'ask' || role === 'quoteBuy' || role === 'quoteSell') return text;
  const width = role === 'offset' && lines.uncertainty !== undefined ? valueAt(lines.uncertainty, ms) : null;
  return `${text}${width === null ? '' : ` ± ${formatExact(lines.uncertainty!.field, width)}`} ms`;
}

const getStyles = (theme: GrafanaTheme2) => ({
  body: css({
    padding: theme.spacing(1),
    fontSize: theme.typography.bodySmall.fontSize,
    color: theme.colors.text.primary,
    minWidth: 190,
    maxWidth: 380,
  }),
  time: css({
    fontWeight: theme.typography.fontWeightMedium,
    paddingBottom: theme.spacing(0.5),
    fontVariantNumeric: 'tabular-nums',
  }),
  count: css({ color: theme.colors.text.secondary, padding: '2px 0' }),
  fill: css({ padding: '2px 0' }),
  row: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(0.75) }),
  name: css({ flex: 1, whiteSpace: 'nowrap' }),
  value: css({
    fontVariantNumeric: 'tabular-nums',
    fontWeight: theme.typography.fontWeightMedium,
    whiteSpace: 'nowrap',
  }),
  detail: css({ color: theme.colors.text.secondary, paddingLeft: 20, overflowWrap: 'anywhere' }),
});
