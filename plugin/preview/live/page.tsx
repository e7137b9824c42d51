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
const TAPE_WIDTH = 330;
const WIDE = 1_100;

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
  const { connection, data } = useStream(symbol, run.history_ms);
  const [spanMs, setSpanMs] = useState(DEFAULT_SPAN_MS);
  const [zoomed, setZoomed] = useState<TimeRangeJson | undefined>(undefined);
  const size = useWindowSize();
  const range = zoomed ?? (data === undefined ? undefined : shownRange(data, spanMs));
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
      <div className={styles.body}>
        {data === undefined || range === undefined ? (
          <p className={styles.waiting}>Waiting for the first message of {run.exchange}.</p>
        ) : (
          <>
            <LivePanel
              {...{ plugin, data, range }}
              onZoom={setZoomed}
              timeZone={TIME_ZONE}
              width={size.width - 32 - (isWide ? TAPE_WIDTH + 8 : 0)}
              height={size.height - 100}
            />
            <Tape fills={data.fills} timeZone={TIME_ZONE} />
          </>
        )}
      </div>
      <footer className={styles.about}>
        Times are those of the exchange. Best prices every {run.sample_period_ms} ms, fills exact,{' '}
        {run.history_ms / 60_000} minutes kept. Header: last window of {run.window_s} s. Latency: p95 of the running
        window.
        {data !== undefined && data.givenUpFills > 0 && ` ${data.givenUpFills} older fills are no longer kept.`}{' '}
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

function useStream(symbol: string, keptMs: number): LiveState {
  const stream = useMemo(() => new LiveStream(symbol, keptMs), [symbol, keptMs]);
  useEffect(() => {
    stream.open();
    return () => stream.close();
  }, [stream]);
  return useSyncExternalStore(stream.subscribe, stream.snapshot);
}

function useWindowSize(): { readonly width: number; readonly height: number } {
  const [size, setSize] = useState({ width: window.innerWidth, height: window.innerHeight });
  useEffect(() => {
    const onResize = (): void => setSize({ width: window.innerWidth, height: window.innerHeight });
    window.addEventListener('resize', onResize);
    return () => window.removeEventListener('resize', onResize);
  }, []);
  return size;
}

const getStyles = (theme: GrafanaTheme2) => ({
  page: css({
    padding: '8px 16px',
    height: '100vh',
    boxSizing: 'border-box',
    overflow: 'hidden',
    background: theme.colors.background.canvas,
    color: theme.colors.text.primary,
  }),
  bar: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(2), height: 44, whiteSpace: 'nowrap' }),
  title: css({ '&&': { margin: 0, fontSize: theme.typography.h4.fontSize } }),
  about: css({
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
  body: css({ display: 'flex', gap: 8, height: 'calc(100vh - 100px)' }),
  waiting: css({ margin: 'auto', color: theme.colors.text.secondary, fontSize: theme.typography.h4.fontSize }),
});
