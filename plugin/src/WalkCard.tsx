import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import type uPlot from 'uplot';
import { placingOf } from './draw';
import { overlapping } from './hit';
import type { Scene } from './scene';
import type { TooltipSetting } from './Tooltip';
import { Tooltip } from './Tooltip';

/** What the keyboard is at, beside its marker. */
export function WalkCard({
  scene,
  tooltip,
  plot,
  index,
}: {
  scene: Scene;
  tooltip: TooltipSetting;
  plot: uPlot | null;
  index: number;
}) {
  const styles = useStyles2(getStyles);
  const placing = plot === null ? undefined : placingOf(plot, scene);
  if (index < 0 || plot === null || placing === undefined) {
    return null;
  }
  const { fills } = scene.picture;
  const left = plot.over.offsetLeft + (fills.times[index]! - placing.fromMs) * placing.pxPerMs;
  const top = plot.over.offsetTop + placing.topOf(fills.prices[index]!);
  const toLeft = left > plot.width / 2;
  return (
    <>
      <div data-testid="shadow-fills-ring" className={styles.ring} style={{ left: left - 11, top: top - 11 }} />
      <div
        className={styles.card}
        style={{ top: Math.max(0, top - 20), ...(toLeft ? { right: plot.width - left + 18 } : { left: left + 18 }) }}
      >
        <Tooltip
          {...tooltip}
          picture={scene.picture}
          ms={fills.times[index]!}
          lines={tooltip.bookLines}
          fills={overlapping(placing, index)}
          notes={[]}
        />
      </div>
    </>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  ring: css({
    position: 'absolute',
    width: 22,
    height: 22,
    borderRadius: '50%',
    border: `2px solid ${theme.colors.text.maxContrast}`,
    pointerEvents: 'none',
  }),
  card: css({
    position: 'absolute',
    zIndex: theme.zIndex.tooltip,
    pointerEvents: 'none',
    background: theme.colors.background.elevated ?? theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    boxShadow: theme.shadows.z2,
  }),
});
