/** The live view: which run this is, one symbol of it, and its latest fills. */
import type { LiveSymbols } from '@shadow-mode/schema';
import type { GrafanaTheme2, PanelPlugin } from '@grafana/data';
import { css } from '@emotion/css';
import { Button, RadioButtonGroup, Select, useStyles2 } from '@grafana/ui';
import React, { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { TimeRangeJson } from '../host/frames';
import { changeThemeTo, useHostTheme } from '../host/theme';
import { shownRange } from './data';
import { LivePanel } from './panel';
import type { Connection, LiveState } from './stream';
import { LiveStream } from './stream';
import { Tape } from './tape';

interface Props {
  readonly run: LiveSymbols;
  readonly plugin: PanelPlugin;
}

const SPANS = [1, 5, 15].map((minutes) => ({ value: minutes * 60_000, label: `${minutes} min` }));
const DEFAULT_SPAN_MS = 5 * 60_000;
const TIME_ZONE = 'browser';
const LOCAL_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const TAPE_WIDTH = 330;
const WIDE = 1_100;
const GAP = 8;

const SOURCES: Readonly<Record<LiveSymbols['source'], string>> = {
  live: 'live feed',
  mock: 'simulated exchange',
  replay: 'recording',
};
const CONNECTIONS: Readonly<Record<Connection, string>> = {
  connecting: 'connecting…',
  open: 'live',
  lost: 'connection lost, trying again: what is shown stands still',
  ended: 'the run has ended: what is shown stands still',
};

export function LivePage({ run, plugin }: Props): React.ReactElement {
  const styles = useStyles2(getStyles);
  const [symbol, setSymbol] = useSymbol(run.symbols);
  const { connection, data } = useStream(symbol, run);
  const [spanMs, setSpanMs] = useState(DEFAULT_SPAN_MS);
  const [zoomed, setZoomed] = useState<TimeRangeJson | undefined>(undefined);
  const [body, size] = useSize();
  const range = data === undefined ? undefined : shownRange(data, spanMs, zoomed);
  const follow = (ms: number): void => {
    setZoomed(undefined);
    setSpanMs(ms);
  };
  const isWide = size.width > WIDE;
  return (
    <main className={styles.page}>
      <header className={styles.bar}>
        <h1 className={styles.title}>Shadow mode</h1>
        <span className={styles.about}>
          {run.exchange}, {SOURCES[run.source]} · fills by {run.fill_model} · no order is ever sent
        </span>
        <span className={styles.connection} role="status" data-connection={connection} data-testid="live-connection">
          <span className={styles[connection]} aria-hidden>
            ●
          </span>{' '}
          {CONNECTIONS[connection]}
        </span>
        <span className={styles.space} />
        <Symbols symbols={run.symbols} symbol={symbol} onChange={setSymbol} />
        <RadioButtonGroup
          aria-label="Time shown"
          options={SPANS}
          value={zoomed === undefined ? spanMs : undefined}
          onChange={follow}
          onClick={follow}
        />
        {zoomed !== undefined && (
          <Button size="md" variant="secondary" icon="sync" onClick={() => setZoomed(undefined)}>
            Follow
          </Button>
        )}
        <ThemeSwitch />
      </header>
      <div className={styles.body} ref={body}>
        {data === undefined || range === undefined || size.width === 0 ? (
          <p className={styles.waiting}>Waiting for the first message of {run.exchange}.</p>
        ) : (
          <>
            <LivePanel
              {...{ plugin, data, range }}
              periodMs={run.sample_period_ms}
              onZoom={setZoomed}
              timeZone={TIME_ZONE}
              width={size.width - (isWide ? TAPE_WIDTH + GAP : 0)}
              height={size.height}
            />
            {isWide && <Tape fills={data.fills} timeZone={TIME_ZONE} />}
          </>
        )}
      </div>
      <footer className={styles.about}>
        Exchange time, shown in {LOCAL_ZONE}. Best prices every {run.sample_period_ms} ms, fills exact,{' '}
        {Math.round(run.history_ms / 6_000) / 10} minutes kept. Header: last window of {run.window_s} s. Latency: p95 of
        the running window.
        {data !== undefined &&
          data.givenUpFills > 0 &&
          ' More fills came than are kept: the time shown begins with the first.'}{' '}
        <a href="metrics">Metrics</a> · {run.version}
      </footer>
    </main>
  );
}

function Symbols({
  symbols,
  symbol,
  onChange,
}: {
  readonly symbols: readonly string[];
  readonly symbol: string;
  readonly onChange: (symbol: string) => void;
}): React.ReactElement {
  const options = symbols.map((value) => ({ value, label: value }));
  if (symbols.length <= 5) {
    return <RadioButtonGroup aria-label="Symbol" options={options} value={symbol} onChange={onChange} />;
  }
  return (
    <Select
      aria-label="Symbol"
      width={20}
      options={options}
      value={symbol}
      onChange={({ value }) => onChange(value!)}
    />
  );
}

function ThemeSwitch(): React.ReactElement {
  const { isDark } = useHostTheme();
  return (
    <Button variant="secondary" fill="text" onClick={() => changeThemeTo(isDark ? 'light' : 'dark')}>
      {isDark ? 'Light' : 'Dark'}
    </Button>
  );
}

/** In the address, so that it can be kept and sent. */
function useSymbol(symbols: readonly string[]): [string, (symbol: string) => void] {
  const wanted = new URLSearchParams(window.location.search).get('symbol');
  const [symbol, setSymbol] = useState(symbols.find((one) => one === wanted) ?? symbols[0]!);
  return [
    symbol,
    (next) => {
      window.history.replaceState(null, '', `?symbol=${encodeURIComponent(next)}`);
      setSymbol(next);
    },
  ];
}

/** Open while the page is seen: a browser has six connections for an address, and each page holds one. */
function useStream(symbol: string, run: LiveSymbols): LiveState {
  const stream = useMemo(() => new LiveStream(symbol, run), [symbol, run]);
  useEffect(() => {
    const onVisibility = (): void => (document.hidden ? stream.close() : stream.open());
    onVisibility();
    document.addEventListener('visibilitychange', onVisibility);
    return () => {
      document.removeEventListener('visibilitychange', onVisibility);
      stream.close();
    };
  }, [stream]);
  return useSyncExternalStore(stream.subscribe, stream.snapshot);
}

/** Of the element that is given the ref, CSS pixels. */
function useSize(): [(element: HTMLElement | null) => void, { readonly width: number; readonly height: number }] {
  const [element, setElement] = useState<HTMLElement | null>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    if (element === null) {
      return;
    }
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return [setElement, size];
}

const getStyles = (theme: GrafanaTheme2) => ({
  page: css({
    padding: '8px 16px',
    height: '100vh',
    display: 'flex',
    flexDirection: 'column',
    gap: 4,
    boxSizing: 'border-box',
    overflow: 'hidden',
    background: theme.colors.background.canvas,
    color: theme.colors.text.primary,
  }),
  bar: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: `4px ${theme.spacing(2)}`,
    minHeight: 40,
    whiteSpace: 'nowrap',
    '& > *': { flexShrink: 0 },
  }),
  title: css({ '&&': { margin: 0, fontSize: theme.typography.h4.fontSize } }),
  about: css({
    '&&': { flexShrink: 1 },
    minWidth: 0,
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    '&& a': { color: theme.colors.text.link, textDecoration: 'underline' },
  }),
  connection: css({ fontSize: theme.typography.bodySmall.fontSize }),
  connecting: css({ color: theme.colors.text.secondary }),
  open: css({ color: theme.colors.success.text }),
  lost: css({ color: theme.colors.error.text }),
  ended: css({ color: theme.colors.warning.text }),
  space: css({ flex: 1 }),
  body: css({ display: 'flex', gap: GAP, flex: 1, minHeight: 0 }),
  waiting: css({ margin: 'auto', color: theme.colors.text.secondary, fontSize: theme.typography.h4.fontSize }),
});
