import { config, locationService } from '@grafana/runtime';
import { ToolbarButton } from '@grafana/ui';
import React from 'react';

/** Loads the page anew: scenes color their data once, when it comes. Symbol and time are in the address. */
export function ThemeSwitch(): React.ReactElement {
  const { isDark } = config.theme2;
  const change = (): void => {
    locationService.partial({ theme: isDark ? 'light' : 'dark' }, true);
    window.location.reload();
  };
  return (
    <ToolbarButton
      variant="canvas"
      icon="adjust-circle"
      tooltip={isDark ? 'Light' : 'Dark'}
      aria-label={isDark ? 'Light theme' : 'Dark theme'}
      onClick={change}
    />
  );
}
