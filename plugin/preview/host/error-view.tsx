/** What a panel shows when it cannot draw its data; Grafana's core gives it to @grafana/runtime. */
import { FieldType } from '@grafana/data';
import type { PanelDataErrorViewProps } from '@grafana/runtime';
import { useTheme2 } from '@grafana/ui';
import React from 'react';
import * as internal from 'shadow-host:panel-data-error-view';

function reasonOf({ data, fieldConfig, message, ...needs }: PanelDataErrorViewProps): string {
  if (message !== undefined) {
    return message;
  }
  const fields = data.series.flatMap((frame) => (frame.length === 0 ? [] : frame.fields));
  const lacks = (type: FieldType): boolean => fields.every((field) => field.type !== type);
  if (fields.length === 0) {
    return fieldConfig?.defaults.noValue ?? 'No data';
  }
  if (needs.needsStringField === true && lacks(FieldType.string)) {
    return 'Data is missing a string field';
  }
  if (needs.needsNumberField === true && lacks(FieldType.number)) {
    return 'Data is missing a number field';
  }
  if (needs.needsTimeField === true && lacks(FieldType.time)) {
    return 'Data is missing a time field';
  }
  return 'Cannot visualize data';
}

function ErrorView(props: PanelDataErrorViewProps): React.ReactElement {
  const theme = useTheme2();
  const style: React.CSSProperties = {
    width: '100%',
    height: '100%',
    display: 'flex',
    alignItems: 'center',
    justifyContent: 'center',
    fontSize: theme.typography.h4.fontSize,
    color: theme.colors.text.secondary,
  };
  return (
    <div style={style} data-testid="panel-data-error">
      {reasonOf(props)}
    </div>
  );
}

export function setPanelErrorView(): void {
  const set: unknown = Reflect.get(internal, 'setPanelDataErrorView');
  if (typeof set === 'function') {
    set(ErrorView);
  }
}
