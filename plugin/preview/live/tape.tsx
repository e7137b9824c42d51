/** The latest fills as a table, newest first. */
import type { Fill } from '@shadow-mode/schema';
import { dateTimeFormat } from '@grafana/data';
import type { GrafanaTheme2 } from '@grafana/data';
import { css } from '@emotion/css';
import { useStyles2 } from '@grafana/ui';
import React from 'react';

const MOST = 200;

export function Tape({
  fills,
  timeZone,
}: {
  readonly fills: readonly Fill[];
  readonly timeZone: string;
}): React.ReactElement {
  const styles = useStyles2(getStyles);
  return (
    <section className={styles.tape} aria-label="Latest fills" tabIndex={0} data-testid="live-tape">
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Fill</th>
            <th scope="col" className={styles.number}>
              Size
            </th>
            <th scope="col" className={styles.number}>
              Price
            </th>
          </tr>
        </thead>
        <tbody>
          {keyed(fills.slice(-MOST))
            .reverse()
            .map(({ key, fill }) => (
              <Row key={key} fill={fill} timeZone={timeZone} />
            ))}
        </tbody>
      </table>
      {fills.length === 0 && <p className={styles.none}>No fill in the time that is kept.</p>}
    </section>
  );
}

/** Parts of one order may be filled alike in one microsecond. */
function keyed(fills: readonly Fill[]): Array<{ readonly key: string; readonly fill: Fill }> {
  const seen = new Map<string, number>();
  return fills.map((fill) => {
    const name = `${fill.order_id} ${fill.time_us}`;
    const nth = seen.get(name) ?? 0;
    seen.set(name, nth + 1);
    return { key: `${name} ${nth}`, fill };
  });
}

function Row({ fill, timeZone }: { readonly fill: Fill; readonly timeZone: string }): React.ReactElement {
  const styles = useStyles2(getStyles);
  const { time_us: timeUs, side, price, quantity, liquidity, cause } = fill;
  return (
    <tr title={`cause: ${cause}, order ${fill.order_id}`} data-time-us={timeUs}>
      <td>{dateTimeFormat(timeUs / 1_000, { format: 'HH:mm:ss.SSS', timeZone })}</td>
      <td className={liquidity === 'taker' ? styles.taker : styles[side]}>
        {liquidity === 'taker' ? '◆' : side === 'buy' ? '▲' : '▼'} {liquidity} {side}
      </td>
      <td className={styles.number}>{quantity}</td>
      <td className={styles.number}>{price}</td>
    </tr>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  tape: css({
    width: 330,
    overflowY: 'auto',
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    background: theme.colors.background.primary,
  }),
  table: css({
    width: '100%',
    borderCollapse: 'collapse',
    fontSize: theme.typography.bodySmall.fontSize,
    fontVariantNumeric: 'tabular-nums',
    'td, th': { padding: '2px 8px', whiteSpace: 'nowrap', textAlign: 'left' },
    th: {
      position: 'sticky',
      top: 0,
      padding: '8px',
      background: theme.colors.background.primary,
      color: theme.colors.text.secondary,
      fontWeight: theme.typography.fontWeightRegular,
    },
  }),
  number: css({ '&&': { textAlign: 'right' } }),
  buy: css({ color: theme.isDark ? '#4CCB7F' : '#14804A' }),
  sell: css({ color: theme.isDark ? '#FF6B7A' : '#C4162A' }),
  taker: css({ color: theme.isDark ? '#E879F9' : '#A21CAF' }),
  none: css({ padding: theme.spacing(1), color: theme.colors.text.secondary }),
});
