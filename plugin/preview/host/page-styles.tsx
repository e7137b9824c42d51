/** What Grafana has in its own style sheets around the global styles of @grafana/ui. */
import { css, Global } from '@emotion/react';
import React from 'react';

const styles = css({
  body: { margin: 0 },
  button: { border: 0, margin: 0, fontFamily: 'inherit' },
  'a, a:hover': { textDecoration: 'none' },
});

export const PageStyles = (): React.ReactElement => <Global styles={styles} />;
