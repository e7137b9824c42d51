// What a user can choose, and what is chosen where nobody did.
import type { VizLegendOptions } from '@grafana/schema';

export const HORIZONS = ['100ms', '1s', '5s', '30s', '60s'] as const;
export type Horizon = (typeof HORIZONS)[number];

export const PALETTES = ['classic', 'colorblind', 'contrast'] as const;
export type PaletteName = (typeof PALETTES)[number];

/** The limits of the six alerts that a value here is judged by. Exactly on a limit is not beyond it, as in the alerts. */
export interface Thresholds {
  /** Net edge below this is bad; bps. */
  readonly edgeBps: number;
  /** Maker share below this is bad; 0 to 1. */
  readonly makerShare: number;
  /** Latency above this is bad; ms. */
  readonly latencyMs: number;
  /** Drift further from 0 than this is bad; ms. */
  readonly driftMs: number;
}

export interface FillsOptions {
  readonly show: {
    readonly header: boolean;
    readonly quotes: boolean;
    readonly fills: boolean;
    readonly clock: boolean;
  };
  readonly markers: {
    /** Radius of the largest marker, CSS pixels. */
    readonly radius: number;
    /** Area by quantity; otherwise all are of one size. */
    readonly byQuantity: boolean;
  };
  readonly palette: PaletteName;
  /** Share of the plot's height that the clock pane takes, percent. */
  readonly clockShare: number;
  /** Whose markout the header shows. */
  readonly horizon: Horizon;
  readonly thresholds: Thresholds;
  readonly legend: Pick<VizLegendOptions, 'showLegend' | 'placement'>;
}

export const DEFAULTS: FillsOptions = {
  show: { header: true, quotes: true, fills: true, clock: true },
  markers: { radius: 8, byQuantity: true },
  palette: 'classic',
  clockShare: 32,
  horizon: '1s',
  thresholds: { edgeBps: 2.5, makerShare: 0.83, latencyMs: 350, driftMs: 500 },
  legend: { showLegend: true, placement: 'bottom' },
};

export const RADIUS = { min: 3, max: 16 };
export const CLOCK_SHARE = { min: 15, max: 70 };

/** Options as they are stored → options that can be drawn by: what is missing, of another type or out of its range is the default. */
export function soundOptions(stored: unknown): FillsOptions {
  const { show, markers, palette, clockShare, horizon, thresholds, legend } = record(stored);
  return {
    show: each(DEFAULTS.show, show, boolean),
    markers: {
      radius: within(RADIUS, record(markers).radius, DEFAULTS.markers.radius),
      byQuantity: boolean(record(markers).byQuantity, DEFAULTS.markers.byQuantity),
    },
    palette: oneOf(PALETTES, palette, DEFAULTS.palette),
    clockShare: within(CLOCK_SHARE, clockShare, DEFAULTS.clockShare),
    horizon: oneOf(HORIZONS, horizon, DEFAULTS.horizon),
    thresholds: each(DEFAULTS.thresholds, thresholds, finite),
    legend: {
      showLegend: boolean(record(legend).showLegend, DEFAULTS.legend.showLegend),
      placement: oneOf(['bottom', 'right'] as const, record(legend).placement, DEFAULTS.legend.placement),
    },
  };
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const boolean = (value: unknown, other: boolean): boolean => (typeof value === 'boolean' ? value : other);

const finite = (value: unknown, other: number): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : other;

const within = ({ min, max }: { min: number; max: number }, value: unknown, other: number): number =>
  Math.min(max, Math.max(min, finite(value, other)));

const oneOf = <T>(all: readonly T[], value: unknown, other: T): T => all.find((one) => one === value) ?? other;

function each<T extends object, V extends T[keyof T]>(
  defaults: T,
  stored: unknown,
  sound: (value: unknown, other: V) => V
): T {
  const given = record(stored);
  return Object.fromEntries(Object.entries(defaults).map(([key, other]) => [key, sound(given[key], other)])) as T;
}
