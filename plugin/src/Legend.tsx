import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import type { VizLegendItem } from '@grafana/ui';
import { LegendDisplayMode, useStyles2, VizLegend } from '@grafana/ui';
import React from 'react';
import { Glyph } from './Glyph';
import type { FillsOptions } from './options';
import type { Palette, Part } from './palette';
import { toggled } from './visibility';

interface Props {
  readonly parts: readonly Part[];
  readonly nameOf: (part: Part) => string;
  readonly palette: Palette;
  readonly hidden: ReadonlySet<Part>;
  readonly placement: FillsOptions['legend']['placement'];
  readonly onChange: (hidden: ReadonlySet<Part>) => void;
}

/** A click shows or hides a part; with Ctrl, Cmd or Shift it hides all others, or shows all again. */
export function Legend({ parts, nameOf, palette, hidden, placement, onChange }: Props) {
  const styles = useStyles2(getStyles);
  const items = parts.map((part): VizLegendItem<Part> => ({
    label: nameOf(part),
    color: palette[part],
    yAxis: 1,
    disabled: hidden.has(part),
    data: part,
    getItemKey: () => part,
  }));
  return (
    <VizLegend<Part>
      items={items}
      placement={placement}
      displayMode={LegendDisplayMode.List}
      itemRenderer={({ label, color, disabled, data }) => (
        <button
          key={label}
          type="button"
          className={styles.item}
          aria-pressed={!disabled}
          title="Click to show or hide, with Ctrl, Cmd or Shift to show it alone"
          onClick={(event) => onChange(toggled(parts, hidden, data!, event.ctrlKey || event.metaKey || event.shiftKey))}
        >
          <Glyph part={data!} color={disabled === true ? styles.off : color!} />
          <span className={disabled === true ? styles.disabled : undefined}>{label}</span>
        </button>
      )}
    />
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  item: css({
    display: 'inline-flex',
    alignItems: 'center',
    gap: 5,
    margin: '0 10px 0 0',
    padding: '1px 3px',
    border: 0,
    background: 'none',
    color: theme.colors.text.primary,
    fontSize: theme.typography.bodySmall.fontSize,
    whiteSpace: 'nowrap',
  }),
  disabled: css({ color: theme.colors.text.secondary, textDecoration: 'line-through' }),
  off: theme.colors.text.disabled,
});
