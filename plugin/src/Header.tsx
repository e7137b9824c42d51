import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import { KIND_NAMES } from './fills';
import { Glyph } from './Glyph';
import type { Kpi, Verdict } from './kpis';
import type { Palette } from './palette';

export const HEADER_HEIGHT = 46;
export const NOTICE_HEIGHT = 20;

const WORDS: Readonly<Record<Verdict, string>> = {
  good: 'within its limit',
  bad: 'beyond its limit',
  plain: '',
  unknown: '',
};
const SIGNS: Readonly<Record<Verdict, string>> = { good: '✓', bad: '!', plain: '', unknown: '' };

interface Props {
  readonly kpis: readonly Kpi[];
  readonly palette: Palette;
  readonly noValue: string;
}

export function Header({ kpis, palette, noValue }: Props) {
  const styles = useStyles2(getStyles);
  return (
    <dl className={styles.list} data-testid="shadow-fills-header">
      {kpis.map(({ name, text, counts = [], verdict, help }) => (
        <div key={name} className={styles.item} title={help} data-verdict={verdict}>
          <dt className={styles.name}>{name}</dt>
          <dd className={`${styles.value} ${styles[verdict]}`}>
            {text ?? noValue}
            {counts.map(({ kind, count }) => (
              <span key={kind} className={styles.count} aria-label={`${KIND_NAMES[kind]}: ${count}`} role="img">
                <Glyph part={kind} color={palette[kind]} />
                {count}
              </span>
            ))}
            {SIGNS[verdict] !== '' && (
              <span className={styles.sign} role="img" aria-label={WORDS[verdict]}>
                {SIGNS[verdict]}
              </span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function Notices({ notices }: { readonly notices: readonly string[] }) {
  const styles = useStyles2(getStyles);
  const text = notices.join(' ');
  return (
    <div className={styles.notice} title={text} role="note" data-testid="shadow-fills-notices">
      {text}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({
    // What has no room is left out whole: a value that is cut off is another one.
    display: 'flex',
    flexWrap: 'wrap',
    columnGap: theme.spacing(3),
    rowGap: theme.spacing(3),
    height: HEADER_HEIGHT,
    margin: 0,
    paddingLeft: theme.spacing(1),
    overflow: 'hidden',
  }),
  item: css({ whiteSpace: 'nowrap', minWidth: 0 }),
  name: css({
    fontSize: theme.typography.bodySmall.fontSize,
    fontWeight: theme.typography.fontWeightRegular,
    color: theme.colors.text.secondary,
    lineHeight: '16px',
  }),
  value: css({
    fontSize: theme.typography.h4.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
    fontVariantNumeric: 'tabular-nums',
    lineHeight: '24px',
    whiteSpace: 'pre',
  }),
  sign: css({ display: 'inline-block', marginLeft: theme.spacing(0.5), fontSize: theme.typography.bodySmall.fontSize }),
  count: css({
    display: 'inline-flex',
    alignItems: 'center',
    gap: 3,
    marginLeft: theme.spacing(1),
    fontSize: theme.typography.body.fontSize,
  }),
  good: css({ color: theme.colors.success.text }),
  bad: css({ color: theme.colors.error.text }),
  plain: css({ color: theme.colors.text.primary }),
  unknown: css({
    color: theme.colors.text.secondary,
    fontStyle: 'italic',
    fontWeight: theme.typography.fontWeightRegular,
  }),
  notice: css({
    height: NOTICE_HEIGHT,
    lineHeight: `${NOTICE_HEIGHT}px`,
    paddingLeft: theme.spacing(1),
    fontSize: theme.typography.bodySmall.fontSize,
    color: theme.colors.warning.text,
    whiteSpace: 'nowrap',
    overflow: 'hidden',
    textOverflow: 'ellipsis',
  }),
});
