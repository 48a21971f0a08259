import type { TopLevelSpec } from 'vega-lite';
import type { StrategyStyle } from './palette.ts';
import { panelHeight, panelWidth } from './render-chart.ts';

/** A point of a line, with the ends of its band where the spread is known. */
export interface LinePoint {
  readonly strategy: string;
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

/** What a panel of lines shows, one line per strategy. */
export interface LinePanel {
  readonly points: readonly LinePoint[];
  readonly xTitle: string;
  readonly yTitle: string;
  /** Logarithmic vertical axis; every y must be positive. */
  readonly logarithmic?: boolean;
  /** Ends of the horizontal axis, whole numbers. */
  readonly xDomain: readonly [number, number];
  /** Whether each point has a mark that shows: where it is one measurement, not a median over steps. */
  readonly marks: boolean;
}

/** Up to four figures without trailing zeros, as d3 writes it. */
export const numberFormat = '.4~g';

/** Whole numbers for an axis, at most eight of them, all multiples of 1, 2 or 5 times a power of ten. */
export function wholeTicks([from, to]: readonly [number, number]): number[] {
  let size = 1;
  for (const factors = [2, 2.5, 2]; (to - from) / size > 7; factors.push(factors.shift()!))
    size *= factors[0]!;
  const ticks: number[] = [];
  for (let tick = Math.ceil(from / size) * size; tick <= to; tick += size) ticks.push(tick);
  return ticks;
}

function logDomain(points: readonly LinePoint[]): [number, number] {
  const values = points.map(({ y }) => y);
  return [Math.min(...values) / 1.1, Math.min(Number.MAX_VALUE, Math.max(...values) * 1.1)];
}

/**
 * Numbers for a logarithmic axis: powers of ten over many decades, 1, 2 and 5 of each over few, more within one.
 */
export function logTicks([from, to]: readonly [number, number]): number[] {
  const first = Math.floor(Math.log10(from));
  const last = Math.ceil(Math.log10(to));
  const candidates = [[1], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 7]].map((factors) => {
    const ticks: number[] = [];
    for (let power = first; power <= last; power += 1) {
      for (const factor of factors) {
        const tick = Number(`${factor}e${power}`);
        if (tick >= from && tick <= to) ticks.push(tick);
      }
    }
    return ticks;
  });
  return candidates.find((ticks) => ticks.length >= 3) ?? candidates.at(-1)!;
}

const shown = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 4, useGrouping: false });

/** A number as a hover text says it, with up to four figures. */
export function spokenNumber(value: number): string {
  return shown.format(value).replace('-', '−');
}

/** Colour, dashes and marks by strategy, without Vega's own legend: the page has one for all panels. */
export function strategyEncoding(styles: readonly StrategyStyle[]): {
  readonly color: object;
  readonly strokeDash: object;
  readonly shape: object;
} {
  const domain = styles.map(({ strategy }) => strategy);
  return {
    color: {
      field: 'strategy',
      type: 'nominal',
      legend: null,
      scale: { domain, range: styles.map(({ colour }) => colour) },
    },
    strokeDash: {
      field: 'strategy',
      type: 'nominal',
      legend: null,
      scale: { domain, range: styles.map(({ dash }) => [...dash]) },
    },
    shape: {
      field: 'strategy',
      type: 'nominal',
      legend: null,
      scale: { domain, range: styles.map(({ shape }) => shape) },
    },
  };
}

/** The Vega-Lite specification of a panel of lines. */
export function linePanelSpec(panel: LinePanel, styles: readonly StrategyStyle[]): TopLevelSpec {
  const { color, strokeDash, shape } = strategyEncoding(styles);
  const banded = panel.points.some(({ low }) => low !== undefined);
  const x = {
    field: 'x',
    type: 'quantitative',
    title: panel.xTitle,
    scale: { domain: [...panel.xDomain], nice: false, zero: false },
    // These are few enough to stand beside each other; Vega would leave some out.
    axis: {
      ...{ values: wholeTicks(panel.xDomain), format: 'd', grid: false },
      ...{ labelOverlap: false, labelFlush: false, tickCount: 10, tickMinStep: 0.5 },
    },
  };
  const domain = panel.logarithmic ? logDomain(panel.points) : null;
  const scale = {
    ...(panel.logarithmic ? { type: 'log', nice: false } : { zero: false }),
    ...(domain ? { domain: [...domain] } : {}),
  };
  const y = {
    field: 'y',
    type: 'quantitative',
    title: panel.yTitle,
    scale,
    axis: {
      format: numberFormat,
      ...(panel.logarithmic && domain ? { values: logTicks(domain) } : {}),
    },
  };
  const band = {
    mark: { type: 'area', opacity: 0.1 },
    encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
  };
  // Each line is thinner than the one below it, so that lines in the same place can all be seen.
  const strokeWidth = {
    field: 'strategy',
    type: 'ordinal',
    sort: null,
    legend: null,
    scale: {
      type: 'ordinal',
      domain: styles.map(({ strategy }) => strategy),
      range: styles.map(
        (_, index) => 1.6 + (1.6 * (styles.length - 1 - index)) / Math.max(4, styles.length - 1),
      ),
    },
  };
  const line = { mark: { type: 'line' }, encoding: { x, y, color, strokeDash, strokeWidth } };
  // Points that do not show lie within their lines: they say their values where the pointer rests.
  const marks = {
    mark: { type: 'point', filled: true, size: panel.marks ? 40 : 2, opacity: 1, aria: true },
    encoding: { x, y, color, shape, description: { field: 'label', type: 'nominal' } },
  };
  const titles = new Map(styles.map(({ strategy, title }) => [strategy, title]));
  const values = panel.points.map((point) => ({
    ...point,
    label: pointLabel(point, panel, titles),
  }));
  // Vega-Lite's types cannot check what is assembled from parts; its compile() does.
  return {
    width: panelWidth,
    height: panelHeight,
    data: { values },
    layer: [...(banded ? [band] : []), line, marks],
  } as unknown as TopLevelSpec;
}

/** What a point stands for: `MMPareto, epoch 2: test accuracy (%) 34.3 (29.1 to 40)`. */
function pointLabel(
  { strategy, x, y, low, high }: LinePoint,
  { xTitle, yTitle }: LinePanel,
  titles: ReadonlyMap<string, string>,
): string {
  const band =
    low === undefined || high === undefined
      ? ''
      : ` (${spokenNumber(low)} to ${spokenNumber(high)})`;
  return `${titles.get(strategy) ?? strategy}, ${xTitle} ${spokenNumber(x)}: ${yTitle} ${spokenNumber(y)}${band}`;
}
