import { css } from '@emotion/css';
import type { GrafanaTheme2, LinkModel } from '@grafana/data';
import { DataLinkButton, useStyles2 } from '@grafana/ui';
import type { TimeZone } from '@grafana/schema';
import React from 'react';
import type { Note } from './annotations';
import { KINDS } from './fills';
import { detailsOf, formatTime } from './format';
import type { Picture } from './frames';
import type { Palette, Part } from './palette';
import { Glyph } from './Glyph';
import type { ShownLine } from './words';
import { fillAmounts, fillName, lineText } from './words';

/** Fills that are listed one by one where markers overlap; the others are counted. */
export const MOST_LISTED = 8;

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
          <span className={styles.value}>{lineText(picture, role, ms)}</span>
        </div>
      ))}
      {notes.map(({ text }, index) => (
        <div key={index} className={styles.count}>
          ⚑ {text}
        </div>
      ))}
      {links.map((link) => (
        <DataLinkButton key={link.href} link={link} buttonProps={{ size: 'sm', fill: 'text' }} />
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
