/** Stands in for Grafana's core stat panel, which is not on npm: `BigValue` is, and does the drawing there too. */
import {
  FieldColorModeId,
  FieldConfigProperty,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  PanelPlugin,
  VizOrientation,
} from '@grafana/data';
import type { DisplayValueAlignmentFactors, FieldDisplay, PanelProps, ReduceDataOptions } from '@grafana/data';
import { BigValue, BigValueTextMode, useTheme2, VizRepeater } from '@grafana/ui';
import type {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  VizRepeaterRenderValueProps,
} from '@grafana/ui';
import React from 'react';

interface Options {
  readonly graphMode: BigValueGraphMode;
  readonly colorMode: BigValueColorMode;
  readonly justifyMode: BigValueJustifyMode;
  readonly textMode: BigValueTextMode;
  readonly reduceOptions: ReduceDataOptions;
  readonly orientation: VizOrientation;
}

type Shown = VizRepeaterRenderValueProps<FieldDisplay, DisplayValueAlignmentFactors>;

/** One value needs no name, and of several only the name tells which is which. */
function textModeFor({ textMode }: Options, count: number): BigValueTextMode {
  return textMode === BigValueTextMode.Auto && count === 1 ? BigValueTextMode.Value : textMode;
}

function StatPanel(props: PanelProps<Options>): React.ReactElement {
  const { data, options, fieldConfig, replaceVariables, timeZone, width, height, renderCounter } = props;
  const theme = useTheme2();
  const values = (): FieldDisplay[] =>
    getFieldDisplayValues({
      fieldConfig,
      reduceOptions: options.reduceOptions,
      replaceVariables,
      theme,
      data: data.series,
      sparkline: false,
      timeZone,
    });
  const renderValue = ({ value, width: itemWidth, height: itemHeight, count, alignmentFactors }: Shown) => (
    <BigValue
      value={value.display}
      count={count}
      theme={theme}
      width={itemWidth}
      height={itemHeight}
      colorMode={options.colorMode}
      graphMode={options.graphMode}
      justifyMode={options.justifyMode}
      textMode={textModeFor(options, count)}
      alignmentFactors={alignmentFactors}
    />
  );
  return (
    <VizRepeater<FieldDisplay, DisplayValueAlignmentFactors>
      getValues={values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={renderValue}
      source={data}
      width={width}
      height={height}
      itemSpacing={3}
      renderCounter={renderCounter}
      autoGrid
      orientation={options.orientation}
    />
  );
}

export const statPlugin = new PanelPlugin<Options>(StatPanel).useFieldConfig({
  standardOptions: {
    [FieldConfigProperty.Color]: { defaultValue: { mode: FieldColorModeId.Thresholds } },
  },
});
