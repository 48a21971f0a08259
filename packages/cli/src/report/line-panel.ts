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
  /** Limits of the vertical axis; those of the data where absent. */
  readonly yDomain?: readonly [number, number];
  /** Whether the vertical axis starts at zero, where its limits are the data's. */
  readonly fromZero?: boolean;
  /** Logarithmic vertical axis; every y must be positive. */
  readonly logarithmic?: boolean;
  /** Ends of the horizontal axis, whole numbers. */
  readonly xDomain: readonly [number, number];
  /** Whether each point has a mark: where it is one measurement, not a median over steps. */
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

/** Colour and dashes by strategy, without Vega's own legend: the page has one for all panels. */
export function strategyEncoding(styles: readonly StrategyStyle[]): {
  readonly color: object;
  readonly strokeDash: object;
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
  };
}

/** The Vega-Lite specification of a panel of lines. */
export function linePanelSpec(panel: LinePanel, styles: readonly StrategyStyle[]): TopLevelSpec {
  const { color, strokeDash } = strategyEncoding(styles);
  const banded = panel.points.some(({ low }) => low !== undefined);
  const x = {
    field: 'x',
    type: 'quantitative',
    title: panel.xTitle,
    scale: { domain: [...panel.xDomain], nice: false, zero: false },
    axis: { values: wholeTicks(panel.xDomain), format: 'd', grid: false },
  };
  const domain = panel.yDomain ?? (panel.logarithmic ? logDomain(panel.points) : null);
  const scale = {
    ...(panel.logarithmic ? { type: 'log', nice: false } : { zero: panel.fromZero === true }),
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
    mark: { type: 'area', opacity: 0.12 },
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
  const marks = {
    mark: { type: 'point', filled: true, size: 28, opacity: 1 },
    encoding: { x, y, color },
  };
  // Vega-Lite's types cannot check what is assembled from parts; its compile() does.
  return {
    width: panelWidth,
    height: panelHeight,
    data: { values: [...panel.points] },
    layer: [...(banded ? [band] : []), line, ...(panel.marks ? [marks] : [])],
  } as unknown as TopLevelSpec;
}
